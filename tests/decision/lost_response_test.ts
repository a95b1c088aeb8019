import { AlreadyDecidedError, decide, readOverview, sha256Hex, type Verdict } from "../../mod.ts";
import { FOREIGN_LINE } from "../support/audit.ts";
import { CLIENT_KINDS } from "../support/clients.ts";
import { supervise } from "../support/command_line.ts";
import { queueOf } from "../support/operator.ts";
import { proposed, queueSample } from "../support/records.ts";
import { startSidecar } from "../support/sidecar.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";

const APPROVED = { status: "approved" } as const;

const GONE = "its response was gone, and is written again as it was recorded";

/** Decides p1, and takes its response away, as the queue's owner can. */
async function loseResponse(dir: TempDir, verdict: Verdict = APPROVED, notes = "só\n") {
  const { queueDir, path, proposalSha256 } = await queueSample(dir.path, { id: "p1" });
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1", proposalSha256 };
  const again = (verdict: Verdict) =>
    assertRejects(
      () => decide({ ...ref, verdict, notes: "other", operator: "bob@there" }),
      AlreadyDecidedError,
    );
  await decide({ ...ref, verdict, notes, operator: "ada@host" });
  const place = `${queueDir}/p1.response.json`;
  const bytes = await Deno.readFile(place);
  await Deno.remove(place);
  return { queueDir, path, place, bytes, again };
}

const listed = (dir: TempDir): [string[], string[]] => {
  const { pending, unreadable } = readOverview({ root: dir.path });
  return [pending.map(({ proposalId }) => proposalId), unreadable.map(({ reason }) => reason)];
};

const VERDICTS: readonly Verdict[] = [
  APPROVED,
  { status: "modified", finalFile: "# ⟨mïne⟩\nmine.example\n" },
  { status: "rejected" },
];

for (const verdict of VERDICTS) {
  for (
    const words of [
      ["approve", "p1"],
      ["reject", "p1", "--notes", "other"],
      ["modify", "p1", "--file", "-"],
      ["approve", "p1", "p0"],
    ]
  ) {
    // Threat: C2
    Deno.test(`${words.join(" ")} writes the lost response again, byte for byte: ${verdict.status}`, async () => {
      await using dir = await tempDir();
      await queueSample(dir.path, { id: "p0", proposedFile: "x.example\n" });
      const { place, bytes } = await loseResponse(dir, verdict);
      const [pending, [reason]] = listed(dir);
      assertEquals(pending, ["p0"]);
      assertStringIncludes(reason!, "its response is gone; to approve it writes that again");
      const { code, out, err } = await supervise(dir.path, words, { input: "own.example\n" });
      assertEquals([code === 0, out.includes("p1")], [false, false]);
      const flat = err.replaceAll(/\n ↪/g, "");
      assertStringIncludes(flat, `p1 is already ${verdict.status}, by ada@host; ${GONE}`);
      assertEquals(await Deno.readFile(place), bytes);
      assertEquals(listed(dir), [["p0"], []]);
      // It is there now: nothing is written, and nothing is said of it.
      const { ino } = await Deno.stat(place);
      const twice = await supervise(dir.path, words, { input: "own.example\n" });
      assertEquals(twice.err.includes("response"), false, twice.err);
      assertEquals((await Deno.stat(place)).ino, ino);
      assertEquals((await supervise(dir.path, ["audit", "verify"])).code, 0);
    });
  }
}

// Threat: C2
Deno.test("of more than a hundred lost responses the others are counted", async () => {
  await using dir = await tempDir();
  const ids = Array.from({ length: 103 }, (_, n) => `p${n}`);
  for (const id of ids) await queueSample(dir.path, { id });
  const lines = ids.map((id) => JSON.stringify({ ...JSON.parse(FOREIGN_LINE), proposal_id: id }));
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), lines.join("\n") + "\n");
  const [pending, reasons] = listed(dir);
  assertEquals([pending, reasons.length], [[], 101]);
  assertEquals(reasons.at(-1), "3 more are decided already, and their responses are gone");
});

// Threat: C1
Deno.test("of eight that decide a lost one again, one writes the response, and none decides", async () => {
  await using dir = await tempDir();
  const { place, bytes, again } = await loseResponse(dir);
  const errors = await Promise.all(
    Array.from({ length: 8 }, (_, n) => again(n % 2 === 0 ? APPROVED : { status: "rejected" })),
  );
  assertEquals(errors.filter(({ message }) => message.includes(GONE)).length, 1);
  assertEquals(await Deno.readFile(place), bytes);
});

