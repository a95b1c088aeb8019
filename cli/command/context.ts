/**
 * What a verb runs in: the terminal, the root, the operator's name, and the files that flags name.
 *
 * @module
 */

import {
  asciiJson,
  claudeBottleRoot,
  currentConfigRoot,
  intentsDir,
  keepFilesInForce,
  listBottles,
  listNames,
  ownFileStamp,
  readOwnFile,
  type TextKind,
  UnsafeFileError,
  visibleLine,
  visibleSentence,
  whyNoDirectory,
} from "../../read_mod.ts";
import { quoteId } from "../render/quote.ts";
import { makeStyle, type Style } from "../render/style.ts";
import { fitRow, wrap } from "../render/wrap.ts";
import type { Failure } from "./exit.ts";
import { closest, type Flags, UsageError, type VerbName } from "./flags.ts";
import { shellWord, splitWords } from "./split_words.ts";
import { type Terminal, withParts } from "./terminal.ts";
import { join, resolve } from "@std/path";
import { hostname, userInfo } from "node:os";

type Visible = (text: string, kind?: TextKind) => string;

export interface Context extends Terminal {
  readonly env: (name: string) => string | undefined;
  readonly flags: Flags;
  readonly root: string;
  /** The root, and the bottle that `--bottle` names. */
  readonly where: { readonly root: string; readonly bottleSlug?: string };
  readonly style: Style;
  /** What a printed command begins with. It names the root if this command did: another one would be found. */
  readonly supervise: string;
  /** Makes a sentence visible in which the operator's own paths stay readable. */
  readonly visible: Visible;
  /** Prints rows, with an LF. One that is too long for the screen continues behind a margin. */
  readonly print: (text: string) => void;
  /** Prints words of this program alone, however long, for a person who copies them. */
  readonly printToCopy: (text: string) => void;
  /** Prints an object as one line of ASCII JSON, with `"version": 1`. */
  readonly printJson: (value: object) => void;
}

/**
 * Prints a sentence to standard error. It may quote an agent's text, so a sentence that is too long for
 * the screen continues behind a margin.
 */
function complainIn(terminal: Terminal, text: string, visible: Visible = visibleLine): void {
  const { columns, errIsTerminal, errColumns = errIsTerminal ? columns : Infinity } = terminal;
  for (const row of wrap("", visible(text), errColumns, "prose")) terminal.complain(row);
}

/** The last lines of what a program printed that failed; it may quote an agent's file. */
export function lastLines(output: string): readonly string[] {
  const kept = output.slice(-4096).trimEnd();
  return kept === "" ? [] : kept.split("\n").slice(-10).map((line) => `  | ${line}`);
}

/** Prints why a command failed; with `--json` also as JSON. */
export function complainOf(
  { code, message, output = "" }: Failure,
  terminal: Terminal,
  json: boolean,
  visible?: Visible,
): void {
  if (json) terminal.print(asciiJson({ version: 1, error: { code, message } }));
  complainIn(terminal, message, visible);
  for (const line of lastLines(output)) complainIn(terminal, line, visible);
  if (code === "usage" && !json) terminal.complain("See --help");
}

function pathsIn(flags: Flags): string[] {
  const { file, publicKey, anchors, archive, routes, allowlist, dockerfile } = flags;
  const named = [file, publicKey, anchors, archive, routes, allowlist, dockerfile];
  return named.filter((path) => path !== undefined);
}

/** The words of the editors that the operator named; none if they may not be read. */
function editors(env: Context["env"]): string[] {
  try {
    return ["VISUAL", "EDITOR"].flatMap((name) => splitWords(env(name) ?? "", env("HOME")) ?? []);
  } catch {
    return [];
  }
}

/** On a narrower screen no margin would be left beside an escaped character. */
const LEAST_COLUMNS = 20;

