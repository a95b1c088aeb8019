/**
 * Reads the stages of a Dockerfile: what each instruction does, with the user, the shell and the variables
 * that it does it with. Pure.
 *
 * @module
 */

import { BASE_USER, newAccounts, noteAccounts, readUser, type User } from "./accounts.ts";
import type { Accounts } from "./accounts.ts";
import { type Image, readImage } from "./images.ts";
import { type Instruction, lineOf, type Outline } from "./instructions.ts";
import type { Script } from "../shell/compare.ts";
import { newScope, readSettings, resolve, type Scope, textsOf } from "./variables.ts";
import { listWords, readJson } from "./words.ts";

/** What an instruction finds, besides what earlier ones left in the file system. */
export interface State {
  readonly user: User;
  readonly shell: Setup;
  readonly workdir: Setup;
}

/** What SHELL or WORKDIR set. Line 0: nothing did. */
export interface Setup {
  readonly value: string;
  readonly line: number;
}

/** One thing that a stage does, in order. Steps with equal keys do the same. */
export interface Step {
  readonly kind: "RUN" | "COPY" | "ADD" | "ENV" | "ARG" | "ONBUILD";
  readonly key: string;
  readonly line: number;
  readonly state: State;
  readonly instruction: Instruction;
  /** Of a RUN. */
  readonly script?: Script;
  /** Of an ENV or ARG; no value of an ARG that only declares. */
  readonly variable?: {
    readonly name: string;
    readonly value: string | undefined;
    /** Whether the value is what is said, whatever the base image sets. */
    readonly isSure: boolean;
  };
  /** Of a COPY or ADD. */
  readonly files?: Files;
  /** The images and stages it takes files from. */
  readonly from: readonly (Image | Stage)[];
  /** What its ONBUILD would do. */
  readonly trigger?: Step;
}

export interface Files {
  readonly sources: readonly string[];
  /** Absolute, unless a variable begins it. */
  readonly target: string;
}

/** What starts in a bottle, or checks it. */
export interface Start {
  readonly key: string;
  readonly line: number;
  readonly script: Script;
  /** The CMD that an ENTRYPOINT gets as its arguments, and often runs. */
  readonly command?: Script;
}

export interface Stage {
  readonly name: string | undefined;
  readonly line: number;
  /** The stage or the image it begins with. */
  readonly base: Image | Stage;
  /** What it is called in keys: the same for a stage of the other file that it stands for. */
  label: string;
  readonly steps: Step[];
  readonly scope: Scope;
  readonly accounts: Accounts;
  state: State;
  /** The states in their order, each with how many steps precede it. */
  readonly states: { readonly at: number; readonly state: State }[];
  readonly shells: Setup[];
  entrypoint?: Instruction & { readonly state: State };
  cmd?: Instruction & { readonly state: State };
  healthcheck?: Instruction & { readonly state: State };
}

/** Gives each stage its label, when its FROM is read. */
type Labeller = (stage: Stage, isLast: boolean) => string;

/** What neither SHELL nor WORKDIR set. */
const UNSET: Setup = { value: "", line: 0 };

const DEFAULT_SHELL = JSON.stringify(["/bin/sh", "-c"]);

const isStage = (base: Image | Stage): base is Stage => "steps" in base;

/** The image that a stage begins with, through other stages. */
export function rootImage({ base }: Stage): Image {
  return isStage(base) ? rootImage(base) : base;
}

/** The stages that a stage needs, and itself: these are built for it. */
export function stagesNeededBy(stage: Stage, needed = new Set<Stage>()): ReadonlySet<Stage> {
  if (needed.has(stage)) return needed;
  needed.add(stage);
  for (const from of [stage.base, ...stage.steps.flatMap((step) => step.from)]) {
    if (isStage(from)) stagesNeededBy(from, needed);
  }
  return needed;
}

