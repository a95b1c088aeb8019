/**
 * Judges the files that a COPY or ADD puts into an image, and the flags of a RUN. Pure.
 *
 * @module
 */

import { quote } from "../../text/quote.ts";
import type { Judgement } from "./judge_variables.ts";
import places from "./places.json" with { type: "json" };
import { filesOf } from "../shell/places.ts";
import { lineOf } from "./instructions.ts";
import { readMounts, type Step } from "./stages.ts";
import { readJson } from "./words.ts";

const [GRAVE, LOADED, GUARDS, SECRETS, CACHES, TEXTS] = [
  ...[places.grave, places.loaded, places.guards, places.secrets, places.caches, places.texts],
].map((sources) => new RegExp(sources.join("|"))) as [
  RegExp,
  RegExp,
  RegExp,
  RegExp,
  RegExp,
  RegExp,
];

const isUrl = (source: string) => /^(?:(?:https?|ftp|git|ssh):\/\/|git@)/i.test(source);

/** The paths that the files may have in the image, the target or what is below it, and the files they add to. */
function pathsOf({ files, instruction }: Step): readonly string[] {
  const { sources, target } = files!;
  const below = instruction.heredocs.length > 0 ? [] : sources.map((source) => {
    let end = source.length;
    while (source[end - 1] === "/" || source[end - 1] === "*") end--;
    const name = source.slice(0, end).split("/").at(-1)!;
    return `${target.replace(/\/$/, "")}/${name}`;
  });
  return [target, ...below].flatMap(filesOf);
}

/** Whether the files are loaded or run by programs, wherever they come from. */
export function isLoaded(step: Step): boolean {
  return pathsOf(step).some((path) => GRAVE.test(path) || LOADED.test(path));
}

/** Whether a COPY that goes takes a protection with it. */
export function isGuard(step: Step): boolean {
  return isLoaded(step) || GUARDS.test(`${step.files!.sources.join(" ")} ${step.files!.target}`);
}

/** Whether all that a COPY adds is a text that programs show, and none obeys. */
export function isInnocentText({ kind, files, instruction, from }: Step): boolean {
  return kind === "COPY" && from.length === 0 && instruction.flags.length === 0 &&
    instruction.heredocs.length === files!.sources.length && TEXTS.test(files!.target) &&
    !/\.d\//.test(files!.target);
}

/** A flag's value; `undefined` without the flag. */
function flagValue({ instruction }: Step, flag: string): string | undefined {
  const start = `--${flag}=`;
  return instruction.flags.find(({ text }) => text.startsWith(start))?.text.slice(start.length);
}

/** What an ADD takes from the network, each with the checksum that holds it. */
export function downloadsOf(step: Step): readonly string[] {
  if (step.kind !== "ADD") return [];
  return step.files!.sources.filter(isUrl).map((url) =>
    `${flagValue(step, "checksum") ?? ""} ${url}`
  );
}

/** Judges a COPY or ADD that is new: what is in none of `downloads`, and whose path scripts have in `paths`. */
export function* judgeFiles(
  step: Step,
  downloads: ReadonlySet<string>,
  paths: ReadonlySet<string>,
): Generator<Judgement & { readonly line: number }> {
  for (const judgement of judgeSources(step, downloads)) yield judgement;
  for (const judgement of judgeTarget(step, paths)) yield { ...judgement, line: step.line };
}

function* judgeSources(
  step: Step,
  downloads: ReadonlySet<string>,
): Generator<Judgement & { readonly line: number }> {
  const { files, instruction, from, line } = step;
  const { sources } = files!;
  const isPlain = readJson(instruction.args) === undefined;
  const places = isPlain ? [...instruction.args.matchAll(/[^\t\v\f\r ]+/g)] : [];
  for (const [n, source] of sources.entries()) {
    const place = isPlain ? lineOf(instruction, places[n]!.index) : line;
    const checksum = flagValue(step, "checksum");
    if (step.kind === "ADD" && isUrl(source) && !downloads.has(`${checksum ?? ""} ${source}`)) {
      const isPinned = checksum !== undefined || /#[0-9a-f]{40}(?::|$)/.test(source);
      const how = isPinned ? "with a checksum" : "which may send something else each time";
      const message = `${quote(source, 160)} would be added from the network, ${how}`;
      const severity = isPinned ? "low" as const : "medium" as const;
      yield { severity, rule: "add-from-url", message, line: place };
    }
    if (from.length === 0 && SECRETS.test(source)) {
      const message = `the image would keep ${quote(source, 160)}, which often holds a secret`;
      yield { severity: "high", rule: "secret", message, line: place };
    }
  }
}

