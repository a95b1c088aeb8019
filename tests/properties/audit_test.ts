import {
  ensureSigningKey,
  exportAuditLogs,
  formatAnchors,
  parseAnchors,
  verifyAuditArchive,
} from "../../internal_mod.ts";
import { verifyAuditLog, writeAuditEntry } from "../../mod.ts";
import { linkOf } from "../../src/log/chain.ts";
import { parsePublicKeys } from "../../src/log/key.ts";
import { encodeResponse } from "../../src/records/codec.ts";
import { parseHead } from "../../src/records/head.ts";
import {
  anyFile,
  anyHead,
  anyRecordFile,
  anyResponse,
  anyText,
  mutation,
  readable,
  shortText,
  textOf,
} from "../support/arbitraries.ts";
import { attempt, documented } from "../support/documented.ts";
import { holds } from "../support/properties.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const LOG = { component: "pipelock", slug: "dev-1" };

/** A root with a log of a few chained lines, and the log's path. */
async function chained(dir: TempDir): Promise<string> {
  let path = "";
  for (const text of fc.sample(shortText, 6)) {
    path = await writeAuditEntry({
      timestamp: "2026-11-22T10:49:36.924Z",
      component: LOG.component,
      bottleSlug: LOG.slug,
      operatorAction: "operator-edit",
      operatorNotes: text,
      justification: "",
      diff: "",
    }, { root: dir.path });
  }
  return path;
}

const verify = (root: string) => verifyAuditLog(LOG.component, LOG.slug, { root });

// Threat: L1
Deno.test("verifyAuditLog() finds any change to the bytes of a chained log", async () => {
  await using dir = await tempDir();
  const path = await chained(dir);
  const original = await Deno.readFile(path);
  assert((await verify(dir.path)).ok);
  const changed = fc.array(mutation, { minLength: 1, maxLength: 3 })
    .map((changes) => readable(changes.reduce((bytes, change) => change(bytes), original)));
  await holds(fc.asyncProperty(changed, async (bytes) => {
    await Deno.writeFile(path, bytes);
    // What is appended behind it covers nothing, and may be the Python original's.
    fc.pre(original.some((byte, n) => byte !== bytes[n]));
    const { ok, firstError } = await verify(dir.path);
    assert(!ok && firstError !== "");
  }));
});

// Threat: B10
Deno.test("verifyAuditLog() takes no answer that somebody planted for an anchor", async () => {
  await using dir = await tempDir();
  await chained(dir);
  const { head } = await verify(dir.path);
  await Deno.mkdir(dir.at("queue", "dev-1", "processed"), { recursive: true });
  const claim = fc.tuple(anyResponse(fc.constant("p1")), anyHead)
    .map(([response, auditHead]) =>
      encodeResponse({ ...response, auditHead: { ...auditHead, log: "pipelock-dev-1" } })
    );
  const file = fc.oneof(
    claim.map((text) => readable(new TextEncoder().encode(text))),
    anyRecordFile(claim),
  );
  await holds(
    fc.asyncProperty(file, fc.boolean(), async (bytes, archived) => {
      const queueDir = dir.at("queue", "dev-1", ...(archived ? ["processed"] : []));
      await Deno.writeFile(`${queueDir}/p1.response.json`, bytes);
      const found = await verify(dir.path);
      assertEquals([found.ok, found.head, found.firstError], [true, head, ""]);
    }),
    100,
  );
});

// Threat: L8
Deno.test("verifyAuditArchive() fails only as it documents, and passes no changed byte", async () => {
  await using dir = await tempDir();
  await chained(dir);
  const original = await exportAuditLogs([LOG], { root: dir.path });
  const { publicKey: publicKeys } = await ensureSigningKey(dir.path);
  const contract = documented("internal_mod.ts", "verifyAuditArchive");
  const sound = attempt(contract, () => verifyAuditArchive(original, { file: "it", publicKeys }));
  assert(sound?.problem === "" && sound.logs.every(({ ok }) => ok));
  const changed = fc.array(mutation, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((bytes, change) => change(bytes), new Uint8Array(original)));
  const archive = fc.oneof(
    { weight: 3, arbitrary: changed.map(readable) },
    anyFile(fc.constant(new TextDecoder().decode(original))),
  );
  let passed = 0;
  // What was exported is among them, so that something passes.
  const archives = fc.oneof({ weight: 9, arbitrary: archive }, fc.constant(original));
  holds(fc.property(archives, fc.boolean(), (bytes, trusting) => {
    const options = { file: "it", ...(!trusting && { publicKeys }) };
    const found = attempt(contract, () => verifyAuditArchive(bytes, options));
    if (found === undefined || trusting || found.problem !== "") return;
    if (!found.logs.every(({ ok }) => ok)) return;
    assertEquals(bytes, original, "other bytes pass for those exported");
    passed++;
  }));
  assert(passed > 0, "no archive passed");
});

const anchor = textOf("pipelock-dev-1", " ", "0:", "12:", "0".repeat(64), "f", "\n", "#", ":");

Deno.test("parseAnchors() fails only as it documents, and reads what formatAnchors() writes", () => {
  const contract = documented("internal_mod.ts", "parseAnchors");
  const anchorLine = fc.tuple(fc.nat(), fc.stringMatching(/^[0-9a-f]{64}$/))
    .map(([seq, hash]) => `pipelock-dev-1 ${seq}:${hash}\n`);
  let read = 0;
  holds(fc.property(fc.oneof(anchor, anyText, anchorLine), (text) => {
    const anchors = attempt(contract, () => parseAnchors(text, "a file"));
    if (anchors === undefined) return;
    read += anchors.length;
    const again = parseAnchors(formatAnchors(anchors), "a file");
    const plain = (all: typeof anchors) => all.map(({ log, seq, hash }) => [log, seq, hash]);
    assertEquals(plain(again), plain(anchors));
  }));
  assert(read > 0, "no anchor was read");
});

Deno.test("parseHead(), linkOf() and parsePublicKeys() fail only as they document, for any text", async () => {
  await using dir = await tempDir();
  const { publicKey } = await ensureSigningKey(dir.path);
  const [heads, links, keys] = [
    documented("src/records/head.ts", "parseHead"),
    documented("src/log/chain.ts", "linkOf"),
    documented("src/log/key.ts", "parsePublicKeys"),
  ];
  holds(fc.property(anyFile(fc.constant(publicKey)), anchor, (bytes, text) => {
    attempt(heads, () => parseHead(text));
    attempt(links, () => linkOf(bytes));
    attempt(keys, () => parsePublicKeys(new TextDecoder().decode(bytes), "a file"));
  }));
});
