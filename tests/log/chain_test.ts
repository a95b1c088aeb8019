import { ensureSigningKey } from "../../internal_mod.ts";
import { verifyAuditLog } from "../../mod.ts";
import { linkOf } from "../../src/log/chain.ts";
import { verifyLog } from "../../src/log/check.ts";
import { parsePublicKeys } from "../../src/log/key.ts";
import { FOREIGN_LINE, makeLog } from "../support/audit.ts";
import { holds } from "../support/properties.ts";
import { run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createHash, createPublicKey, verify } from "node:crypto";

// Threat: L1
Deno.test("a line is chained and signed as docs/FORMAT.md says, checked by hand", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  await log.add(FOREIGN_LINE);
  await makeLog(dir.path, ["two", "three"]);
  const { publicKey, fingerprint } = await ensureSigningKey(dir.path);
  const der = createPublicKey(publicKey).export({ type: "spki", format: "der" });
  const digest = createHash("sha256").update(der).digest("base64").replace(/=+$/, "");
  assertEquals(fingerprint, `SHA256:${digest}`);

  let hash: Uint8Array = new Uint8Array(32);
  for (const [n, line] of (await log.lines()).entries()) {
    if (line !== FOREIGN_LINE) {
      const { seq, prev, sig, operator_key } = JSON.parse(line);
      assertEquals([seq, prev, operator_key], [n, hash.toHex(), fingerprint]);
      const signed = `audit-line-v1\npipelock-dev-1\n${line.slice(0, line.indexOf(',"sig":'))}`;
      const key = createPublicKey(publicKey);
      assertEquals(
        verify(null, new TextEncoder().encode(signed), key, Uint8Array.fromHex(sig)),
        true,
      );
      assertEquals(line.endsWith(`,"sig":"${sig}"}\n`), true);
    }
    hash = createHash("sha256").update(hash).update(line).digest();
  }
  const { head } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals(head, `4:${hash.toHex()}`);
});

const noOpenssl = isMissing("openssl", "version");

Deno.test("openssl verifies a line's signature, and knows the key's fingerprint", {
  ignore: noOpenssl,
}, async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  const [line] = await log.lines();
  const { publicKey, fingerprint } = await ensureSigningKey(dir.path);
  await Deno.writeTextFile(dir.at("key.pem"), publicKey);
  const body = line!.slice(0, line!.indexOf(',"sig":'));
  await Deno.writeTextFile(dir.at("signed"), `audit-line-v1\npipelock-dev-1\n${body}`);
  await Deno.writeFile(dir.at("sig"), Uint8Array.fromHex(JSON.parse(line!).sig));
  const files = ["-inkey", dir.at("key.pem"), "-in", dir.at("signed"), "-sigfile", dir.at("sig")];
  const verified = await run("openssl", ["pkeyutl", "-verify", "-pubin", "-rawin", ...files]);
  assertEquals(verified.code, 0, verified.err);
  const pipe = `openssl pkey -pubin -in ${dir.at("key.pem")} -outform DER | ` +
    "openssl dgst -sha256 -binary | base64";
  const { out } = await run("sh", ["-c", pipe]);
  assertEquals(`SHA256:${out.trim().replace(/=+$/, "")}`, fingerprint);
});

const [PREV, SIG] = ["0".repeat(64), "1".repeat(128)];

const LINK = `,"seq":7,"prev":"${PREV}","sig":"${SIG}"}\n`;

const lineWith = (link: string) => new TextEncoder().encode(`{"a":1${link}`);

Deno.test("linkOf() reads a link in the form that is written", () => {
  assertEquals(linkOf(lineWith(LINK)), { seq: 7, prev: PREV, signature: SIG });
});

Deno.test.each([
  ["without LF", LINK.slice(0, -1)],
  ["with a zero before the number", LINK.replace("7", "07")],
  ["with a negative number", LINK.replace("7", "-7")],
  ["with a fraction", LINK.replace("7", "7.0")],
  ["with a space before the number", LINK.replace(":7", ": 7")],
  ["with a space before LF", LINK.replace("}\n", "} \n")],
  ["with CR LF", LINK.replace("}\n", "}\r\n")],
  ["with a signature that is too short", LINK.replace(SIG, SIG.slice(1))],
  ["with a signature in capital letters", LINK.replace(SIG, "A".repeat(128))],
  ["with a hash that is too short", LINK.replace(PREV, PREV.slice(1))],
  ["with a key in capital letters", LINK.replace('"seq"', '"SEQ"')],
])("linkOf() takes no link %s", (_, link) => {
  assert(link !== LINK);
  assertEquals(linkOf(lineWith(link)), undefined);
});

/** A log of both writers and of torn pieces, which ends with a line of ours. */
const anyLog = fc.array(
  fc.oneof(
    fc.record({ notes: fc.string({ unit: "binary", maxLength: 20 }) }),
    fc.constantFrom({ bytes: FOREIGN_LINE }, { bytes: "\n" }, { bytes: '{"torn":' }),
  ),
  { maxLength: 4 },
);

Deno.test("verifyAuditLog() finds any single byte that is changed, added or removed, in any log", async () => {
  await holds(
    fc.asyncProperty(anyLog, fc.integer({ min: 1, max: 255 }), async (pieces, by) => {
      await using dir = await tempDir();
      const log = await makeLog(dir.path, []);
      await Deno.mkdir(dir.at("audit"));
      for (const piece of pieces) {
        if ("bytes" in piece) await log.add(piece.bytes);
        else await makeLog(dir.path, [piece.notes]);
      }
      await makeLog(dir.path, ["last"]);
      const sound = await Deno.readFile(log.path);
      const { publicKey } = await ensureSigningKey(dir.path);
      const keys = parsePublicKeys(publicKey, "the key");
      const verify = (bytes: Uint8Array) =>
        verifyLog({ log: "pipelock-dev-1", file: log.path, chunks: [bytes], keys, anchors: [] });
      assertEquals(verify(sound).firstError, "");
      for (let at = 0; at < sound.length; at++) {
        const [before, byte, after] = [sound.subarray(0, at), sound[at]!, sound.subarray(at + 1)];
        const other = (byte + by) % 256;
        const changes = {
          changed: new Uint8Array([...before, other, ...after]),
          removed: new Uint8Array([...before, ...after]),
          added: new Uint8Array([...before, other, byte, ...after]),
        };
        for (const [how, bytes] of Object.entries(changes)) {
          if (verify(bytes).ok) throw new Error(`Byte ${at} was ${how}, and nothing was found`);
        }
      }
    }),
    3,
  );
});
