/**
 * Verifies an audit log: its lines, chain and signatures against the keys and anchors that are trusted.
 *
 * @module
 */

import { auditLogPath, claudeBottleRoot } from "../disk/layout.ts";
import { readLockedLog } from "../disk/lock.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import { parseAuditEntry, parseJsonBytes } from "../records/codec.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { EMPTY_HEAD, formatHead, type Head } from "../records/head.ts";
import { auditLogName } from "../records/names.ts";
import { quote } from "../text/quote.ts";
import { type Anchor, anchorsInAnswers, rememberedAnchor } from "./anchors.ts";
import { advance, headIsSigned, lineIsSigned, linesOf, LINK_KEYS, linkOf } from "./chain.ts";
import { type BrokenLine, isBlank, reasonOf } from "./entries.ts";
import { parsePublicKeys, type PublicKeys, signingKeyIfAny } from "./key.ts";

/** How many problems are told one by one. As many more are kept, because they are not found in order. */
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
  /** How many of the last lines no chained line covers yet. Only an anchor shows a change in these. */
  readonly uncovered: number;
  /** Pieces of lines that a crash tore: put aside, as a line says, or still there. */
  readonly torn: number;
  /** How many signatures are a trusted key's. */
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
  /** Its bytes, or `undefined` if there is none. */
  readonly bytes: Uint8Array | undefined;
  /** Trusted keys; `undefined` if the chain alone is checked. */
  readonly keys: PublicKeys | undefined;
  /** Heads it must have had, of any logs. */
  readonly anchors: readonly Anchor[];
}

/**
 * Adds what is wrong with a log as a whole.
 *
 * @param found What was found in its lines.
 * @param reason What is wrong.
 * @returns Both.
 */
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

/**
 * Checks the bytes of a log.
 *
 * @param input The log, and what is trusted.
 * @returns What was found.
 */
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
  /** Lines that are no entries, until a chained line says that it knows of them. */
  let unexplained: BrokenLine[] = [];
  for (const line of linesOf(input.bytes ?? new Uint8Array())) {
    const number = head.seq + 1;
    if (line.at(-1) !== 0x0a) {
      found.torn++;
      const reason = `${line.length} bytes of a torn line; the next append puts them aside`;
      addProblems(found, { line: number, reason });
      break;
    }
    checkAnchors(input, heads, head, found);
    const read = readLine(line, input);
    if (read.link === undefined) {
      found.uncovered++;
      if (read.problem === undefined) found.foreign++;
      else if (read.entry === undefined) {
        found.torn++;
        if (unexplained.length < MOST_PROBLEMS) {
          unexplained.push({ line: number, reason: read.problem });
        }
      } else addProblems(found, { line: number, reason: read.problem });
    } else {
      found.chained++;
      found.uncovered = 0;
      const { link, entry } = read;
      for (const reason of [read.problem, ...linkProblems(line, read, expected, input, found)]) {
        if (reason !== undefined) addProblems(found, { line: number, reason });
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

interface ReadLine {
  readonly entry?: AuditEntry;
  readonly link?: { readonly seq: number; readonly prev: string; readonly signature: string };
  readonly problem?: string;
}

/** What a line is: blank, somebody else's, ours, or nothing of the kind. */
function readLine(line: Uint8Array, { log, file }: LogToVerify): ReadLine {
  if (isBlank(line)) return {};
  let raw: unknown;
  let entry: AuditEntry;
  try {
    raw = parseJsonBytes(line, file);
    entry = parseAuditEntry(raw, file);
  } catch (error) {
    if (!(error instanceof MalformedRecordError)) throw error;
    return { problem: reasonOf(error) };
  }
  const owner = `${entry.component}-${entry.bottleSlug}`;
  const problem = owner === log ? undefined : `it is an entry of ${quote(owner)}`;
  const named = (reason?: string) => reason === undefined ? {} : { problem: reason };
  if (!LINK_KEYS.some((key) => Object.hasOwn(raw as object, key))) {
    return { entry, ...named(problem) };
  }
  const link = linkOf(line);
  if (link !== undefined) return { entry, link, ...named(problem) };
  return { entry, problem: "its seq, prev and sig are not in the form in which they are written" };
}

/** What is wrong with a chained line's place and signature. */
function* linkProblems(
  line: Uint8Array,
  { link, entry }: ReadLine,
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

/** An anchor from where others can write counts only with the key's signature. */
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

/** What is trusted when a log is checked. */
export interface VerifyAuditOptions {
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
  /** Trusted public keys, PEM; the root's own unless given. */
  readonly publicKeys?: string;
  /** Heads that were kept elsewhere, of any logs. */
  readonly anchors?: readonly Anchor[];
  /** Checks the chain alone: much faster, and blind to lines that were rewritten with their chain. */
  readonly chainOnly?: boolean;
}

/**
 * Checks an audit log: every line is an entry of this log; every chained line stands where it says,
 * after the lines it says, and is signed by a trusted key; and every anchor fits: the given ones, the
 * head this root wrote last, and the signed heads in the bottle's answers.
 *
 * Lines of the Python original are counted, and never an error. What a change would leave sound:
 * lines that nothing covers yet (see `uncovered`), and a tail that is cut off beyond every anchor.
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
 * @param options Where the log is, what is trusted.
 * @returns What was found; a log that does not exist is sound and empty, unless an anchor says else.
 * @throws {InvalidNameError} If the component or the slug is none.
 * @throws {TypeError} If `publicKeys` holds no Ed25519 key.
 * @throws {MalformedRecordError} If the record of what was written last is damaged.
 * @throws {Error} If the signing key's file is no Ed25519 key, or others may read it.
 */
export async function verifyAuditLog(
  component: string,
  slug: string,
  options: VerifyAuditOptions = {},
): Promise<AuditVerification> {
  const { root = claudeBottleRoot(), publicKeys, anchors = [], chainOnly = false } = options;
  const log = auditLogName(component, slug);
  const file = auditLogPath(component, slug, { root });
  // Before the log is read: what it has grown by meanwhile must not look like a loss.
  const answered = anchorsInAnswers(root, slug);
  let own: Remembered | undefined;
  // This one is overwritten in place, by whoever appends.
  const bytes = await readLockedLog(file, () => own = remembered(root, log));
  own ??= remembered(root, log);
  const keys = chainOnly ? undefined : trustedKeys(root, publicKeys);
  const all = [...anchors, ...own.anchors, ...answered];
  const found = verifyLog({ log, file, bytes, keys, anchors: all });
  return own.damage === undefined ? found : withProblem(found, own.damage);
}

/** The head that this root wrote last, or why that is not known. */
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