export interface Stages {
  readonly stages: readonly Stage[];
  /** The lines whose variables are too many or too long to be followed. */
  readonly lost: readonly number[];
}

export function readStages(outline: Outline, label: Labeller): Stages {
  const { instructions, escape } = outline;
  const globals = newScope();
  const stages: Stage[] = [];
  const lastFrom = instructions.findLast(({ name }) => /^from$/i.test(name));
  for (const instruction of instructions) {
    const stage = stages.at(-1);
    if (/^from$/i.test(instruction.name)) {
      stages.push(beginStage(instruction, escape, globals, stages));
      const begun = stages.at(-1)!;
      begun.label = label(begun, instruction === lastFrom);
    } else if (stage === undefined) setVariables(instruction, escape, globals, globals);
    else {
      const { state } = stage;
      addInstruction(instruction, escape, stage, stages, globals);
      if (stage.state !== state) stage.states.push({ at: stage.steps.length, state: stage.state });
    }
  }
  for (const stage of stages) sortVariables(stage.steps);
  return { stages, lost: globals.lost };
}

function beginStage(
  instruction: Instruction,
  escape: string,
  globals: Scope,
  stages: readonly Stage[],
): Stage {
  const line = lineOf(instruction, 0);
  const [written = "", , name] = listWords(instruction.args);
  const { text, key, line: place } = resolve(written, escape, line, globals);
  const parent = findStage(text, stages);
  const state = parent?.state ?? { user: BASE_USER, shell: UNSET, workdir: UNSET };
  return {
    ...{ name: name?.toLowerCase(), line, base: parent ?? readImage(text, place, key), label: "" },
    ...{ steps: [], shells: [], state, states: [{ at: 0, state }] },
    ...(parent?.entrypoint && { entrypoint: parent.entrypoint }),
    ...(parent?.cmd && { cmd: parent.cmd }),
    ...(parent?.healthcheck && { healthcheck: parent.healthcheck }),
    scope: { ...newScope(parent?.scope), lost: globals.lost },
    accounts: newAccounts(parent?.accounts),
  };
}

/** The last stage of a name counts; COPY may say a number, too. */
function findStage(name: string, stages: readonly Stage[]): Stage | undefined {
  return stages.findLast((stage) => stage.name === name.toLowerCase());
}

function readFrom(
  written: string,
  line: number,
  stages: readonly Stage[],
  key?: string,
): Image | Stage {
  const known = findStage(written, stages.slice(0, -1)) ??
    (/^\d+$/.test(written) ? stages.slice(0, -1)[Number(written)] : undefined);
  return known ?? readImage(written, line, key);
}

/** An image or a stage in keys. */
export const keyOf = (from: Image | Stage) => isStage(from) ? `stage ${from.label}` : from.key;

function addInstruction(
  instruction: Instruction,
  escape: string,
  stage: Stage,
  stages: readonly Stage[],
  globals: Scope,
): void {
  const { args } = instruction;
  const line = lineOf(instruction, 0);
  const { state } = stage;
  const plain = () => resolve(args, escape, line, stage.scope);
  const keyword = instruction.name.toUpperCase();
  switch (keyword) {
    case "USER": {
      const { text, key } = plain();
      const user = readUser(text, key, line, stage.accounts);
      stage.state = { ...state, user: user.key === state.user.key ? state.user : user };
      break;
    }
    case "SHELL": {
      const said = JSON.stringify(readJson(args)?.words ?? args);
      const shell = { value: said === DEFAULT_SHELL ? "" : said, line };
      stage.shells.push(shell);
      stage.state = { ...state, shell: shell.value === state.shell.value ? state.shell : shell };
      break;
    }
    case "WORKDIR": {
      const path = absolute(plain().key, state.workdir);
      const workdir = { value: path.replace(/(?<=.)\/$/, ""), line };
      stage.state = {
        ...state,
        workdir: workdir.value === state.workdir.value ? state.workdir : workdir,
      };
      break;
    }
    case "CMD":
      stage.cmd = { ...instruction, state };
      break;
    case "ENTRYPOINT":
      stage.entrypoint = { ...instruction, state };
      break;
    case "HEALTHCHECK":
      stage.healthcheck = { ...instruction, state };
      break;
    case "ENV":
    case "ARG":
      for (const [name, value, place] of setVariables(instruction, escape, stage.scope, globals)) {
        stage.steps.push({
          ...{ kind: keyword, line: place, state, instruction, from: [] },
          key: JSON.stringify([keyword, name, value?.key]),
          variable: { name, value: value?.text, isSure: value?.text === value?.key },
        });
      }
      break;
    default: {
      const step = readStep(instruction, escape, stage, stages);
      if (step === undefined) return;
      stage.steps.push(step);
      if (step.kind === "RUN") noteAccounts(stage.accounts, step.script!.text);
    }
  }
}

