import { readAuditEntries, readOverview, readResponse } from "../../../mod.ts";
import { showAll, supervise } from "../../support/command_line.ts";
import { inEnvironment } from "../../support/environment.ts";
import { TextLineStream } from "../../support/lines.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** What is printed last where no applier is configured. */
const FILE_ALONE = "in force: the file alone: nothing reloads it\n";

const HIGH = "api.example.com\n*.example.org\n";

function pendingIds({ path }: TempDir): string[] {
  return readOverview({ root: path }).pending.map(({ proposal }) => proposal.id).sort();
}

async function putInForce(dir: TempDir, content: string, slug = "dev-1"): Promise<void> {
  await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", slug, "allowlist"), content);
}

Deno.test("approve and reject decide several proposals, in the order in which they were named", async () => {
  await using dir = await tempDir();
  for (const id of ["aa11", "bb22", "cc33", "dd44"]) await queueSample(dir.path, { id });
  await showAll(dir.path, "cc33", "aa11");
  const approved = await supervise(dir.path, ["approve", "cc", "aa11", "--notes", "fine"]);
  assertEquals(approved.code, 0);
  assertEquals(approved.out, `approved cc33 (dev-1)\napproved aa11 (dev-1)\n${FILE_ALONE}`);
  const rejected = await supervise(dir.path, ["reject", "bb", "dd", "--notes", "no"]);
  assertEquals(
    [rejected.code, rejected.out, rejected.err],
    [0, "rejected bb22 (dev-1)\nrejected dd44 (dev-1)\n", ""],
  );
  const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(
    entries.map(({ proposalId, operatorAction, operatorNotes }) =>
      `${proposalId} ${operatorAction} ${operatorNotes}`
    ),
    ["cc33 approved fine", "aa11 approved fine", "bb22 rejected no", "dd44 rejected no"],
  );
});

Deno.test("approve of several goes on after each failure, and says on standard error which it was", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "api.example.com\n");
  await queueSample(dir.path, { id: "aa11" });
  await queueSample(dir.path, { id: "aa12" });
  await queueSample(dir.path, { id: "stale", currentFileHash: "0".repeat(64) });
  await queueSample(dir.path, { id: "marked", proposedFile: HIGH });
  await queueSample(dir.path, { id: "unsound", proposedFile: "not a host\n" });
  await queueSample(dir.path, { id: "last", bottleSlug: "dev-2" });
  const words = ["aa", "nowhere", "stale", "marked", "unsound", "last"];
  await showAll(dir.path, "aa11", "stale", "marked", "unsound", "last");
  const { code, out, err } = await supervise(dir.path, ["approve", ...words]);
  assertEquals([code, out], [1, `approved id "last" (dev-2)\n${FILE_ALONE}`]);
  const lines = err.split("\n").filter((line) => !line.startsWith("! created the audit"));
  assertEquals(lines.map((line) => line.split(":")[0]), [...words.slice(0, -1), ""]);
  assertStringIncludes(lines[0]!, "aa: Cannot tell which proposal aa is: aa1");
  assertEquals(pendingIds(dir), ["aa11", "aa12", "marked", "stale", "unsound"]);
});

Deno.test("approve --json of several prints one object, a result for each in order", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "aa11" });
  await queueSample(dir.path, { id: "bb22", proposedFile: HIGH });
  await showAll(dir.path, "aa11", "bb22");
  const args = ["approve", "bb", "aa", "nowhere", "--json", "--notes", "ok"];
  const { code, out, err } = await supervise(dir.path, args);
  assertEquals(code, 1);
  const { version, results, ...rest } = JSON.parse(out);
  assertEquals([version, rest], [1, {}]);
  const [marked, { audit_head, ...approved }, missing] = results;
  assertEquals([marked.id, marked.error.code], ["bb22", "unconfirmed"]);
  const made = { status: "approved", notes: "ok", applied: "the file alone: nothing reloads it" };
  assertEquals(approved, { id: "aa11", bottle_slug: "dev-1", ...made });
  assertMatch(audit_head, /^1:[0-9a-f]{64}$/);
  assertEquals([missing.id, missing.error.code], ["nowhere", "not_found"]);
  assertStringIncludes(err, `nowhere: ${missing.error.message}`);
});

for (
  const [what, words, code] of [
    ["all are done", ["aa", "bb"], 0],
    ["one failed", ["aa", "x1"], 3],
    ["all failed alike", ["x1", "x2"], 3],
    ["they failed unlike", ["x1", "marked"], 1],
  ] as const
) {
  Deno.test(`approve of several ends with exit code ${code} when ${what}`, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "aa11" });
    await queueSample(dir.path, { id: "bb22" });
    await queueSample(dir.path, { id: "marked", proposedFile: HIGH });
    await showAll(dir.path, "aa11", "bb22", "marked");
    assertEquals((await supervise(dir.path, ["approve", ...words])).code, code);
  });
}

for (
  const [what, args, says] of [
    ["an id is named twice", ["aa11", "bb22", "aa11"], "Cannot decide aa11 twice"],
    ["two beginnings mean one", ["aa11", "bb22", "a"], "as aa11 and as a"],
    ["an unknown id is named twice", ["x", "aa11", "x"], "Cannot decide x twice"],
    ["a word is no id", ["aa11", "../bb22"], 'Cannot use "../bb22" as a proposal id'],
    ["--sha256 is given", ["aa11", "bb22", "--sha256", "0".repeat(64)], "with several ids"],
  ] as const
) {
  Deno.test(`approve of several decides nothing when ${what}`, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "aa11" });
    await queueSample(dir.path, { id: "bb22" });
    const { code, out, err } = await supervise(dir.path, ["approve", ...args]);
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, says);
    assertEquals(pendingIds(dir), ["aa11", "bb22"]);
  });
}

