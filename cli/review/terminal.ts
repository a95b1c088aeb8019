/**
 * The terminal that the full screen runs on.
 *
 * @module
 */

import type { Seat } from "./app.ts";
import { Box, type Key, render, Text, useApp, useInput, usePaste, useWindowSize } from "ink";
import process from "node:process";
// @ts-types="@types/react"
import { createElement, type ReactElement, useSyncExternalStore } from "react";

/** Signals that end a program, and the exit code that says so. */
const SIGNALS = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 } as const;

/** A signal that ends a program. */
export type EndingSignal = keyof typeof SIGNALS;

/**
 * Listens for signals that end the program, and for errors that nobody caught.
 *
 * @param onSignal Called with the signal, and the exit code that says so.
 * @param onError Called with the error.
 * @returns A function that listens no more.
 */
export function listenForEndings(
  onSignal: (signal: EndingSignal, exitCode: number) => void,
  onError: (error: unknown) => void,
): () => void {
  const offs = Object.entries(SIGNALS).map(([signal, exitCode]) => {
    // Through Node's process: Ink listens there, and leaves alone what somebody else listens for.
    const listener = () => onSignal(signal as EndingSignal, exitCode);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const listener = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    onError("reason" in event ? event.reason : event.error);
  };
  globalThis.addEventListener("error", listener);
  globalThis.addEventListener("unhandledrejection", listener);
  return () => {
    for (const off of offs) off();
    globalThis.removeEventListener("error", listener);
    globalThis.removeEventListener("unhandledrejection", listener);
  };
}

/**
 * To the alternate screen, without a cursor, at its beginning. Where there is no such screen, what stands
 * on the other one, an agent's words perhaps, is not to stand between our rows.
 */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H";

/** Back, with a cursor; what was to be shown later is shown. */
const LEAVE = "\x1b[?2026l\x1b[?1049l\x1b[?25h";

/**
 * Paints what is on the seat's screen. Keys wait in the terminal until somebody reads them.
 *
 * @param seat The seat.
 * @returns A function that gives the terminal back, for when nobody takes it over.
 */
export function paintFirst(seat: Seat): () => void {
  // Where a terminal does not say how large it is, Ink takes it for one of this size.
  const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  process.stdin.setRawMode(true);
  process.stdout.write(ENTER + seat.frame(size).join("\r\n"));
  return () => {
    process.stdout.write(LEAVE);
    process.stdin.setRawMode(false);
  };
}

/** What Ink says of a key besides its character, and our name for it. */
const NAMED: readonly (readonly [keyof Key, string])[] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "pageup"],
  ["pageDown", "pagedown"],
  ["home", "home"],
  ["end", "end"],
  ["return", "return"],
  ["escape", "escape"],
  ["tab", "tab"],
  ["backspace", "backspace"],
  ["delete", "delete"],
];

/**
 * A key's name.
 *
 * @param input The characters that came.
 * @param key What else Ink says of them.
 * @returns The name; `undefined` for several characters at once.
 */
export function keyName(input: string, key: Key): string | undefined {
  const named = NAMED.find(([property]) => key[property] === true);
  if (named !== undefined) return named[1];
  if (key.ctrl) return `ctrl-${input}`;
  if (key.meta) return `alt-${input}`;
  if (input === " ") return "space";
  return [...input].length === 1 ? input : undefined;
}

/** The full screen. */
export interface Screen {
  /** Draws the seat's screen, soon. */
  readonly draw: () => void;
  /** Clears the terminal, and draws it whole. */
  readonly repaint: () => void;
  /** Hands the terminal to somebody else, and takes it back. */
  readonly lend: <T>(use: () => Promise<T>) => Promise<T>;
  /** Gives the terminal back as it was. */
  readonly close: () => void;
  /** Settles when the terminal is given back; rejects if that is because of an error. */
  readonly closed: Promise<unknown>;
}

type Suspend = ReturnType<typeof useApp>["suspendTerminal"];

/** Draws at most so often a second. */
const MOST_FRAMES = 60;

/** Clears the whole screen, and goes to its beginning. */
const CLEAR = "\x1b[2J\x1b[H";

/** What follows is shown when it ends, as Ink's first frame says: by terminals that know of such things. */
const BEGIN_UPDATE = "\x1b[?2026h";

/** How long after the last change of its size the terminal is drawn whole. */
const RESIZED_MS = 50;

/** What is written goes out at the end, one piece right behind the other. */
function inOneGo<T>(write: () => T): T {
  process.stdout.cork();
  try {
    return write();
  } finally {
    process.stdout.uncork();
  }
}

/**
 * Takes the terminal over; its first screen is painted.
 *
 * @param seat What keys go to, and what is drawn.
 * @returns The screen.
 */
export function openScreen(seat: Seat): Screen {
  let version = 0;
  let scheduled = false;
  const listeners = new Set<() => void>();
  let suspend: Suspend | undefined;

  function View(): ReactElement {
    useSyncExternalStore(
      (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      () => version,
    );
    const { columns, rows } = useWindowSize();
    suspend = useApp().suspendTerminal;
    useInput((input, key) => {
      const name = keyName(input, key);
      if (name === undefined) seat.burst(input);
      else seat.press(name);
    });
    usePaste((text) => seat.paste(text));
    return createElement(
      Box,
      { flexDirection: "column" },
      ...seat.frame({ columns, rows }).map((row, n) =>
        createElement(Text, { key: n, wrap: "truncate-end" }, row === "" ? " " : row)
      ),
    );
  }

  const draw = () => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      version++;
      for (const listener of listeners) listener();
    });
  };

  // Ink clears the terminal first and paints after; what stands there already is not to flicker.
  const instance = inOneGo(() => {
    process.stdout.write(BEGIN_UPDATE + CLEAR);
    return render(createElement(View), {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      alternateScreen: true,
      interactive: true,
      exitOnCtrlC: false,
      patchConsole: false,
      incrementalRendering: true,
      isScreenReaderEnabled: false,
      maxFps: MOST_FRAMES,
    });
  });

  const repaint = () => {
    instance.clear();
    process.stdout.write(CLEAR);
    draw();
  };
  // A terminal moves rows about when its size changes, and Ink draws only those that are others than
  // before: what is left over would stand between the rows of a proposal.
  let settled: ReturnType<typeof setTimeout> | undefined;
  let lent = false;
  const onResize = () => {
    clearTimeout(settled);
    settled = setTimeout(() => {
      if (!lent) repaint();
    }, RESIZED_MS);
  };
  process.stdout.on("resize", onResize);
  const closed = instance.waitUntilExit().finally(() => {
    clearTimeout(settled);
    process.stdout.off("resize", onResize);
  });

  return {
    draw,
    repaint,
    async lend(use) {
      let result: { value: Awaited<ReturnType<typeof use>> } | undefined;
      lent = true;
      try {
        await suspend!(async () => {
          // Ink stops listening, and goes on reading: what is typed next would be taken from an editor.
          process.stdin.pause();
          result = { value: await use() };
        });
      } finally {
        lent = false;
        process.stdin.resume();
      }
      return result!.value;
    },
    close: () => instance.unmount(),
    closed,
  };
}
