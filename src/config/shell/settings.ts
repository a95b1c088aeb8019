/**
 * Judges settings: variables of the environment, options of configuration programs, flags. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import lists from "./settings.json" with { type: "json" };
import packages from "./packages.json" with { type: "json" };
import type { Call } from "./read.ts";
import { note, noteGuard, prove, type Shell, show, type Told } from "./shell.ts";
import type { Value } from "./value.ts";

/** No setting that matters has a longer name. */
const MAX_NAME_CHARS = 100;

/** No address is longer. */
const MAX_WORD_CHARS = 2048;

interface Setting {
  readonly name: RegExp;
  readonly good?: RegExp | undefined;
  readonly bad?: RegExp | undefined;
  readonly rule: string;
  readonly severity: Mark["severity"];
  readonly isRegistry: boolean;
  /** Whether the other values protect. */
  readonly protects: boolean;
}

const SETTINGS: readonly Setting[] = lists.settings.map((setting) => ({
  name: new RegExp(setting.name, "i"),
  good: setting.good === undefined ? undefined : new RegExp(setting.good, "i"),
  bad: setting.bad === undefined ? undefined : new RegExp(setting.bad, "i"),
  rule: setting.rule,
  severity: setting.severity as Mark["severity"],
  isRegistry: setting.registry === true,
  protects: setting.protects === true,
}));

const FLAGS = lists.flags.map(([form, what]) => [new RegExp(form!, "i"), what!] as const);

const REGISTRIES = new RegExp(packages.registries);

const WHAT: Readonly<Record<string, string>> = {
  "verification-off": "servers or packages would not be verified",
  "registry-redirect": "packages would come from somewhere else",
  "traffic-redirect": "traffic would go somewhere else",
  "hijack": "it says what programs load or run",
  "install-scripts": "scripts of packages would be run",
  "protection-removed": "a protection would be off",
};

/** Whether an address is one of the registries that everybody uses. */
export function isOfficialRegistry(url: string): boolean {
  return REGISTRIES.test(url);
}

/** What a setting means: the mark for it, or that it protects; `undefined` if it means neither. */
export function judgeSetting(
  name: string,
  value: string,
): Told | "protects" | undefined {
  if (name.length > MAX_NAME_CHARS) return undefined;
  let protects = false;
  for (const setting of SETTINGS) {
    if (!setting.name.test(name)) continue;
    const isFine = setting.isRegistry
      ? value === "" || value.split(/[ ,|]+/).every(isOfficialRegistry)
      : setting.bad !== undefined
      ? !setting.bad.test(value)
      : setting.good?.test(value) === true;
    if (!isFine) {
      const { severity, rule } = setting;
      return { severity, rule, message: () => `${show(name)} would be set: ${WHAT[rule]}` };
    }
    protects ||= setting.protects;
  }
  if (/^PATH$/i.test(name) && !isPlainPath(value)) {
    const message = () =>
      "PATH would have programs looked for in a directory that others can write";
    return { severity: "high", rule: "hijack", message };
  }
  return protects ? "protects" : undefined;
}

/** Whether programs of the system cannot be hidden by others: they come first. */
function isPlainPath(value: string): boolean {
  const SYSTEM = /^(?:\/usr\/local|\/usr)?\/s?bin$|^\$\{?PATH\}?$/;
  const entries = value.split(":");
  const first = entries.findIndex((entry) => SYSTEM.test(entry));
  return first >= 0 &&
    entries.slice(0, first).every((entry) => /^\/(?:opt|usr)\/[^~$]*bin$/.test(entry)) &&
    entries.every((entry) => entry.startsWith("/") || SYSTEM.test(entry));
}

const LOWERING = {
  lowers: new RegExp(lists.lowering.lowers, "i"),
  checks: new RegExp(lists.lowering.checks, "i"),
  off: new RegExp(lists.lowering.off, "i"),
  on: new RegExp(lists.lowering.on, "i"),
  moves: new RegExp(lists.lowering.moves, "i"),
  innocent: new RegExp(lists.lowering.innocent, "i"),
  loads: new RegExp(lists.lowering.loads, "i"),
  less: new RegExp(lists.lowering.less, "i"),
};

