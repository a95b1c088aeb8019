import { clearUnfinished, readAnswer } from "../../internal_mod.ts";
import {
  AlreadyDecidedError,
  archiveProposal,
  MalformedRecordError,
  type ProposalResponse,
  readProposal,
  readResponse,
  STATUSES,
  TOOLS,
  UnsafeFileError,
  writeProposal,
  writeResponse,
} from "../../mod.ts";
import { sampleProposal } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";

Deno.test("clearUnfinished() removes what a writer that died left, and nothing else", async () => {
  await using dir = await tempDir();
  await writeProposal(dir.path, sampleProposal({ id: "p1" }));
  const others = ["notes.tmp", ".hidden", ".p1.response.json.tmp", "x.proposal.json.tmp"];
  const unfinished = `.p2.proposal.json.${crypto.randomUUID()}.tmp`;
  for (const name of [...others, unfinished]) await Deno.writeTextFile(dir.at(name), "{");
  clearUnfinished(dir.path);
  const names = [...Deno.readDirSync(dir.path)].map(({ name }) => name);
  assertEquals(names.sort(), [...others, "p1.proposal.json"].sort());
  clearUnfinished(dir.at("none"));
});

const REJECTED: ProposalResponse = {
  proposalId: "p1",
  status: "rejected",
  notes: "No.",
  finalFile: null,
};

function modeOf(path: string): number {
  return Deno.lstatSync(path).mode! & 0o777;
}

Deno.test("writeProposal() writes mode 0600 into a directory of mode 0700, and leaves nothing else", async () => {
  await using dir = await tempDir();
  const queueDir = dir.at("queue", "dev-1");
  const path = await writeProposal(queueDir, sampleProposal({ id: "p1" }));
  assertEquals(path, dir.at("queue", "dev-1", "p1.proposal.json"));
  assertEquals(modeOf(path), 0o600);
  assertEquals(modeOf(queueDir), 0o700);
  assertEquals([...Deno.readDirSync(queueDir)].map(({ name }) => name), ["p1.proposal.json"]);
});

Deno.test("writeProposal() writes nothing but ASCII", async () => {
  await using dir = await tempDir();
  const proposal = sampleProposal({ justification: "naïve \u202e \u009b31m \u007f 🚀" });
  const bytes = await Deno.readFile(await writeProposal(dir.path, proposal));
  assert(bytes.every((byte) => byte < 0x7f));
  assertEquals(await readProposal(dir.path, proposal.id), proposal);
});

