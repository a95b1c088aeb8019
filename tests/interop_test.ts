import * as supervise from "../mod.ts";
import {
  type AuditEntry,
  type BrokenLine,
  listPendingProposals,
  MalformedRecordError,
  readAuditEntries,
  readProposal,
  readResponse,
  renderDiff,
  type UnreadableFile,
  verifyAuditLog,
  waitForResponse,
  writeAuditEntry,
  writeProposal,
  writeResponse,
} from "../mod.ts";
import { python, PYTHON_MISSING, startAppender } from "./support/python.ts";
import { saidBy } from "./support/records.ts";
import { REPO } from "./support/run.ts";
import { tempDir } from "./support/temp.ts";
import { MALFORMED_PROPOSALS, MALFORMED_RESPONSES } from "./testdata/malformed.ts";
import {
  ORIGINAL_CONSTANTS,
  ORIGINAL_CRED_PROXY_ENTRIES,
  ORIGINAL_ENTRIES,
  ORIGINAL_PROPOSALS,
  ORIGINAL_RESPONSES,
  OUR_ENTRIES,
  OUR_PROPOSALS,
  OUR_RESPONSES,
  UNUSUAL_PROPOSALS,
  UNUSUAL_RESPONSES,
} from "./testdata/records.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { basename, fromFileUrl, join } from "@std/path";

const TESTDATA = fromFileUrl(new URL("./testdata", import.meta.url));

const ORIGINAL = join(TESTDATA, "original");

const OURS = join(TESTDATA, "ours");

/** The log `pipelock-dev-1.log` of a folder, as lines with their LF. */
async function linesOf(folder: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(folder, "audit", "pipelock-dev-1.log"));
  return text.match(/.*\n/g) ?? [];
}

Deno.test.each(Object.entries(ORIGINAL_CONSTANTS))(
  "%s has the Python original's value",
  (name, value) => {
    assertEquals(Reflect.get(supervise, name), value);
  },
);

for (
  const [writer, folder, proposals, responses] of [
    ["the Python original", ORIGINAL, ORIGINAL_PROPOSALS, ORIGINAL_RESPONSES],
    ["this package", OURS, OUR_PROPOSALS, OUR_RESPONSES],
  ] as const
) {
  const queueDir = join(folder, "queue");

  Deno.test.each(proposals)(
    `writeProposal() writes the file of ${writer}, and readProposal() reads it, for $id`,
    async (proposal) => {
      await using dir = await tempDir();
      const path = await writeProposal(dir.path, proposal);
      const golden = join(queueDir, basename(path));
      assertEquals(await Deno.readTextFile(path), await Deno.readTextFile(golden));
      assertEquals(await readProposal(queueDir, proposal.id), proposal);
    },
  );

  Deno.test.each(responses)(
    `writeResponse() writes the file of ${writer}, and both readers read it, for $proposalId`,
    async (response) => {
      await using dir = await tempDir();
      const path = await writeResponse(dir.path, response);
      const golden = join(queueDir, basename(path));
      assertEquals(await Deno.readTextFile(path), await Deno.readTextFile(golden));
      assertEquals(await readResponse(queueDir, response.proposalId), response);
      assertEquals(await waitForResponse(queueDir, response.proposalId), response);
    },
  );

  Deno.test(`listPendingProposals() leaves out what ${writer} has answered`, async () => {
    const answered = responses.map((response) => response.proposalId);
    const expected = proposals.map(({ id }) => id).filter((id) => !answered.includes(id));
    const pending = await listPendingProposals(queueDir);
    assertEquals(pending.map(({ id }) => id).sort(), expected);
  });
}

Deno.test("listPendingProposals() orders by instant across writers", async () => {
  await using dir = await tempDir();
  for (const proposal of [...ORIGINAL_PROPOSALS, ...OUR_PROPOSALS]) {
    await writeProposal(dir.path, proposal);
  }
  const pending = await listPendingProposals(dir.path);
  assertEquals(pending.map(({ arrivalTimestamp }) => arrivalTimestamp), [
    "2026-11-22T10:49:36+00:00",
    "2026-11-22T10:49:36.000Z",
    "2026-11-22T16:19:36.100000+05:30",
    "2026-11-22T10:49:36.500000",
    "2026-11-22T10:49:36.924000+00:00",
    "2026-11-22T10:49:36.924Z",
    "2026-11-22T10:49:36.924880+00:00",
    "2026-11-22T10:49:36.925Z",
    "2026-11-22T10:49:37.000005+00:00",
  ]);
});

