/**
 * Pairs of files to compare: an ordinary one, and the worst that an agent is known to be able to
 * send. Each file has at most 1 MiB, and each pair is the same on every run.
 *
 * @module
 */

/** Two files to compare. */
export interface DiffCase {
  /** What they are. */
  readonly name: string;
  /** The file in force. */
  readonly before: string;
  /** The proposed file. */
  readonly after: string;
}

/** The largest config file. */
const MAX_BYTES = 1024 * 1024;

/** A small generator of pseudo-random numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`);
}

/** As many of the lines as fit into a file; ASCII only. */
function file(lines: readonly string[]): string {
  const text = lines.join("\n") + "\n";
  return text.length <= MAX_BYTES ? text : text.slice(0, text.lastIndexOf("\n", MAX_BYTES - 1) + 1);
}

function shuffled(lines: readonly string[], random: () => number): string[] {
  const copy = [...lines];
  for (let n = copy.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1));
    [copy[n], copy[other]] = [copy[other]!, copy[n]!];
  }
  return copy;
}

/**
 * Makes the ordinary pair: 20,000 lines, of which one in a hundred is changed, gone or new.
 *
 * @returns The pair.
 */
export function makeOrdinaryCase(): DiffCase {
  const random = randomFrom(1);
  const lines = numbered("upstream https://service.example/", 20_000);
  const edited = lines.flatMap((line, n) => {
    if (random() >= 0.01) return [line];
    return [[`${line} changed`], [], [line, `added after ${n}`]][Math.floor(random() * 3)]!;
  });
  return { name: "20,000 lines, 1 % edits", before: file(lines), after: file(edited) };
}

/**
 * Makes the pairs that are known to cost most.
 *
 * @returns The pairs.
 */
export function makeWorstCases(): DiffCase[] {
  const random = randomFrom(2);
  const lines = file(numbered("l", 200_000)).trimEnd().split("\n");
  const blanks = Array<string>(MAX_BYTES).fill("");
  const interleaved = blanks.flatMap((blank, n) => n % 8 === 0 ? [`x${n}`, blank] : [blank]);
  const aOrB = () => Array.from({ length: MAX_BYTES / 2 }, () => random() < 0.5 ? "a" : "b");
  const head = numbered("p", 400);
  const tail = numbered("t", 400);
  const gap = Array<string>(1_000_000).fill("");
  const oneLine = "x".repeat(MAX_BYTES - 2);
  // 15 characters and CR and LF: 17 bytes a line, the largest file that still fits with CRLF.
  const crlf = Array.from({ length: 61_000 }, (_, n) => `host ${String(n).padStart(10, "0")}`);
  const pair = (name: string, before: readonly string[], after: readonly string[]): DiffCase => ({
    name,
    before: file(before),
    after: file(after),
  });
  return [
    pair("disjoint lines", lines, numbered("m", 200_000)),
    pair("the same lines reversed", lines, lines.toReversed()),
    pair("the same lines shuffled", lines, shuffled(lines, random)),
    pair("one line of 1 MiB", [`${oneLine}a`], [`${oneLine}b`]),
    pair("CRLF against LF", crlf.map((line) => `${line}\r`), crlf),
    pair("blank lines, interleaved", blanks, interleaved),
    pair("random lines a and b", aOrB(), aOrB()),
    pair("a million blanks between reversed ends", [...head, ...gap, ...tail], [
      ...head.toReversed(),
      ...gap,
      ...tail.toReversed(),
    ]),
    pair("half the lines moved to the front", lines, [
      ...lines.filter((_, n) => n % 2 === 1),
      ...lines.filter((_, n) => n % 2 === 0),
    ]),
  ];
}
