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
import { type Act, hideSecrets, newShell, rewind, setVariable, type Shell, show } from "./shell.ts";
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

/** How much work is done for scripts, and how much more for each of their characters. */
const [MIN_WORK, WORK_OF_CHAR] = [65_536, 4];

/** How long a script is at most, and all of a file: longer ones are not read. */
const [MAX_SCRIPT_CHARS, MAX_CHARS] = [8_192, 65_536];

/** How much more work may be done. What is compared with one such record shares it. */
export interface Work {
  left: number;
}

export const newWork = (): Work => ({ left: MIN_WORK });

/** The mark if scripts were not read to their end. */
export const TOO_MUCH_WORK: Mark = {
  ...{ severity: "medium", rule: "unreadable-command", side: "new", line: 1 },
  message: "the scripts are too long or too deep to be worked out",
};

/** Reads the scripts in their order, as a build runs them. */
function readScripts(scripts: readonly Script[], names: Map<string, string>, work: Work): Shell {
  const shell = newShell(names);
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
      work.left = -Infinity;
      continue;
    }
    shell.stopsOnError = false;
    shell.functions.clear();
    for (const [name, value] of variables ?? []) setVariable(shell, name, known(value));
    setVariable(shell, "PWD", known(directory ?? ""));
    shell.budget = work.left + WORK_OF_CHAR * text.length;
    try {
      readScript(text, shell, JUDGE);
      work.left = shell.budget;
    } catch (error) {
      // It is too much work, or deeper than the stack: `f() f() f() ...`.
      if (!(error instanceof RangeError)) throw error;
      work.left = -Infinity;
    }
    shell.budget = Infinity;
    rewind(shell, 0, (before) => before);
    shell.journal.length = 0;
  }
  noteDownloads(shell);
  return shell;
}

/** What was read of scripts in force. Many proposals are compared with the same ones. */
const read = new WeakMap<
  readonly Script[],
  { names: Map<string, string>; old: Shell; work: number }
>();

/** Reads scripts in force. The names are a copy: what is compared with them adds its own. */
function readBefore(before: readonly Script[], work: Work) {
  let known = read.get(before);
  if (known === undefined) {
    const [names, { left }] = [new Map<string, string>(), work];
    known = { names, old: readScripts(before, names, work), work: left - work.left };
    read.set(before, known);
  } else work.left -= known.work;
  return { names: new Map(known.names), old: known.old };
}

/** What the scripts of a file bring, and whether something in them could not be read. */
type ScriptFindings = Required<Omit<Findings, "isWhole" | "tame">>;

/**
 * Compares scripts by what they do: what the new ones do and the old ones do not is added, what protects
 * and goes is marked in the old file. The work is bounded by what is read of the scripts.
 */
export function compareScripts(
  before: readonly Script[],
  after: readonly Script[],
  work = [newWork(), newWork()] as const,
): ScriptFindings {
  if (isSame(before, after)) {
    return { added: [], named: [], removed: [], marks: [], isUnknown: false };
  }
  const { names, old } = readBefore(before, work[0]);
  const now = readScripts(after, names, work[1]);
  const had = new Set(old.acts.map(({ key }) => key));
  const values = new Set(old.acts.map(({ value }) => value));
  const named = now.acts.filter(({ kind, value }) => kind === "package" && !values.has(value))
    .flatMap(({ kind, value, line, pin }) =>
      [value, pin?.name ?? value].map((value): ReachItem => ({ kind, value, line }))
    );
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
  const gone = old.acts.filter(({ key }) => !has.has(key));
  const removed: ReachItem[] = gone.filter(({ mark }) => mark !== undefined).map(itemOf);
  const protects = new Set(
    now.protections.flatMap(({ value, guard }) => [value + guard, ...guard === "" ? [value] : []]),
  );
  const kept = new Set([
    ...now.downloads.flatMap(({ url, path }) => [url, path]),
    ...now.acts.map(({ pin, value }) => pin?.name ?? value),
  ]);
  for (const { value, guard, line, kind, mark, protects: what } of old.protections) {
    if (protects.has(value) || protects.has(value + guard)) continue;
    removed.push(itemOf({ kind, value, line }));
    // What protects goes with what it protects.
    if (what === undefined || kept.has(what)) {
      marks.push({ ...mark, message: mark.message(), side: "old", line });
    }
  }
  const left = Map.groupBy(now.acts.filter(({ key }) => !had.has(key)), programOf);
  const told = new Set(marks.flatMap(({ side, line }) => side === "old" ? [line] : []));
  for (const act of gone) {
    // Another command of the same program may stand for it.
    const { kind, value, line, mark, isUnknown } = act;
    // Rights that nothing gives any more, and code that nothing runs, protected nothing.
    const isGrave = mark !== undefined && mark.severity !== "low" && isUnknown !== true;
    const gives = kind !== "file" && kind !== "protection";
    if (isGrave && (gives || mark.rule === "privilege-escalation")) continue;
    const isGuard = PROTECTS.test(value);
    if (told.has(line) || left.get(programOf(act))?.shift() !== undefined) continue;
    if (!isGuard && !/^(?:command|privilege|protection|file)$/.test(kind)) continue;
    const message = `${show(value)} would no longer ${
      kind === "package" ? "be installed" : "be run"
    }`;
    const severity = isGuard ? "medium" : "low";
    marks.push({ severity, rule: "removed-command", message, side: "old", line });
  }
  const moved = findMoved(old.acts, now.acts);
  if (moved !== undefined) {
    const message = `${show(moved.value)} would be run in another order`;
    marks.push({ severity: "low", rule: "moved-command", message, side: "new", line: moved.line });
  }
  if (work.some(({ left }) => left < 0)) {
    marks.push(TOO_MUCH_WORK);
    isUnknown = true;
  }
  return { added, named, removed, marks, isUnknown };
}

/** The first act of both files with others of both before it than it had. Packages have no order of their own. */
function findMoved(old: readonly Act[], now: readonly Act[]): Act | undefined {
  const placed = (acts: readonly Act[], others: readonly Act[]) => {
    const left = new Set(others.map(({ key }) => key));
    let count = 0;
    return acts.filter(({ key }) => left.delete(key))
      .map((act) => [`${act.kind === "package" ? count : count++} ${act.key}`, act] as const);
  };
  const was = new Map(placed(old, now));
  return placed(now, old).find(([place]) => !was.has(place))?.[1];
}

/** Words of what may protect. */
const PROTECTS =
  /verif|audit|attest|signature|harden|guard|fence|firewall|iptables|nftables|apparmor|seccomp|selinux|fail2ban|\bufw\b/;

const programOf = ({ kind, value }: ReachItem) =>
  `${kind} ${kind === "package" ? value.replace(/(?<=.)[@=][^]*$/, "") : value.split(" ", 1)[0]}`;

function itemOf({ kind, value, line }: ReachItem): ReachItem {
  return { kind, value: hideSecrets(value), line };
}

function isSame(before: readonly Script[], after: readonly Script[]): boolean {
  const key = ({ text, isRoot, shell, file, variables, directory }: Script) =>
    JSON.stringify([text, isRoot, shell, file, directory, [...(variables ?? [])]]);
  return before.length === after.length &&
    before.every((script, index) => key(script) === key(after[index]!));
}