const UNUSUAL_QUEUE = join(TESTDATA, "unusual", "queue");

Deno.test.each(UNUSUAL_PROPOSALS)(
  "readProposal() reads an unusual file as the Python original does: $id",
  async (proposal) => {
    assertEquals(await readProposal(UNUSUAL_QUEUE, proposal.id), proposal);
  },
);

Deno.test.each(UNUSUAL_RESPONSES)(
  "readResponse() reads an unusual file as the Python original does: $proposalId",
  async (response) => {
    assertEquals(await readResponse(UNUSUAL_QUEUE, response.proposalId), response);
  },
);

const MALFORMED_QUEUE = join(TESTDATA, "malformed", "queue");

for (
  const [name, read, kind, files] of [
    ["readProposal", readProposal, "proposal", MALFORMED_PROPOSALS],
    ["readResponse", readResponse, "response", MALFORMED_RESPONSES],
  ] as const
) {
  Deno.test.each(files)(
    `${name}() names the file, the field and the reason for $id`,
    async (file) => {
      const error = await assertRejects(() => read(MALFORMED_QUEUE, file.id), MalformedRecordError);
      assertEquals(error.file, join(MALFORMED_QUEUE, `${file.id}.${kind}.json`));
      assertEquals(error.field, file.field);
      assertEquals(error.reason, file.reason);
    },
  );
}

Deno.test("listPendingProposals() skips malformed files and reports each through onUnreadable", async () => {
  const reported: UnreadableFile[] = [];
  const onUnreadable = (file: UnreadableFile) => reported.push(file);
  assertEquals(await listPendingProposals(MALFORMED_QUEUE, { onUnreadable }), []);
  const expected = [
    ...MALFORMED_PROPOSALS.map((file) => ({ ...file, kind: "proposal" })),
    ...MALFORMED_RESPONSES.map((file) => ({ ...file, kind: "response" })),
  ].map(({ id, kind, field, reason }) => ({
    file: `${id}.${kind}.json`,
    reason: field === undefined ? reason : `field "${field}": ${reason}`,
  }));
  assertEquals(reported, expected.sort((a, b) => (a.file < b.file ? -1 : 1)));
});

Deno.test("readAuditEntries() reads the log of either writer", async () => {
  assertEquals(await readAuditEntries("pipelock", "dev-1", { root: ORIGINAL }), ORIGINAL_ENTRIES);
  const credProxy = await readAuditEntries("cred-proxy", "dev-1", { root: ORIGINAL });
  assertEquals(credProxy, ORIGINAL_CRED_PROXY_ENTRIES);
  assertEquals(await readAuditEntries("pipelock", "dev-1", { root: OURS }), OUR_ENTRIES);
});

Deno.test("readAuditEntries() passes over what is no entry and reports it through onBroken", async () => {
  const broken: BrokenLine[] = [];
  const root = join(TESTDATA, "malformed");
  const onBroken = (line: BrokenLine) => broken.push(line);
  const entries = await readAuditEntries("pipelock", "dev-1", { root, onBroken });
  assertEquals(entries.map(({ justification }) => justification), ["1", "10", "11", "12", "13"]);
  assertEquals(broken, [
    { line: 4, reason: "it is not JSON" },
    { line: 5, reason: "the top level must be a JSON object" },
    { line: 6, reason: "the top level must be a JSON object" },
    { line: 7, reason: 'field "diff": missing, or not a string' },
    { line: 8, reason: 'field "operator_notes": missing, or not a string' },
    { line: 9, reason: "it is not UTF-8" },
  ]);
});

Deno.test("writeAuditEntry() writes the original's fields in its order, then ours", async () => {
  await using dir = await tempDir();
  for (const entry of OUR_ENTRIES) await writeAuditEntry(entry, { root: dir.path });
  const [written, ours, original] = await Promise.all([dir.path, OURS, ORIGINAL].map(linesOf));
  for (const [n, line] of written!.entries()) {
    assert(
      line.replace(/"operator_key":"[^"]*",/, "").startsWith(ours![n]!.replace(/\}\n$/, "")),
      `line ${n + 1} is another one: ${line}`,
    );
    const { diff: _, ...theirs } = JSON.parse(original![n]!);
    const { diff, ...all } = JSON.parse(line);
    const keys = Object.keys(theirs);
    assertEquals(Object.fromEntries(keys.map((key) => [key, all[key]])), theirs);
    assertEquals(Object.keys(JSON.parse(line)).slice(0, 7), [...keys, "diff"]);
    assertEquals(diff, OUR_ENTRIES[n]!.diff);
  }
  assertEquals(written!.length, original!.length);
});

