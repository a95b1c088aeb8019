import { decidedAmong, readAuditHead } from "../../internal_mod.ts";
import {
  AlreadyDecidedError,
  auditLogPath,
  decide,
  findDecision,
  inspectProposal,
  readAuditEntries,
  verifyAuditLog,
  writeAuditEntry,
} from "../../mod.ts";
import { encodeAuditEntry } from "../../src/records/codec.ts";
import { sealLine } from "../../src/log/chain.ts";
import { openSigningKey } from "../../src/log/key.ts";
import { FOREIGN_LINE, sampleEntry } from "../support/audit.ts";
import { supervise } from "../support/command_line.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";

type Fields = Readonly<Record<string, unknown>>;

const escaped = (text: string) =>
  [...text].map((unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`)
    .join("");

/** The spellings of one JSON object on one line, as other writers have them. */
const SPELLINGS: readonly (readonly [what: string, spell: (fields: Fields) => string])[] = [
  ["without blanks", (fields) => JSON.stringify(fields)],
  [
    "with blanks as Python writes them",
    (fields) => JSON.stringify(fields, null, 1).replace(/\n */g, " "),
  ],
  [
    "with tabs and a CR around every sign",
    (fields) =>
      `\t { ${
        Object.entries(fields).map(([key, value]) => `"${key}"\t:\r ${JSON.stringify(value)}`)
          .join(" \t,\r")
      } }\t`,
  ],
  [
    "with escaped letters in every key and text",
    (fields) =>
      `{${
        Object.entries(fields).map(([key, value]) =>
          `"${escaped(key)}":${typeof value === "string" ? `"${escaped(value)}"` : value}`
        ).join(",")
      }}`,
  ],
  [
    "with its keys in another order",
    (fields) => JSON.stringify(Object.fromEntries(Object.entries(fields).reverse())),
  ],
  [
    "with keys twice, of which the last counts",
    (fields) => JSON.stringify(fields).replace("{", '{"proposal_id":"p9","operator_action":"x",'),
  ],
  [
    "with other keys and values around",
    (fields) =>
      `{"a":[{"proposal_id":"p9"}],${JSON.stringify(fields).slice(1, -1)},"z":{"b":null}}`,
  ],
  ["ended by CR and LF", (fields) => `${JSON.stringify(fields)}\r`],
];

const log = (dir: TempDir) => auditLogPath("pipelock", "dev-1", { root: dir.path });

/** So much that a decision behind it is found by the index. */
const LONG = FOREIGN_LINE.replace('"diff": ""', `"diff": "${"+x\\n".repeat(30_000)}"`);

for (const [what, spell] of SPELLINGS) {
  for (const before of ["", LONG]) {
    const where = before === "" ? "a short log" : "a log with an index";
    // Threat: B9, L5
    Deno.test(`a decision written ${what} in ${where} is found, and none is made again`, async () => {
      await using dir = await tempDir();
      await queueSample(dir.path, { id: "p1" });
      await queueSample(dir.path, { id: "p2" });
      const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
      const shown = await inspectProposal(ref);
      const said = { ...shown, ...ref, verdict: { status: "approved" }, notes: "" } as const;
      await Deno.mkdir(dir.at("audit"), { recursive: true });
      const fields = { ...JSON.parse(FOREIGN_LINE), proposal_id: "p1" };
      await Deno.writeTextFile(log(dir), `${before}${spell(fields)}\n${before}`);
      assertEquals(findDecision(ref)?.operatorAction, "approved");
      // Once more, by the index that the first look made.
      assertEquals([...decidedAmong(new Set(["p1", "p9"]), "dev-1", dir.path).keys()], ["p1"]);
      await assertRejects(() => decide({ ...said, operator: "ada@host" }), AlreadyDecidedError);
      assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 4);
      // An append counts it in, and finds no reason to repair anything.
      assertEquals((await supervise(dir.path, ["show", "p2"])).code, 0);
      assertEquals((await supervise(dir.path, ["approve", "p2"])).code, 0);
      const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
      assertEquals(entries.filter(({ proposalId }) => proposalId === "p1").length, 1);
      const { ok, foreign } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
      assertEquals([ok, foreign], [true, before === "" ? 1 : 3]);
      const { out } = await supervise(dir.path, ["audit", "show", "--json"]);
      assertStringIncludes(out, '"proposal_id":"p1"');
    });
  }

  // Threat: L5
  Deno.test(`a chained line written ${what} undoes a decision, and one that is not does not`, async () => {
    await using dir = await tempDir();
    await writeAuditEntry(sampleEntry(), { root: dir.path });
    const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
    const fields = JSON.parse(encodeAuditEntry(sampleEntry({ operatorAction: "superseded" })));
    const line = spell(fields);
    await Deno.writeTextFile(log(dir), `${line}\n`, { append: true });
    assertEquals(findDecision(ref)?.operatorAction, "approved");
    const { privateKey, fingerprint } = await openSigningKey(dir.path);
    const head = await readAuditHead({ component: "pipelock", slug: "dev-1" }, { root: dir.path });
    const keyed = spell({ ...fields, operator_key: fingerprint });
    const sealed = sealLine("pipelock-dev-1", keyed, head, privateKey);
    await Deno.writeFile(log(dir), sealed, { append: true });
    assertEquals(findDecision(ref), undefined);
    assert((await verifyAuditLog("pipelock", "dev-1", { root: dir.path })).ok);
  });
}

// Threat: L5
Deno.test("a line that only looks signed, or is a copy of an older one, undoes no decision", async () => {
  await using dir = await tempDir();
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1" };
  const options = { root: dir.path };
  const append = (line: Uint8Array | string) =>
    Deno.writeFile(log(dir), new TextEncoder().encode(String(line)), { append: true });
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const undoing = sampleEntry({ operatorAction: "superseded" });
  await writeAuditEntry(sampleEntry(), options);
  const { privateKey, fingerprint } = await openSigningKey(dir.path);
  const head = await readAuditHead({ component: "pipelock", slug: "dev-1" }, options);
  const keyed = JSON.stringify({
    ...JSON.parse(encodeAuditEntry(undoing)),
    operator_key: fingerprint,
  });
  const genuine = text(sealLine("pipelock-dev-1", keyed, head, privateKey));
  const forged: Readonly<Record<string, string>> = {
    "another key's signature": text(
      sealLine("pipelock-dev-1", keyed, head, generateKeyPairSync("ed25519").privateKey),
    ),
    "another log's signature": text(sealLine("pipelock-dev-2", keyed, head, privateKey)),
    "no signature": genuine.replace(/"sig":"[0-9a-f]+"/, `"sig":"${"0".repeat(128)}"`),
    "another place": genuine.replace(`"seq":${head.seq}`, `"seq":${head.seq + 7}`),
    "another key's name": genuine.replace(fingerprint, `SHA256:${"A".repeat(43)}`),
  };
  for (const [what, line] of Object.entries(forged)) {
    await append(line);
    assertEquals(findDecision(ref)?.operatorAction, "approved", what);
  }
  await Deno.remove(log(dir));
  await Deno.remove(dir.at("private", "heads"), { recursive: true });
  // Decided, undone and decided again; then the line that undid it once more.
  for (const entry of [sampleEntry(), undoing, sampleEntry({ operatorAction: "rejected" })]) {
    await writeAuditEntry(entry, options);
  }
  assertEquals(findDecision(ref)?.operatorAction, "rejected");
  await append((await Deno.readTextFile(log(dir))).split("\n")[1]! + "\n");
  assertEquals(findDecision(ref)?.operatorAction, "rejected");
});