Deno.test("writeProposal() refuses a record with a field of the wrong kind", async () => {
  await using dir = await tempDir();
  const proposal = { ...sampleProposal(), justification: 7 as unknown as string };
  const error = await assertRejects(() => writeProposal(dir.path, proposal), TypeError);
  assertStringIncludes(error.message, 'field "justification"');
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("readProposal() gives back any proposal that was written", async () => {
  await using dir = await tempDir();
  const text = fc.string({ unit: "binary", maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(
      fc.stringMatching(/^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/),
      fc.constantFrom(...TOOLS),
      text,
      text,
      text,
      async (id, tool, proposedFile, justification, currentFileHash) => {
        const proposal = sampleProposal({
          id,
          tool,
          proposedFile,
          justification,
          currentFileHash,
        });
        await writeProposal(dir.path, proposal);
        assertEquals(await readProposal(dir.path, id), proposal);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("readResponse() gives back any response that was written", async () => {
  await using dir = await tempDir();
  const text = fc.string({ unit: "binary", maxLength: 200 });
  let n = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...STATUSES),
      text,
      fc.option(text),
      async (status, notes, finalFile) => {
        const response = { proposalId: `p${n++}`, status, notes, finalFile };
        await writeResponse(dir.path, response);
        assertEquals(await readResponse(dir.path, response.proposalId), response);
      },
    ),
    { numRuns: 100 },
  );
});

const GOOD = {
  id: "p1",
  bottle_slug: "dev-1",
  tool: "pipelock-block",
  proposed_file: "",
  justification: "",
  arrival_timestamp: "",
  current_file_hash: "",
};

Deno.test("readProposal() passes over keys that it does not know", async () => {
  await using dir = await tempDir();
  const json = JSON.stringify({ ...GOOD, priority: "high", __proto__x: 1 });
  await Deno.writeTextFile(dir.at("p1.proposal.json"), json);
  assertEquals((await readProposal(dir.path, "p1")).id, "p1");
});

const MALFORMED: readonly (readonly [string, string | Uint8Array, string | undefined, string])[] = [
  ["an empty file", "", undefined, "it is empty"],
  ["half a file", '{"id": "p1", "bot', undefined, "it is not JSON"],
  ["bytes that are not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), undefined, "it is not UTF-8"],
  ["an array", "[]", undefined, "the top level must be a JSON object"],
  ["null", "null", undefined, "the top level must be a JSON object"],
  ["no id", JSON.stringify({ ...GOOD, id: undefined }), "id", "missing, or not a string"],
  ["a hostile id", JSON.stringify({ ...GOOD, id: "../x" }), "id", "not a proposal id"],
  ["another id", JSON.stringify({ ...GOOD, id: "p2" }), "id", '"p2" is not the file\'s name'],
  ["an unknown tool", JSON.stringify({ ...GOOD, tool: "sudo" }), "tool", "expected one of"],
  ["a number", JSON.stringify({ ...GOOD, tool: 1 }), "tool", "missing, or not a string"],
  ["no file", JSON.stringify({ ...GOOD, proposed_file: null }), "proposed_file", "missing"],
];

for (const [what, content, field, reason] of MALFORMED) {
  Deno.test(`readProposal() names the file, the field and the reason for ${what}`, async () => {
    await using dir = await tempDir();
    const file = dir.at("p1.proposal.json");
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(file, bytes);
    const error = await assertRejects(() => readProposal(dir.path, "p1"), MalformedRecordError);
    assertEquals([error.file, error.field], [file, field]);
    assertStringIncludes(error.reason, reason);
    assertStringIncludes(error.message, file);
  });
}

Deno.test.each([
  ["status", "maybe"],
  ["final_file", 7],
  ["notes", undefined],
  ["proposal_id", "p2"],
])("readResponse() refuses the %s %s, and names the field", async (field, value) => {
  await using dir = await tempDir();
  const sound = { proposal_id: "p1", status: "approved", notes: "", final_file: "x" };
  const content = JSON.stringify({ ...sound, [field]: value });
  await Deno.writeTextFile(dir.at("p1.response.json"), content);
  const error = await assertRejects(() => readResponse(dir.path, "p1"), MalformedRecordError);
  assertEquals(error.field, field);
});

Deno.test("writeResponse() lets exactly one of many writers win, and touches nothing of the winner's", async () => {
  await using dir = await tempDir();
  const attempts = Array.from(
    { length: 50 },
    (_, n) =>
      writeResponse(dir.path, { ...REJECTED, notes: `writer ${n}` }).then(
        () => n,
        (error) => {
          assert(error instanceof AlreadyDecidedError);
          return undefined;
        },
      ),
  );
  const winners = (await Promise.all(attempts)).filter((n) => n !== undefined);
  assertEquals(winners.length, 1);
  assertEquals((await readResponse(dir.path, "p1")).notes, `writer ${winners[0]}`);
  assertEquals([...Deno.readDirSync(dir.path)].length, 1);
});

Deno.test("archiveProposal() moves both files, and can be done again", async () => {
  await using dir = await tempDir();
  await writeProposal(dir.path, sampleProposal({ id: "p1" }));
  await writeResponse(dir.path, REJECTED);
  assertEquals(await readAnswer(dir.path, "p1"), REJECTED);
  await archiveProposal(dir.path, "p1");
  await archiveProposal(dir.path, "p1");
  const names = [...Deno.readDirSync(dir.at("processed"))].map(({ name }) => name).sort();
  assertEquals(names, ["p1.proposal.json", "p1.response.json"]);
  assertEquals(await readAnswer(dir.path, "p1"), REJECTED);
  assertEquals(await readAnswer(dir.path, "p2"), undefined);
});

// Threat: B3
Deno.test("archiveProposal() does not follow a processed directory that is a link", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("elsewhere"));
  await Deno.mkdir(dir.at("queue"));
  await Deno.symlink(dir.at("elsewhere"), dir.at("queue", "processed"));
  await writeProposal(dir.at("queue"), sampleProposal({ id: "p1" }));
  await assertRejects(
    () => archiveProposal(dir.at("queue"), "p1"),
    UnsafeFileError,
    "it is a link",
  );
  assertEquals([...Deno.readDirSync(dir.at("elsewhere"))], []);
});

Deno.test("readProposal() and readResponse() follow no link in the place of the queue directory", async () => {
  await using dir = await tempDir();
  const proposal = sampleProposal({ id: "p1" });
  await writeProposal(dir.at("queue"), proposal);
  await writeResponse(dir.at("queue"), REJECTED);
  await Deno.symlink(dir.at("queue"), dir.at("link"));
  assertEquals(await readProposal(dir.at("queue"), "p1"), proposal);
  assertEquals(await readResponse(dir.at("queue"), "p1"), REJECTED);
  for (const read of [readProposal, readResponse]) {
    await assertRejects(() => read(dir.at("link"), "p1"), UnsafeFileError, "it is a link");
  }
});
