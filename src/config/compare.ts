/**
 * Compares two versions of a config file by what they let a bottle do, by the tool that proposes it. Pure.
 *
 * @module
 */

import { type Mark, rankMarks } from "../records/mark.ts";
import { type ConfigProblem, failedCheck, findUnfitText } from "../records/problem.ts";
import type { Comparison, Findings, ReachItem } from "../records/reach.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../records/proposal.ts";
import { quote } from "../text/quote.ts";
import { validateConfigFile } from "./check.ts";
import { compareAllowlist } from "./allowlist/compare.ts";
import defer * as dockerfile from "./dockerfile/compare.ts";
import { compareRoutes } from "./routes/compare.ts";

/** How much of an item's value a mark quotes. */
const MAX_VALUE_CHARS = 160;

/** The rule of the mark that stands for all others if they cannot be worked out. */
export const FAILED_CHECK = "failed-check";

type Compare = (current: string | null, proposed: string) => Findings;

const COMPARE: Readonly<Record<Tool, Compare>> = {
  [TOOL_CRED_PROXY_BLOCK]: compareRoutes,
  [TOOL_PIPELOCK_BLOCK]: compareAllowlist,
  // Its lists take some milliseconds, when the first Dockerfile is compared.
  [TOOL_CAPABILITY_BLOCK]: (current, proposed) => dockerfile.compareDockerfile(current, proposed),
};

/**
 * Marks what a reviewer should notice in a change of a config file: what the proposed file does that the
 * file in force does not. What the file in force does already has no mark, wherever it moved; comments
 * and blank lines have none.
 *
 * A mark is a hint. A change without marks is not proven harmless: an agent that knows the rules can
 * write around them. Never throws, reads and opens nothing, and takes time linear in the texts, but
 * for the scripts of a Dockerfile, of which 64 KiB are read, and for hosts in force of which most are one
 * character from each other; what it learned of them is kept a while. Of a
 * proposed file that is invalid nothing else is worked out: it has one medium mark, `invalid-file`; one on
 * which this fails has `failed-check`. A file in force above 1 MiB counts as no file.
 *
 * @example A wildcard
 * ```ts
 * import { marksFor } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(marksFor("pipelock-block", "a.example.com\n", "a.example.com\n*.other.net\n"), [{
 *   severity: "high",
 *   rule: "wildcard-host",
 *   message: '"*.other.net" would allow "other.net" and all below it',
 *   side: "new",
 *   line: 2,
 * }]);
 * ```
 *
 * @param tool The tool.
 * @param currentFile The file in force, or `null` if there is none.
 * @param proposedFile The file to judge: the proposed one, or the operator's version of it.
 * @returns The marks, the most severe first: at most {@linkcode MAX_MARKS}, and one that counts the rest.
 */
export function marksFor(
  tool: Tool,
  currentFile: string | null,
  proposedFile: string,
): readonly Mark[] {
  return compareConfigFiles(tool, currentFile, proposedFile).marks;
}

/**
 * Compares two versions of a config file by what each lets a bottle do, read as the programs that enforce
 * it read it. Never throws, and reads and opens nothing.
 *
 * @param tool The tool that proposes the file.
 * @param currentFile The file in force, or `null` if there is none.
 * @param proposedFile The file to judge.
 * @returns What is new, what would go, whether that is all, and the marks of {@linkcode marksFor}. Of an
 * invalid file nothing is worked out: its reach is `unknown`.
 */
export function compareConfigFiles(
  tool: Tool,
  currentFile: string | null,
  proposedFile: string,
): Comparison {
  const check = () => validateConfigFile(tool, proposedFile);
  return compareAfter(check, tool, currentFile, proposedFile);
}

/** Compares two files for a caller that may have checked the proposed one already. */
export function compareAfter(
  check: () => readonly ConfigProblem[],
  tool: Tool,
  currentFile: string | null,
  proposedFile: string,
): Comparison {
  const nothing = { isWhole: false, added: [], removed: [], marks: [] };
  if (proposedFile === currentFile) return { reach: "no-new-reach", ...nothing, isWhole: true };
  const [problem] = check();
  if (problem !== undefined) {
    return { reach: "unknown", ...nothing, marks: [invalidFile(problem)] };
  }
  const current = currentFile !== null && findUnfitText(currentFile) ? null : currentFile;
  try {
    const { isUnknown, tame, ...found } = COMPARE[tool](current, proposedFile);
    const marks = rankMarks([...withEachItemMarked(found)]);
    const added = withTame(found.added, tame);
    const isSame = found.isWhole && added.length === 0;
    return {
      reach: isUnknown ? "unknown" : isSame ? "no-new-reach" : "new-reach",
      ...found,
      added,
      marks,
    };
  } catch (error) {
    const { message } = failedCheck("search for marks", error);
    const mark: Mark = { severity: "medium", rule: FAILED_CHECK, message, side: "new", line: 1 };
    return { reach: "unknown", ...nothing, marks: [mark] };
  }
}

/** Adds the items that have no mark, but for those that are there already, in the order of the file. */
function withTame(added: readonly ReachItem[], tame: readonly ReachItem[]): readonly ReachItem[] {
  if (tame.length === 0) return added;
  const keyOf = ({ kind, value }: ReachItem) => `${kind} ${value}`;
  const known = new Set(added.map(keyOf));
  return [...added, ...tame.filter((item) => !known.has(keyOf(item)))]
    .sort((a, b) => a.line - b.line);
}

/** Adds a low mark for each added item that no mark names by its line. */
function* withEachItemMarked(
  { added, marks }: Pick<Comparison, "added" | "marks">,
): Generator<Mark> {
  yield* marks;
  const marked = new Set(marks.flatMap(({ side, line }) => side === "new" ? [line] : []));
  for (const { kind, value, line } of added) {
    // What goes has its mark on the line where it is.
    if (marked.has(line) || kind === "protection") continue;
    const message = `${quote(value, MAX_VALUE_CHARS)} would be a new ${kind}`;
    yield { severity: "low", rule: `new-${kind}`, message, side: "new", line };
  }
}

/** Says where, and not what is there: that may be a secret. */
function invalidFile({ where }: ConfigProblem): Mark {
  const [, line] = /^line (\d+)$/.exec(where) ?? [];
  const place = line === undefined ? ` (${where})` : "";
  const message = `the file is invalid${place}, so nothing else in it is judged`;
  return {
    severity: "medium",
    rule: "invalid-file",
    message,
    side: "new",
    line: Number(line ?? 1),
  };
}
