/**
 * Verifies an audit log: its lines, chain and signatures against the keys and anchors that are trusted.
 *
 * @module
 */

import { auditLogPath, claudeBottleRoot, type RootOptions } from "../disk/layout.ts";
import { openLogAtRest } from "../disk/lock.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { EMPTY_HEAD, formatHead, type Head } from "../records/head.ts";
import { auditLogName } from "../records/names.ts";
import { quote } from "../text/quote.ts";
import { type Anchor, anchorsInAnswers, rememberedAnchor } from "./anchors.ts";
import { advance, headIsSigned, isWhole, lineIsSigned, linesOf } from "./chain.ts";
import type { BrokenLine } from "./entries.ts";
import { parsePublicKeys, type PublicKeys, signingKeyIfAny } from "./key.ts";
import { type AuditLine, readLine } from "./lines.ts";

/** How many problems are reported. As many more are kept, because they are not found in order. */
const MOST_PROBLEMS = 100;

/** What a check of a log found. */
export interface AuditVerification {
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** The log. */
  readonly file: string;
  /** How many lines there are, each ended by LF. */
  readonly lines: number;
  /** How many of them are chained. */
  readonly chained: number;
  /** How many are not: lines of the Python original, and blank ones. */
  readonly foreign: number;
  /** How many lines at the end no chained line covers yet. Only an anchor shows a change in these. */
  readonly uncovered: number;
  /** Pieces of lines that a crash tore: put aside, as a line states, or still in the log. */
  readonly torn: number;
  /** How many lines a trusted key signed. */
  readonly signatures: number;
  /** The head, `seq:hash`. */
  readonly head: string;
  /** The first thing that is wrong; `""` if nothing is. */
  readonly firstError: string;
  /** What is wrong, by line; the first hundred. */
  readonly broken: readonly BrokenLine[];
}

/** A log to be checked. */
export interface LogToVerify {
  /** The log's name, `<component>-<slug>`. */
  readonly log: string;
  /** Where it is from, for people. */
  readonly file: string;
  /** Its bytes, in pieces of any size. */
  readonly chunks: Iterable<Uint8Array>;
  /** Trusted keys; `undefined` if the chain alone is checked. */
  readonly keys: PublicKeys | undefined;
  /** Heads it must have had, of any logs. */
  readonly anchors: readonly Anchor[];
}

/** Adds a problem of a log as a whole to those of its lines. */
export function withProblem(found: AuditVerification, reason: string): AuditVerification {
  const line = found.lines;
  const firstError = found.ok ? `line ${line}: ${reason}` : found.firstError;
  return { ...found, ok: false, firstError, broken: [...found.broken, { line, reason }] };
}

/** What is counted, and what is wrong so far. */
interface Findings {
  readonly problems: BrokenLine[];
  chained: number;
  foreign: number;
  uncovered: number;
  torn: number;
  signatures: number;
}

/** Checks the bytes of a log, each line once. */
export function verifyLog(input: LogToVerify): AuditVerification {
  const found = {
    problems: [] as BrokenLine[],
    chained: 0,
    foreign: 0,
    uncovered: 0,
    torn: 0,
    signatures: 0,
  };
  const heads = anchorsBySeq(input);
  /** The head over the bytes as they are. */
  let head = EMPTY_HEAD;
  /** The head that the next chained line must name: after an error, what the last one named. */
  let expected = EMPTY_HEAD;
  /** Lines that are not entries, until a chained line states that it found them. */
  let unexplained: BrokenLine[] = [];
  for (const line of linesOf(input.chunks)) {
    const number = head.seq + 1;
    if (!isWhole(line)) {
      found.torn++;
      const reason = `${line.length} bytes of a torn line; the next append puts them aside`;
      addProblems(found, { line: number, reason });
      break;
    }
    checkAnchors(input, heads, head, found);
    const read = readLine(line, input.file);
    const { entry, link, problem: reason = ownerProblem(read, input) } = read;
    if (link === undefined) {
      found.uncovered++;
      if (reason === undefined) found.foreign++;
      else if (entry === undefined) {
        found.torn++;
        if (unexplained.length < MOST_PROBLEMS) unexplained.push({ line: number, reason });
      } else addProblems(found, { line: number, reason });
    } else {
      found.chained++;
      found.uncovered = 0;
      for (const problem of [reason, ...linkProblems(line, read, expected, input, found)]) {
        if (problem !== undefined) addProblems(found, { line: number, reason: problem });
      }
      if (entry?.repair === undefined) addProblems(found, ...unexplained);
      else found.torn += entry.repair.split(" bytes of a torn line ").length - 1;
      unexplained = [];
      expected = { seq: link.seq, hash: link.prev };
    }
    const sound = expected.seq === head.seq && expected.hash === head.hash;
    head = advance(head, line);
    expected = sound ? head : advance(expected, line);
  }
  checkAnchors(input, heads, head, found);
  addProblems(found, ...unexplained, ...lostAnchors(input, heads, head));
  return report(input, head, found);
}

