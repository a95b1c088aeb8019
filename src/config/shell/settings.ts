/**
 * Judges settings: variables of the environment, options of configuration programs, flags. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import lists from "./settings.json" with { type: "json" };
import packages from "./packages.json" with { type: "json" };
import { note, type Shell, show, type Told } from "./shell.ts";
import type { Value } from "./value.ts";

/** No setting that matters has a longer name. */
const MAX_NAME_CHARS = 100;

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

/** Notes a setting that matters. */
export function noteSetting(shell: Shell, line: number, name: string, value: Value): void {
  const judged = judgeSetting(name, value.text);
  if (judged === "protects") {
    const message = () => `${show(name)} protects, and would not be set any more`;
    const mark = { severity: "medium", rule: "protection-removed", message } as const;
    const place = { kind: "protection", value: `${name}=${value.text}`, line } as const;
    shell.protections.push({ ...place, mark });
  } else if (judged !== undefined) {
    note(shell, line, { kind: "variable", value: `${name}=${value.text}`, ...judged });
  }
}

/** What a word of a command switches off. */
export function judgeFlag(word: string): string | undefined {
  return FLAGS.find(([form]) => form.test(word))?.[1];
}
