/**
 * Compares two Dockerfiles by what they have an image do. Pure.
 *
 * Each stage is a list of steps in one spelling, each with the user, the shell and the directory that it runs
 * with. What is in both lists in the same order adds nothing; of the rest only a closed list of edits does not:
 * metadata (LABEL, EXPOSE, VOLUME, STOPSIGNAL, MAINTAINER), variables that change what is shown, texts, caches,
 * commands of a plain form, and stages that no build of the last stage needs.
 *
 * @module
 */

import type { Mark, MarkSeverity } from "../../records/mark.ts";
import type { Findings, ReachItem, ReachKind } from "../../records/reach.ts";
import { quote } from "../../text/quote.ts";
import { BASE_USER } from "./accounts.ts";
import { type Image, readImage } from "./images.ts";
import { lineOf, type Outline, outlineDockerfile } from "./instructions.ts";
import { downloadsOf, findNewFlags, isGuard, isInnocentText, judgeFiles } from "./judge_files.ts";
import {
  type Judgement,
  judgeVariable,
  lowers,
  OBEYED_LABELS,
  protects,
} from "./judge_variables.ts";
import { compareScripts, newWork, type Script, TOO_MUCH_WORK } from "../shell/compare.ts";
import { proveDockerfile } from "./proof.ts";
import { findTokens, hideTokens, isSecret } from "./secrets.ts";
import { readSettings } from "./variables.ts";
import { expand } from "./words.ts";
import {
  isUsualShell,
  keyOf,
  readHealthcheck,
  readStages,
  readStart,
  rootImage,
  type Stage,
  stagesNeededBy,
  type State,
  type Step,
} from "./stages.ts";

/** The frontends of BuildKit's own authors. */
const OWN_FRONTEND = /^docker\.io\/docker\/dockerfile(?:-upstream)?$/;

/** Longer names of labels are not looked at. */
const MAX_LABEL_CHARS = 128;

/** A Dockerfile as far as it matters for what it builds. */
interface File {
  readonly outline: Outline;
  readonly stages: readonly Stage[];
  readonly lost: readonly number[];
  /** The stage that is built; `undefined` without a file. */
  readonly last: Stage | undefined;
  readonly needed: ReadonlySet<Stage>;
  /** Images by their keys. */
  readonly images: ReadonlyMap<string, Image>;
  readonly keys: ReadonlySet<string>;
  readonly downloads: ReadonlySet<string>;
  readonly scripts: readonly Script[];
  /** The variables and the paths that its instructions and scripts name. */
  readonly named: ReadonlySet<string>;
  readonly paths: ReadonlySet<string>;
}

/** What is new, what goes, and what a reviewer should notice. */
type Items = Pick<Findings, "added" | "removed" | "marks">;

/** Steps of both files in the same place: those of the one are replaced by those of the other. */
interface Hunk {
  readonly removed: readonly Step[];
  readonly added: readonly Step[];
  /** What the file in force runs its steps with in this place. */
  readonly states: readonly State[];
}

/** What a Dockerfile has an image do. */
export function reachOfDockerfile(text: string): readonly ReachItem[] {
  return compareDockerfile(null, text).added;
}

