import { sha256Hex } from "../../mod.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { readDisk } from "./disk.ts";
import {
  type Decision,
  problemsAtAnyTime,
  problemsAtTheEnd,
  problemsOfReport,
  type Said,
} from "./invariants.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const DECISION: Decision = { id: "p1", status: "approved", notes: "fine", finalFile: "a\n" };

const LINE = { operator_action: "approved", operator_notes: "fine", proposal_id: "p1" };

const ANSWER = { proposal_id: "p1", status: "approved", notes: "fine", final_file: "a\n" };

const LOG = "audit/pipelock-dev-1.log";

const RESPONSE = "queue/dev-1/p1.response.json";

const lineOf = (change: Record<string, unknown> = {}) =>
  JSON.stringify({ ...LINE, ...change }) + "\n";

const answerOf = (change: Record<string, unknown> = {}) => JSON.stringify({ ...ANSWER, ...change });

/** Makes a root in which a proposal was approved, but for some of its files. */
async function rootWith(dir: TempDir, files: Readonly<Record<string, string | undefined>>) {
  const whole: Record<string, string | undefined> = {
    "queue/dev-1/p1.proposal.json": JSON.stringify({ id: "p1" }),
    [RESPONSE]: answerOf(),
    [LOG]: lineOf({ operator_action: "operator-edit", proposal_id: undefined }) + lineOf(),
    "private/heads/pipelock-dev-1": `1:${"0".repeat(64)} ${"0".repeat(64)} 0 9`.padEnd(255) + "\n",
    ...files,
  };
  for (
    const folder of [
      "queue/dev-1/processed",
      "audit",
      "private/intents",
      "private/staging/dev-1",
      "private/heads",
    ]
  ) {
    await Deno.mkdir(dir.at(folder), { recursive: true });
  }
  for (const [path, text] of Object.entries(whole)) {
    if (text !== undefined) await Deno.writeTextFile(dir.at(path), text);
  }
  return readDisk(dir.path);
}

Deno.test("problemsAtTheEnd() finds nothing in a sound root", async () => {
  await using dir = await tempDir();
  const disk = await rootWith(dir, {});
  assertEquals(problemsAtTheEnd(disk, [DECISION]), []);
  assertEquals(disk.answers.length, 1);
  assertEquals(problemsOfReport(disk, { exit: 0, code: undefined }, DECISION), []);
});

Deno.test("problemsAtTheEnd() takes a decision that was superseded for none", async () => {
  await using dir = await tempDir();
  const answered = answerOf({ status: "rejected", final_file: null });
  const disk = await rootWith(dir, {
    [LOG]: lineOf() + lineOf({ operator_action: "superseded" }) +
      lineOf({ operator_action: "rejected" }),
    [RESPONSE]: answered,
  });
  assertEquals(problemsAtTheEnd(disk, [{ ...DECISION, status: "rejected", finalFile: null }]), []);
});

Deno.test.each([
  ["an answer without a record", { [LOG]: "" }, "the answer approved of p1 has no record"],
  ["a log that is gone", { [LOG]: undefined }, "the answer approved of p1 has no record"],
  [
    "a record whose LF is missing",
    { [LOG]: lineOf().trimEnd() },
    "the answer approved of p1 has no record",
  ],
  [
    "an answer that is not the record's",
    { [LOG]: lineOf({ operator_action: "rejected" }) },
    "the answer approved of p1 has no record",
  ],
  ["an answer cut short", { [RESPONSE]: answerOf().slice(0, -3) }, `${RESPONSE} is not whole`],
  ["an empty answer", { [RESPONSE]: "" }, `${RESPONSE} is not whole`],
  [
    "an archived answer cut short",
    { "queue/dev-1/processed/p1.response.json": "{" },
    "processed/p1.response.json is not whole",
  ],
  [
    "another proposal's answer",
    { [RESPONSE]: answerOf({ proposal_id: "p2" }) },
    `${RESPONSE} is not whole`,
  ],
  [
    "a proposal cut short",
    { "queue/dev-1/p2.proposal.json": '{"id": "p2"' },
    "p2.proposal.json is not whole",
  ],
  ["a torn line in the log", { [LOG]: `{"diff\n${lineOf()}` }, `${LOG}, line 1 is not whole`],
  ["two lines in one", { [LOG]: lineOf().trimEnd() + lineOf() }, `${LOG}, line 1 is not whole`],
  ["two decisions", { [LOG]: lineOf() + lineOf() }, "2 decisions on p1 are recorded"],
  ["half a head", { "private/heads/pipelock-dev-1": "1:ab" }, "pipelock-dev-1 is not whole"],
  [
    "half a key",
    { "private/audit-signing-key.pem": "-----BEGIN PRIVATE KEY-----\n" },
    "key.pem is not whole",
  ],
  ["half an intent", { "private/intents/dev-1.json": "{" }, "intents/dev-1.json is not whole"],
])("problemsAtAnyTime() finds %s", async (_name, files, problem) => {
  await using dir = await tempDir();
  assertStringIncludes(problemsAtAnyTime(await rootWith(dir, files)).join("\n"), problem);
});

