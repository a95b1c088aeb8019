/**
 * What is known for sure of a change of a Dockerfile: that its instructions are the same, or differ only by
 * packages that plain commands install. All else that this room says of commands is a judgement. Pure.
 *
 * @module
 */

import type { ReachItem } from "../../records/reach.ts";
import { foldName } from "../shell/package_names.ts";
import type { Instruction, Outline } from "./instructions.ts";

/** What is sure of a change. */
export interface Proof {
  /** Whether the instructions are the same, or the packages are all that the proposed file has more. */
  readonly isWhole: boolean;
  /** The packages that such commands of the proposed file install, and none of the file in force does. */
  readonly packages: readonly ReachItem[];
}

/**
 * One plain command, whole: it has no options but these, and no words but names and versions. Each name means one
 * package of the manager's registry: apt takes one with a dot or a plus for an expression over all names, npm and
 * pip a version that ends like an archive for a file, apk each word with `.apk`. `npm` is taken with `-g` only:
 * elsewhere it runs the scripts of a project.
 */
const PLAIN: readonly (readonly [kind: string, form: RegExp, name: RegExp])[] = [
  ["", /^apt-get(?: -y| -q{1,2})? (?:update|clean)(?: -y| -q{1,2})?$/, /$^/],
  ["", /^rm -rf \/var\/lib\/apt\/lists\/\*$/, /$^/],
  [
    "deb",
    /^apt-get(?: -y| -q{1,2})? install((?: (?:-y|--yes|-q{1,2}|--no-install-recommends|[a-z0-9][a-z0-9-]*[a-z0-9](?:=[\w.+~-]+)?))+)$/,
    /^([a-z0-9][a-z0-9-]*)(?:=(.+))?$/,
  ],
  [
    "apk",
    /^apk add((?: (?:--no-cache|[a-z0-9][a-z0-9_+-]*(?:\.\d+)*(?:=\d+(?:\.\d+)*[a-z]?(?:_[a-z]+\d*)*(?:-r\d+)?)?))+)$/,
    /^([a-z0-9][a-z0-9._+-]*)(?:=(.+))?$/,
  ],
  [
    "npm",
    /^npm (?:install|i) -g((?: (?:@[a-z0-9-]+\/)?[a-z0-9][a-z0-9-]*(?:@\d+(?:\.\d+){0,2}(?:-[a-z]+(?:\.\d+)*)?)?)+)$/,
    /^((?:@[a-z0-9-]+\/)?[a-z0-9-]+)(?:@(.+))?$/,
  ],
  [
    "pip",
    /^pip3? install((?: (?:--no-cache-dir|[A-Za-z0-9][A-Za-z0-9_-]*(?:==\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?)?))+)$/,
    /^([A-Za-z0-9][A-Za-z0-9_-]*)(?:==(.+))?$/,
  ],
];

/** Says what is sure of a change. Takes time linear in the files. */
export function proveDockerfile(before: Outline, after: Outline): Proof {
  const isRead = before.problem === undefined && after.problem === undefined;
  const isReadAlike = before.escape === after.escape &&
    before.syntax?.image === after.syntax?.image;
  if (!isRead || !isReadAlike) return { isWhole: false, packages: [] };
  const [was, is] = [stepsOf(before), stepsOf(after)];
  const isSame = was.length === is.length && was.every(({ key }, at) => key === is[at]!.key);
  if (isSame) return { isWhole: true, packages: [] };
  const [old, now] = [gapsOf(was), gapsOf(is)];
  const packages: ReachItem[] = [];
  let isPlain = old.length === now.length;
  for (const [at, { packages: has, end }] of now.entries()) {
    const gap = old[at];
    const had = gap?.packages ?? new Map<string, number>();
    const added = [...has].filter(([value]) => !had.has(value));
    packages.push(...added.map(([value, line]) => ({ kind: "package" as const, value, line })));
    // A package that goes may have been there to keep something out.
    const names = new Set([...has.keys()].map(nameOf));
    isPlain &&= gap?.end === end && [...had.keys()].every((value) => names.has(nameOf(value))) &&
      added.every(([value]) => gap.managers.has(managerOf(value)));
  }
  if (isPlain && packages.length > 0) return { isWhole: true, packages };
  const all = new Set(old.flatMap(({ packages }) => [...packages.keys()]));
  return { isWhole: false, packages: packages.filter(({ value }) => !all.has(value)) };
}

