/**
 * The full screen as an operator has it: the program through its launcher, in a real terminal.
 *
 * @module
 */

import { REPO, run } from "./run.ts";
import { isMissing } from "./skip.ts";
import type { TempDir } from "./temp.ts";
import { openTerminal, type Terminal } from "./tmux.ts";
import { join } from "@std/path";

/** Whether tests of the full screen have to be skipped. */
export const NO_TMUX: boolean = isMissing("tmux", "-V");

/** The sizes that the full screen is driven at. */
export const SIZES = [[80, 24], [120, 40], [40, 24]] as const;

/** What the program says of a key that it did not take, and that a person presses again. */
const AGAIN = /press it again|Several keys at once/;

/** For so long nothing moves before a key decides. */
const STILL_MS = 400;

/** How often a key is pressed again, at most, on a machine that is busy with other things. */
const MOST_TRIES = 5;

/** The full screen, and an operator before it. */
export interface Review extends Terminal {
  /** Presses a key that decides, alone and once the screen is still, until the screen shows something. */
  readonly decide: (key: string, pattern: RegExp) => Promise<string>;
  /** Types into a question, a character at a time: those that come at once are taken for a paste. */
  readonly fill: (line: string) => Promise<void>;
  /** Types likewise, and Enter. */
  readonly answer: (line: string) => Promise<void>;
  /** Gives the keys that were pressed since it was asked last; what was typed is in quotation marks. */
  readonly takeKeys: () => readonly string[];
  /** The processes: the launcher, and the program that it started. */
  readonly processes: () => Promise<{ readonly launcher: number; readonly program: number }>;
  /** Types a shell command; for when the screen was left. */
  readonly command: (line: string) => Promise<void>;
}

/** How the full screen is started. */
export interface ReviewOptions {
  readonly env?: Record<string, string>;
  readonly size?: readonly [columns: number, rows: number];
  /** The words behind the launcher. */
  readonly words?: string;
  /** What starts it; the launcher unless given. */
  readonly starter?: string;
}

/** The child processes of a process that were started as some program. */
async function childrenOf(parent: number): Promise<readonly number[]> {
  const { out } = await run("ps", ["-A", "-o", "pid=,ppid="]);
  return out.split("\n").map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => ppid === parent && pid !== undefined ? [pid] : []);
}

/**
 * Opens the full screen, and waits until it is there.
 *
 * @param dir The root.
 * @param options Environment, size, words.
 * @returns The full screen; at the end of the block its terminal is closed.
 */
export async function openReview(dir: TempDir, options: ReviewOptions = {}): Promise<Review> {
  const { env = {}, size = [80, 24], words = "review" } = options;
  const { starter = `sh ${join(REPO, "cli/supervise.sh")}` } = options;
  const command = `${starter} ${words}; echo ended $?`;
  const terminal = await openTerminal(command, {
    CLAUDE_BOTTLE_ROOT: dir.path,
    EDITOR: "",
    VISUAL: "",
    ...env,
  }, size);
  // The first screen is painted before keys are read: those pressed meanwhile would come as one.
  await terminal.shows(/^ supervise {2}\d+ pending/m);
  await terminal.type("?");
  await terminal.shows(/^In the list$/m);
  await terminal.type("?");
  await terminal.shows(/^ supervise {2}\d+ pending(?![^]*\nIn the list\n)/);

  const keys: string[] = [];
  const fill = async (line: string): Promise<void> => {
    keys.push(JSON.stringify(line));
    let typed = "";
    for (const character of line) {
      typed += character;
      await terminal.type(character === " " ? "Space" : character);
      const end = typed.slice(-8).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      await terminal.shows(new RegExp(`^ > .*${end}_`, "m"));
    }
  };

  const type = async (...pressed: string[]): Promise<void> => {
    keys.push(...pressed);
    await terminal.type(...pressed);
  };

  return {
    ...terminal,
    type,
    fill,
    takeKeys: () => keys.splice(0),
    async decide(key, pattern) {
      keys.push(key);
      for (let tries = 1;; tries++) {
        await terminal.still(STILL_MS);
        await terminal.type(key);
        const screen = await terminal.shows(new RegExp(`${pattern.source}|${AGAIN.source}`, "m"));
        if (pattern.test(screen) || tries === MOST_TRIES) return await terminal.shows(pattern);
      }
    },
    async answer(line) {
      await fill(line);
      await type("Enter");
    },
    async processes() {
      const [launcher] = await childrenOf(await terminal.pid());
      if (launcher === undefined) throw new Error("There is no launcher");
      const [program] = await childrenOf(launcher);
      if (program === undefined) throw new Error("The launcher has started nothing");
      return { launcher, program };
    },
    async command(line) {
      // Once the prompt is there: what comes earlier would be shown twice.
      await terminal.still(100);
      await terminal.paste(`${line}\n`, false);
    },
  };
}
