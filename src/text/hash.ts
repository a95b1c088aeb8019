/**
 * SHA-256.
 *
 * @module
 */

import { createHash, createHmac } from "node:crypto";

/**
 * SHA-256 of a text's UTF-8, or of bytes.
 *
 * @example The empty text
 * ```ts
 * import { sha256Hex } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sha256Hex("").slice(0, 16), "e3b0c44298fc1c14");
 * ```
 *
 * @param content The text or the bytes.
 * @returns 64 lower-case hex digits.
 */
export function sha256Hex(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** SHA-256 of bytes, given in pieces, as 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** HMAC-SHA256 of bytes, given in pieces, as 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** SHA-256 of a file's content, as records have it: `""` if there is no file. */
export function hashOf(content: string | Uint8Array | null): string {
  return content === null ? "" : sha256Hex(content);
}