/** An instruction in one spelling, and what it installs if it does nothing else. */
interface Step {
  readonly name: string;
  readonly key: string;
  readonly installs: readonly string[] | undefined;
  readonly line: number;
}

function stepsOf({ instructions }: Outline): readonly Step[] {
  // Another shell, or another file's build, may read a command otherwise.
  const isUsual = !instructions.some(({ name }) => /^(?:shell|onbuild)$/i.test(name));
  return instructions.map((instruction) => ({
    name: instruction.name,
    key: keyOf(instruction),
    installs: isUsual ? packagesOf(instruction) : undefined,
    line: instruction.line,
  }));
}

/** A package without its version. */
const nameOf = (value: string) => value.replace(/(?<=.)@[^@/]*$/, "");

const managerOf = (value: string) => value.slice(0, value.indexOf(":"));

/** What plain commands install between two steps that do something else. */
interface Gap {
  /** Each package with its line. */
  readonly packages: Map<string, number>;
  /**
   * Whose packages may be added here: of managers that install here already; and of others if nothing that
   * follows in the stage could be meant for them, such as a line that names another registry.
   */
  managers: { readonly has: (manager: string) => boolean };
  /** The step behind it; `""` at the end of the file. */
  end: string;
}

/** Steps that change nothing of where packages come from, or of what they may do. */
const NEUTRAL = /^(?:user|workdir|cmd|entrypoint|expose|label|stopsignal|healthcheck|volume)$/i;

const isFrom = ({ name }: Step) => /^from$/i.test(name);

function gapsOf(steps: readonly Step[]): readonly Gap[] {
  const isOneStage = steps.filter(isFrom).length === 1;
  const gaps: Gap[] = [];
  let stage = new Set<string>();
  let late: Gap[] = [];
  let here = new Set<string>();
  const open = () => {
    here = new Set();
    late.push({ packages: new Map(), managers: here, end: "" });
    gaps.push(late.at(-1)!);
  };
  const endStage = () => {
    // In a file of several stages another one may be the one for this manager.
    for (const gap of late) gap.managers = isOneStage ? { has: () => true } : stage;
  };
  open();
  for (const step of steps) {
    const gap = gaps.at(-1)!;
    for (const value of step.installs ?? []) {
      if (!gap.packages.has(value)) gap.packages.set(value, step.line);
      for (const set of [here, stage]) set.add(managerOf(value));
    }
    if (step.installs !== undefined) continue;
    gap.end = step.key;
    if (isFrom(step)) {
      endStage();
      [stage, late] = [new Set(), []];
    } else if (!NEUTRAL.test(step.name)) late = [];
    open();
  }
  endStage();
  return gaps;
}

/** A longer RUN is not looked into. */
const MAX_CHARS = 8 * 1024;

/** What a RUN of plain commands installs; `undefined` for any other instruction. */
function packagesOf({ name, args, flags, heredocs }: Instruction): readonly string[] | undefined {
  const isOdd = flags.length + heredocs.length > 0 || args.length > MAX_CHARS;
  if (name.toUpperCase() !== "RUN" || isOdd) return undefined;
  const packages: string[] = [];
  for (const command of args.split("&&")) {
    const words = command.trim().replace(/ +/g, " ");
    const plain = PLAIN.find(([, form]) => form.test(words));
    if (plain === undefined) return undefined;
    const [kind, form, nameAndVersion] = plain;
    for (const word of form.exec(words)![1]?.trim().split(" ") ?? []) {
      const [, of, version] = nameAndVersion.exec(word) ?? [];
      if (of === undefined) continue;
      packages.push(`${kind}:${foldName(kind, of)}${version === undefined ? "" : `@${version}`}`);
    }
  }
  return packages;
}

/** An instruction in one spelling. What is in quotes, or a script, stays as it is written. */
function keyOf({ name, text, heredocs }: Instruction): string {
  const rest = text.slice(name.length).trim();
  return JSON.stringify([name.toUpperCase(), rest, heredocs.map(({ name, text }) => [name, text])]);
}
