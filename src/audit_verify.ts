/**
 * Checks a root's audit logs, by what it trusts: its key, its memory, the heads in its answers.
 *
 * @module
 */

import { type Anchor, anchorsInAnswers, rememberedAnchor } from "./audit_anchors.ts";
import { type AuditVerification, verifyLog, withProblem } from "./audit_check.ts";
import { readLockedLog } from "./durable_log.ts";
import { MalformedRecordError } from "./errors.ts";
import { auditLogName, auditLogPath, claudeBottleRoot } from "./paths.ts";
import { parsePublicKeys, type PublicKeys, signingKeyIfAny } from "./signing_key.ts";

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
  const file = auditLogPath(component, slug, root);
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
