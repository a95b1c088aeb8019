import { ensureSigningKey, exportAuditLogs, verifyAuditArchive } from "../../internal_mod.ts";
import { MalformedRecordError } from "../../mod.ts";
import { FOREIGN_LINE, makeLog } from "../support/audit.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertRejects } from "@std/assert";

const LOG = "pipelock-dev-1";

/** An archive taken apart: what its first line says of one log, and that log's lines. */
interface Parts {
  readonly head: Record<string, unknown>;
  readonly lines: readonly string[];
}

/** Makes an archive of a log of three lines, changes it, makes its lengths fit, and checks it. */
async function verifyChanged(change: (parts: Parts) => Partial<Parts>, times = 1) {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one", "two", "three"]);
  const { publicKey: publicKeys } = await ensureSigningKey(dir.path);
  const archive = await exportAuditLogs([{ component: "pipelock", slug: "dev-1" }], {
    root: dir.path,
  });
  const first = JSON.parse(new TextDecoder().decode(archive).split("\n", 1)[0]!);
  const parts = { head: first.logs[0], lines: await log.lines() };
  const { head, lines } = { ...parts, ...change(parts) };
  const text = lines.join("");
  const logs = Array(times).fill({ ...head, bytes: text.length });
  const changed = JSON.stringify({ ...first, logs }) + "\n" + text.repeat(times);
  return verifyAuditArchive(new TextEncoder().encode(changed), { file: "it", publicKeys }).logs;
}

const cut = ({ lines }: Parts) => lines.slice(0, 1);

for (
  const [what, change, says] of [
    [
      "a cut log with a head whose signature is spoilt",
      (parts: Parts) => ({ head: { ...parts.head, head_sig: "00" }, lines: cut(parts) }),
      "line 1: no trusted key signed the head that the archive states",
    ],
    [
      "a cut log with a head that is none",
      (parts: Parts) => ({ head: { ...parts.head, head: "none" }, lines: cut(parts) }),
      "line 1: no trusted key signed the head that the archive states",
    ],
    [
      "a foreign line behind what was exported",
      ({ lines }: Parts) => ({ lines: [...lines, FOREIGN_LINE] }),
      "line 4: the head that the archive states is not the log's",
    ],
    [
      "a log without lines that nobody exported",
      ({ head }: Parts) => ({ head: { ...head, log: "rebuild-dev-1" }, lines: [] }),
      "line 0: no trusted key signed the head that the archive states",
    ],
  ] as const
) {
  Deno.test(`verifyAuditArchive() finds ${what}`, async () => {
    const [found] = await verifyChanged(change);
    assertEquals([found?.ok, found?.firstError], [false, says]);
  });
}

Deno.test("verifyAuditArchive() takes a log with exactly the head that was stated for sound", async () => {
  assertEquals((await verifyChanged(() => ({}))).map(({ ok }) => ok), [true]);
});

for (const log of [`../${LOG}`, `x/${LOG}`, `${LOG}\u001b[2K`, `${LOG}  ok`, "", "x".repeat(97)]) {
  Deno.test(`verifyAuditArchive() refuses an archive of a log called ${JSON.stringify(log)}`, async () => {
    const change = ({ head }: Parts) => ({ head: { ...head, log } });
    await assertRejects(() => verifyChanged(change), MalformedRecordError, "it is not an archive");
  });
}

Deno.test("verifyAuditArchive() refuses an archive that has a log twice", async () => {
  const twice = () => verifyChanged(() => ({}), 2);
  await assertRejects(twice, MalformedRecordError, "it has a log twice");
});