/** @throws {UsageError} If the screen is too narrow to show what others wrote. */
export function makeContext(flags: Flags, terminal: Terminal): Context {
  const { columns, errColumns = columns } = terminal;
  if (Math.min(columns, errColumns) < LEAST_COLUMNS) {
    throw new UsageError(
      `Cannot print on ${columns} columns: make the terminal ${LEAST_COLUMNS} wide or more`,
    );
  }
  const env = terminal.env ?? ((name) => Deno.env.get(name));
  const named = terminal.env?.("CLAUDE_BOTTLE_ROOT");
  const root = flags.root ?? (named?.trim() ? named : claudeBottleRoot());
  const colour = terminal.outIsTerminal && !flags.plain && !env("NO_COLOR");
  const visible: Visible = (text, kind) =>
    visibleSentence(text, [root, ...pathsIn(flags), ...editors(env)], kind);
  return withParts(terminal, {
    visible,
    print: (text: string) => {
      const { columns } = terminal;
      terminal.print(text.split("\n").flatMap((row) => fitRow(row, columns)).join("\n"));
    },
    printToCopy: terminal.print,
    complain: (text: string) => complainIn(terminal, text, visible),
    flags,
    env,
    root,
    supervise: flags.root === undefined
      ? "supervise"
      : `supervise --root ${shellWord(resolve(flags.root))}`,
    where: flags.bottle === undefined ? { root } : { root, bottleSlug: flags.bottle },
    style: makeStyle(colour),
    printJson: (value: object) => terminal.print(asciiJson({ version: 1, ...value })),
  });
}

/**
 * The words of the first of some variables that names a program; none if each is unset, blank, or begins
 * with empty quotes.
 *
 * @param what What the program is used as, for the error.
 */
export function commandIn(
  env: Context["env"],
  names: readonly string[],
  what: string,
): readonly string[] {
  for (const name of names) {
    const line = env(name) ?? "";
    const words = splitWords(line, env("HOME"));
    if (words === undefined) {
      throw new UsageError(`Cannot use ${line} as ${what}: a quote or a \\ in it has no end`);
    }
    if (words[0]) return words;
  }
  return [];
}

/** Verbs that make the root, or do not look into it. */
const NEED_NO_ROOT: readonly VerbName[] = ["bottle add", "completions"];

/**
 * Refuses a root that can be no directory, or is not there: with a path that was typed wrongly, nothing would
 * seem to be pending. `watch` waits for it, and an archive is checked without one.
 */
export async function refuseBadRoot(context: Context, verb: VerbName): Promise<void> {
  const { root, flags, supervise } = context;
  const why = whyNoDirectory(root);
  if (why !== undefined) {
    throw new Error(`Cannot use the root ${root}: ${why}; name another one with --root`);
  }
  if (NEED_NO_ROOT.includes(verb) || flags.archive !== undefined) return;
  if (ownFileStamp(root) !== undefined) return;
  if (verb === "watch") return context.complain(`! there is no ${root} yet`);
  // Loads all of mod.ts, so only on the way to the error.
  const { NotFoundError } = await import("./exit.ts");
  throw new NotFoundError(
    `Cannot use the root ${root}: it is not there; ${supervise} bottle add NAME makes it, or name ` +
      "another one with --root",
  );
}

/** How many things an error names. */
const MOST_NAMED = 5;

