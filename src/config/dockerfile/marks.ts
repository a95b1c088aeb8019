/**
 * Marks what a reviewer should notice in a change of the bottle's Dockerfile. Pure.
 *
 * @module
 */

import type { Mark, MarkSeverity } from "../../records/mark.ts";
import { quote } from "../../text/quote.ts";
import { type Instruction, lineOf, type Outline, outlineDockerfile } from "./instructions.ts";
import { findNetworkPipes } from "./pipes.ts";
import { findTokens, isSecret, readAssignments } from "./secrets.ts";
import { readStages, type Stages } from "./stages.ts";
import { listWords, readJson } from "./words.ts";

/** How much of a statement a message quotes. */
const MAX_STATEMENT_CHARS = 160;

/** The frontends of BuildKit's own authors. */
const OWN_FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@][^/]*)?$/;

/** Flags that give a RUN more rights than the build has. */
const PRIVILEGES: readonly (readonly [flag: string, rule: string, what: string])[] = [
  ["--security=insecure", "security-insecure", "without the sandbox of the build"],
  ["--network=host", "network-host", "in the network of the machine that builds"],
];

/** Gets a mark unless the other file has a finding with the same key. */
interface Finding extends Omit<Mark, "side"> {
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
  const known = new Set([...findAll(before)].map(({ key }) => key));
  const marks: Mark[] = [];
  for (const { key, ...mark } of findAll(after)) {
    if (!known.has(key)) marks.push({ ...mark, side: "new" });
  }
  const stages = [readStages(before), readStages(after)] as const;
  return [...marks, ...markImages(...stages), ...markUsers(...stages)];
}

function finding(
  severity: MarkSeverity,
  rule: string,
  message: string,
  line: number,
  key: string,
): Finding {
  return { severity, rule, message, line, key: `${rule} ${key}` };
}

function* findAll({ instructions, escape, syntax }: Outline): Generator<Finding> {
  if (syntax !== undefined && !OWN_FRONTEND.test(syntax.image)) {
    const { image, line } = syntax;
    const message = `${quote(image)} would build the image in place of docker/dockerfile`;
    yield finding("high", "unknown-frontend", message, line, image);
  }
  for (const instruction of instructions) yield* findIn(instruction, escape);
}

function* findIn(written: Instruction, escape: string): Generator<Finding> {
  // The validator refuses an ONBUILD in an ONBUILD, so one look behind the first is enough.
  const instruction = written.trigger ?? written;
  const keyword = instruction.name.toUpperCase();
  switch (keyword) {
    case "RUN":
      yield* findPrivileges(instruction);
      yield* findPipes(instruction);
      break;
    case "CMD":
    case "ENTRYPOINT":
    case "HEALTHCHECK":
      yield* findPipes(instruction);
      break;
    case "ADD":
      yield* findUrls(instruction);
      break;
    case "ENV":
    case "ARG":
      yield* findSecrets(instruction, keyword, escape);
  }
  yield* findKnownTokens(instruction);
}

function* findPrivileges({ flags, args }: Instruction): Generator<Finding> {
  for (const [flag, rule, what] of PRIVILEGES) {
    const line = flags.find(({ text }) => text === flag)?.line;
    if (line === undefined) continue;
    const message = `${quote(flag)} would run the command ${what}`;
    yield finding("high", rule, message, line, args.replace(/\s+/g, " "));
  }
}

function* findPipes(instruction: Instruction): Generator<Finding> {
  const { args, heredocs, line } = instruction;
  const words = readJson(args)?.words;
  const scripts = [
    words === undefined
      ? { ...instruction, text: args }
      : { text: words.join(" "), line, starts: [] },
    ...heredocs.map((heredoc) => ({ ...heredoc, text: withoutComments(heredoc.text) })),
  ];
  for (const script of scripts) {
    for (const { at, statement } of findNetworkPipes(script.text)) {
      const quoted = quote(statement, MAX_STATEMENT_CHARS);
      const message = `a script downloaded from the network would be run: ${quoted}`;
      yield finding("high", "network-pipe", message, lineOf(script, at), statement);
    }
  }
}

