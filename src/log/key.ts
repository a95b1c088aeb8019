/**
 * The Ed25519 key that signs the audit log's lines, `private/audit-signing-key.pem`, made on first use.
 *
 * @module
 */

import { privateDir } from "../disk/layout.ts";
import { withLock } from "../disk/lock.ts";
import { ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import { replaceFileAlone } from "../disk/write.ts";
import { sha256 } from "../text/hash.ts";
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
  /** The private half. */
  readonly privateKey: KeyObject;
  /** The public half. */
  readonly publicKey: KeyObject;
  /** See {@linkcode fingerprintOf}. */
  readonly fingerprint: string;
  /** Whether this call made it. */
  readonly created: boolean;
}

/** Public keys by fingerprint. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

function keyPath(root: string): string {
  return join(privateDir(root), "audit-signing-key.pem");
}

/**
 * A public key's name: `SHA256:` and the base64 of SHA-256 over its DER form (SubjectPublicKeyInfo),
 * without padding. `openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64` says
 * the same.
 *
 * @param key The public key.
 * @returns The fingerprint.
 */
export function fingerprintOf(key: KeyObject): string {
  const digest = sha256(key.export({ type: "spki", format: "der" }));
  return `SHA256:${Buffer.from(digest).toString("base64").replace(/=+$/, "")}`;
}

/**
 * A public key as PEM.
 *
 * @param key The public key.
 * @returns The PEM block, LF at the end.
 */
export function publicKeyPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** Keys that were read already, by the state of their file. */
const known = new Map<string, SigningKey>();

function readKey(path: string): SigningKey | undefined {
  const stamp = ownFileStamp(path);
  if (stamp === undefined) return undefined;
  const cached = known.get(`${path} ${stamp.text}`);
  if (cached !== undefined) return cached;
  if ((stamp.mode & 0o077) !== 0) {
    throw new Error(
      `Cannot sign with ${path}: others may read it (mode ${(stamp.mode & 0o777).toString(8)}); ` +
        "give it mode 600, and find out who did",
    );
  }
  try {
    const privateKey = createPrivateKey(Buffer.from(readOwnFile(path)!));
    if (privateKey.asymmetricKeyType !== "ed25519") throw new Error("it is no Ed25519 key");
    const publicKey = createPublicKey(privateKey as unknown as string);
    const key = { privateKey, publicKey, fingerprint: fingerprintOf(publicKey), created: false };
    known.set(`${path} ${stamp.text}`, key);
    return key;
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
 * The key of a root, if it has one.
 *
 * @param root The root.
 * @returns The key, or `undefined`.
 * @throws {Error} If the file is no Ed25519 key, or others may read it.
 */
export function signingKeyIfAny(root: string): SigningKey | undefined {
  return readKey(keyPath(root));
}

/**
 * A secret for what the host derives from its logs: with another signing key, or none, it is another one.
 *
 * @throws {Error} If the signing key's file is not an Ed25519 key, or others may read it.
 */
export function indexKey(root: string): Uint8Array {
  const key = signingKeyIfAny(root)?.privateKey.export({ type: "pkcs8", format: "der" });
  return sha256(Buffer.concat([Buffer.from("audit-index-v1\n"), ...(key ? [key] : [])]));
}

/**
 * The key of a root; made, mode 0600, if there never was one. Of several processes that make one at
 * once, one wins, and all use it.
 *
 * @param root The root.
 * @returns The key, and whether it is new.
 * @throws {Error} If the file is no Ed25519 key, or others may read it; or if it is gone, and logs were
 * signed already.
 */
export async function openSigningKey(root: string): Promise<SigningKey> {
  const path = keyPath(root);
  const standing = readKey(path);
  if (standing !== undefined) return standing;
  return await withLock(join(privateDir(root), "audit-signing-key.lock"), () => {
    const made = readKey(path);
    if (made !== undefined) return made;
    refuseIfLost(root, path);
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    replaceFileAlone(path, new TextEncoder().encode(pem));
    return { ...readKey(path)!, created: true };
  });
}

/** Another key in the place of one that signed already would hide that it is gone. */
function refuseIfLost(root: string, path: string): void {
  const heads = join(privateDir(root), "heads");
  if (listNames(heads).length === 0) return;
  throw new Error(
    `Cannot sign: ${path} is gone, and it signed logs already; put it back. If it is lost for good, ` +
      `move ${heads} away: then a new key is made, and audit verify needs both public keys`,
  );
}

/** What others may know of a root's signing key. */
export interface SigningKeyInfo {
  /** `SHA256:` and the base64 of SHA-256 over the public key's DER form, without padding. */
  readonly fingerprint: string;
  /** The public key, PEM. */
  readonly publicKey: string;
  /** Whether it was made just now: whoever did that should keep the fingerprint elsewhere. */
  readonly created: boolean;
}

/**
 * Makes sure that a root has a key that signs its audit logs: Ed25519, in `<root>/private`, mode 0600.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param root The root.
 * @returns The key's public half.
 * @throws {Error} If the key's file is no Ed25519 key, or others may read it.
 */
export async function ensureSigningKey(root: string): Promise<SigningKeyInfo> {
  const { fingerprint, publicKey, created } = await openSigningKey(root);
  return { fingerprint, publicKey: publicKeyPem(publicKey), created };
}

/**
 * The key of a root as others may know it, if it has one. Makes none: where the key was lost or is not
 * mounted, another in its place would hide that.
 *
 * Needs `--allow-read` for `<root>/private`.
 *
 * @param root The root.
 * @returns The key's public half, or `undefined`.
 * @throws {Error} If the key's file is no Ed25519 key, or others may read it.
 */
export function readSigningKey(root: string): SigningKeyInfo | undefined {
  const key = signingKeyIfAny(root);
  if (key === undefined) return undefined;
  return { fingerprint: key.fingerprint, publicKey: publicKeyPem(key.publicKey), created: false };
}

/**
 * Reads public keys from PEM.
 *
 * @param pem One block `BEGIN PUBLIC KEY` or several.
 * @param file The file's name, for the error.
 * @returns The keys.
 * @throws {TypeError} If there is none, or one is no Ed25519 key.
 */
export function parsePublicKeys(pem: string, file: string): PublicKeys {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [];
  const keys = new Map<string, KeyObject>();
  for (const block of blocks) {
    let key: KeyObject;
    try {
      key = createPublicKey(block);
    } catch (cause) {
      throw new TypeError(`Cannot use ${file}: a block in it is no public key`, { cause });
    }
    if (key.asymmetricKeyType !== "ed25519") {
      throw new TypeError(`Cannot use ${file}: a key in it is no Ed25519 key`);
    }
    keys.set(fingerprintOf(key), key);
  }
  if (keys.size > 0) return keys;
  throw new TypeError(`Cannot use ${file}: it has no PEM block "PUBLIC KEY"`);
}
