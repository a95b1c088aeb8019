/**
 * Verifies an audit log: its lines, chain and signatures against the keys and anchors that are trusted.
 *
 * @module
 */

import { auditLogPath, claudeBottleRoot, type RootOptions } from "../disk/layout.ts";
import { openLogAtRest } from "../disk/lock.ts";
import type { AuditEntry } from "../records/audit_entry.ts";
import { MalformedRecordError } from "../records/errors.ts";
import { EMPTY_HEAD, formatHead } from "../records/head.ts";
import { auditLogName } from "../records/names.ts";
import { quote } from "../text/quote.ts";
import { type Anchor, anchorsInResponses, rememberedAnchor, type StatedHeads } from "./anchors.ts";
import { advance, headIsSigned, isWhole, lineIsSigned, linesOf, type Link } from "./chain.ts";
import type { AuditLogId, BrokenLine } from "./entries.ts";
import { parsePublicKeys, type PublicKeys, signingKeyIfAny } from "./key.ts";
import { readLine } from "./lines.ts";

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

/** Checks the bytes of a log, each line once. */
export function verifyLog({ log, file, chunks, keys, anchors }: LogToVerify): AuditVerification {
  const found = { chained: 0, foreign: 0, uncovered: 0, torn: 0, signatures: 0 };
  const problems: BrokenLine[] = [];
  const own = anchors.filter((anchor) => anchor.log === log);
  const bySeq = Map.groupBy(own, ({ seq }) => seq);
  /** The head over the bytes as they are. */
  let head = EMPTY_HEAD;
  /** The head that the next chained line must state: after an error, the one that the last line stated. */
  let expected = EMPTY_HEAD;
  /** Lines that are not entries, until a chained line states that it found them. */
  let unexplained: BrokenLine[] = [];

  function add(...more: readonly BrokenLine[]): void {
    problems.push(...more.slice(0, 2 * MOST_PROBLEMS - problems.length));
  }

  function checkAnchors(): void {
    for (const anchor of bySeq.get(head.seq) ?? []) {
      if (anchor.hash === head.hash || !counts(anchor, keys)) continue;
      const reason = `the lines up to here are not those that ${anchor.source} states`;
      add({ line: head.seq, reason });
    }
  }

  /** What is wrong with the signature of a chained line. */
  function checkSignature(line: Uint8Array, entry: AuditEntry, link: Link): string | undefined {
    if (keys === undefined) return undefined;
    const { operatorKey } = entry;
    const key = keys.get(operatorKey ?? "");
    if (key === undefined) {
      return keys.size === 0
        ? "there is no public key to check its signature with; name one"
        : `its key is not trusted here: ${quote(operatorKey ?? "none")}`;
    }
    if (!lineIsSigned(log, line, link, key)) return "its signature does not fit";
    found.signatures++;
  }

  for (const bytes of linesOf(chunks)) {
    const line = head.seq + 1;
    if (!isWhole(bytes)) {
      found.torn++;
      const reason = `${bytes.length} bytes of a torn line; the next append puts them aside`;
      add({ line, reason });
      break;
    }
    checkAnchors();
    const { entry, link, problem } = readLine(bytes, file);
    const owner = entry === undefined ? log : `${entry.component}-${entry.bottleSlug}`;
    const alien = owner === log ? undefined : `it is an entry of ${quote(owner)}`;
    const reasons = [problem ?? alien];
    if (entry !== undefined && link !== undefined) {
      found.chained++;
      found.uncovered = 0;
      if (link.seq !== expected.seq) reasons.push(`it was written as line ${link.seq + 1}`);
      else if (link.prev !== expected.hash) reasons.push("a line before it is not what it was");
      reasons.push(checkSignature(bytes, entry, link));
    } else {
      found.uncovered++;
      if (problem === undefined && alien === undefined) found.foreign++;
    }
    if (entry === undefined && problem !== undefined) {
      found.torn++;
      if (unexplained.length < MOST_PROBLEMS) unexplained.push({ line, reason: problem });
    } else for (const reason of reasons) if (reason !== undefined) add({ line, reason });
    if (link !== undefined) {
      if (entry?.repair === undefined) add(...unexplained);
      else found.torn += entry.repair.split(" bytes of a torn line ").length - 1;
      unexplained = [];
      expected = { seq: link.seq, hash: link.prev };
    }
    const sound = expected.seq === head.seq && expected.hash === head.hash;
    head = advance(head, bytes);
    expected = sound ? head : advance(expected, bytes);
  }
  checkAnchors();
  add(...unexplained);
  const beyond = own.filter((anchor) => anchor.seq > head.seq && counts(anchor, keys));
  const [most] = beyond.sort((a, b) => b.seq - a.seq);
  if (most !== undefined) {
    const reason = `lines ${head.seq + 1} to ${most.seq} are gone, by ${most.source}`;
    add({ line: head.seq + 1, reason });
  }
  problems.sort((a, b) => a.line - b.line);
  const [first] = problems;
  return {
    ok: first === undefined,
    file,
    lines: head.seq,
    ...found,
    head: formatHead(head),
    firstError: first === undefined ? "" : `line ${first.line}: ${first.reason}`,
    broken: problems.slice(0, MOST_PROBLEMS),
  };
}

