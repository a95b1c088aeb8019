/**
 * The head of an audit log: how many lines it has, and the hash over them. Pure.
 *
 * @module
 */

/** The state of a log, signed: how many lines it has, and the hash over them. */
export interface SignedHead {
  /** The log's name, `<component>-<slug>`. */
  readonly log: string;
  /** How many lines the hash covers; the next line's `seq`. */
  readonly seq: number;
  /** `H(seq)`, lower-case hex. */
  readonly hash: string;
  /** Ed25519 over `audit-head-v1`, LF, the log's name, LF, and `seq:hash`; lower-case hex. */
  readonly signature: string;
}

export type Head = Pick<SignedHead, "seq" | "hash">;

export const EMPTY_HEAD: Head = { seq: 0, hash: "0".repeat(64) };

export function formatHead({ seq, hash }: Head): string {
  return `${seq}:${hash}`;
}

/** Reads what {@linkcode formatHead} writes; `undefined` for any other text. */
export function parseHead(text: string): Head | undefined {
  const match = text.match(/^(0|[1-9]\d{0,15}):([0-9a-f]{64})$/);
  return match ? { seq: Number(match[1]), hash: match[2]! } : undefined;
}
