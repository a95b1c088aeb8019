import { readOverview, sha256Hex, writeResponse } from "../../../mod.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const IN_FORCE = "api.example.com\nold.example\n";

async function prepare(dir: TempDir): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), IN_FORCE);
}

Deno.test("approve --if-unmarked approves a change that nobody would look at twice", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await queueSample(dir.path, {
    id: "p1",
    proposedFile: `${IN_FORCE}# other.example\n`,
    currentFileHash: sha256Hex(IN_FORCE),
  });
  const { code, out } = await supervise(dir.path, ["approve", "p1", "--if-unmarked"]);
  assertEquals([code, out.split("\n")[0]], [0, "approved p1 (dev-1)"]);
});

for (
  const [what, change, reason] of [
    ["a high mark", { proposedFile: `${IN_FORCE}*.example.org\n` }, "high wildcard-host on line 3"],
    [
      "a low mark of a new host",
      { proposedFile: `${IN_FORCE}api2.example.com\n` },
      "low new-host on line 3",
    ],
    [
      "a medium mark",
      { proposedFile: `${IN_FORCE}unheard.dev\n` },
      "medium new-owner on line 3",
    ],
    ["a low mark", { proposedFile: "api.example.com\n" }, "low removed-host on old line 2"],
    ["a stale file", {
      proposedFile: `${IN_FORCE}# other.example\n`,
      currentFileHash: sha256Hex("another\n"),
    }, "not the one the agent started from"],
    ["an unsound file", { proposedFile: `${IN_FORCE}no host\n` }, "invalid allowlist: line 3: "],
    ["many marks", {
      proposedFile: `${IN_FORCE}*.a.example\n*.b.example\n*.c.example\n*.d.example\n`,
    }, "line 5, and 1 more)"],
  ] as const
) {
  Deno.test(`approve --if-unmarked leaves ${what} to a person, exit 6`, async () => {
    await using dir = await tempDir();
    await prepare(dir);
    await queueSample(dir.path, { id: "p1", ...change });
    const { code, out, err } = await supervise(dir.path, [
      "approve",
      "p1",
      "--if-unmarked",
      "--json",
    ]);
    const { error } = JSON.parse(out);
    assertEquals([code, error.code, err], [6, "marked", `${error.message}\n`]);
    assertStringIncludes(error.message, reason);
    assertEquals(readOverview({ root: dir.path }).pending.length, 1);
  });
}

Deno.test("approve --if-unmarked leaves an answer without a record to a person, and goes on", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const proposedFile = `${IN_FORCE}# other.example\n`;
  const { queueDir } = await queueSample(dir.path, { id: "p1", proposedFile });
  await queueSample(dir.path, { id: "p2", proposedFile });
  const planted = { proposalId: "p1", status: "approved", notes: "", finalFile: "x" } as const;
  await writeResponse(queueDir, planted);
  const { code, out, err } = await supervise(dir.path, ["approve", "p1", "p2", "--if-unmarked"]);
  assertEquals([code, out], [
    6,
    "approved p2 (dev-1)\nin force: the file alone: nothing reloads it\n",
  ]);
  assertStringIncludes(
    err,
    "p1: Cannot decide proposal p1 unseen: it is answered without a record",
  );
});

for (
  const contrary of [["--confirm", "dev-1"], ["--allow-stale"], ["--override-unrecorded"]]
) {
  Deno.test(`approve --if-unmarked with ${contrary[0]} is refused as contradictory`, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const args = ["approve", "p1", "--if-unmarked", ...contrary];
    const { code, err } = await supervise(dir.path, args);
    assertEquals(code, 2);
    assertStringIncludes(err, `Cannot use --if-unmarked with ${contrary[0]}`);
    assertEquals(readOverview({ root: dir.path }).pending.length, 1);
  });
}

Deno.test("approve --if-unmarked without an ID is refused: a review is no script", async () => {
  await using dir = await tempDir();
  const { code, err } = await supervise(dir.path, ["approve", "--if-unmarked"]);
  assertEquals([code, err.split("\n")[0]], [
    2,
    "Cannot use --if-unmarked without an ID: write approve ID --if-unmarked; approve alone is review, which asks",
  ]);
});
