/**
 * The Ed25519 key that signs the audit log's lines, `private/audit-signing-key.pem`, made on first use.
 *
 * @module
 */

import { privateDir, signingKeyPath } from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { type ReadOwn, readOwnFileOnce } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import { replaceFileAlone } from "../disk/write.ts";
import { sha256 } from "../text/hash.ts";
import { lineIsSigned, linkOf } from "./chain.ts";
import { lastLine, writtenRoot } from "./written.ts";
import { join } from "@std/path";
import { Buffer } from "node:buffer";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";

/** A key that signs. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** See {@linkcode fingerprintOf}. */
  readonly fingerprint: string;
  /** Whether this call made it. */
  readonly created: boolean;
}

/** The half of a signing key that others may see. */
export interface SigningKeyInfo {
  /** `SHA256:` and the base64 of SHA-256 over the public key's DER form, without padding. */
  readonly fingerprint: string;
  /** The public key, PEM. */
  readonly publicKey: string;
  /** Whether it was made just now: then its fingerprint should be saved somewhere else. */
  readonly created: boolean;
}

/** Public keys by fingerprint. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

/**
 * A public key's name, the same that this prints:
 * `openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64`, without padding.
 */
export function fingerprintOf(key: KeyObject): string {
  const digest = sha256(key.export({ type: "spki", format: "der" }));
  return `SHA256:${Buffer.from(digest).toString("base64").replaceAll("=", "")}`;
}

/** A public key as a PEM block, LF at the end. */
export function publicKeyPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** Keys that were read already, by what was read. */
const known = new WeakMap<ReadOwn, SigningKey>();

/**
 * The key of a root; `undefined` if it has none.
 *
 * @throws {Error} If the file is not an Ed25519 key, or others may read it.
 */
export function signingKeyIfAny(root: string): SigningKey | undefined {
  const path = signingKeyPath(root);
  const file = readOwnFileOnce(path);
  const cached = file && known.get(file);
  if (file === undefined || cached !== undefined) return cached;
  const { mode } = file.stamp;
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `Cannot sign with ${path}: others may read it (mode ${(mode & 0o777).toString(8)}); ` +
        "give it mode 600, and find out who did",
    );
  }
  const key = parseKey(file, path);
  known.set(file, key);
  return key;
}

function parseKey(file: ReadOwn, path: string): SigningKey {
  try {
    const privateKey = createPrivateKey(Buffer.from(file.bytes));
    if (privateKey.asymmetricKeyType !== "ed25519") throw new Error("it is not an Ed25519 key");
    const publicKey = createPublicKey(privateKey as unknown as string);
    return { privateKey, publicKey, fingerprint: fingerprintOf(publicKey), created: false };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot sign with ${path}: ${reason}; put the right key back, or move this one away and a ` +
        "new one is made",
      { cause },
    );
  }
}

/**
 * The public half of a root's key, PEM, even if others may read the private one: a log that was edited
 * shows all the same. `undefined` if there is no key.
 *
 * @throws {Error} If the file is not an Ed25519 key.
 */
export function readPublicKey(root: string): string | undefined {
  const path = signingKeyPath(root);
  const file = readOwnFileOnce(path);
  return file && publicKeyPem(parseKey(file, path).publicKey);
}

/** Keys that were compared with the logs. */
const compared = new WeakSet<SigningKey>();

/**
 * The key of a root, to sign with; `undefined` if it has none.
 *
 * @throws {Error} As {@linkcode signingKeyIfAny}; or if another key signed the last line of a log.
 */
function keyThatSigned(root: string): SigningKey | undefined {
  const key = signingKeyIfAny(root);
  if (key === undefined || compared.has(key)) return key;
  for (const log of listNames(writtenRoot(root))) {
    const line = lastLine(root, log);
    const link = line && linkOf(line);
    if (link === undefined || lineIsSigned(log, line!, link, key.publicKey)) continue;
    refuse(
      root,
      `did not sign the last line of ${log}; put the key back that did`,
      "this one signs",
    );
  }
  compared.add(key);
  return key;
}

/**
 * The key of a root. If there never was one it is made, mode 0600: of several processes that do so at
 * once, the first makes the one that all use.
 *
 * @throws {Error} If the file is not an Ed25519 key, or others may read it; or if logs were signed already,
 * and it is gone, or another key is in its place.
 */
export async function openSigningKey(root: string): Promise<SigningKey> {
  const key = keyThatSigned(root);
  if (key !== undefined) return key;
  return await withLock(join(privateDir(root), "audit-signing-key.lock"), () => {
    const made = keyThatSigned(root);
    if (made !== undefined) return made;
    if (listNames(writtenRoot(root)).length > 0) {
      refuse(root, "is gone, and it signed logs already; put it back", "a new key is made");
    }
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    replaceFileAlone(signingKeyPath(root), new TextEncoder().encode(pem));
    return { ...signingKeyIfAny(root)!, created: true };
  });
}

/** Another key in the place of one that signed already would hide that this one is gone. */
function refuse(root: string, what: string, otherwise: string): never {
  throw new Error(
    `Cannot sign: ${signingKeyPath(root)} ${what}. If that is lost for good, move ` +
      `${writtenRoot(root)} away: then ${otherwise}, and audit verify needs both public keys`,
  );
}

/**
 * The public half of a root's key; the key is made if there never was one.
 *
 * @throws {Error} As {@linkcode openSigningKey}.
 */
export async function ensureSigningKey(root: string): Promise<SigningKeyInfo> {
  const { fingerprint, publicKey, created } = await openSigningKey(root);
  return { fingerprint, publicKey: publicKeyPem(publicKey), created };
}

/**
 * The public half of a root's key; `undefined` if it has none. It makes no key: in the place of one that
 * was lost or is not mounted, a new one would hide that.
 *
 * @throws {Error} As {@linkcode openSigningKey}, unless the key is gone.
 */
export function readSigningKey(root: string): SigningKeyInfo | undefined {
  const key = keyThatSigned(root);
  if (key === undefined) return undefined;
  return { fingerprint: key.fingerprint, publicKey: publicKeyPem(key.publicKey), created: false };
}

/**
 * Reads public keys from PEM: one block `BEGIN PUBLIC KEY` or several.
 *
 * @param file The file's name, for the error.
 * @throws {TypeError} If there is no block, or one is not an Ed25519 key.
 */
export function parsePublicKeys(pem: string, file: string): PublicKeys {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [];
  const keys = new Map<string, KeyObject>();
  for (const block of blocks) {
    let key: KeyObject;
    try {
      key = createPublicKey(block);
    } catch (cause) {
      throw new TypeError(`Cannot use ${file}: a block in it is not a public key`, { cause });
    }
    if (key.asymmetricKeyType !== "ed25519") {
      throw new TypeError(`Cannot use ${file}: a key in it is not an Ed25519 key`);
    }
    keys.set(fingerprintOf(key), key);
  }
  if (keys.size > 0) return keys;
  throw new TypeError(`Cannot use ${file}: it has no PEM block "PUBLIC KEY"`);
}