/** A RUN, COPY, ADD or ONBUILD; `undefined` for what neither runs nor copies anything. */
function readStep(
  instruction: Instruction,
  escape: string,
  stage: Stage,
  stages: readonly Stage[],
): Step | undefined {
  const keyword = instruction.name.toUpperCase();
  const { args, line, trigger, heredocs } = instruction;
  const { state, scope } = stage;
  const common = { line, state, instruction, from: [] };
  const inner = heredocs.map(({ name, text }) => [name, text]);
  switch (keyword) {
    case "RUN": {
      const from = readMounts(instruction).flatMap((mount) => {
        const source = mount.get("from");
        return source === undefined ? [] : readFrom(source, line, stages);
      });
      const script = readScript(instruction, args, stage, state);
      const { user, shell, workdir } = state;
      const flags = [...flagsOf(instruction), ...from.map(keyOf)];
      const said = [args.replace(/\s+/g, " "), inner, user.key, shell.value, workdir.value, flags];
      return { ...common, kind: keyword, key: JSON.stringify([keyword, ...said]), script, from };
    }
    case "COPY":
    case "ADD": {
      const words = readJson(args)?.words ?? listWords(args);
      const read = words.map((word) => resolve(word, escape, line, scope));
      const target = absolute(read.at(-1)?.key ?? "", state.workdir);
      const source = instruction.flags.find(({ text }) => text.startsWith("--from="))?.text.slice(
        7,
      );
      const named = source === undefined ? undefined : resolve(source, escape, line, scope);
      const from = named === undefined ? [] : [readFrom(named.text, line, stages, named.key)];
      const keys = read.slice(0, -1).map(({ key }) => key);
      const flags = [...flagsOf(instruction), ...from.map(keyOf)];
      const [text] = heredocs;
      const isFile = text !== undefined && words.length === 2 && !target.endsWith("/");
      return {
        ...common,
        ...{ kind: keyword, from },
        ...(isFile &&
          { script: { ...readScript(instruction, "", stage, state), ...fileOf(text, target) } }),
        files: { sources: read.slice(0, -1).map(({ text }) => text), target },
        key: JSON.stringify([keyword, keys, target, inner, flags]),
      };
    }
    case "ONBUILD": {
      if (trigger === undefined) return undefined;
      // The build that it is run in knows no ARG of this one.
      const then = { ...stage, scope: { ...scope, args: new Map(), known: undefined } };
      const step = readStep(trigger, escape, then, stages);
      const key = JSON.stringify([keyword, trigger.text.replace(/\s+/g, " "), inner]);
      return { ...common, kind: keyword, key, ...(step && { trigger: step }) };
    }
    default:
      return undefined;
  }
}

/** A text that a COPY writes; a shell may run it later. */
function fileOf(heredoc: Instruction["heredocs"][number], file: string): Partial<Script> {
  return { text: heredoc.text, lineAt: (offset) => lineOf(heredoc, offset), file };
}