/** Compares two Dockerfiles. Instructions behind a syntax error count for neither. */
export function compareDockerfile(current: string | null, proposed: string): Findings {
  const before = readInForce(current ?? "");
  const after = readFile(proposed, before.stages);
  const found = new Found();
  compareFrontends(before, after, found);
  compareImages(before, after, found);
  compareTokens(before, after, found);
  compareLabels(before, after, found);
  const scripts = compareScripts(before.scripts, after.scripts);
  const work = [newWork(), newWork()] as const;
  for (const stage of after.stages) {
    const was = before.stages.find(({ label }) => label === stage.label);
    const isNeeded = after.needed.has(stage);
    const mine = isNeeded ? found : new Found();
    compareBases(was, stage, { before, after }, mine);
    for (const hunk of findHunks(was, stage)) {
      judgeHunk(hunk, { before, after, stage }, mine);
      if (before.scripts.length === 0) continue;
      const [removed, added] = [scriptsIn(hunk.removed), scriptsIn(hunk.added)];
      addScripts(compareScripts(removed, added, work), mine, scripts);
    }
    compareShells(was, stage, mine);
    // Nothing of it is built, unless somebody asks for this stage by name.
    if (!isNeeded) found.take(mine.atLeastMedium());
  }
  const [was, is] = [before.last, after.last].map((stage) => stage ? ownScriptsOf(stage) : []);
  addScripts(compareScripts(was!, is!, work), found, scripts);
  const unbuilt = (line: number) => {
    const stage = after.stages.findLast((each) => each.line <= line);
    return stage !== undefined && !after.needed.has(stage);
  };
  const isKept = new Set(
    scripts.marks.filter(({ side, severity }) => side === "new" && severity !== "low")
      .map(({ line }) => line),
  );
  const isCounted = (line: number) => !unbuilt(line) || isKept.has(line);
  found.take({
    ...scripts,
    added: scripts.added.filter(({ line }) => isCounted(line)),
    marks: scripts.marks.filter(({ side, line }) => side === "old" || isCounted(line)),
  });
  compareUsers(before.last, after.last, found);
  if (after.last !== undefined) compareStarts(before.last, after.last, found);
  for (const line of after.lost) {
    const message = "the variables in this line are too many or too long to be followed";
    found.mark({ severity: "medium", rule: "unread-variables", message }, line);
  }
  const { syntax } = after.outline;
  const isForeign = syntax !== undefined && isForeignFrontend(after.outline);
  if (isForeign && frontendOf(before)?.image === frontendOf(after)?.image) {
    const message = "what somebody else's frontend makes of a file is not known";
    found.mark({ severity: "medium", rule: "unread-frontend", message }, syntax.line);
  }
  const isCut = work.some(({ left }) => left < 0);
  if (isCut) found.take({ added: [], removed: [], marks: [TOO_MUCH_WORK] });
  const isUnknown = scripts.isUnknown || isCut || after.lost.length > 0 || isForeign;
  const { isWhole, packages } = proveDockerfile(before.outline, after.outline);
  const { named } = scripts;
  return { ...found.findings(), named, isUnknown, isWhole, tame: packages };
}

/** The file in force that was read last. Many proposals are compared with one. */
let inForce: { readonly text: string; readonly file: File } | undefined;

function readInForce(text: string): File {
  if (inForce?.text !== text) inForce = { text, file: readFile(text, []) };
  return inForce.file;
}

function readFile(text: string, others: readonly Stage[]): File {
  const outline = outlineDockerfile(text);
  const { stages, lost } = readStages(outline, labeller(others));
  const last = stages.at(-1);
  const images = new Map<string, Image>();
  for (const stage of stages) {
    for (const from of [stage.base, ...stage.steps.flatMap(imagesOf)]) {
      if (!("steps" in from) && !images.has(from.key)) images.set(from.key, from);
    }
  }
  const scripts = scriptsOf(stages);
  return {
    ...{ outline, stages, lost, last, images, scripts, named: variablesNamed(outline) },
    paths: new Set(scripts.flatMap(({ text }) => text.match(/[\w./-]+/g) ?? [])),
    needed: last === undefined ? new Set() : stagesNeededBy(last),
    keys: new Set(stages.flatMap(({ steps }) => steps.map(({ key }) => key))),
    downloads: new Set(stages.flatMap(({ steps }) => steps.flatMap(downloadsOf))),
  };
}

/** What a step takes files from, and what its ONBUILD would. */
const imagesOf = ({ from, trigger }: Step) => [...from, ...trigger?.from ?? []];

/** Calls each stage as the one it stands for: the last one, one of its name, or one with its base. */
function labeller(others: readonly Stage[]): (stage: Stage, isLast: boolean) => string {
  const free = new Set(others);
  let count = 0;
  return (stage, isLast) => {
    const last = others.at(-1);
    const other = (isIt: (each: Stage) => boolean) =>
      free.values().find((each) => each !== last && isIt(each));
    const found = isLast ? last : other(({ name }) => name !== undefined && name === stage.name) ??
      other(({ base }) => keyOf(base) === keyOf(stage.base));
    if (found !== undefined) free.delete(found);
    return found?.label ?? `${others.length > 0 ? "new " : ""}${count++}`;
  };
}