/** Names some things and counts the rest: `a, b, and 4 more`. */
export function someOf(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more` : "";
  return names.slice(0, MOST_NAMED).join(", ") + more;
}

/**
 * Refuses a `--bottle` that has neither a queue nor a configuration nor a log: with a name that was typed
 * wrongly, nothing would seem to be pending. What is checked against a file from elsewhere, an archive or
 * anchors, may be about a bottle that is gone here.
 *
 * @throws {NotFoundError} If there is no such bottle. The message names those that it could be.
 */
export async function refuseUnknownBottle({ root, flags, supervise }: Context): Promise<void> {
  const { bottle, archive, anchors } = flags;
  if (bottle === undefined || archive !== undefined || anchors !== undefined) return;
  const { slugs, refused } = listBottles(root);
  const known = new Set([...slugs, ...refused.map(({ name }) => name)]);
  if (known.has(bottle)) return;
  for (const slug of listNames(currentConfigRoot(root))) known.add(slug);
  const { listAuditLogs } = await import("../../internal_mod.ts");
  for (const { slug } of listAuditLogs(root)) known.add(slug);
  if (known.has(bottle)) return;
  const { NotFoundError } = await import("./exit.ts");
  throw new NotFoundError(
    `Cannot find bottle ${bottle}: it has no queue, no configuration and no log under ${root}; ` +
      nearest(bottle, known, supervise),
  );
}

function nearest(bottle: string, known: ReadonlySet<string>, supervise: string): string {
  const names = [...known].sort();
  const meant = closest(bottle, names);
  if (meant !== undefined) return `did you mean ${meant}?`;
  if (names.length === 0) return `there is no bottle yet; ${supervise} bottle add NAME makes one`;
  return `there are ${someOf(names)}`;
}

/** The bottle of a verb that is about one alone. */
export function namedBottle({ flags: { bottle } }: Pick<Context, "flags">): string {
  if (bottle === undefined) throw new UsageError("Cannot tell which bottle: add --bottle SLUG");
  return bottle;
}

const OUTCOMES = {
  completed: "was recorded and is answered now",
  dropped: "was not recorded, so it never happened; decide anew",
  superseded: "was recorded, but another program's answer is in its place; see audit show",
  waits: "was interrupted while it took effect",
  "cut-short":
    "is recorded; whether its after_answer was run is not known: restart the bottle yourself",
} as const;

/**
 * What makes decided files take effect: the programs of `apply.json`; without that file, nothing. A signal ends the
 * program that runs, unless the verb handles it, and then the change is taken back.
 */
export async function openApplier({ root }: Pick<Context, "root">, { stopOnSignals = true } = {}) {
  // Nobody who does not use it waits until it is loaded.
  if (ownFileStamp(join(root, "apply.json")) === undefined) return undefined;
  const { openHookApplier } = await import("../../appliers/mod.ts");
  return openHookApplier(root, { stopOnSignals });
}

/**
 * Finishes what a crash left open, and prints how it ended. A decision that cannot be finished stops no verb; then
 * it returns false. A verb that applies nothing may not start what takes a change back: then that waits.
 */
export async function reportInterrupted(context: Context, applies: boolean): Promise<boolean> {
  // Usually there is nothing to finish, and then no verb waits until this is loaded.
  if (listNames(intentsDir(context.root)).length === 0) return true;
  const { finishInterrupted } = await import("../../internal_mod.ts");
  const applier = applies ? await openApplier(context) : undefined;
  const { root, flags: { bottle } } = context;
  const { finished, failed } = await finishInterrupted(root, { applier, waits: true }, bottle);
  for (const { bottleSlug, proposalId, outcome, notProven } of finished) {
    const what = proposalId === "" ? "change of a file" : `decision on ${quoteId(proposalId)}`;
    context.complain(`! an interrupted ${what} (${bottleSlug}) ${OUTCOMES[outcome]}`);
    if (outcome !== "waits" && notProven === undefined) continue;
    const resolve = `${context.supervise} apply resolve --bottle ${bottleSlug}`;
    context.complain(`! ${bottleSlug}: nothing more is applied until it is resolved; ${resolve}`);
  }
  for (const { bottleSlug, error } of failed) {
    context.complain(`! bottle ${bottleSlug}: ${error.message}`);
  }
  return failed.length === 0;
}

/**
 * The operator as the audit log names them, `user@host`. It comes from the system, because a variable
 * could be set to any name. A user without a name is `uid1000`.
 */
export function operatorAccount(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    user = `uid${Deno.uid()}`;
  }
  return `${user}@${hostname()}`;
}

/** Waits for some time; an abort of `hurry` ends the wait at once, without an error. */
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

/** How often a program that runs on looks whether the files in force have changed. */
export const KEEP_MS = 1_000;

/**
 * Keeps copies of every bottle's files in force: a proposal that is stale later is compared with them, and
 * sidecars work out changes on them.
 */
export function keepForLater({ root }: Context): void {
  try {
    for (const slug of listBottles(root).slugs) keepFilesInForce(slug, root);
  } catch {
    // The disk may be full. Without a copy, a stale proposal is shown without the agent's diff.
  }
}

/** The most that is read of standard input, or of a file that a flag names, in bytes. */
const MAX_NAMED_BYTES = 8 * 1024 * 1024;

async function readInputTo(maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new UsageError(`Cannot read standard input: it has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return await new Blob(chunks).bytes();
}

/**
 * Reads a file that a flag names; `-` is standard input.
 *
 * @throws {UsageError} If there is no such file, it may not be read, is no regular file, or is too large.
 */
export async function readNamedFile(
  { readInput }: Context,
  file: string,
  maxBytes = MAX_NAMED_BYTES,
): Promise<Uint8Array> {
  if (file === "-") return await (readInput?.() ?? readInputTo(maxBytes));
  try {
    const bytes = readOwnFile(file, maxBytes);
    if (bytes !== undefined) return bytes;
  } catch (cause) {
    if (cause instanceof UnsafeFileError) {
      throw new UsageError(`${cause.message}; - reads standard input`, { cause });
    }
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new UsageError(
      `Cannot read ${file}: this tool may read only the root and the files that its flags name; ` +
        `hand it over with - < ${file}`,
      { cause },
    );
  }
  throw new UsageError(`Cannot read ${file}: there is no such file`);
}