/** A path from the root, without `.` and `..`; its slash at the end stays, as it makes a directory. */
function absolute(path: string, workdir: Setup): string {
  const parts: string[] = [];
  for (const part of (/^[/$[]/.test(path) ? path : `${workdir.value}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  const end = /(?:^|\/)\.{0,2}$/.test(path) && parts.length > 0 ? "/" : "";
  return `${path.startsWith("$") || path.startsWith("[") ? "" : "/"}${parts.join("/")}${end}`;
}

/** Flags that do not say what is the case without them, and no sources: these have one spelling elsewhere. */
function flagsOf({ flags }: Instruction): readonly string[] {
  return flags.map(({ text }) => text)
    .filter((text) =>
      !/^--(?:from=|network=default$|security=sandbox$|(?:link|keep-git-dir|parents)=false$)/i
        .test(text)
    )
    .map((text) => /^--mount=/.test(text) ? text.replace(/(?<=[=,])from=[^,]*/, "from=") : text)
    .toSorted();
}

/** The keys and values of each `--mount`. */
export function readMounts({ flags }: Instruction): readonly ReadonlyMap<string, string>[] {
  return flags.filter(({ text }) => text.startsWith("--mount=")).map(({ text }) =>
    new Map(
      text.slice(8).replaceAll('"', "").split(",").map((field) => {
        const [key = "", ...value] = field.split("=");
        return [key.toLowerCase(), value.join("=")];
      }),
    )
  );
}

/** What a shell runs of an instruction; `args` are all of its arguments or, of a HEALTHCHECK, its command. */
function readScript(instruction: Instruction, args: string, stage: Stage, state: State): Script {
  const { line, heredocs } = instruction;
  const known = {
    isRoot: state.user.isRoot || state.user === BASE_USER,
    variables: textsOf(stage.scope),
    directory: state.workdir.value,
  };
  const words = readJson(args)?.words;
  if (words !== undefined) {
    return { ...known, text: words.map(quoteWord).join(" "), lineAt: () => line, shell: "sh" };
  }
  const [only] = heredocs;
  const isScript = only !== undefined && heredocs.length === 1 && /^\d*<<-?\s*\S+$/.test(args);
  // BuildKit has such a text run by what is behind its `#!`.
  const isOther = isScript &&
    /^#!(?!(?:\/usr)?\/bin\/(?:env )?(?:ba)?sh(?: -[eux]+)?\r?\n)/.test(only.text);
  const shell = isUsualShell(state.shell) && !isOther ? "sh" : "unknown";
  if (isScript) {
    return { ...known, text: only.text, lineAt: (offset) => lineOf(only, offset), shell };
  }
  const skipped = instruction.args.length - args.length;
  const parts = [args, ...heredocs.flatMap(({ text, name }) => [text, name])];
  let offset = 0;
  const starts = parts.map((part) => (offset += part.length + 1) - part.length - 1);
  const lineAt = (offset: number) => {
    const n = starts.findLastIndex((start) => start <= offset);
    if (n <= 0) return lineOf(instruction, offset + skipped);
    return lineOf(heredocs[(n - 1) >> 1]!, offset - starts[n]!);
  };
  return { ...known, text: parts.join("\n"), lineAt, shell };
}

/** Options of a usual shell hold no code. */
export function isUsualShell({ value }: Setup): boolean {
  if (value === "") return true;
  const [shell = "", ...options] = readJson(value)?.words ?? [];
  return /^(?:(?:\/usr)?\/bin\/)?(?:ba|da|a|z)?sh$/.test(shell) &&
    options.every((each) => /^(?:-[a-zA-Z]+|pipefail|errexit|nounset|xtrace)$/.test(each)) &&
    options.at(-1)?.endsWith("c") === true;
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What starts in the bottle: ENTRYPOINT, and CMD, which may be its arguments. */
export function readStart(stage: Stage): Start | undefined {
  const { entrypoint, cmd } = stage;
  const first = entrypoint ?? cmd;
  if (first === undefined) return undefined;
  const part = (each: typeof cmd) => {
    if (each === undefined) return undefined;
    const words = readJson(each.args)?.words;
    const args = words === undefined ? each.args : JSON.stringify(sortOptions(words));
    const script = readScript({ ...each, args }, args, stage, each.state);
    return {
      script,
      key: JSON.stringify([args, words === undefined && each.state.shell.value]),
      words,
    };
  };
  const [one, two] = [part(entrypoint), part(cmd)];
  const [main, more] = one === undefined ? [two!, undefined] : [one, one.words && two];
  const script = more === undefined ? main.script : {
    ...main.script,
    text: `${main.script.text} ${more.script.text}`,
    lineAt: (offset: number) =>
      offset > main.script.text.length
        ? more.script.lineAt(offset - main.script.text.length - 1)
        : main.script.lineAt(offset),
  };
  const command = one && two && !two.script.text.startsWith("-") ? { command: two.script } : {};
  return { key: JSON.stringify([one?.key, two?.key]), line: first.line, script, ...command };
}

/** Long options behind the words of a command, none twice or taken back and none with a word as its value, have no order. */
function sortOptions(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => word.startsWith("-"));
  const options = first < 0 ? [] : words.slice(first);
  const names = new Set(options.map((option) => option.split("=", 1)[0]!.replace("--no-", "--")));
  const isSortable = names.size === options.length &&
    options.every((option) => /^--[a-z][\w-]*(?:=|$)/.test(option));
  return isSortable
    ? [...words.slice(0, first < 0 ? undefined : first), ...options.toSorted()]
    : words;
}

export function readHealthcheck(stage: Stage): Start | undefined {
  const { healthcheck } = stage;
  if (healthcheck === undefined || /^none\b/i.test(healthcheck.args)) return undefined;
  const command = healthcheck.args.replace(/^\S+\s*/, "");
  const script = readScript(healthcheck, command, stage, healthcheck.state);
  return {
    ...{ line: healthcheck.line, script },
    key: JSON.stringify([readJson(command)?.words ?? command, healthcheck.state.shell.value]),
  };
}

/** Sets what an ARG or ENV sets, and says what; an ARG without a value has that of the file's beginning. */
function setVariables(
  instruction: Instruction,
  escape: string,
  scope: Scope,
  globals: Scope,
): readonly (readonly [
  name: string,
  value: { text: string; key: string } | undefined,
  line: number,
])[] {
  const { args } = instruction;
  const keyword = instruction.name.toUpperCase();
  const variables = keyword === "ENV" ? scope.env : scope.args;
  // The values of one ENV are read before it sets any.
  const known = keyword === "ENV" ? newScope(scope) : scope;
  return readSettings(keyword, args, escape).map(({ name: written, written: value, at }) => {
    const line = lineOf(instruction, at);
    const name = resolve(written, escape, line, known).text;
    const given = value === undefined ? undefined : resolve(value, escape, line, known);
    const inherited = given === undefined ? globals.args.get(name) : undefined;
    const set = given === undefined ? inherited : { ...given, line };
    if (set !== undefined) {
      variables.set(name, set);
      scope.known = undefined;
    }
    return [name, set, line];
  });
}

/** Variables with no other step between them are set in no order, unless one is set twice. */
function sortVariables(steps: Step[]): void {
  const placeOf = ({ kind, variable }: Step) => `${kind} ${variable!.name}`;
  for (let begin = 0; begin < steps.length; begin++) {
    let end = begin;
    while (steps[end]?.variable !== undefined) end++;
    const sorted = steps.slice(begin, end).toSorted((a, b) =>
      placeOf(a) < placeOf(b) ? -1 : placeOf(a) > placeOf(b) ? 1 : 0
    );
    steps.splice(begin, end - begin, ...sorted);
    begin = end;
  }
}