function addProblems({ problems }: Findings, ...more: readonly BrokenLine[]): void {
  problems.push(...more.slice(0, 2 * MOST_PROBLEMS - problems.length));
}

function report(input: LogToVerify, head: Head, found: Findings): AuditVerification {
  const { problems, ...counts } = found;
  problems.sort((a, b) => a.line - b.line);
  const [first] = problems;
  return {
    ok: first === undefined,
    file: input.file,
    lines: head.seq,
    ...counts,
    head: formatHead(head),
    firstError: first === undefined ? "" : `line ${first.line}: ${first.reason}`,
    broken: problems.slice(0, MOST_PROBLEMS),
  };
}

/** What is wrong with an entry that belongs to another log. */
function ownerProblem({ entry }: AuditLine, { log }: LogToVerify): string | undefined {
  const owner = entry && `${entry.component}-${entry.bottleSlug}`;
  return owner === undefined || owner === log ? undefined : `it is an entry of ${quote(owner)}`;
}

/** What is wrong with a chained line's place and signature. */
function* linkProblems(
  line: Uint8Array,
  { link, entry }: AuditLine,
  expected: Head,
  { log, keys }: LogToVerify,
  found: Findings,
): Generator<string> {
  if (link === undefined) return;
  if (link.seq !== expected.seq) yield `it was written as line ${link.seq + 1}`;
  else if (link.prev !== expected.hash) yield "a line before it is not what it was";
  if (keys === undefined) return;
  const key = keys.get(entry?.operatorKey ?? "");
  if (key === undefined) {
    yield keys.size === 0
      ? "there is no public key to check its signature with; name one"
      : `its key is not trusted here: ${quote(entry?.operatorKey ?? "none")}`;
  } else if (lineIsSigned(log, line, link, key)) found.signatures++;
  else yield "its signature does not fit";
}

function anchorsBySeq({ log, anchors }: LogToVerify): Map<number, Anchor[]> {
  const bySeq = new Map<number, Anchor[]>();
  for (const anchor of anchors) {
    if (anchor.log !== log) continue;
    const same = bySeq.get(anchor.seq) ?? [];
    same.push(anchor);
    bySeq.set(anchor.seq, same);
  }
  return bySeq;
}

/** An anchor from a place where others can write counts only if a trusted key signed it. */
function counts(anchor: Anchor, { keys }: LogToVerify): boolean {
  const { signature } = anchor;
  if (signature === undefined) return true;
  return [...keys?.values() ?? []].some((key) => headIsSigned({ ...anchor, signature }, key));
}

function checkAnchors(
  input: LogToVerify,
  heads: ReadonlyMap<number, readonly Anchor[]>,
  head: Head,
  found: Findings,
): void {
  for (const anchor of heads.get(head.seq) ?? []) {
    if (anchor.hash === head.hash || !counts(anchor, input)) continue;
    const reason = `the lines up to here are not those that ${anchor.source} states`;
    addProblems(found, { line: head.seq, reason });
  }
}

function lostAnchors(
  input: LogToVerify,
  heads: ReadonlyMap<number, readonly Anchor[]>,
  head: Head,
): BrokenLine[] {
  const lost = [...heads.values()].flat()
    .filter((anchor) => anchor.seq > head.seq && counts(anchor, input));
  const most = lost.reduce<Anchor | undefined>(
    (best, anchor) => best === undefined || anchor.seq > best.seq ? anchor : best,
    undefined,
  );
  if (most === undefined) return [];
  const reason = `lines ${head.seq + 1} to ${most.seq} are gone, by ${most.source}`;
  return [{ line: head.seq + 1, reason }];
}