// Threat: L5
Deno.test("verifyAuditLog() finds a log of both writers sound, and counts the original's lines", async () => {
  await using dir = await tempDir();
  const expected: AuditEntry[] = [];
  for (const [n, line] of (await linesOf(ORIGINAL)).entries()) {
    const path = await writeAuditEntry(OUR_ENTRIES[n]!, { root: dir.path });
    await Deno.writeTextFile(path, line, { append: true });
    expected.push(OUR_ENTRIES[n]!, ORIGINAL_ENTRIES[n]!);
  }
  const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(entries.map(saidBy), expected);
  const found = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals(found.broken, []);
  assert(found.ok);
  assertEquals([found.lines, found.foreign], [6, 3]);
});

interface DiffCase {
  readonly name: string;
  readonly label: string;
  readonly before: string;
  readonly after: string;
  readonly diff: string;
}

async function diffsOf(folder: string): Promise<DiffCase[]> {
  return JSON.parse(await Deno.readTextFile(join(folder, "diffs.json")));
}

/** What the original takes for the end of a line besides LF and CRLF. */
// deno-lint-ignore no-control-regex
const OTHER_LINE_ENDS = /\r(?!\n)|[\v\f\x1c-\x1e\x85\u2028\u2029]/;

const WHOLE_LINES = (await diffsOf(ORIGINAL)).filter(({ before, after }) =>
  [before, after].every((text) => /^$|\n$/.test(text) && !OTHER_LINE_ENDS.test(text))
);

Deno.test("there are texts of whole lines to compare with the Python original", () => {
  assertEquals(WHOLE_LINES.length, 13);
});

Deno.test.each(WHOLE_LINES)(
  "renderDiff() writes what the Python original does, and its last LF: $name",
  ({ label, before, after, diff }) => {
    assertEquals(renderDiff(before, after, { label }), diff && `${diff}\n`);
  },
);

Deno.test.each(await diffsOf(OURS))(
  "renderDiff() marks a last line without LF, and takes only LF for the end of a line: $name",
  ({ label, before, after, diff }) => {
    assertEquals(renderDiff(before, after, { label }), diff);
  },
);

Deno.test("writeProposal() writes the bytes that json.dumps() does, for every UTF-16 unit", {
  ignore: PYTHON_MISSING,
}, async () => {
  await using dir = await tempDir();
  const units = Array.from({ length: 0x10000 }, (_, n) => String.fromCharCode(n)).join("");
  const path = await writeProposal(dir.path, { ...OUR_PROPOSALS[0]!, proposedFile: units });
  const program = "import json, sys; print(json.dumps(json.load(open(sys.argv[1])), indent=2))";
  const { code, out } = await python(program, [path]);
  assertEquals(code, 0);
  assertEquals(out, await Deno.readTextFile(path));
});

// Threat: C5
Deno.test("writeAuditEntry() and Python's flock() keep each other's lines whole", {
  ignore: PYTHON_MISSING,
}, async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  const log = dir.at("audit", "pipelock-dev-1.log");
  const script = (name: string) => join(TESTDATA, name);
  const deno = (name: string) =>
    startAppender(Deno.execPath(), [
      "run",
      `--config=${join(REPO, "deno.json")}`,
      `--allow-read=${dir.path}`,
      `--allow-write=${dir.path}`,
      script("append.ts"),
      dir.path,
      name,
      "250",
    ]);
  const appenders = await Promise.all([
    startAppender("python3", [script("append.py"), log, "python", "500"]),
    deno("first"),
    deno("second"),
  ]);
  const ended = await Promise.all(appenders.map((appender) => appender.go()));
  assert(ended.every(({ success }) => success));

  const found = await verifyAuditLog("pipelock", "dev-1", { root: dir.path });
  assertEquals([found.broken, found.lines, found.foreign], [[], 1000, 500]);
  const notes = (await readAuditEntries("pipelock", "dev-1", { root: dir.path }))
    .map(({ operatorNotes }) => operatorNotes);
  for (const [name, count] of [["python", 500], ["first", 250], ["second", 250]] as const) {
    const own = notes.filter((note) => note.startsWith(`${name} `));
    assertEquals(own, Array.from({ length: count }, (_, n) => `${name} ${n}`));
  }
  assertMatch(await Deno.readTextFile(log), /\}\n$/);
});
