/**
 * The terminal that the full screen runs on: raw mode, keys in, rows out, signals. Whatever ends the
 * screen, the terminal is as it was before.
 *
 * @module
 */

import { writeAll } from "../command/terminal.ts";
import { deliver, type KeyHandlers, openKeyDecoder } from "./keys.ts";
import process from "node:process";

/** Signals that end a program, and the exit code that says so. */
const SIGNALS = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130, SIGQUIT: 131 } as const;

/** A signal that ends a program. */
export type EndingSignal = keyof typeof SIGNALS;

/** The exit code if the terminal is gone: the same as after the signal for it, which may come later. */
const GONE: number = SIGNALS.SIGHUP;

/** Listens for signals that end the program, and for errors that no code caught. Returns what stops that. */
export function listenForEndings(
  onSignal: (signal: EndingSignal, exitCode: number) => void,
  onError: (error: unknown) => void,
): () => void {
  const stops = Object.entries(SIGNALS).map(([name, exitCode]) => {
    const signal = name as EndingSignal;
    const listener = () => onSignal(signal, exitCode);
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const listener = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    onError("reason" in event ? event.reason : event.error);
  };
  globalThis.addEventListener("error", listener);
  globalThis.addEventListener("unhandledrejection", listener);
  return () => {
    for (const stop of stops) stop();
    globalThis.removeEventListener("error", listener);
    globalThis.removeEventListener("unhandledrejection", listener);
  };
}

/** The alternate screen, no cursor, no wrapping of a row that is too wide, pastes in brackets. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h";

/**
 * Takes all of that back. The screen is cleared first: in a terminal without an alternate screen our rows
 * would stay between the lines of the shell. `cli/supervise.sh` does the same after `kill -9`, but clears
 * nothing, because this program may not have entered the screen yet.
 */
const LEAVE = "\x1b[m\x1b[?2004l\x1b[?7h\x1b[2J\x1b[H\x1b[?1049l\x1b[?25h";

/** A terminal that knows of these shows what is written between them at once. */
const [BEGIN_UPDATE, END_UPDATE] = ["\x1b[?2026h", "\x1b[?2026l"];

/** How long the rest of an escape sequence may take. A lone ESC is the Esc key after that. */
const SEQUENCE_MS = 50;

/** How long rows must be on the screen to count as seen. A key that was pressed before them is read earlier. */
const STOOD_MS = 10;

/**
 * What turns the rows on the screen into others: each row that differs is cleared and written. All are if
 * `before` is not known.
 */
export function renderChanges(
  before: readonly string[] | undefined,
  rows: readonly string[],
): string {
  const changed = rows.map((row, n) => row === before?.[n] ? "" : `\x1b[${n + 1};1H\x1b[2K${row}`)
    .join("");
  return before === undefined ? `\x1b[m\x1b[2J${changed}` : changed;
}

/** How large the terminal is. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The size of the terminal; the usual one if the terminal does not know. */
function terminalSize(): Size {
  const { columns, rows } = Deno.consoleSize();
  return { columns: columns || 80, rows: rows || 24 };
}

/** What runs on the terminal. */
export interface Program extends KeyHandlers {
  /** The rows of a screen of that size. */
  readonly frame: (size: Size) => readonly string[];
  /** The rows of the last frame were on the screen for `STOOD_MS` before another key was read. */
  readonly stood: () => void;
  /** The program's screen goes away, as another program gets the terminal. To be called when it is back: what this returns. */
  readonly away: () => () => void;
}

/** The terminal, with a program on it. */
export type Terminal = ReturnType<typeof openTerminal>;

/** Takes the terminal, and shows the program's rows on it. `onGone` is called if it is gone. */
export function openTerminal(program: Program, onGone: (exitCode: number) => void) {
  let decoder = openKeyDecoder();
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let shown: { readonly size: Size; readonly rows: readonly string[] } | undefined;
  let holder: "us" | "another" | "nobody" = "us";
  let scheduled = false;
  let standing: ReturnType<typeof setTimeout> | undefined;
  let paintedMs = 0;

  /** Once the terminal is gone, every call about it fails. */
  function onTerminal<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch {
      onGone(GONE);
      return undefined;
    }
  }

  function paint(before = ""): void {
    const size = onTerminal(terminalSize);
    if (size === undefined) return;
    const isSameSize = shown?.size.columns === size.columns && shown.size.rows === size.rows;
    const rows = program.frame(size);
    const changes = before + renderChanges(isSameSize ? shown?.rows : undefined, rows);
    shown = { size, rows };
    if (changes !== "") {
      onTerminal(() => writeAll(Deno.stdout, BEGIN_UPDATE + changes + END_UPDATE));
      clearTimeout(standing);
      standing = undefined;
      paintedMs = performance.now();
    }
    // Begun anew for the same rows, it would never come while work between the keys paints again and again.
    standing ??= setTimeout(stood, STOOD_MS);
  }

  function stood(): void {
    clearTimeout(standing);
    standing = undefined;
    program.stood();
  }

  /** Draws the rows that have changed, soon. */
  function draw(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      if (holder === "us") paint();
    });
  }

  /** Clears the screen, and draws every row. */
  function repaint(): void {
    shown = undefined;
    draw();
  }

  function read(bytes: Uint8Array): void {
    clearTimeout(waiting);
    // On a busy machine the timer may be late.
    if (standing !== undefined && performance.now() - paintedMs >= STOOD_MS) stood();
    deliver(decoder.take(bytes), program);
    // The second timer: if we were busy for longer than this, the rest is there, and is read before it.
    if (decoder.isUnfinished()) {
      waiting = setTimeout(() => {
        waiting = setTimeout(() => deliver(decoder.giveUp(), program));
      }, SEQUENCE_MS);
    }
  }

  const gone = () => onGone(GONE);

  function enter(): void {
    shown = undefined;
    onTerminal(() => Deno.stdin.setRaw(true));
    paint(ENTER);
    process.stdin.resume();
  }

  function leave(): void {
    // Node's stream reads from a handle of its own that never blocks; once paused, it reads nothing.
    process.stdin.pause();
    clearTimeout(waiting);
    clearTimeout(standing);
    standing = undefined;
    decoder = openKeyDecoder();
    onTerminal(() => writeAll(Deno.stdout, LEAVE));
    onTerminal(() => Deno.stdin.setRaw(false));
  }

  /** Stopped from outside and continued: the shell has set the terminal for itself meanwhile. */
  const onContinued = () => {
    if (holder !== "us") return;
    const back = program.away();
    enter();
    back();
  };

  /** Gives the terminal back as it was. */
  function close(): void {
    if (holder === "us") leave();
    holder = "nobody";
    process.stdin.off("data", read).off("end", gone).off("error", gone);
    Deno.removeSignalListener("SIGWINCH", draw);
    Deno.removeSignalListener("SIGCONT", onContinued);
  }

  Deno.addSignalListener("SIGWINCH", draw);
  Deno.addSignalListener("SIGCONT", onContinued);
  try {
    enter();
  } catch (error) {
    close();
    throw error;
  }
  process.stdin.on("data", read).on("end", gone).on("error", gone);

  return {
    draw,
    repaint,
    /** Gives the terminal to another program, and takes it back. Nothing is read meanwhile. */
    async lend<T>(use: () => Promise<T>): Promise<T> {
      if (holder !== "us") {
        throw new Error(
          "Cannot lend the terminal: the screen is closed, or another program has it",
        );
      }
      holder = "another";
      const back = program.away();
      leave();
      try {
        return await use();
      } finally {
        if (holder === "another") {
          holder = "us";
          enter();
          back();
        }
      }
    },
    close,
  };
}