/**
 * Checks an audit log: every line is an entry of this log; every chained line has the number and the
 * lines before it that it states, and is signed by a trusted key; and every anchor fits: the given
 * ones, the head that this root wrote last, and the signed heads in the bottle's responses.
 *
 * Lines of the Python original are counted, and are not errors. Two changes are not found: one of lines
 * that no chained line covers yet (see `uncovered`), and a tail that is cut off behind every anchor.
 *
 * The log is read piece by piece, once, up to the end that it has when the call begins.
 *
 * Needs `--allow-read` for the root.
 *
 * @example A log, sound, then changed
 * ```ts
 * import { verifyAuditLog, writeAuditEntry } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * const file = await writeAuditEntry({
 *   timestamp: "2026-11-22T10:49:36.924Z",
 *   bottleSlug: "dev-1",
 *   component: "pipelock",
 *   operatorAction: "operator-edit",
 *   operatorNotes: "Removed the old mirror.",
 *   justification: "",
 *   diff: "",
 * }, { root });
 * assertEquals((await verifyAuditLog("pipelock", "dev-1", { root })).ok, true);
 *
 * const text = await Deno.readTextFile(file);
 * await Deno.writeTextFile(file, text.replace("old", "new"));
 * const { firstError } = await verifyAuditLog("pipelock", "dev-1", { root });
 * assertEquals(firstError, "line 1: its signature does not fit");
 * await Deno.remove(root, { recursive: true });
 * ```
 *
 * @param component The component.
 * @param slug The bottle's slug.
 * @param options Where the log is, and what is trusted.
 * @returns What was found. A log that does not exist is sound and empty, unless an anchor shows that
 * it had lines.
 * @throws {InvalidNameError} If the component or the slug is not valid.
 * @throws {TypeError} If `publicKeys` holds no Ed25519 key.
 * @throws {Error} If the signing key's file is not an Ed25519 key, or others may read it.
 */
export async function verifyAuditLog(
  component: string,
  slug: string,
  options: RootOptions & {
    /** Trusted public keys, PEM; the root's own unless given. */
    readonly publicKeys?: string;
    /** Heads that were kept elsewhere, of any logs. */
    readonly anchors?: readonly Anchor[];
    /** Checks the chain without the signatures: much faster, but a log rewritten as a whole passes. */
    readonly chainOnly?: boolean;
  } = {},
): Promise<AuditVerification> {
  const { root = claudeBottleRoot(), publicKeys, anchors = [], chainOnly = false } = options;
  const log = auditLogName(component, slug);
  const file = auditLogPath(component, slug, { root });
  // Before the log is opened: its growth in between must not look like a loss.
  const answered = anchorsInAnswers(root, slug);
  let own: Remembered | undefined;
  // An append overwrites this record, so it is read while there is none.
  using opened = await openLogAtRest(file, () => own = remembered(root, log));
  own ??= remembered(root, log);
  const keys = chainOnly ? undefined : trustedKeys(root, publicKeys);
  const all = [...anchors, ...own.anchors, ...answered];
  const found = verifyLog({ log, file, chunks: opened?.chunks() ?? [], keys, anchors: all });
  return own.damage === undefined ? found : withProblem(found, own.damage);
}

/** The head that this root wrote last, or why it is not known. */
interface Remembered {
  readonly anchors: readonly Anchor[];
  readonly damage?: string;
}

function remembered(root: string, log: string): Remembered {
  try {
    return { anchors: rememberedAnchor(root, log) };
  } catch (error) {
    if (!(error instanceof MalformedRecordError)) throw error;
    return { anchors: [], damage: `${error.file}: ${error.reason}` };
  }
}

function trustedKeys(root: string, publicKeys: string | undefined): PublicKeys {
  if (publicKeys !== undefined) return parsePublicKeys(publicKeys, "the public key");
  const own = signingKeyIfAny(root);
  return new Map(own === undefined ? [] : [[own.fingerprint, own.publicKey]]);
}
