/**
 * A real terminal: what a person would type, and what they would see.
 *
 * @module
 */

import { inEnvironment } from "./environment.ts";
import { TextLineStream } from "./lines.ts";
import { setTimeout } from "node:timers/promises";

/** A terminal that a program runs in. */
export interface Terminal extends AsyncDisposable {
  /** Types keys, by tmux's names: `a`, `Enter`, `C-c`. */
  readonly type: (...keys: string[]) => Promise<void>;
  /** Waits until the screen, or what has scrolled off it, matches. */
  readonly sees: (pattern: RegExp) => Promise<string>;
  /** Waits likewise, and gives the rows as they stand on the screen, broken where the terminal broke. */
  readonly rows: (pattern: RegExp) => Promise<readonly string[]>;
  /** The screen with its escape sequences. */
  readonly colours: () => Promise<string>;
  /** The rows of the screen as they stand now, and nothing that has scrolled off it. */
  readonly screen: () => Promise<readonly string[]>;
  /** Waits until the screen itself, without what has scrolled off it, matches; gives it. */
  readonly shows: (pattern: RegExp) => Promise<string>;
  /** Waits until nothing has moved on the screen for some time; gives it. */
  readonly still: (forMs: number) => Promise<string>;
  /** Makes the terminal another size. */
  readonly resize: (columns: number, rows: number) => Promise<void>;
  /** Pastes, in brackets if the program asked for them, or as bare keys. */
  readonly paste: (text: string, inBrackets: boolean) => Promise<void>;
  /** Whether the alternate screen is on, and whether the cursor is shown. */
  readonly state: () => Promise<{ readonly alternate: boolean; readonly cursor: boolean }>;
  /** The shell's process. */
  readonly pid: () => Promise<number>;
}

/** How long a screen may take before the test is given up. */
const PATIENCE_MS = 20_000;

/** How often the screen is looked at though nothing was written to it. */
const LOOK_MS = 100;

/** Keys of two calls do not come at once, as a person's do not. */
const BETWEEN_KEYS_MS = 20;

/** A client of a tmux server that sends commands down one pipe, and is told when the screen changes. */
interface Tmux extends AsyncDisposable {
  /** Runs a command; gives what it prints. */
  readonly call: (...words: string[]) => Promise<string>;
  /** How often a program wrote to the screen until now. */
  readonly changes: () => number;
  /** Waits until it was written to more often than that, or some time has passed. */
  readonly change: (since: number, atMostMs: number) => Promise<void>;
}