function* judgeTarget(step: Step, named: ReadonlySet<string>): Generator<Judgement> {
  const quoted = quote(step.files!.target, 160);
  if (/^0?[2-7][0-7]{3}$|[ug+,=]s/.test(flagValue(step, "chmod") ?? "")) {
    const message = `${quoted} would run with the rights of its owner, for any user who starts it`;
    yield { severity: "high", rule: "setuid-file", message };
  }
  const paths = pathsOf(step);
  if (paths.some((path) => GRAVE.test(path))) {
    const message = `${quoted} decides who has which rights, and would be replaced`;
    yield { severity: "high", rule: "loaded-file", message };
  } else if (
    flagValue(step, "checksum") === undefined &&
    paths.some((path) => LOADED.test(path) || named.has(path))
  ) {
    const message = `${quoted} would be run or loaded by programs`;
    yield { severity: "medium", rule: "loaded-file", message };
  }
}

/** A flag of a RUN that is new. */
export interface NewFlag {
  readonly kind: "mount" | "privilege";
  readonly value: string;
  readonly line: number;
  readonly judgement?: Judgement;
}

/** Finds what the flags of a RUN add to those of the RUNs whose place it takes. */
export function* findNewFlags(step: Step, replaced: readonly Step[]): Generator<NewFlag> {
  const known = new Set(
    replaced.flatMap(({ instruction }) => instruction.flags.map(({ text }) => text)),
  );
  const { flags } = step.instruction;
  const mounts = readMounts(step.instruction);
  let mount = 0;
  for (const { text, line } of flags) {
    const fields = text.startsWith("--mount=") ? mounts[mount++]! : undefined;
    if (known.has(text)) continue;
    const type = fields?.get("type")?.toLowerCase() ?? "bind";
    if (fields !== undefined) {
      if (isCache(type, fields)) continue;
      const message = `the command could read ${quote(text.slice(8), 160)}`;
      const isGiven = type === "secret" || type === "ssh";
      yield {
        ...{ kind: "mount", value: text.slice(8), line },
        ...(isGiven && { judgement: { severity: "low", rule: "mounted-secret", message } }),
      };
    } else if (/^--(?:network=none|network=default|security=sandbox)$/.test(text)) continue;
    else yield { kind: "privilege", value: text, line, judgement: judgePrivilege(text) };
  }
  const isCutOff = (each: Step) =>
    each.instruction.flags.some(({ text }) => text === "--network=none");
  if (replaced.length > 0 && replaced.every(isCutOff) && !isCutOff(step)) {
    yield { kind: "privilege", value: "--network=default", line: step.line };
  }
}

/** A cache that no other build names, and where package managers keep theirs, or files that go. */
function isCache(type: string, fields: ReadonlyMap<string, string>): boolean {
  const target = fields.get("target") ?? "";
  return [...fields.keys()].every((key) => /^(?:type|target|sharing)$/.test(key)) &&
    !target.includes("..") &&
    (type === "tmpfs"
      ? /^\/(?:tmp|run|var\/tmp)\/?$/.test(target)
      : type === "cache" && CACHES.test(target));
}

function judgePrivilege(flag: string): Judgement {
  const quoted = quote(flag, 160);
  if (flag === "--network=host") {
    const message = `${quoted} would run the command in the network of the machine that builds`;
    return { severity: "high", rule: "network-host", message };
  }
  if (flag === "--security=insecure") {
    const message = `${quoted} would run the command without the sandbox of the build`;
    return { severity: "high", rule: "security-insecure", message };
  }
  const message = `${quoted} would give the command a device of the machine that builds`;
  return { severity: "medium", rule: "device", message };
}