Deno.test("approve --confirm counts for the bottle that it names, and may be repeated", async () => {
  await using dir = await tempDir();
  for (const n of [1, 2, 3]) {
    await queueSample(dir.path, { id: `p${n}`, bottleSlug: `dev-${n}`, proposedFile: HIGH });
  }
  await showAll(dir.path, "p1", "p2", "p3");
  const args = ["approve", "p1", "p2", "p3", "--confirm", "dev-3", "--confirm", "dev-1"];
  const { code, out, err } = await supervise(dir.path, args);
  assertEquals([code, out], [1, `approved p1 (dev-1)\napproved p3 (dev-3)\n${FILE_ALONE}`]);
  assertStringIncludes(
    err,
    "p2: Cannot decide proposal p2: it has marks that somebody must confirm",
  );
  assertEquals(pendingIds(dir), ["p2"]);
});

Deno.test("approve of two changes of one file answers both, each for the file in force that was shown", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "api.example.com\n");
  const one = await queueSample(dir.path, { id: "p1", proposedFile: "one.example\n" });
  await queueSample(dir.path, { id: "p2", proposedFile: "two.example\n" });
  await showAll(dir.path, "p1", "p2");
  const { code } = await supervise(dir.path, ["approve", "p1", "p2"]);
  assertEquals(code, 0);
  // The second change is made in the file that the first one put in force.
  const [first, second] = [
    await readResponse(one.queueDir, "p1"),
    await readResponse(one.queueDir, "p2"),
  ];
  assertEquals([first.status, first.finalFile], ["approved", "one.example\n"]);
  assertEquals([second.status, second.finalFile], ["modified", "one.example\ntwo.example\n"]);
  const [, entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertStringIncludes(entry!.diff, " one.example\n+two.example");
});

// Threat: B6
Deno.test("approve of several binds all of them to what it saw before it decided the first", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "api.example.com\n");
  await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2", bottleSlug: "dev-2" });
  await queueSample(dir.path, { id: "p3" });
  const changed = await queueSample(dir.path, { id: "p4", bottleSlug: "dev-3" });

  await showAll(dir.path, "p1", "p2", "p3", "p4");
  // The second one waits here for its bottle's lock, behind the first one's decision.
  await Deno.mkdir(dir.at("private", "locks"), { recursive: true });
  using lock = await Deno.open(dir.at("private", "locks", "dev-2.lock"), {
    write: true,
    create: true,
  });
  lock.lockSync(true);
  const approve = new Deno.Command("sh", {
    args: [join(REPO, "cli/supervise.sh"), "approve", "p1", "p2", "p3", "p4"],
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" }),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const complaints = new Response(approve.stderr).text();
  const lines = approve.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  assertEquals((await lines.read()).value, "approved p1 (dev-1)");
  // As an operator's edit would, and as a sidecar may at any time.
  await putInForce(dir, "api.example.com\napi.github.com\n");
  await queueSample(dir.path, { ...changed.proposal, justification: "Trust me." });
  lock.unlockSync();

  assertEquals((await lines.read()).value, "approved p2 (dev-2)");
  // What it would add is in force by now.
  assertEquals((await lines.read()).value, "approved p3 (dev-1)");
  assertEquals((await lines.read()).value, FILE_ALONE.trimEnd());
  assertEquals((await lines.read()).done, true);
  assertEquals((await approve.status).code, 5);
  const err = await complaints;
  assertStringIncludes(err, "p4: Cannot decide proposal p4: it is not the one that was shown");
  assertEquals(pendingIds(dir), ["p4"]);
});

Deno.test("modify and show take one id", async () => {
  await using dir = await tempDir();
  for (const verb of ["modify", "show"]) {
    const { code, err } = await supervise(dir.path, [verb, "a", "b"]);
    assertEquals(code, 2);
    assertStringIncludes(err, "expected one ID, found 2");
  }
});

// Threat: C4
Deno.test("what cannot be printed ends no batch, and undoes no decision in words", async () => {
  await using dir = await tempDir();
  const ids = ["p1", "p2", "p3", "p4", "p5"];
  for (const id of ids) await queueSample(dir.path, { id });
  const env = { CLAUDE_BOTTLE_ROOT: dir.path };
  const onFullDisk = (words: string) =>
    run("sh", ["-c", `sh ${join(REPO, "cli/supervise.sh")} reject --notes no ${words}`], { env });
  // Nothing of it can be printed; the complaint about the one in the middle cannot.
  const several = await onFullDisk("p1 p2 > /dev/full");
  const complaint = await onFullDisk("p3 nope p4 2> /dev/full");
  const json = await onFullDisk("p5 --json > /dev/full");
  assertEquals(pendingIds(dir), []);
  assertEquals([several.code, complaint.code, json.code], [1, 3, 1]);
  assertEquals(complaint.out, "rejected p3 (dev-1)\nrejected p4 (dev-1)\n");
  for (const { err } of [several, json]) {
    assertMatch(err, /^Cannot print all of it: No space.*; what was decided is recorded, see/m);
    assert(!/Cannot go on|Uncaught| at /.test(err), err);
  }
});

Deno.test("a proposal that is printed, and cannot be noted as shown, is printed once", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await Deno.mkdir(dir.at("private", "shown"), { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(dir.at("private", "shown", "dev-1"), "");
  const { code, out, err } = await supervise(dir.path, ["show", "p1", "--json"]);
  assertEquals([code, JSON.parse(out).id], [0, "p1"]);
  assertMatch(err, /^! it could not be noted that this was shown \(.*: approve it with --sha256$/m);
});