/** A script with blanks in the place of its comments. */
function withoutComments(script: string): string {
  return script.replace(/^[\t ]*#.*$/gm, (comment) => " ".repeat(comment.length));
}

function* findUrls(instruction: Instruction): Generator<Finding> {
  const { args, flags } = instruction;
  const listed = readJson(args)?.words;
  const checksum = flags.find(({ text }) => text.startsWith("--checksum="))?.text ?? "";
  const [severity, what] = checksum === ""
    ? ["medium" as const, "which may send something else each time"]
    : ["low" as const, "with a checksum"];
  // In JSON form a word may be spelled with escapes.
  const places = [...args.matchAll(/[^\t\v\f\r ]+/g)];
  for (const [n, source] of (listed ?? listWords(args)).slice(0, -1).entries()) {
    if (!/^(?:(?:https?|ftp|git|ssh):\/\/|git@)/i.test(source)) continue;
    const quoted = quote(source, MAX_STATEMENT_CHARS);
    const message = `${quoted} would be added from the network, ${what}`;
    const line = lineOf(instruction, listed === undefined ? places[n]!.index : 0);
    yield finding(severity, "add-from-url", message, line, `${checksum} ${source}`);
  }
}

function* findSecrets(
  instruction: Instruction,
  keyword: string,
  escape: string,
): Generator<Finding> {
  for (const assignment of readAssignments(instruction.args, escape)) {
    if (!isSecret(assignment)) continue;
    const { name, value, at } = assignment;
    const message = `${keyword} would keep a secret in the image: ${quote(name)} has a value`;
    yield finding("high", "secret", message, lineOf(instruction, at), `${name}=${value}`);
  }
}

function* findKnownTokens(instruction: Instruction): Generator<Finding> {
  const { name, args, heredocs } = instruction;
  for (const part of [{ ...instruction, text: args }, ...heredocs]) {
    for (const { kind, at, form } of findTokens(part.text)) {
      // Do not show the token itself.
      const message = `${quote(name.toUpperCase(), 20)} would keep ${kind} in the image`;
      yield finding("high", "secret", message, lineOf(part, at), form);
    }
  }
}

function* markImages(before: Stages, after: Stages): Generator<Mark> {
  const images = new Set(before.images.map(({ image }) => image));
  const repositories = new Set(before.images.map(({ repository }) => repository));
  const digested = new Set(
    before.images.filter(({ hasDigest }) => hasDigest).map(({ repository }) => repository),
  );
  for (const base of after.images) {
    const { image, repository, isPinned, hasDigest, line } = base;
    if (image === "" || images.has(image)) continue;
    const found = { side: "new", line } as const;
    const unpinned = { severity: "medium", rule: "unpinned-base-image", ...found } as const;
    if (!isPinned) {
      const message = `${quote(image, 255)} has neither a digest nor a tag of a version`;
      yield { ...unpinned, message };
    } else if (digested.has(repository) && !hasDigest) {
      const message = `${quote(image, 255)} has no digest, which ${quote(repository, 255)} has now`;
      yield { ...unpinned, message };
    }
    // Without a file in force no base has changed.
    if (before.images.length === 0 || repositories.has(repository)) continue;
    const [severity, what] = base === after.base
      ? ["high" as const, "would be the base of the bottle"]
      : ["medium" as const, "would be used to build"];
    const message = `${quote(repository, 255)} ${what}, and is in no FROM now`;
    yield { severity, rule: "changed-base-image", message, ...found };
  }
}

function* markUsers(before: Stages, after: Stages): Generator<Mark> {
  const mark = (severity: MarkSeverity, side: Mark["side"], line: number, message: string) => (
    { severity, rule: "user-root", side, line, message }
  );
  const [was, is] = [before.finalUser, after.finalUser];
  if (is?.isRoot && !was?.isRoot) {
    yield mark("high", "new", is.line, `USER ${quote(is.name)} would have the bottle run as root`);
  } else if (is === undefined && was !== undefined && !was.isRoot) {
    const otherwise = "the bottle would run as its base image does, often root";
    yield mark("high", "old", was.line, `without USER ${quote(was.name)} ${otherwise}`);
  }
  if (before.users.some(({ isRoot }) => isRoot)) return;
  for (const user of after.users) {
    if (!user.isRoot || user === is) continue;
    const what = "would have the lines below it run as root in the build";
    yield mark("medium", "new", user.line, `USER ${quote(user.name)} ${what}`);
  }
}
