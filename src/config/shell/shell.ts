/**
 * What is known while the scripts of a build run one after the other: variables, files, the directory, and
 * what was found. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import type { ReachItem, ReachKind } from "../../records/reach.ts";
import { quote } from "../../text/quote.ts";
import { known, unknown, type Value } from "./value.ts";

/** A mark without its place. Its message is made when it is needed. */
export interface Told extends Pick<Mark, "severity" | "rule"> {
  readonly message: () => string;
}

/** One thing that a script does. */
export interface Act extends ReachItem {
  /** What makes two acts the same one. Holds what an agent wrote, secrets too: it is never shown. */
  readonly key: string;
  /** What a reviewer is told; nothing of what is harmless. */
  readonly mark?: Told;
  /** Whether nobody can tell what it does. */
  readonly isUnknown?: boolean;
  /** A package without its version, and whether the act names one. */
  readonly pin?: { readonly name: string; readonly isPinned: boolean };
}

/** Something that protects: a checksum, a firewall rule. It is told when it goes. */
export interface Guard extends ReachItem {
  readonly mark: Told;
  /** The conditions under which it does. */
  readonly guard: string;
  /** What it protects, if it does not matter once that is gone as well. */
  readonly protects?: string;
}

/** Code or data from the network, until the scripts end. */
export interface Download {
  readonly url: string;
  readonly line: number;
  readonly guard: string;
  /** Where it is kept. */
  path: string;
  /** The digest or commit it was compared with. */
  checked: string;
  /** What was done with it before it was compared with a digest. */
  readonly uses: Set<string>;
  /** Whether it names a version: the tag of a repository. */
  readonly isRepository: boolean;
  readonly tag: string;
}

/** A file that a script wrote. */
export interface Written {
  readonly value: Value;
  readonly download?: Download;
}

export interface Shell {
  readonly variables: Map<string, Value>;
  /** The variables that were set, with what they were before: to undo a subshell. */
  readonly journal: [name: string, before: Value | undefined][];
  readonly files: Map<string, Written>;
  readonly functions: Map<
    string,
    { readonly run: (input: Value | undefined) => Value; depth: number }
  >;
  readonly downloads: Download[];
  readonly acts: Act[];
  readonly protections: Guard[];
  /** Short names of long texts. Both files share them, so that equal names are equal texts. */
  readonly names: Map<string, string>;
  /** The commands in their order, in one spelling. */
  trace: string[];
  /** Under which conditions a command runs. */
  guard: string;
  /** The commands that the command that is read now gets its input from. */
  before: string;
  /** Whether the script goes no further if the command that is read now fails. */
  isDecisive: boolean;
  /** How many commands were read that end a script, and that only say yes or no. */
  ends: number;
  conditions: number;
  /** Whether a command that fails ends the script. */
  stopsOnError: boolean;
  isRoot: boolean;
  /** How much more work is done, by {@linkcode spend}. */
  budget: number;
  lineAt: (offset: number) => number;
}

/** What is spent on each path and each thing that is noted, beside its text. */
const [PATH_WORK, NOTE_WORK] = [16, 32];

/** Longer texts are compared by a name. */
const MAX_SPELLED_CHARS = 512;

/** No system opens a longer path; a directory can be entered again and again. */
const MAX_PATH_CHARS = 1024;

/** How long the text of a value can be. */
export const MAX_VALUE_CHARS = 4096;

export function newShell(names: Map<string, string>): Shell {
  return {
    names,
    variables: new Map([["IFS", known(" \t\n")]]),
    journal: [],
    files: new Map(),
    functions: new Map(),
    downloads: [],
    acts: [],
    protections: [],
    trace: [],
    guard: "",
    before: "",
    isDecisive: true,
    ends: 0,
    conditions: 0,
    stopsOnError: false,
    isRoot: true,
    budget: Infinity,
    lineAt: () => 1,
  };
}

/**
 * Counts work, about one for each character that is looked at, before it is done.
 *
 * @throws {RangeError} If it is more than is left for the script.
 */
export function spend(shell: Shell, work: number): void {
  shell.budget -= work;
  if (shell.budget < 0) throw new RangeError("Cannot read the script: it is too much work");
}

/** A text, or a short name that stands for it alone. */
export function nameOf(shell: Shell, text: string): string {
  if (text.length <= MAX_SPELLED_CHARS) return text;
  spend(shell, text.length);
  const { names } = shell;
  const name = names.get(text) ?? `#${names.size}`;
  names.set(text, name);
  return name;
}

/** The name under which the directory is kept with the variables. */
const DIRECTORY = "PWD";

export function directory(shell: Shell): string {
  return shell.variables.get(DIRECTORY)?.text ?? "";
}

export function setVariable(shell: Shell, name: string, value: Value): void {
  shell.journal.push([name, shell.variables.get(name)]);
  shell.variables.set(name, value);
}

export function enter(shell: Shell, path: string): void {
  setVariable(shell, DIRECTORY, known(resolvePath(shell, path)));
}

/** Undoes what was set since a point of the journal; `merge` says what a variable is then. */
export function rewind(
  shell: Shell,
  since: number,
  merge: (before: Value | undefined, now: Value) => Value | undefined,
): void {
  const before = new Map<string, Value | undefined>();
  for (const [name, value] of shell.journal.splice(since).reverse()) before.set(name, value);
  for (const [name, value] of before) {
    const merged = merge(value, shell.variables.get(name) ?? known(""));
    shell.journal.push([name, value]);
    if (merged === undefined) shell.variables.delete(name);
    else shell.variables.set(name, merged);
  }
}