/** A word as tmux's parser takes it for itself, whatever is in it. */
function quoted(word: string): string {
  const escaped = Array.from(word, (character) => {
    if (/[\w ./:=,-]/.test(character)) return character;
    return `\\U${character.codePointAt(0)!.toString(16).padStart(8, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

async function openTmux(words: readonly string[]): Promise<Tmux> {
  const server = `supervise-${crypto.randomUUID()}`;
  const process = new Deno.Command("tmux", {
    args: ["-u", "-C", "-L", server, "-f", "/dev/null", ...words],
    ...inEnvironment(),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = process.stdin.getWriter();
  const waiting: PromiseWithResolvers<string>[] = [];
  let changes = 0;
  let changed = Promise.withResolvers<void>();

  const expect = (): Promise<string> => {
    const reply = Promise.withResolvers<string>();
    waiting.push(reply);
    return reply.promise;
  };

  async function listen(): Promise<void> {
    const lines = process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    let reply: { readonly end: string; readonly lines: string[] } | undefined;
    for await (const line of lines) {
      const [word = "", ...rest] = line.split(" ");
      if (reply === undefined) {
        if (word === "%begin") reply = { end: rest.join(" "), lines: [] };
        if (word !== "%output") continue;
        changes++;
        changed.resolve();
        changed = Promise.withResolvers();
      } else if (/^%(end|error)$/.test(word) && rest.join(" ") === reply.end) {
        const text = reply.lines.map((line) => `${line}\n`).join("");
        const expected = waiting.shift();
        if (word === "%end") expected?.resolve(text);
        else expected?.reject(new Error(`tmux: ${text}`));
        reply = undefined;
      } else reply.lines.push(line);
    }
    for (const { reject } of waiting) reject(new Error("tmux: the server is gone"));
  }

  const isThere = expect();
  const listening = listen();
  await isThere;
  return {
    async call(...words) {
      const reply = expect();
      await input.write(new TextEncoder().encode(`${words.map(quoted).join(" ")}\n`));
      return await reply;
    },
    changes: () => changes,
    async change(since, atMostMs) {
      if (changes > since) return;
      const enough = new AbortController();
      const { signal } = enough;
      const late = setTimeout(atMostMs, undefined, { signal }).catch(() => {});
      await Promise.race([changed.promise, late]);
      enough.abort();
    },
    async [Symbol.asyncDispose]() {
      await input.write(new TextEncoder().encode("kill-server\n")).catch(() => {});
      await input.close().catch(() => {});
      await listening;
      await process.status;
    },
  };
}

/**
 * Runs a command in a terminal.
 *
 * @param command A shell command.
 * @param env Its environment, besides the test's own.
 * @param size Columns and rows.
 * @returns The terminal.
 */
export async function openTerminal(
  command: string,
  env: Record<string, string> = {},
  size: readonly [columns: number, rows: number] = [100, 40],
): Promise<Terminal> {
  const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  const [columns, rows] = size;
  const extent = ["-x", String(columns), "-y", String(rows)];
  const tmux = await openTmux(["new-session", ...extent, ...variables, "sh"]);
  const resize = async (columns: number, rows: number) => {
    await tmux.call("resize-window", "-x", String(columns), "-y", String(rows));
  };
  await resize(columns, rows);
  const matches = async (pattern: RegExp, ...capture: string[]): Promise<string> => {
    const started = performance.now();
    while (true) {
      const before = tmux.changes();
      const screen = await tmux.call("capture-pane", "-p", ...capture);
      if (pattern.test(screen)) return screen;
      if (performance.now() - started > PATIENCE_MS) {
        throw new Error(`The screen never showed ${pattern}:\n${screen}`);
      }
      await tmux.change(before, LOOK_MS);
    }
  };

  const look = () => tmux.call("capture-pane", "-p");
  const sees = (pattern: RegExp) => matches(pattern, "-J", "-S", "-");
  const still = async (forMs: number): Promise<string> => {
    const started = performance.now();
    let [screen, sinceMs] = [await look(), started];
    for (let leftMs = forMs; leftMs > 0; leftMs = forMs - (performance.now() - sinceMs)) {
      if (performance.now() - started > PATIENCE_MS) {
        throw new Error(`The screen was never still:\n${screen}`);
      }
      await tmux.change(tmux.changes(), leftMs);
      const next = await look();
      if (next !== screen) [screen, sinceMs] = [next, performance.now()];
    }
    return screen;
  };

  // The shell's prompt; keys that come before it would be shown first, and push one of the program's rows aside.
  await sees(/\S/);
  await tmux.call("send-keys", "-l", command);
  await tmux.call("send-keys", "Enter");

  return {
    type: async (...keys) => {
      await tmux.call("send-keys", ...keys);
      await setTimeout(BETWEEN_KEYS_MS);
    },
    sees,
    rows: async (pattern) => {
      await sees(pattern);
      return (await tmux.call("capture-pane", "-p", "-S", "-")).split("\n");
    },
    shows: (pattern) => matches(pattern),
    still,
    screen: async () => (await look()).replace(/\n$/, "").split("\n"),
    resize,
    paste: async (text, inBrackets) => {
      await tmux.call("set-buffer", "--", text);
      await tmux.call("paste-buffer", ...(inBrackets ? ["-p"] : []));
    },
    state: async () => {
      const flags = await tmux.call("display-message", "-p", "#{alternate_on} #{cursor_flag}");
      const [alternate, cursor] = flags.trim().split(" ");
      return { alternate: alternate === "1", cursor: cursor === "1" };
    },
    pid: async () => Number(await tmux.call("display-message", "-p", "#{pane_pid}")),
    colours: () => tmux.call("capture-pane", "-p", "-e", "-S", "-"),
    [Symbol.asyncDispose]: () => tmux[Symbol.asyncDispose](),
  };
}