type Lost = Awaited<ReturnType<typeof loseResponse>>;

const log = (dir: TempDir) => dir.at("audit", "pipelock-dev-1.log");

const UNPROVEN: readonly [string, (dir: TempDir, lost: Lost) => Promise<void>, string][] = [
  [
    "the proposal has another file by now, and no copy of the decided one is kept",
    async (dir, { path }) => {
      await Deno.remove(dir.at("private", "known"), { recursive: true });
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace("api.github.com", "api.evil.example"));
    },
    "the log has its hash, ",
  ],
  ["the line is not signed", async (dir) => {
    const decision = JSON.parse(FOREIGN_LINE);
    const final_sha256 = sha256Hex("api.example.com\napi.github.com\n");
    const line = { ...decision, proposal_id: "p1", operator_action: "approved", final_sha256 };
    await Deno.writeTextFile(log(dir), `${JSON.stringify(line)}\n`);
  }, "no key of this root signed the line"],
  ["the line was changed", async (dir) => {
    const text = await Deno.readTextFile(log(dir));
    await Deno.writeTextFile(
      log(dir),
      text.replace(/(?<="operator_notes": ?")s/, "z"),
    );
  }, "no key of this root signed the line"],
  ["another key is here now", async (dir) => {
    await Deno.remove(dir.at("private"), { recursive: true });
    await Deno.mkdir(dir.at("private"), { mode: 0o700 });
    await supervise(dir.path, ["audit", "export"]);
  }, "no key of this root signed the line"],
];

// Threat: L11
Deno.test.each(UNPROVEN)(
  "a lost response is not written again if %s",
  async (_, change, reason) => {
    await using dir = await tempDir();
    const lost = await loseResponse(dir);
    await change(dir, lost);
    const { message } = await lost.again(APPROVED);
    assertStringIncludes(message, `its response is gone, and cannot be written again: ${reason}`);
    assertStringIncludes(
      message,
      "move p1.proposal.json to processed/, and the agent can ask again",
    );
    assertEquals(await exists(lost.place), false);
  },
);

// Threat: B8
Deno.test("what another put in the place of a lost response keeps its place", async () => {
  await using dir = await tempDir();
  const { place, again } = await loseResponse(dir);
  await Deno.writeTextFile(place, "planted");
  assertEquals((await again(APPROVED)).message, "Proposal p1 is already approved, by ada@host");
  assertEquals(await Deno.readTextFile(place), "planted");
});

// Threat: B9
Deno.test("a decided proposal that is put back beside its archived response is not pending", async () => {
  await using dir = await tempDir();
  const { queueDir, place, bytes, again } = await loseResponse(dir);
  await Deno.mkdir(`${queueDir}/processed`);
  await Deno.writeFile(`${queueDir}/processed/p1.response.json`, bytes);
  const [pending, [reason, more]] = listed(dir);
  assertEquals([pending, more], [[], undefined]);
  assertStringIncludes(reason!, "unless it is in processed/");
  const { message } = await again(APPROVED);
  assertStringIncludes(message, "its response is in processed/; move the proposal there too");
  assertEquals(await exists(place), false);
  // Another one there is not the one that was recorded.
  await Deno.writeTextFile(`${queueDir}/processed/p1.response.json`, "planted");
  assertStringIncludes((await again(APPROVED)).message, GONE);
  assertEquals(await Deno.readFile(place), bytes);
});

// Threat: C2
Deno.test("an agent is told that no response is here, and gets it once it is written again", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, "dev-1", 0, ["--hold-seconds=0"]);
  await using client = await CLIENT_KINDS[2]!.connect(sidecar.url);
  await client.call("pipelock-block", { proposed_file: "# a\n", justification: "For a." });
  const id = await proposed(queueDir);
  const statusOf = () => client.call("proposal-status", { proposal_id: id });
  assertEquals((await supervise(dir.path, ["approve", id, "--if-unmarked"])).code, 0);
  await Deno.remove(`${queueDir}/${id}.response.json`);
  const { structured, text } = await statusOf();
  assertEquals([structured?.status, structured?.notes], ["pending", "No response is here yet."]);
  assert(!/decided/.test(text), text);
  assertStringIncludes(text, "pending: no response to your allowlist is here yet");
  assertEquals((await supervise(dir.path, ["approve", id])).code, 4);
  assertEquals((await statusOf()).structured?.status, "approved");
});
