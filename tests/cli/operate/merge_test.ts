import { readResponse, sha256Hex } from "../../../mod.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import type { TempDir } from "../../support/temp.ts";
import { put, rootWith, TWO_CHANGES } from "../../support/two_changes.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const BASE = "a.example\n";

/** A proposal `p1` to add b.example, where c.example is in force since. */
async function moved(now = `${BASE}c.example\n`): Promise<TempDir> {
  const dir = await rootWith("allowlist", BASE);
  const proposedFile = `${BASE}b.example\n`;
  await queueSample(dir.path, { id: "p1", proposedFile, currentFileHash: sha256Hex(BASE) });
  await put(dir, "allowlist", now);
  return dir;
}

const answerOf = (dir: TempDir, id = "p1") => readResponse(dir.at("queue", "dev-1"), id);

for (const { tool, file, base, one, other, both } of TWO_CHANGES) {
  for (const [n, [first, second]] of [[one, other], [other, one]].entries()) {
    // Threat: B7
    Deno.test(`show and approve lose none of two proposals from one ${file}, the ${n === 0 ? "older" : "newer"} one first`, async () => {
      await using dir = await rootWith(file, base);
      const currentFileHash = sha256Hex(base);
      await queueSample(dir.path, { id: "aa", tool, proposedFile: first!, currentFileHash });
      await queueSample(dir.path, { id: "bb", tool, proposedFile: second!, currentFileHash });
      for (const id of ["aa", "bb"]) {
        // A copy of what is in force is kept, as by any look.
        assertEquals((await supervise(dir.path, ["list"])).code, 0);
        assertEquals((await supervise(dir.path, ["show", id])).code, 0);
        const approved = await supervise(dir.path, ["approve", id, "--confirm", "dev-1"]);
        assertEquals(approved.code, 0, approved.err);
        await put(dir, file, (await answerOf(dir, id)).finalFile!);
      }
      const { status, finalFile } = await answerOf(dir, "bb");
      assertEquals([status, finalFile], ["modified", both[n]]);
      const { out } = await supervise(dir.path, ["show", "bb"]);
      assertStringIncludes(out, "diff, of the agent's change in the file in force");
      assertEquals(out.includes("operator's own version"), false, out);
      assertEquals((await supervise(dir.path, ["show", "bb", "--final"])).out, both[n]);
    });
  }
}

// Threat: B7
Deno.test("approve makes the change that was shown in the file that came into force since", async () => {
  await using dir = await moved(BASE);
  assertEquals((await supervise(dir.path, ["show", "p1"])).code, 0);
  await put(dir, "allowlist", `${BASE}c.example\n`);
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 0);
  assertEquals((await answerOf(dir)).finalFile, `${BASE}b.example\nc.example\n`);
});

Deno.test("approve decides no merged file that was not shown, whatever else names the proposal", async () => {
  // Never shown here: its hash alone names the agent's own file.
  await using other = await moved();
  const { out } = await supervise(other.path, ["list", "--json"]);
  const [{ proposal_sha256 }] = JSON.parse(out).pending;
  const byHash = await supervise(other.path, ["approve", "p1", "--sha256", proposal_sha256]);
  assertEquals(byHash.code, 5);
  assertStringIncludes(
    byHash.err,
    "the file that it would put in force is not the one that was shown",
  );
  assertEquals((await supervise(other.path, ["show", "p1"])).code, 0);
  assertEquals(
    (await supervise(other.path, ["approve", "p1", "--sha256", proposal_sha256])).code,
    0,
  );
  assertEquals((await answerOf(other)).finalFile, `${BASE}b.example\nc.example\n`);
});

Deno.test("approve takes no note of an older version for having shown a merged file", async () => {
  await using dir = await moved();
  assertEquals((await supervise(dir.path, ["show", "p1"])).code, 0);
  const memo = dir.at("private", "shown", "dev-1", "p1");
  const hashes = (await Deno.readTextFile(memo)).trim().split(" ");
  assertEquals(hashes[2], sha256Hex(`${BASE}b.example\nc.example\n`));
  await Deno.writeTextFile(memo, `${hashes[0]} ${hashes[1]}\n`);
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 5);
});

Deno.test("approve --if-unmarked approves a merged change that adds nothing", async () => {
  await using dir = await moved(`${BASE}b.example\n`);
  const { code, out } = await supervise(dir.path, ["approve", "p1", "--if-unmarked"]);
  assertEquals([code, out.split("\n")[0]], [0, "approved p1 (dev-1)"]);
  await using more = await moved();
  assertEquals((await supervise(more.path, ["approve", "p1", "--if-unmarked"])).code, 6);
});

Deno.test("show says that nothing is left to add, and approve answers with the file in force", async () => {
  const now = "a.example\nx.example\nb.example\n";
  await using dir = await moved(now);
  const { out } = await supervise(dir.path, ["show", "p1"]);
  assert(
    out.includes("! Nothing is left to add: the allowlist in force does what the agent asks for."),
    out,
  );
  const { code, out: said } = await supervise(dir.path, ["approve", "p1"]);
  assertEquals([code, said.split("\n")[0]], [0, "modified p1 (dev-1)"]);
  assertEquals((await answerOf(dir)).finalFile, now);
});

Deno.test("modify starts from the merged file, and refuses one that drops what came since", async () => {
  await using dir = await moved();
  const editor = dir.at("editor");
  await Deno.writeTextFile(editor, '#!/bin/sh\ncat "$1" > "$0.saw"\necho d.example >> "$1"\n', {
    mode: 0o755,
  });
  const dropped = ["modify", "p1", "--file", "-"];
  const refused = await supervise(dir.path, dropped, { input: "a.example\nb.example\n" });
  assertEquals(refused.code, 5);
  assertStringIncludes(refused.err, "this version does not keep all that changed in it since");
  const merged = `${BASE}b.example\nc.example\n`;
  const same = await supervise(dir.path, dropped, { input: merged });
  assertEquals([same.code, same.err], [
    1,
    "Cancelled: that is what an approval would put in force; approve it instead\n",
  ]);
  const { code, err } = await supervise(dir.path, ["modify", "p1"], { env: { EDITOR: editor } });
  assertEquals(code, 0, err);
  assertEquals(await Deno.readTextFile(`${editor}.saw`), merged);
  const { status, finalFile, notes } = await answerOf(dir);
  assertEquals([status, finalFile, notes], ["modified", `${merged}d.example\n`, ""]);
});