Deno.test.each([
  ["a lost decision", { [LOG]: "", [RESPONSE]: undefined }, "0 decisions on p1 are recorded"],
  ["a record without an answer", { [RESPONSE]: undefined }, "p1 has 0 answers"],
  [
    "somebody else's record without an answer",
    { [LOG]: lineOf() + lineOf({ proposal_id: "p2" }) },
    "the recorded decision on p2 has no answer",
  ],
  [
    "another file in the answer",
    { [RESPONSE]: answerOf({ final_file: "b\n" }) },
    "the answer of p1 says approved, or another file or notes",
  ],
  ["other notes in the record", { [LOG]: lineOf({ operator_notes: "" }) }, "the record of p1 says"],
  ["a torn line at the end", { [LOG]: `${lineOf()}{"diff` }, `${LOG} ends in a torn line`],
  ["an intent", { "private/intents/dev-1.json": "{}" }, "intents/dev-1.json is still there"],
  ["staging", { "private/staging/dev-1/.x.tmp": "" }, "dev-1/.x.tmp is left behind"],
  ["a probe in the queue", { "queue/dev-1/.x.tmp": "" }, "queue/dev-1/.x.tmp is left behind"],
])("problemsAtTheEnd() finds %s", async (_name, files, problem) => {
  await using dir = await tempDir();
  const problems = problemsAtTheEnd(await rootWith(dir, files), [DECISION]);
  assertStringIncludes(problems.join("\n"), problem);
});

const NOTHING = { [LOG]: "", [RESPONSE]: undefined };

Deno.test.each<[string, Said, Record<string, string | undefined>, string]>([
  ["success without a record", { exit: 0, code: undefined }, NOTHING, "0 decisions on p1"],
  [
    "success without an answer",
    { exit: 0, code: undefined },
    { [RESPONSE]: undefined },
    "0 answers",
  ],
  ["a record that is not there", { exit: 1, code: "recorded" }, NOTHING, "no line is there"],
  ["failure that is a decision", { exit: 1, code: "failed" }, {}, "the decision is recorded"],
  ["failure that is an answer", { exit: 1, code: "failed" }, { [LOG]: "" }, "the answer is there"],
])("problemsOfReport() finds %s", async (_name, said, files, problem) => {
  await using dir = await tempDir();
  const problems = problemsOfReport(await rootWith(dir, files), said, DECISION);
  assertStringIncludes(problems.join("\n"), problem);
});

Deno.test.each<[string, Said | "died", Record<string, string | undefined>]>([
  ["a refusal", { exit: 1, code: "failed" }, NOTHING],
  ["a record", { exit: 1, code: "recorded" }, { [RESPONSE]: undefined }],
  ["a command that died", "died", { [RESPONSE]: undefined }],
])("problemsOfReport() believes %s that the disk bears out", async (_name, said, files) => {
  await using dir = await tempDir();
  assertEquals(problemsOfReport(await rootWith(dir, files), said, DECISION), []);
});

Deno.test("a file in force is the one before or the one after, and in the end what was recorded last", async () => {
  const about = { bottle_slug: "dev-1", component: "pipelock", final_sha256: sha256Hex("a\n") };
  const inForce = async (text: string | undefined) => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
    const disk = await rootWith(dir, {
      [LOG]: lineOf(about),
      "queue/dev-1/p1.proposal.json": JSON.stringify({
        ...{ id: "p1", proposed_file: "a\n", current_file_hash: sha256Hex("before\n") },
      }),
      "current-config/dev-1/allowlist": text,
    });
    return [problemsAtAnyTime(disk), problemsAtTheEnd(disk, [DECISION])];
  };
  const other = "current-config/dev-1/allowlist is not what was recorded last";
  assertEquals(await inForce("a\n"), [[], []]);
  assertEquals(await inForce("before\n"), [[], [other]]);
  assertEquals(await inForce(undefined), [[], [other]]);
  const third = "current-config/dev-1/allowlist is neither the file before nor the one after";
  assertEquals(await inForce("third\n"), [[third], [third, other]]);
});