/** An anchor from a place where others can write counts only if a trusted key signed it. */
function counts(anchor: Anchor, keys: PublicKeys | undefined): boolean {
  const { signature } = anchor;
  if (signature === undefined) return true;
  return [...keys?.values() ?? []].some((key) => headIsSigned({ ...anchor, signature }, key));
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
  const { root = claudeBottleRoot() } = options;
  const id = { component, slug };
  // Before the log is opened: its growth in between must not look like a loss.
  return await verifyOne(id, { ...options, root }, anchorsInResponses(root, slug));
}

type VerifyOptions = NonNullable<Parameters<typeof verifyAuditLog>[2]>;

/**
 * Checks logs of a root one after the other, as {@linkcode verifyAuditLog} does. The responses of a bottle,
 * which are anchors of all its logs, are read once. A log that cannot be checked is not sound, and hides
 * no other one.
 *
 * @throws {TypeError} If `publicKeys` holds no Ed25519 key.
 */
export async function* verifyAuditLogs(
  ids: Iterable<AuditLogId>,
  options: VerifyOptions & { readonly root: string },
): AsyncGenerator<AuditVerification & AuditLogId> {
  const { root, publicKeys } = options;
  if (publicKeys !== undefined) trustedKeys(root, publicKeys);
  const answered = new Map<string, StatedHeads>();
  for (const id of ids) {
    let found: AuditVerification;
    try {
      const stated = answered.get(id.slug) ?? anchorsInResponses(root, id.slug);
      answered.set(id.slug, stated);
      found = await verifyOne(id, options, stated);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      const log = auditLogName(id.component, id.slug);
      const file = auditLogPath(id.component, id.slug, { root });
      const nothing = verifyLog({ log, file, chunks: [], keys: undefined, anchors: [] });
      const reason = error instanceof Error ? error.message : String(error);
      found = withProblem(nothing, `it could not be checked: ${reason}`);
    }
    yield { ...id, ...found };
  }
}

async function verifyOne(
  { component, slug }: AuditLogId,
  options: VerifyOptions & { readonly root: string },
  stated: StatedHeads,
): Promise<AuditVerification> {
  const { root, publicKeys, anchors = [], chainOnly = false } = options;
  const log = auditLogName(component, slug);
  const file = auditLogPath(component, slug, { root });
  let own: readonly Anchor[] = [];
  let damage: string | undefined;
  const remember = () => {
    try {
      own = rememberedAnchor(root, log);
    } catch (error) {
      if (!(error instanceof MalformedRecordError)) throw error;
      damage = `${error.file}: ${error.reason}`;
    }
  };
  // An append overwrites this record, so it is read while there is none.
  using opened = await openLogAtRest(file, remember);
  if (opened === undefined) remember();
  const keys = chainOnly ? undefined : trustedKeys(root, publicKeys);
  const all = [...anchors, ...own, ...stated.anchors];
  const found = verifyLog({ log, file, chunks: opened?.chunks() ?? [], keys, anchors: all });
  // A head that cannot be read must not pass for one that is not there.
  const { unread } = stated;
  const missing = damage ??
    (unread &&
      `nobody can tell whether lines are gone: a head may be in what cannot be read: ${unread}`);
  return missing === undefined ? found : withProblem(found, missing);
}

function trustedKeys(root: string, publicKeys: string | undefined): PublicKeys {
  if (publicKeys !== undefined) return parsePublicKeys(publicKeys, "the public key");
  const own = signingKeyIfAny(root);
  return new Map(own === undefined ? [] : [[own.fingerprint, own.publicKey]]);
}
