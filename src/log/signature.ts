/**
 * What the signature of one line of a log proves. The lines before it are not checked.
 *
 * @module
 */

import type { AuditEntry } from "../records/audit_entry.ts";
import { auditLogName } from "../records/names.ts";
import { lineIsSigned, type Link } from "./chain.ts";
import { parsePublicKeys, readPublicKey } from "./key.ts";

/**
 * `good`: this root's key signed the line. `bad`: it is not what was signed. `unknown`: another key signed
 * it, or this root's cannot be read. `none`: the line is not signed, so anyone may have written it.
 */
export type LineSignature = "good" | "bad" | "unknown" | "none";

/** A line of a log. */
interface SignedLine {
  readonly entry: AuditEntry;
  readonly link: Link | undefined;
  readonly component: string;
  readonly bytes: Uint8Array;
}

/** Checks the signature of a line of a bottle's log against the key of the root. */
export function signatureOf(
  { entry, link, component, bytes }: SignedLine,
  bottleSlug: string,
  root: string,
): LineSignature {
  if (link === undefined) return "none";
  let pem: string | undefined;
  try {
    pem = readPublicKey(root);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    // `doctor` and `audit verify` say what is wrong with the key.
  }
  const own = pem === undefined ? undefined : parsePublicKeys(pem, "the key of the root");
  const key = own?.get(entry.operatorKey ?? "");
  if (key === undefined) return "unknown";
  return lineIsSigned(auditLogName(component, bottleSlug), bytes, link, key) ? "good" : "bad";
}
