/**
 * Applies a unified diff: every line that it shows of the file must be there, and all of it applies, or
 * nothing. Pure.
 *
 * The package `diff` has a function for that too. It says neither which hunk does not apply nor why, takes one
 * of several places without a word, and a sidecar would load all of the package.
 *
 * @module
 */

import type { Changed } from "../../records/change.ts";
import { quote } from "../../text/quote.ts";

/** A line of a hunk. */
interface HunkLine {
  /** A space for a line that stays, `-` or `+`. */
  readonly sign: string;
  /** The line without its end. */
  readonly content: string;
  /** Whether the diff says that it has no end. */
  readonly isOpen: boolean;
}

/** A part of a diff. */
interface Hunk {
  /** What an error calls it. */
  readonly name: string;
  /** The index of the line of the file at which it begins, by its header. */
  readonly at: number;
  readonly lines: readonly HunkLine[];
}

/** Why a diff cannot be applied. */
class PatchError extends Error {}

/**
 * Applies a diff to a text. A hunk belongs where its header says, or else at the only place that has its lines.
 * Line ends of the diff do not count: an added line gets the one of the file's first line.
 */
export function applyPatch(text: string, patch: string): Changed {
  try {
    return { text: applyHunks(text, [...readHunks(patch)]) };
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return { problems: [{ where: "patch", message: error.message }] };
  }
}

const HEADER = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@/;

function* readHunks(patch: string): Generator<Hunk> {
  const rows = patch.replace(/\r?\n$/, "").split("\n").map((row) => row.replace(/\r$/, ""));
  let row = rows.findIndex((row) => row.startsWith("@@"));
  if (row < 0) {
    throw new PatchError(
      'found no line that begins with "@@", expected a diff as diff -u prints it',
    );
  }
  for (let count = 1; row < rows.length; count++) {
    const [name, header] = [`hunk ${count}`, rows[row++]!];
    const [, at, before = "1", after = "1"] = HEADER.exec(header) ?? [];
    if (at === undefined) {
      const expected = 'expected "@@ -LINE,COUNT +LINE,COUNT @@", and one file alone';
      throw new PatchError(`found ${quote(header)} where ${name} begins, ${expected}`);
    }
    let [left, added] = [Number(before), Number(after)];
    const index = Number(at) - (left > 0 ? 1 : 0);
    const lines: HunkLine[] = [];
    for (; row < rows.length && (left > 0 || added > 0); row++) {
      // Some programs print an empty line of the file without the space in front.
      const sign = rows[row]![0] ?? " ";
      if (sign === "\\") continue;
      if (!" +-".includes(sign)) break;
      if (sign !== "+") left--;
      if (sign !== "-") added--;
      lines.push({ sign, content: rows[row]!.slice(1), isOpen: rows[row + 1]?.[0] === "\\" });
    }
    if (left !== 0 || added !== 0) {
      const counts = `${before} of the file and ${after} of the new one`;
      throw new PatchError(`${name} has not the lines that its header counts: ${counts}`);
    }
    while (row < rows.length && /^(?:\\.*)?$/.test(rows[row]!)) row++;
    yield { name, at: index, lines };
  }
}

function applyHunks(text: string, hunks: readonly Hunk[]): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const contents = lines.map((line) => line.replace(/\r?\n$/, ""));
  const end = lines[0]?.endsWith("\r\n") ? "\r\n" : "\n";
  const result: string[] = [];
  let done = 0;
  const keepTo = (index: number) => {
    for (; done < index; done++) result.push(lines[done]!);
  };
  for (const hunk of hunks) {
    keepTo(placeOf(hunk, contents, done));
    for (const { sign, content, isOpen } of hunk.lines) {
      if (sign === " ") keepTo(done + 1);
      else if (sign === "-") done++;
      else result.push(isOpen ? content : content + end);
    }
  }
  keepTo(lines.length);
  // A line without an end is the last one, or was.
  return result.map((line, index) =>
    index < result.length - 1 && !line.endsWith("\n") ? line + end : line
  ).join("");
}

/** The index of the line at which a hunk begins, behind those that are done. */
function placeOf({ name, at, lines }: Hunk, contents: readonly string[], done: number): number {
  const wanted = lines.filter(({ sign }) => sign !== "+").map(({ content }) => content);
  const differs = wanted.findIndex((content, index) => contents[at + index] !== content);
  if (at >= done && at <= contents.length && differs < 0) return at;
  const [only, other] = wanted.length === 0 ? [] : findRuns(contents, wanted, done);
  if (only !== undefined && other === undefined) return only;
  if (other !== undefined) {
    throw new PatchError(
      `${name} does not apply: its lines are not at line ${
        at + 1
      }, and more than once elsewhere, ` +
        `at lines ${only! + 1} and ${other + 1}: show more lines around the change`,
    );
  }
  if (differs < 0) {
    throw new PatchError(
      `${name} does not apply: line ${at + 1} is behind the end of the file, or before ` +
        "the end of the hunk above",
    );
  }
  const line = at + differs;
  const there = line < contents.length ? `is ${quote(contents[line]!)}` : "is behind its end";
  throw new PatchError(
    `${name} does not apply: line ${line + 1} of the file in force ${there}, and the diff has ` +
      quote(wanted[differs]!),
  );
}

/** The first two indexes, from one on, at which a run of lines begins. Takes time linear in both. */
function findRuns(
  lines: readonly string[],
  wanted: readonly string[],
  from: number,
): readonly number[] {
  // Knuth, Morris and Pratt: for each beginning of the run, how much of it is also the run's beginning.
  const border = [0];
  for (let at = 1, length = 0; at < wanted.length; at++) {
    while (length > 0 && wanted[at] !== wanted[length]) length = border[length - 1]!;
    if (wanted[at] === wanted[length]) length++;
    border.push(length);
  }
  const found: number[] = [];
  for (let at = from, length = 0; at < lines.length && found.length < 2; at++) {
    while (length > 0 && lines[at] !== wanted[length]) length = border[length - 1]!;
    if (lines[at] === wanted[length]) length++;
    if (length < wanted.length) continue;
    found.push(at + 1 - length);
    length = border[length - 1]!;
  }
  return found;
}
