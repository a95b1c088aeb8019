/**
 * What a verb runs in: the terminal, the root, who the operator is, and the files that flags name.
 *
 * @module
 */

import {
  asciiJson,
  claudeBottleRoot,
  intentsDir,
  keepFilesInForce,
  listNames,
  readOwnFile,
  visibleLine,
} from "../../read_mod.ts";
import { makeStyle, type Style } from "../render/style.ts";
import { wrap } from "../render/wrap.ts";
import type { Failure } from "./exit.ts";
import { type Flags, UsageError } from "./flags.ts";
import type { Terminal } from "./terminal.ts";
import { hostname, userInfo } from "node:os";

/** What every verb is given. */
export interface Context extends Terminal {
  /** A variable of the environment. */
  readonly env: (name: string) => string | undefined;
  /** The flags. */
  readonly flags: Flags;
  /** The root. */
  readonly root: string;
  /** Colours, or none. */
  readonly style: Style;
  /** Prints an object as one line of ASCII JSON, with `"version": 1`. */
  readonly printJson: (value: object) => void;
}

/**
 * Prints a sentence to standard error. It may quote what an agent wrote, so a sentence that is too long
 * for the screen goes on behind a margin.
 */
function complainIn(terminal: Terminal, text: string): void {
  const line = visibleLine(text);
  if (!terminal.errIsTerminal) return terminal.complain(line);
  for (const row of wrap("", line, terminal.columns, "prose")) terminal.complain(row);
}

/** Prints why a command failed, as JSON too where that was asked for. */
export function complainOf({ code, message }: Failure, terminal: Terminal, json: boolean): void {
  if (json) terminal.print(asciiJson({ version: 1, error: { code, message } }));
  complainIn(terminal, message);
  if (code === "usage" && !json) terminal.complain("See --help");
}

/** Makes the context of a verb. */
export function makeContext(flags: Flags, terminal: Terminal): Context {
  const env = terminal.env ?? ((name) => Deno.env.get(name));
  const colour = terminal.outIsTerminal && !flags.plain && !env("NO_COLOR");
  return {
    ...terminal,
    complain: (text) => complainIn(terminal, text),
    flags,
    env,
    root: flags.root ?? (terminal.env?.("CLAUDE_BOTTLE_ROOT") || claudeBottleRoot()),
    style: makeStyle(colour),
    printJson: (value) => terminal.print(asciiJson({ version: 1, ...value })),
  };
}

const OUTCOMES = {
  completed: "was recorded and is answered now",
  dropped: "was not recorded, so it never happened; decide anew",
  superseded: "was recorded, but another program's answer stands; see audit show",
} as const;

/** Finishes what a crash left open, and says what came of it. What cannot be finished stops no verb. */
export async function reportInterrupted(context: Context): Promise<void> {
  // Nearly always there is nothing to finish; then what finishes it is not loaded.
  if (listNames(intentsDir(context.root)).length === 0) return;
  const { finishInterrupted } = await import("../../internal_mod.ts");
  const { finished, failed } = await finishInterrupted(context.root);
  for (const { bottleSlug, proposalId, outcome } of finished) {
    const words = OUTCOMES[outcome];
    context.complain(`! an interrupted decision on ${proposalId} (${bottleSlug}) ${words}`);
  }
  for (const { bottleSlug, error } of failed) {
    context.complain(`! bottle ${bottleSlug}: ${error.message}`);
  }
}

/**
 * The operator as the audit log names them, `user@host`: what the system says of the process, not what
 * a variable says. The user's number where the system knows no name for it.
 *
 * Needs `--allow-sys=hostname,uid,gid,userInfo`.
 */
export function operatorAccount(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid${Deno.uid()}`;
  }
}

/** Waits for some time; `hurry` ends the wait at once, without an error. */
export function pause(ms: number, hurry: AbortSignal): Promise<void> {
  if (hurry.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(end, ms);
  hurry.addEventListener("abort", end);
  function end(): void {
    clearTimeout(timer);
    hurry.removeEventListener("abort", end);
    resolve();
  }
  return promise;
}

/** Keeps copies of the files in force of some bottles: a stale proposal is compared with one later. */
export function keepForLater({ root }: Context, bottleSlugs: Iterable<string>): void {
  for (const slug of new Set(bottleSlugs)) {
    try {
      keepFilesInForce(slug, root);
    } catch {
      // The disk may be full. Without a copy a diff is missing later, and the screen says so.
    }
  }
}

/**
 * Reads a file that a flag names; `-` is standard input.
 *
 * @throws {UsageError} If it is not there, or may not be read.
 */
export async function readNamedFile({ readInput }: Context, file: string): Promise<Uint8Array> {
  if (file === "-") return await (readInput?.() ?? new Response(Deno.stdin.readable).bytes());
  try {
    const bytes = readOwnFile(file);
    if (bytes !== undefined) return bytes;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new UsageError(
      `Cannot read ${file}: this tool may read only the root and the files that its flags name; ` +
        `hand it over with - < ${file}`,
      { cause },
    );
  }
  throw new UsageError(`Cannot read ${file}: there is no such file`);
}