/** Collects what is found. */
class Found {
  readonly #added = new Map<string, ReachItem>();
  readonly #removed: ReachItem[] = [];
  readonly #marks: Mark[] = [];

  add(kind: ReachKind, written: string, line: number, judgement?: Judgement): void {
    const value = hideTokens(written);
    this.#added.set(JSON.stringify([kind, value, line]), { kind, value, line });
    if (judgement !== undefined) this.mark(judgement, line);
  }

  mark(judgement: Judgement, line: number, side: Mark["side"] = "new"): void {
    this.#marks.push({ ...judgement, side, line });
  }

  remove(kind: ReachKind, value: string, line: number): void {
    this.#removed.push({ kind, value: hideTokens(value), line });
  }

  /** Notes a protection that goes: the bottle may do what it kept it from. */
  lose(value: string, line: number, judgement: Judgement): void {
    this.remove("protection", value, line);
    this.mark(judgement, line, "old");
    this.add("protection", `without ${value}`, line);
  }

  take({ added, removed, marks }: Items): void {
    for (const { kind, value, line } of added) this.add(kind, value, line);
    this.#removed.push(...removed);
    this.#marks.push(...marks);
  }

  atLeastMedium(): Items {
    const marks = this.#marks.filter(({ severity }) => severity !== "low");
    const lines = new Set(marks.flatMap(({ side, line }) => side === "new" ? [line] : []));
    const added = [...this.#added.values()].filter(({ line }) => lines.has(line));
    return { added, removed: this.#removed, marks };
  }

  has(kind: ReachKind, value: string, line: number): boolean {
    return this.#added.has(JSON.stringify([kind, hideTokens(value), line]));
  }

  findings(): Items {
    const added = [...this.#added.values()].toSorted((a, b) => a.line - b.line);
    const marks = new Map(this.#marks.map((mark) => [JSON.stringify(mark), mark]));
    return { added, removed: this.#removed, marks: [...marks.values()] };
  }
}

const low = (rule: string, message: string): Judgement => ({ severity: "low", rule, message });

function frontendOf({ outline }: File): Image | undefined {
  return outline.syntax && readImage(outline.syntax.image, outline.syntax.line);
}

function isForeignFrontend({ syntax }: Outline): boolean {
  return !OWN_FRONTEND.test(readImage(syntax!.image, 0).repository);
}

/** Without a frontend BuildKit's own reads the file. */
function compareFrontends(before: File, after: File, found: Found): void {
  const [was, is] = [frontendOf(before), frontendOf(after)];
  if (was !== undefined && was.image !== is?.image) found.remove("frontend", was.image, was.line);
  if (is === undefined || is.image === was?.image) return;
  const quoted = quote(after.outline.syntax!.image, 255);
  const judgement: Judgement = isForeignFrontend(after.outline)
    ? {
      ...{ severity: "high", rule: "unknown-frontend" },
      message: `${quoted} would build the image in place of docker/dockerfile`,
    }
    : low("changed-frontend", `${quoted} would build the image`);
  found.add("frontend", is.image, is.line, judgement);
}

function compareImages(before: File, after: File, found: Found): void {
  const same = ({ repository }: Image) =>
    [...before.images.values()].filter((image) => image.repository === repository);
  for (const image of before.images.values()) {
    if (!after.images.has(image.key)) found.remove("image", image.image, image.line);
  }
  const bases = new Set(after.stages.map(({ base }) => base));
  const base = after.last && rootImage(after.last);
  for (const image of after.images.values()) {
    if (image.image === "" || before.images.has(image.key)) continue;
    found.add("image", image.image, image.line);
    const { repository, line, hasDigest, isPinned, isUnknown } = image;
    const quoted = quote(image.image, 255);
    const known = same(image);
    const mark = (severity: MarkSeverity, rule: string, message: string) =>
      found.mark({ severity, rule, message }, line);
    if (isUnknown) {
      const message = `${quoted} depends on a variable that has no value in the file`;
      mark("medium", "unknown-image", message);
    } else if (!isPinned) {
      mark(
        "medium",
        "unpinned-base-image",
        `${quoted} has neither a digest nor a tag of a version`,
      );
    } else if (known.some((each) => each.hasDigest) && !hasDigest) {
      const message = `${quoted} has no digest, which ${quote(repository, 255)} has now`;
      mark("medium", "unpinned-base-image", message);
    } else if (known.length > 0) {
      mark("low", "changed-image", `${quoted} is another version of an image in force`);
    }
    // Without a file in force no base has changed.
    if (before.images.size === 0 || known.length > 0) continue;
    const isCopied = !bases.has(image);
    const [severity, what] = image === base
      ? ["high" as const, "would be the base of the bottle"]
      : isCopied && !hasDigest
      ? ["high" as const, "would give files to the bottle"]
      : ["medium" as const, isCopied ? "would give files to the bottle" : "would be used to build"];
    const message = `${quote(repository, 255)} ${what}, and is in no FROM now`;
    found.mark({ severity, rule: "changed-base-image", message }, line);
  }
}

/** Tokens are found in any instruction, and shown in none. */
function compareTokens(before: File, after: File, found: Found): void {
  const tokensIn = ({ outline }: File) =>
    outline.instructions.flatMap((instruction) =>
      [{ ...instruction, text: instruction.args }, ...instruction.heredocs].flatMap((part) =>
        findTokens(part.text).map((token) => ({
          ...token,
          line: lineOf(part, token.at),
          instruction,
        }))
      )
    );
  const known = new Set(tokensIn(before).map(({ form }) => form));
  for (const { form, kind, line, instruction } of tokensIn(after)) {
    if (known.has(form)) continue;
    const message = `${quote(instruction.name.toUpperCase(), 20)} would keep ${kind} in the image`;
    found.add("file", kind, line, { severity: "high", rule: "secret", message });
  }
}

/** Labels say something about an image, but for those that a program obeys which starts its containers. */
function compareLabels(before: File, after: File, found: Found): void {
  const labelsOf = ({ outline: { instructions, escape } }: File) =>
    instructions.filter(({ name }) => /^label$/i.test(name)).flatMap((instruction) =>
      readSettings("ENV", instruction.args, escape).map(({ name, written = "", at }) => {
        const [label, value] = [name, written].map((part) =>
          expand(part, { escape })?.text ?? part
        );
        return { name: label!, text: `LABEL ${label}=${value}`, line: lineOf(instruction, at) };
      })
    ).filter(({ name }) => name.length > MAX_LABEL_CHARS || OBEYED_LABELS.test(name));
  const known = new Set(labelsOf(before).map(({ text }) => text));
  for (const { text, line } of labelsOf(after)) {
    if (!known.has(text)) found.add("command", text, line);
  }
}

/** What a stage begins with: its image may be in force, and elsewhere. */
function compareBases(
  was: Stage | undefined,
  stage: Stage,
  { before, after }: Pick<Place, "before" | "after">,
  found: Found,
): void {
  if (was !== undefined && keyOf(was.base) === keyOf(stage.base)) return;
  const image = rootImage(stage);
  // A new stage on a stage begins with what is there; a new image is found as such.
  if (was === undefined && ("steps" in stage.base || !before.images.has(image.key))) return;
  const isSame = was !== undefined && rootImage(was).key === image.key;
  const line = isSame ? stage.line : image.line;
  found.add("image", image.image, line);
  if (was === undefined || stage !== after.last || !before.images.has(image.key)) return;
  if (rootImage(was).repository === image.repository) return;
  const message = `${quote(image.repository, 255)} would be the base of the bottle`;
  found.mark({ severity: "high", rule: "changed-base-image", message }, line);
}

/** Pairs steps of both stages that have the same key and keep their order; what is between them is a hunk. */
function findHunks(was: Stage | undefined, stage: Stage): readonly Hunk[] {
  const [before, after] = [was?.steps ?? [], stage.steps];
  const known = was?.states ?? stage.states.slice(0, 1);
  const places = new Map<string, number[]>();
  for (const [at, { key }] of before.entries()) {
    const same = places.get(key);
    if (same === undefined) places.set(key, [at]);
    else same.push(at);
  }
  for (const list of places.values()) list.reverse();
  const pairs = after.flatMap(({ key }, right) => {
    const left = places.get(key)?.pop();
    return left === undefined ? [] : [[left, right] as const];
  });
  const hunks: Hunk[] = [];
  let [left, right] = [0, 0];
  for (
    const [toLeft, toRight] of [...longestRising(pairs), [before.length, after.length] as const]
  ) {
    const [removed, added] = [before.slice(left, toLeft), after.slice(right, toRight)];
    if (removed.length + added.length > 0) {
      const first = known.findLastIndex(({ at }) => at < left);
      const states = known.slice(Math.max(0, first)).filter(({ at }) => at <= toLeft);
      hunks.push({ removed, added, states: states.map(({ state }) => state) });
    }
    [left, right] = [toLeft + 1, toRight + 1];
  }
  return hunks;
}

/** The longest part of the pairs in which the left sides rise. Takes n log n steps. */
function longestRising(
  pairs: readonly (readonly [number, number])[],
): (readonly [number, number])[] {
  const ends: number[] = [];
  const previous: (number | undefined)[] = [];
  for (const [n, [left]] of pairs.entries()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[ends[middle]!]![0] < left) low = middle + 1;
      else high = middle;
    }
    previous.push(ends[low - 1]);
    ends[low] = n;
  }
  const rising: (readonly [number, number])[] = [];
  for (let at = ends.at(-1); at !== undefined; at = previous[at]) rising.push(pairs[at]!);
  return rising.reverse();
}

interface Place {
  readonly before: File;
  readonly after: File;
  readonly stage: Stage;
}

function judgeHunk({ removed, added, states }: Hunk, place: Place, found: Found): void {
  const replaced = removed.filter(({ kind }) => kind === "RUN");
  for (const step of removed) judgeRemoved(step, added, place, found);
  for (const step of added) {
    switch (step.kind) {
      case "ENV":
      case "ARG":
        addVariable(step, place, found);
        break;
      case "COPY":
      case "ADD":
        addFiles(step, place, found);
        break;
      case "RUN":
        for (const { kind, value, line, judgement } of findNewFlags(step, replaced)) {
          found.add(kind, value, line, judgement);
        }
        compareStates(step, replaced, states, found);
        break;
      case "ONBUILD": {
        found.add("command", step.instruction.text.replace(/\s+/g, " "), step.line);
        const { trigger } = step;
        if (trigger?.kind === "RUN") {
          for (const { line, judgement } of findNewFlags(trigger, [])) {
            if (judgement !== undefined) found.mark(judgement, line);
          }
        } else if (trigger?.files !== undefined) addFiles(trigger, place, found);
      }
    }
  }
}

function scriptsIn(steps: readonly Step[]): readonly Script[] {
  return steps.flatMap(({ script, trigger }) => script ?? trigger?.script ?? []);
}

function addVariable(
  { kind, key, line, variable }: Step,
  { before, after }: Place,
  found: Found,
): void {
  const { name, value, isSure } = variable!;
  const judgement = before.keys.has(key) ? undefined : judgeVariable(name, value ?? "");
  // What a command makes of a variable that it names is not known here, nor what the base image sets.
  const isKnown = isSure && !after.named.has(name);
  if (judgement === "innocent" && isKnown) return;
  const shown = value === undefined || isSecret(name, value) ? name : `${name}=${value}`;
  found.add("variable", `${kind} ${shown}`, line, judgement === "innocent" ? undefined : judgement);
}

/** The variables that instructions name, other than those that make other variables. */
function variablesNamed({ instructions }: Outline): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, text, heredocs } of instructions) {
    if (/^(?:env|arg|label)$/i.test(name)) continue;
    for (const part of [text, ...heredocs.map((heredoc) => heredoc.text)]) {
      for (const [, found] of part.matchAll(/\$\{?(\w+)/g)) names.add(found!);
    }
  }
  return names;
}

function addFiles(step: Step, { before, after }: Place, found: Found): void {
  if (isInnocentText(step)) return;
  // The same download, which is compared with a checksum from now on.
  const [flags] = (JSON.parse(step.key) as readonly unknown[]).slice(-1) as [readonly string[]];
  const unchecked = flags.filter((flag) => !flag.startsWith("--checksum="));
  if (
    unchecked.length < flags.length &&
    before.keys.has(step.key.replace(JSON.stringify(flags), () => JSON.stringify(unchecked)))
  ) return;
  const { sources, target } = step.files!;
  const from = step.from.map(keyOf).map((each) => ` from ${each}`).join("");
  found.add("file", `${sources.join(" ")}${from} to ${target}`, step.line);
  if (before.keys.has(step.key)) return;
  for (const { line, ...judgement } of judgeFiles(step, before.downloads, after.paths)) {
    found.mark(judgement, line);
  }
}

/**
 * A command that runs with a user, a shell or a directory which the file in force has not in this place. Of the
 * commands that it replaces nobody knows which one it is, so all of them must run with the same.
 */
function compareStates(
  step: Step,
  replaced: readonly Step[],
  place: readonly State[],
  found: Found,
): void {
  const { user, shell, workdir } = step.state;
  const isSame = (state: State) =>
    state.user.key === user.key && state.shell.value === shell.value &&
    state.workdir.value === workdir.value;
  const states = replaced.length > 0 ? replaced.map(({ state }) => state) : place;
  if (replaced.length > 0 ? states.every(isSame) : states.some(isSame)) return;
  let isFound = false;
  if (!states.some((state) => state.user.key === user.key)) {
    isFound = true;
    const message = `USER ${
      quote(user.name)
    } would have the lines below it run as root in the build`;
    const line = user.line || step.line;
    found.add("user", user.name === "" ? "of the base" : user.key, line);
    if (user.isRoot) found.mark({ severity: "medium", rule: "user-root", message }, line);
  }
  for (const [kind, name] of [["command", "shell"], ["start", "workdir"]] as const) {
    const setup = step.state[name];
    if (states.some((state) => state[name].value === setup.value)) continue;
    isFound = true;
    found.add(kind, `${name} ${setup.value}`, setup.line || step.line);
  }
  if (!isFound) found.add("command", step.script!.text, step.line);
}

function judgeRemoved(step: Step, added: readonly Step[], { stage }: Place, found: Found): void {
  const { kind, line, variable, files, key } = step;
  // What moved is new where it is now.
  if (stage.steps.some((each) => each.key === key)) return;
  if (variable !== undefined) {
    const { name, value = "" } = variable;
    const isSet = added.some((each) => each.kind === kind && each.variable!.name === name);
    if (isSet) return;
    const judgement = judgeVariable(name, value);
    if (protects(name, value)) {
      const message = `without ${quote(name)} its protection would go`;
      found.lose(name, line, low("removed-protection", message));
    } else if (judgement !== "innocent" && !lowers(name, value)) {
      found.lose(name, line, low("removed-variable", `${quote(name)} would no longer be set`));
    }
  } else if (files !== undefined) {
    const isThere = stage.steps.some((each) =>
      each.files?.target === files.target && each.kind === kind
    );
    if (isThere) return;
    const value = `${files.sources.join(" ")} to ${files.target}`;
    const message = `${quote(value, 160)} would no longer be in the image`;
    const severity = isGuard(step) ? "medium" as const : "low" as const;
    found.lose(value, line, { severity, rule: "removed-file", message });
  } else if (kind === "ONBUILD") found.remove("command", step.instruction.text, line);
}

function compareShells(was: Stage | undefined, stage: Stage, found: Found): void {
  const known = new Set(["", ...(was?.shells ?? []).map(({ value }) => value)]);
  for (const shell of stage.shells) {
    if (known.has(shell.value)) continue;
    const quoted = quote(shell.value, 160);
    const message = `every command below it would be run by ${quoted}`;
    const severity = isUsualShell(shell) ? "low" as const : "high" as const;
    found.add("command", `shell ${shell.value}`, shell.line, {
      ...{ severity, rule: "changed-shell", message },
    });
  }
}

/** Adds what a change in one place adds, unless the comparison of the whole files says it already. */
function addScripts({ added }: Items, found: Found, whole: Items): void {
  const known = new Set(whole.added.map(({ kind, value, line }) => `${line} ${kind} ${value}`));
  for (const { kind, value, line } of added) {
    if (!known.has(`${line} ${kind} ${value}`)) found.add(kind, value, line);
  }
}

function scriptsOf(stages: readonly Stage[]): readonly Script[] {
  const last = stages.at(-1);
  return [
    ...stages.flatMap(({ steps }) => scriptsIn(steps)),
    ...last === undefined ? [] : ownScriptsOf(last),
  ];
}

/** What runs in the bottle, and not while it is built. */
function ownScriptsOf(stage: Stage): readonly Script[] {
  return [readStart(stage), readHealthcheck(stage)]
    .flatMap((each) => [each?.script ?? [], each?.command ?? []].flat());
}

/** The user that the bottle ends up as. */
function compareUsers(before: Stage | undefined, after: Stage | undefined, found: Found): void {
  const [was, is] = [before?.state.user ?? BASE_USER, after?.state.user ?? BASE_USER];
  if (was.key === is.key) return;
  const rule = "user-root";
  if (is === BASE_USER) {
    const message = `without USER ${
      quote(was.name)
    } the bottle would run as its base image does, often root`;
    if (!was.isRoot) found.lose(`USER ${was.name}`, was.line, { severity: "high", rule, message });
    return;
  }
  found.add("user", is.key, is.line);
  if (is.isRoot) {
    const message = `USER ${quote(is.name)} would have the bottle run as root`;
    found.mark({ severity: "high", rule, message }, is.line);
  } else if (is.name.includes("$")) {
    const message = `USER ${quote(is.name)} depends on a variable that has no value in the file`;
    found.mark({ severity: "medium", rule: "unknown-user", message }, is.line);
  } else if (is.hasRootGroup && !was.hasRootGroup) {
    const message = `USER ${quote(is.name)} would have the bottle run in root's group`;
    found.mark({ severity: "medium", rule, message }, is.line);
  }
}

/** What starts in the bottle, and what checks it. */
function compareStarts(before: Stage | undefined, after: Stage, found: Found): void {
  const [was, is] = [before && readStart(before), readStart(after)];
  if (was?.key !== is?.key) {
    const changed = before?.entrypoint?.args !== after.entrypoint?.args;
    const severity = changed ? "medium" as const : "low" as const;
    const rule = "changed-start";
    if (is === undefined || changed && after.entrypoint === undefined) {
      const message = "what starts the bottle now would no longer do so";
      found.lose(was!.script.text, was!.line, { severity, rule, message });
    } else {
      const message = `the bottle would start with ${quote(hideTokens(is.script.text), 160)}`;
      const { line } = changed ? after.entrypoint! : after.cmd ?? is;
      const judgement = before && { severity, rule, message };
      found.add("start", is.script.text, line, judgement);
    }
  }
  const [checked, check] = [before && readHealthcheck(before), readHealthcheck(after)];
  if (checked !== undefined && check === undefined) {
    const message = "the bottle would have no check of its health";
    found.lose("HEALTHCHECK", checked.line, low("removed-protection", message));
  }
  const [from, { workdir }] = [before?.state.workdir, after.state];
  if ((from?.value ?? "") === workdir.value) return;
  if (workdir.line > 0) found.add("start", `workdir ${workdir.value}`, workdir.line);
  else {
    const message = "the bottle would start in the directory of its base image";
    found.lose(`WORKDIR ${from!.value}`, from!.line, low("changed-start", message));
  }
}
