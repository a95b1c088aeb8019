/**
 * Marks what a reviewer should notice in a change of the bottle's Dockerfile. Pure.
 *
 * @module
 */

import type { Mark, MarkSeverity } from "../../records/mark.ts";
import { quote } from "../../text/quote.ts";
import { findTokens, isSecret, readAssignments } from "./secrets.ts";
import { readStages, rootOf, type Stage } from "./images.ts";
import {
  type Instruction,
  lineOf,
  type Outline,
  outlineDockerfile,
  splitFlags,
  stringArray,
  triggerOf,
} from "./instructions.ts";
import { findNetworkPipes } from "./pipes.ts";

/** How much of a statement a message quotes. */
const MAX_STATEMENT_CHARS = 160;

/** The frontends of BuildKit's own authors. */
const OWN_FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@][^/]*)?$/;

/** Flags that give a RUN more rights than the build has. */
const PRIVILEGES: readonly (readonly [flag: string, rule: string, what: string])[] = [
  ["--security=insecure", "security-insecure", "without the sandbox of the build"],
  ["--network=host", "network-host", "in the network of the machine that builds"],
];

/** A thing in one file that gets a mark if the other file does not have it. */
interface Finding extends Omit<Mark, "side"> {
  /** Equal for the same thing anywhere in a file. */
  readonly key: string;
}

/**
 * Marks what a proposed Dockerfile does that the file in force does not: `user-root`, `network-pipe`,
 * `unpinned-base-image`, `changed-base-image`, `add-from-url`, `secret`, `security-insecure`,
 * `network-host`, `unknown-frontend`. Instructions after a syntax error get no marks.
 */
export function markDockerfile(current: string | null, proposed: string): readonly Mark[] {
  const before = outlineDockerfile(current ?? "");
  const after = outlineDockerfile(proposed);
  const [stagesBefore, stagesAfter] = [before, after].map(({ instructions, escape }) =>
    readStages(instructions, escape)
  ) as [readonly Stage[], readonly Stage[]];
  const known = new Set(findAll(before).map(({ key }) => key));
  const marks: Mark[] = [];
  for (const { key, ...mark } of findAll(after)) {
    if (!known.has(key)) marks.push({ ...mark, side: "new" });
  }
  marks.push(...markImages(stagesBefore, stagesAfter));
  marks.push(...markUsers(before, stagesBefore, after, stagesAfter));
  return marks;
}

function findAll({ instructions, escape, syntax }: Outline): readonly Finding[] {
  const found: Finding[] = [];
  if (syntax !== undefined && !OWN_FRONTEND.test(syntax.image)) {
    const { image, line } = syntax;
    const message = `${quote(image)} would build the image, in the place of docker/dockerfile`;
    const rule = "unknown-frontend";
    found.push({ severity: "high", rule, message, line, key: `${rule} ${image}` });
  }
  for (const instruction of instructions) found.push(...findIn(instruction, escape));
  return found;
}

function findIn(instruction: Instruction, escape: string): readonly Finding[] {
  const { args } = instruction;
  const found: Finding[] = [];
  const add = (severity: MarkSeverity, rule: string, message: string, key: string, line: number) =>
    found.push({ severity, rule, message, line, key: `${rule} ${key}` });

  const keyword = instruction.name.toUpperCase();
  switch (keyword) {
    case "ONBUILD":
      return args === "" ? [] : findIn(triggerOf(instruction), escape);
    case "RUN":
      findFlags(instruction, add);
      findPipes(instruction, add);
      break;
    case "CMD":
    case "ENTRYPOINT":
    case "HEALTHCHECK":
      findPipes(instruction, add);
      break;
    case "ADD":
      findUrls(instruction, add);
      break;
    case "ENV":
    case "ARG":
      for (const assignment of readAssignments(args, escape)) {
        if (!isSecret(assignment)) continue;
        const { name, value, at } = assignment;
        const message = `${keyword} would keep a secret in the image: ${quote(name)} has a value`;
        add("high", "secret", message, `${name}=${value}`, lineOf(instruction, at));
      }
  }
  findKnownTokens(instruction, add);
  return found;
}

type Add = (
  severity: MarkSeverity,
  rule: string,
  message: string,
  key: string,
  line: number,
) => void;

function findFlags(instruction: Instruction, add: Add): void {
  const { args } = instruction;
  const { flags } = splitFlags(args);
  for (const [flag, rule, what] of PRIVILEGES) {
    if (!flags.includes(flag)) continue;
    const message = `${quote(flag)} would run the command ${what}`;
    const command = args.trim().replace(/\s+/g, " ");
    add("high", rule, message, command, lineOf(instruction, args.indexOf(flag)));
  }
}

function findPipes(instruction: Instruction, add: Add): void {
  const { args, heredocs } = instruction;
  const words = stringArray(args);
  for (const { at, statement } of findNetworkPipes(words?.join(" ") ?? args)) {
    tell(statement, words === undefined ? lineOf(instruction, at) : instruction.line);
  }
  for (const { line, text } of heredocs) {
    let lines = 0;
    let from = 0;
    for (const { at, statement } of findNetworkPipes(withoutComments(text))) {
      for (let n = text.indexOf("\n", from); n >= 0 && n < at; n = text.indexOf("\n", n + 1)) {
        lines++;
        from = n + 1;
      }
      tell(statement, line + lines);
    }
  }
  function tell(statement: string, line: number): void {
    const message = `what the network sends would be run: ${quote(statement, MAX_STATEMENT_CHARS)}`;
    add("high", "network-pipe", message, statement, line);
  }
}