/** An address of another machine: a URL, a repository, a module at a version, a path of scp. */
const REMOTE = new RegExp(
  [
    /(?<!\b(?:file|unix|jar))(?<=[a-z0-9]):\/\/(?!(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0)(?::\d+)?(?:[/?#]|$))/,
    /(?:^|[=:])(?:git\+|(?:github|gitlab|bitbucket|gist|sourcehut|codeberg|git|hg):(?=\w))/,
    /^[\w.-]{1,64}@[\w.-]{1,255}:/,
    /(?:^|=)[\w-]{1,64}\.[\w.-]{1,255}\/[^@\s=]{1,255}@[\w.]/,
  ].map(({ source }) => source).join("|"),
  "i",
);

/** Whether a word names something on another machine that everybody does not use. */
export function isRemote(word: string): boolean {
  const text = word.slice(0, MAX_WORD_CHARS);
  return REMOTE.test(text) && !/[\s"'()]/.test(text) && !isOfficialRegistry(text);
}

/** The rule for a name and a value, of whatever program, that lower a check or move a source. */
function judgeLowering(name: string, value: string): string | undefined {
  if (name.length > MAX_NAME_CHARS) return undefined;
  const isOff = LOWERING.off.test(value);
  if (LOWERING.lowers.test(name)) return isOff && value !== "" ? undefined : "verification-off";
  if (LOWERING.checks.test(name) && isOff && value !== "") return "verification-off";
  const isHost = /^[\w-]{1,64}\.[\w.-]{1,255}(?::\d+)?$/.test(value) && !/^127\./.test(value);
  if (!LOWERING.moves.test(name) || !(isHost || isRemote(value))) return undefined;
  return /prox/i.test(name) ? "traffic-redirect" : "registry-redirect";
}

/** The words of programs behind which a name and its value stand. */
const SETS = /^(?:config|configure|settings?|set|options?|env)$/;

/** What the words of a command lower or move: `name=value`, `--name value`, `config name value`. */
export function findLowering(words: readonly string[]): string | undefined {
  let isSetting = false;
  for (const [at, word] of words.entries()) {
    const text = word.slice(0, MAX_WORD_CHARS);
    const [, name = text, inline] = /^([^=\s]{1,100})\s{0,8}=([^]*)$/.exec(text) ?? [];
    const next = words[at + 1] ?? "";
    const isFlag = name.startsWith("-");
    const value = (inline ?? (isFlag && /^(?:-|$)/.test(next) ? "true" : next)).trim();
    if (inline !== undefined || isFlag || isSetting) {
      const found = judgeLowering(name, value) ??
        (inline?.includes("=") ? findLowering([inline]) : undefined);
      if (found !== undefined) return found;
    }
    isSetting ||= SETS.test(text);
  }
  return undefined;
}

/** Longer texts are read so far. */
const MAX_CONTENT_CHARS = 65_536;

const linesOf = (text: string) =>
  text.slice(0, MAX_CONTENT_CHARS).split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && !/^[#;[]/.test(line));

/** The lines of settings, or of a command that edits some, that lower, move or load; each with its rule. */
export function judgeContent(text: string): readonly { rule: string; line: string }[] {
  return linesOf(text).flatMap((line) => {
    const [, name = "", value = ""] =
      /^["']?([^=:\s"']{1,100})["']?\s{0,8}[=:]([^]*)$/.exec(line) ?? [];
    const plain = value.trim().replace(/^["']|["']?,?$/g, "");
    if (LOWERING.loads.test(name) && !LOWERING.off.test(plain)) return { rule: "hijack", line };
    const rule = judgeLowering(name, plain) ?? findLowering(line.split(/[\s|#'"]+/)) ??
      (line.startsWith("sed ") ? findLowering(line.split(/[\s/|#'"]+/)) : undefined);
    return rule === undefined ? [] : { rule, line };
  });
}

/** Whether all that lines of settings do, behind others, is to switch off what lets programs do more. */
export function isLess(text: string): boolean {
  return text.length <= MAX_CONTENT_CHARS &&
    linesOf(text).every((line) => LOWERING.less.test(line));
}

/** What a rule of settings means. */
export function whatOf(rule: string): string {
  return WHAT[rule] ?? rule;
}

/** A word of a command that sets something, with an option that only says for whom. */
const TAME_WORD = /^(?!-)|^(?:-g|--(?:global|system|local|set|location=global))$/;

/** Notes a setting of a program: one that is on no list is told, too. */
export function noteConfiguration(call: Call, name: string, value: Value): void {
  const { shell, line, text } = call;
  noteSetting(shell, line, name, value);
  const judged = judgeSetting(name, value.text);
  const isPlain = call.words.every((word) => word.isKnown && TAME_WORD.test(word.text));
  if (judged === "protects" && isPlain) prove(call);
  if (judged !== undefined) return;
  const raises = LOWERING.checks.test(name.slice(0, MAX_NAME_CHARS)) &&
    !LOWERING.lowers.test(name.slice(0, MAX_NAME_CHARS)) && LOWERING.on.test(value.text);
  const isInnocent = name.length <= MAX_NAME_CHARS && LOWERING.innocent.test(name) &&
    !isRemote(value.text);
  if (isPlain && (raises || isInnocent)) return prove(call);
  const message = () => `${show(text)} would be run`;
  const found = { severity: "low", rule: "new-command", message } as const;
  note(shell, line, { kind: "command", value: text, ...found });
}

/** Notes a setting that matters. */
export function noteSetting(shell: Shell, line: number, name: string, value: Value): void {
  const judged = judgeSetting(name, value.text);
  if (judged === "protects") {
    const message = () => `${show(name)} protects, and would not be set any more`;
    const mark = { severity: "medium", rule: "protection-removed", message } as const;
    const place = { kind: "protection", value: `${name}=${value.text}`, line } as const;
    noteGuard(shell, { ...place, mark });
  } else if (judged !== undefined) {
    note(shell, line, { kind: "variable", value: `${name}=${value.text}`, ...judged });
  }
}

/** What a word of a command switches off. */
export function judgeFlag(word: string): string | undefined {
  return FLAGS.find(([form]) => form.test(word))?.[1];
}