/** A path from the root, or from an unknown directory, without `.` and `..`. */
export function resolvePath(shell: Shell, path: string): string {
  spend(shell, PATH_WORK + path.length);
  const home = shell.isRoot ? "/root" : "~";
  const tilde = path.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, home);
  const whole = /^[/~$]/.test(tilde) ? tilde : `${directory(shell)}/${tilde}`;
  if (whole.length > MAX_PATH_CHARS) return `/${nameOf(shell, whole)}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const rooted = whole.startsWith("/") ? "/" : "";
  return rooted + parts.join("/");
}

/** The file at a path, or the directory above it that came from the network. */
export function findFile(shell: Shell, path: string): Written | undefined {
  let place = resolvePath(shell, path);
  for (let up = 0; up < 32; up++) {
    const found = shell.files.get(place);
    if (found !== undefined && (up === 0 || found.download !== undefined)) return found;
    const slash = place.lastIndexOf("/");
    if (slash < 0) break;
    place = place.slice(0, slash);
  }
  return undefined;
}

/** Notes a download, or a repository at a tag, that is kept in a place. */
export function addDownload(
  shell: Shell,
  line: number,
  url: string,
  path: string,
  tag?: string,
): Download {
  const download: Download = {
    ...{ url, line, path, checked: "", uses: new Set<string>(), tag: tag ?? "" },
    guard: shell.guard,
    isRepository: tag !== undefined,
  };
  shell.downloads.push(download);
  shell.files.set(path, { value: unknown(`<${url}`, { network: url }), download });
  return download;
}

/** How much of a command a message quotes. */
const MAX_SHOWN_CHARS = 160;

/** What is written like a secret: it is not shown. */
const SECRET =
  /((?:authorization|bearer|basic|token|passw(?:or)?d|secret|api[-_]?key|credentials?)(?:["']?(?:\s*[=:]\s*|[^\S ]* \s*)["']?)(?:bearer |basic )?)[^\s"']+|\b(?:gh[pousr]_|github_pat_|glpat-|sk-|AKIA|ASIA|AIza|npm_|pypi-|xox[abeoprs]-|hf_|eyJ)[\w.-]{8,}|(:\/\/)[^\s/:@]*:[^\s/@]+(?=@)/gi;

export function hideSecrets(text: string): string {
  return text.slice(0, MAX_VALUE_CHARS).replace(
    SECRET,
    (_, name = "", scheme = "") => `${name}${scheme}***`,
  );
}

/** A text of an agent in a message. */
export function show(text: string): string {
  return quote(hideSecrets(text), MAX_SHOWN_CHARS);
}

interface Note {
  readonly kind: ReachKind;
  readonly value: string;
  /** What makes it another act than one with the same value. */
  readonly key?: string;
  readonly severity: Mark["severity"];
  readonly rule: string;
  readonly message: () => string;
  readonly pin?: Act["pin"];
  readonly isUnknown?: boolean;
}

/** Notes what a script does. */
export function note(shell: Shell, line: number, { value, key = "", ...found }: Note): void {
  spend(shell, NOTE_WORK);
  const { kind, severity, rule, message, pin, isUnknown } = found;
  // A package is the same one, whatever the command reads.
  const around = kind === "package" || kind === "download"
    ? []
    : [shell.before, directory(shell), String(shell.isDecisive)];
  shell.acts.push({
    ...{ kind, value, line },
    key: [kind, rule, nameOf(shell, value), nameOf(shell, key), shell.guard, ...around].join("\0"),
    mark: { severity, rule, message },
    ...(pin && { pin }),
    ...(isUnknown && { isUnknown }),
  });
}

/** A command, and where it stands. */
type Command = { readonly shell: Shell; readonly line: number; readonly text: string };

/** Notes a command by what it would do: the end of a sentence that begins with the command. */
export function noteCall(
  { shell, line, text }: Command,
  severity: Mark["severity"],
  rule: string,
  what: string,
): void {
  const lowers = rule === "firewall-removed" || rule === "verification-off";
  const message = () => `${show(text)} ${what}`;
  note(shell, line, {
    kind: lowers ? "protection" : "command",
    value: text,
    severity,
    rule,
    message,
  });
}

/** Notes what protects, under the conditions of now. */
export function noteGuard(shell: Shell, found: Omit<Guard, "guard">): void {
  shell.protections.push({ ...found, guard: shell.guard });
}

/** Notes a command of which all is known, and nothing is to be told: for the comparison alone. */
export function prove({ shell, line, text }: Command): void {
  const key = `${nameOf(shell, text)}\0${shell.guard}`;
  shell.acts.push({ kind: "command", value: text, line, key });
}

/** Notes what nobody can read. */
export function noteUnknown(shell: Shell, line: number, text: string, what: string): void {
  const message = () => `nobody can tell what ${show(text)} would do: ${what}`;
  const found = { severity: "medium", rule: "unreadable-command", message } as const;
  note(shell, line, { kind: "command", value: text, isUnknown: true, ...found });
}
