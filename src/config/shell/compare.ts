/**
 * Compares the scripts of two files by what they do. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import type { Findings, ReachItem } from "../../records/reach.ts";
import { JUDGE } from "./judge.ts";
import { noteDownloads } from "./network.ts";
import { noteContent } from "./places.ts";
import { readScript } from "./read.ts";
import { hideSecrets, newShell, setVariable, type Shell } from "./shell.ts";
import { known } from "./value.ts";

/** A text that a shell runs when the image is built or a bottle starts. */
export interface Script {
  readonly text: string;
  /** The line of its file for an offset in the text. */
  readonly lineAt: (offset: number) => number;
  readonly isRoot: boolean;
  /** The shell that runs it; `unknown` is one whose language is not known. */
  readonly shell: "sh" | "unknown";
  /** The path at which the text is kept, if it is a file and nothing runs it yet. */
  readonly file?: string;
  /** The variables whose values are known. */
  readonly variables?: ReadonlyMap<string, string>;
  /** The directory in which it runs. */
  readonly directory?: string;
}

/** How many commands are read, at least, and more for each character. */
const MIN_COMMANDS = 2000;

/** How often the characters of a script are read at most: scripts in scripts are read again. */
const MOST_READ = 4;

/**
 * How long a script is at most, and all of a file: longer ones are not read. The work on one command grows
 * faster than its words do.
 */
const [MAX_SCRIPT_CHARS, MAX_CHARS] = [8_192, 65_536];

/** Reads the scripts in their order, as a build runs them. */
function readScripts(scripts: readonly Script[], names: Map<string, string>): Shell {
  const shell = newShell(names);
  shell.budget = MIN_COMMANDS;
  let chars = 0;
  for (const { text, lineAt, isRoot, shell: language, file, variables, directory } of scripts) {
    shell.lineAt = lineAt;
    shell.isRoot = isRoot;
    if (file !== undefined) {
      shell.files.set(file, { value: known(text) });
      noteContent(shell, lineAt(0), file, text);
      continue;
    }
    if (language === "unknown") {
      JUDGE.unknown(shell, lineAt(0), text, "another shell would run it");
      continue;
    }
    chars += text.length;
    if (text.length > MAX_SCRIPT_CHARS || chars > MAX_CHARS) {
      shell.budget = -Infinity;
      continue;
    }
    shell.budget += MOST_READ * text.length;
    shell.stopsOnError = false;
    shell.functions.clear();
    const outer = new Map(shell.variables);
    for (const [name, value] of variables ?? []) setVariable(shell, name, known(value));
    setVariable(shell, "PWD", known(directory ?? ""));
    try {
      readScript(text, shell, JUDGE);
    } catch (error) {
      // Some texts are deeper than the stack: `f() f() f() ...`.
      if (!(error instanceof RangeError)) throw error;
      shell.budget = -1;
    }
    if (shell.budget < 0) shell.budget = -Infinity;
    shell.variables.clear();
    for (const [name, value] of outer) shell.variables.set(name, value);
    shell.journal.length = 0;
  }
  noteDownloads(shell);
  return shell;
}

/** What the scripts of a file bring, and whether something in them could not be read. */
type ScriptFindings = Omit<Findings, "isWhole" | "tame">;

/**
 * Compares scripts by what they do: what the new ones do and the old ones do not is added, what protects
 * and goes is marked in the old file. The work is bounded by what is read of the scripts.
 */
export function compareScripts(
  before: readonly Script[],
  after: readonly Script[],
): ScriptFindings {
  if (isSame(before, after)) return { added: [], removed: [], marks: [], isUnknown: false };
  const names = new Map<string, string>();
  const [old, now] = [readScripts(before, names), readScripts(after, names)];
  const had = new Set(old.acts.map(({ key }) => key));
  const pinned = new Set(old.acts.flatMap(({ pin }) => pin === undefined ? [] : [pin.name]));
  const seen = new Set<string>();
  const added: ReachItem[] = [];
  const marks: Mark[] = [];
  let isUnknown = false;
  for (const act of now.acts) {
    if (act.mark === undefined || had.has(act.key) || seen.has(act.key)) continue;
    seen.add(act.key);
    // Another version of a package that is there, by its number.
    if (act.pin?.isPinned && pinned.has(act.pin.name)) continue;
    added.push(itemOf(act));
    const isLoosened = act.pin !== undefined && pinned.has(act.pin.name) &&
      act.mark.severity === "low";
    const rule = isLoosened ? { rule: "version-unpinned" } : {};
    marks.push({ ...act.mark, message: act.mark.message(), ...rule, side: "new", line: act.line });
    isUnknown ||= act.isUnknown === true;
  }
  const has = new Set(now.acts.map(({ key }) => key));
  const removed: ReachItem[] = old.acts
    .filter(({ key, mark }) => mark !== undefined && !has.has(key)).map(itemOf);
  const protects = new Set(now.protections.map(({ value }) => value));
  const kept = new Set(now.downloads.flatMap(({ url, path }) => [url, path]));
  for (const { value, line, kind, mark, protects: what } of old.protections) {
    if (protects.has(value)) continue;
    removed.push(itemOf({ kind, value, line }));
    // A digest goes with what it is the digest of.
    if (what === undefined || kept.has(what)) {
      marks.push({ ...mark, message: mark.message(), side: "old", line });
    }
  }
  if (old.budget < 0 || now.budget < 0) {
    const message = "the scripts are too long or too deep to be worked out";
    marks.push({ severity: "medium", rule: "unreadable-command", message, side: "new", line: 1 });
    isUnknown = true;
  }
  return { added, removed, marks, isUnknown };
}

function itemOf({ kind, value, line }: ReachItem): ReachItem {
  return { kind, value: hideSecrets(value), line };
}

function isSame(before: readonly Script[], after: readonly Script[]): boolean {
  const key = ({ text, isRoot, shell, file, variables, directory }: Script) =>
    JSON.stringify([text, isRoot, shell, file, directory, [...(variables ?? [])]]);
  return before.length === after.length &&
    before.every((script, index) => key(script) === key(after[index]!));
}
