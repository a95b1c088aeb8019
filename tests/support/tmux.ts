/**
 * A real terminal: what a person would type, and what they would see.
 *
 * @module
 */

import { run } from "./run.ts";

/** A terminal that a program runs in. */
export interface Terminal extends AsyncDisposable {
  /** Types keys, by tmux's names: `a`, `Enter`, `C-c`. */
  readonly type: (...keys: string[]) => Promise<void>;
  /** Waits until the screen, or what has scrolled off it, matches. */
  readonly sees: (pattern: RegExp) => Promise<string>;
  /** Waits likewise, and gives the rows as they stand on the screen, broken where the terminal broke. */
  readonly rows: (pattern: RegExp) => Promise<readonly string[]>;
  /** Makes the terminal another size. */
  readonly resize: (columns: number, rows: number) => Promise<void>;
  /** The screen with its escape sequences. */
  readonly colours: () => Promise<string>;
}

/** How long a screen may take before the test is given up. */
const PATIENCE_MS = 20_000;

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
  const server = `supervise-${crypto.randomUUID()}`;
  const tmux = async (...args: string[]) => {
    const { code, out, err } = await run("tmux", ["-L", server, "-f", "/dev/null", ...args]);
    if (code !== 0) throw new Error(`tmux ${args[0]}: ${err}`);
    return out;
  };
  const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  const [columns, rows] = size;
  await tmux("new-session", "-d", "-x", String(columns), "-y", String(rows), ...variables, "sh");
  const sees = async (pattern: RegExp): Promise<string> => {
    const started = performance.now();
    while (true) {
      const screen = await tmux("capture-pane", "-p", "-J", "-S", "-");
      if (pattern.test(screen)) return screen;
      if (performance.now() - started > PATIENCE_MS) {
        throw new Error(`The screen never showed ${pattern}:\n${screen}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };

  // The shell's prompt; keys that come before it would be shown first, and push a row of ours aside.
  await sees(/\S/);
  await tmux("send-keys", "-l", command);
  await tmux("send-keys", "Enter");

  return {
    type: async (...keys) => {
      await tmux("send-keys", ...keys);
    },
    sees,
    rows: async (pattern) => {
      await sees(pattern);
      return (await tmux("capture-pane", "-p", "-S", "-")).split("\n");
    },
    resize: async (columns, rows) => {
      await tmux("resize-window", "-x", String(columns), "-y", String(rows));
    },
    colours: () => tmux("capture-pane", "-p", "-e", "-S", "-"),
    [Symbol.asyncDispose]: async () => {
      await run("tmux", ["-L", server, "kill-server"]);
    },
  };
}
