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
 * One plain command, whole: it has no options but these, and no words but names and versions. Each name means a
 * package of the manager's registry. `npm` is taken with `-g` only: elsewhere it runs the scripts of a
 * project.
 */
const PLAIN: readonly (readonly [kind: string, form: RegExp, name: RegExp])[] = [
  ["", /^apt-get(?: -y| -q{1,2})? (?:update|clean)(?: -y| -q{1,2})?$/, /$^/],
  ["", /^rm -rf \/var\/lib\/apt\/lists\/\*$/, /$^/],
  [
    "deb",
    /^apt-get(?: -y| -q{1,2})? install((?: (?:-y|--yes|-q{1,2}|--no-install-recommends|[a-z0-9][a-z0-9.+-]*[a-z0-9+](?:=[\w.+~-]+)?))+)$/,
    /^([a-z0-9][a-z0-9.+-]*)(?:=(.+))?$/,
  ],
  [
    "apk",
    /^apk add((?: (?:--no-cache|[a-z0-9][a-z0-9._+-]*(?:=[\w.~-]+)?))+)$/,
    /^([a-z0-9][a-z0-9._+-]*)(?:=(.+))?$/,
  ],
  [
    "npm",
    /^npm (?:install|i) -g((?: (?:@[a-z0-9-]+\/)?[a-z0-9][a-z0-9-]*(?:@\d[\w.+-]*)?)+)$/,
    /^((?:@[a-z0-9-]+\/)?[a-z0-9-]+)(?:@(.+))?$/,
  ],
  [
    "pip",
    /^pip3? install((?: (?:--no-cache-dir|[A-Za-z0-9][A-Za-z0-9_-]*(?:==[\w.+!-]+)?))+)$/,
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
  const [had, has] = [packagesIn(was), packagesIn(is)];
  const packages = [...has].filter(([value]) => !had.has(value))
    .map(([value, line]): ReachItem => ({ kind: "package", value, line }));
  // A package that goes may have been there to keep something out.
  const names = new Set([...has.keys()].map(nameOf));
  const isKept = [...had.keys()].every((value) => names.has(nameOf(value)));
  return { isWhole: packages.length > 0 && isKept && addsInstallsAlone(was, is), packages };
}

/** An instruction in one spelling, and what it installs if it does nothing else. */
interface Step {
  readonly key: string;
  readonly installs: readonly string[] | undefined;
  readonly line: number;
}

function stepsOf({ instructions }: Outline): readonly Step[] {
  // Another shell, or another file's build, may read a command otherwise.
  const isUsual = !instructions.some(({ name }) => /^(?:shell|onbuild)$/i.test(name));
  return instructions.map((instruction) => ({
    key: keyOf(instruction),
    installs: isUsual ? packagesOf(instruction) : undefined,
    line: instruction.line,
  }));
}

/** The packages of plain commands, each with its line. */
function packagesIn(steps: readonly Step[]): ReadonlyMap<string, number> {
  const packages = new Map<string, number>();
  for (const { installs = [], line } of steps) {
    for (const value of installs) if (!packages.has(value)) packages.set(value, line);
  }
  return packages;
}

/** A package without its version. */
const nameOf = (value: string) => value.replace(/(?<=.)@[^@/]*$/, "");

/** Whether all steps are there in the same order, with others between them that only install packages. */
function addsInstallsAlone(was: readonly Step[], is: readonly Step[]): boolean {
  let at = 0;
  for (const { key, installs } of is) {
    const next = was[at];
    const isNext = installs === undefined ? next?.key === key : next?.installs !== undefined;
    if (isNext) at++;
    else if (installs === undefined) return false;
  }
  return at === was.length;
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