/** A script with blanks in the place of its comments. */
function withoutComments(script: string): string {
  return script.replace(/^[\t ]*#.*$/gm, (comment) => " ".repeat(comment.length));
}

function findUrls(instruction: Instruction, add: Add): void {
  const { args } = instruction;
  const { flags, words } = splitFlags(args);
  const listed = stringArray(words.join(" "));
  const checked = flags.find((flag) => flag.startsWith("--checksum="));
  let at = 0;
  for (const source of (listed ?? words).slice(0, -1)) {
    // In JSON form a word may be spelled with escapes.
    if (listed === undefined) at = args.indexOf(source, at);
    if (!/^(?:(?:https?|ftp|git|ssh):\/\/|git@)/i.test(source)) continue;
    const [severity, what] = checked === undefined
      ? ["medium" as const, "which may send something else each time"]
      : ["low" as const, "with a checksum"];
    const message = `${
      quote(source, MAX_STATEMENT_CHARS)
    } would be added from the network, ${what}`;
    const line = lineOf(instruction, at);
    add(severity, "add-from-url", message, `${checked ?? ""} ${source}`, line);
  }
}

function findKnownTokens(instruction: Instruction, add: Add): void {
  const { name, args, heredocs } = instruction;
  const tell = (text: string, lineOfToken: (at: number) => number) => {
    for (const { kind, at, form } of findTokens(text)) {
      // Do not show the token itself.
      const message = `${quote(name.toUpperCase(), 20)} would keep ${kind} in the image`;
      add("high", "secret", message, form, lineOfToken(at));
    }
  };
  tell(args, (at) => lineOf(instruction, at));
  for (const { line, text } of heredocs) {
    tell(text, (at) => line + text.slice(0, at).split("\n").length - 1);
  }
}

function markImages(before: readonly Stage[], after: readonly Stage[]): readonly Mark[] {
  const images = new Set(before.map(({ image }) => image));
  const repositories = new Set(before.map(({ repository }) => repository));
  const digested = new Set(
    before.flatMap(({ hasDigest, repository }) => hasDigest ? [repository] : []),
  );
  const last = after.at(-1);
  const marks: Mark[] = [];
  for (const stage of after) {
    const { image, repository, isPinned, hasDigest, line } = stage;
    if (image === "" || images.has(image)) continue;
    const add = (severity: MarkSeverity, rule: string, message: string) =>
      marks.push({ severity, rule, message, side: "new", line });
    if (!isPinned) {
      const message = `${quote(image, 255)} has neither a digest nor a tag of a version`;
      add("medium", "unpinned-base-image", message);
    } else if (digested.has(repository) && !hasDigest) {
      const message = `${quote(image, 255)} has no digest, which ${quote(repository, 255)} has now`;
      add("medium", "unpinned-base-image", message);
    }
    // Without a file in force no base has changed.
    if (before.length > 0 && !repositories.has(repository)) {
      const isLast = last !== undefined && rootOf(last) === stage;
      const what = isLast ? "would be the base of the bottle" : "would be used to build";
      const message = `${quote(repository, 255)} ${what}, and is in no FROM now`;
      add(isLast ? "high" : "medium", "changed-base-image", message);
    }
  }
  return marks;
}

/** A USER instruction. */
interface User {
  readonly line: number;
  readonly name: string;
  readonly isRoot: boolean;
}

/** All users that a file names, and the one that its last stage ends with, if it names any. */
function readUsers(
  { instructions }: Outline,
  stages: readonly Stage[],
): { readonly all: readonly User[]; readonly final: User | undefined } {
  const all: User[] = [];
  const ends = new Map<Stage, User | undefined>();
  let at = -1;
  let user: User | undefined;
  for (const [index, { name, args, line }] of instructions.entries()) {
    if (stages[at + 1]?.index === index) {
      at++;
      const { base } = stages[at]!;
      user = base === undefined ? undefined : ends.get(base);
    } else if (name.toUpperCase() === "USER") {
      const written = args.replace(/["']/g, "").trim();
      user = { line, name: written, isRoot: /^(?:root|0+)(?::|$)/.test(written) };
      all.push(user);
    }
    if (at >= 0) ends.set(stages[at]!, user);
  }
  return { all, final: user };
}

function markUsers(
  outlineBefore: Outline,
  stagesBefore: readonly Stage[],
  outlineAfter: Outline,
  stagesAfter: readonly Stage[],
): readonly Mark[] {
  const before = readUsers(outlineBefore, stagesBefore);
  const after = readUsers(outlineAfter, stagesAfter);
  const marks: Mark[] = [];
  const mark = (severity: MarkSeverity, message: string, side: Mark["side"], line: number) =>
    marks.push({ severity, rule: "user-root", message, side, line });
  const { final } = after;
  const wasOther = before.final !== undefined && !before.final.isRoot;
  if (final?.isRoot && !before.final?.isRoot) {
    mark("high", `USER ${quote(final.name)} would have the bottle run as root`, "new", final.line);
  } else if (final === undefined && wasOther) {
    const { name, line } = before.final!;
    const message = `without USER ${
      quote(name)
    } the bottle would run as its base image does, often root`;
    mark("high", message, "old", line);
  }
  if (before.all.some(({ isRoot }) => isRoot)) return marks;
  for (const user of after.all) {
    if (!user.isRoot || user === final) continue;
    const message = `USER ${
      quote(user.name)
    } would have the lines below it run as root in the build`;
    mark("medium", message, "new", user.line);
  }
  return marks;
}
