import { finishInterrupted, lastShown, readAnswer, rememberShown } from "../../internal_mod.ts";
import {
  findDecision,
  inspectProposal,
  InvalidNameError,
  listPendingProposals,
  MalformedRecordError,
  readAuditEntries,
  readProposal,
  readResponse,
  ResponseNotWrittenError,
  sha256Hex,
  verifyAuditLog,
} from "../../mod.ts";
import {
  encodeAuditEntry,
  encodeProposal,
  encodeResponse,
  parseAuditEntry,
  parseProposal,
  parseResponse,
} from "../../src/records/codec.ts";
import {
  anyAuditEntry,
  anyFile,
  anyJson,
  anyProposal,
  anyRecordFile,
  anyResponse,
  deepJson,
} from "../support/arbitraries.ts";
import { attempt, attemptAsync, documented } from "../support/documented.ts";
import { holds } from "../support/properties.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const REF = { bottleSlug: "dev-1", proposalId: "p1" };

async function makeDir(dir: TempDir, ...parts: string[]): Promise<string> {
  await Deno.mkdir(dir.at(...parts), { recursive: true });
  return dir.at(...parts);
}

/** Files that are a proposal or a response `p1` of bottle `dev-1`, or nearly. */
const proposalFile = anyRecordFile(
  anyProposal(fc.constant("p1"))
    .map((proposal) => encodeProposal({ ...proposal, bottleSlug: "dev-1" })),
);

const responseFile = anyRecordFile(anyResponse(fc.constant("p1")).map(encodeResponse));

for (const parse of [parseProposal, parseResponse, parseAuditEntry]) {
  Deno.test(`${parse.name}() fails only as it documents, for any JSON`, () => {
    const contract = documented("src/records/codec.ts", parse.name);
    const closed = deepJson.filter((text) => /[\]}]$/.test(text));
    holds(fc.property(fc.oneof({ weight: 20, arbitrary: anyJson }, closed), (text) => {
      attempt(contract, () => parse(JSON.parse(text), "a file"));
    }));
  });
}

// Threat: B4
Deno.test("readProposal() and inspectProposal() fail only as they document, for any bytes", async () => {
  await using dir = await tempDir();
  const queueDir = await makeDir(dir, "queue", "dev-1");
  const config = await makeDir(dir, "current-config", "dev-1");
  const reads = documented("mod.ts", "readProposal");
  const inspects = documented("mod.ts", "inspectProposal");
  const anyBytes = anyRecordFile(fc.constant('{"routes": []}\n'));
  let inspected = 0;
  await holds(fc.asyncProperty(proposalFile, anyBytes, async (bytes, inForce) => {
    await Deno.writeFile(`${queueDir}/p1.proposal.json`, bytes);
    for (const name of ["routes.json", "allowlist", "Dockerfile"]) {
      await Deno.writeFile(`${config}/${name}`, inForce);
    }
    const proposal = await attemptAsync(reads, () => readProposal(queueDir, "p1"));
    const inspection = await attemptAsync(
      inspects,
      () => inspectProposal({ ...REF, root: dir.path }),
    );
    if (inspection === undefined) return;
    assertEquals(inspection.proposal, proposal);
    assertEquals(inspection.proposalSha256, sha256Hex(bytes));
    inspected++;
  }));
  assert(inspected > 0, "nothing was inspected");
});

// Threat: B4
Deno.test("readResponse() and readAnswer() fail only as they document, for any bytes", async () => {
  await using dir = await tempDir();
  const processed = await makeDir(dir, "processed");
  const reads = documented("mod.ts", "readResponse");
  const answers = documented("internal_mod.ts", "readAnswer");
  await holds(fc.asyncProperty(responseFile, async (bytes) => {
    await Deno.writeFile(dir.at("p1.response.json"), bytes);
    const response = await attemptAsync(reads, () => readResponse(dir.path, "p1"));
    assertEquals(await attemptAsync(answers, () => readAnswer(dir.path, "p1")), response);
    await Deno.rename(dir.at("p1.response.json"), `${processed}/p1.response.json`);
    assertEquals(await attemptAsync(answers, () => readAnswer(dir.path, "p1")), response);
  }));
});

/** Names that a file system takes, most of them of what might be a proposal or a response. */
const fileName = fc.tuple(
  fc.oneof(
    fc.constantFrom("p1", "p2", "-", "", "..", "a".repeat(129)),
    fc.string({ unit: "binary", maxLength: 20 }),
  ),
  fc.constantFrom(".proposal.json", ".proposal.json", ".response.json", ".json", ""),
).map(([stem, suffix]) => stem.replace(/[\0/]/g, "") + suffix)
  .filter((name) => !["", ".", ".."].includes(name));

// Threat: B4
Deno.test("listPendingProposals() lists or reports each file, whatever its name and its bytes", async () => {
  const contract = documented("mod.ts", "listPendingProposals");
  const files = fc.uniqueArray(fc.tuple(fileName, fc.oneof(proposalFile, responseFile)), {
    selector: ([name]) => name,
    maxLength: 8,
  });
  await holds(
    fc.asyncProperty(files, async (files) => {
      await using dir = await tempDir();
      for (const [name, bytes] of files) await Deno.writeFile(dir.at(name), bytes);
      const reported: string[] = [];
      const onUnreadable = ({ file }: { readonly file: string }) => reported.push(file);
      const pending = await attemptAsync(
        contract,
        () => listPendingProposals(dir.path, { onUnreadable }),
      );
      assert(pending !== undefined);
      const names = files.map(([name]) => name);
      const unanswered = names.filter((name) =>
        name.endsWith(".proposal.json") &&
        !names.includes(name.replace(/proposal\.json$/, "response.json"))
      );
      const told = [...pending.map(({ id }) => `${id}.proposal.json`), ...reported];
      assertEquals(
        told.filter((name) => name.endsWith(".proposal.json")).sort(),
        unanswered.sort(),
      );
    }),
    100,
  );
});

// On a line that is not chained, what the log itself would say is passed over.
const auditLine = anyAuditEntry.map(({ operatorKey: _, repair: __, ...entry }) =>
  encodeAuditEntry({ ...entry, component: "pipelock", bottleSlug: "dev-1" })
);

Deno.test("readAuditEntries() fails only as it documents, and reads each whole line among any bytes", async () => {
  await using dir = await tempDir();
  const audit = await makeDir(dir, "audit");
  const reads = documented("mod.ts", "readAuditEntries");
  const verifies = documented("mod.ts", "verifyAuditLog");
  const finds = documented("mod.ts", "findDecision");
  const root = dir.path;
  await holds(
    fc.asyncProperty(
      fc.array(fc.tuple(auditLine, anyRecordFile(auditLine)), { maxLength: 4 }),
      async (lines) => {
        const log = new Blob(lines.flatMap(([line, broken]) => [line, broken, "\n"]));
        await Deno.writeFile(`${audit}/pipelock-dev-1.log`, log.stream());
        const entries = await attemptAsync(
          reads,
          () => readAuditEntries("pipelock", "dev-1", { root }),
        );
        assert(entries !== undefined);
        const texts = entries.map(encodeAuditEntry);
        for (const [line] of lines) assert(texts.includes(line), "a whole line is not read");
        await attemptAsync(verifies, () => verifyAuditLog("pipelock", "dev-1", { root }));
        attempt(finds, () => findDecision({ ...REF, root }));
      },
    ),
    100,
  );
});

/** An intent as a crash leaves it, between the audit line and the answer. */
function intentOf(line: string, response: string): string {
  const { bottleSlug: bottle_slug, proposalId: proposal_id } = REF;
  const about = { version: 1, bottle_slug, proposal_id, component: "pipelock", log_size: 0 };
  return JSON.stringify({ ...about, line, response });
}

const intent = fc.tuple(anyAuditEntry, anyResponse(fc.constant("p1")))
  .map(([entry, response]) => {
    const decision = { proposalId: "p1", operatorAction: response.status };
    const owner = { component: "pipelock", bottleSlug: "dev-1" };
    const line = encodeAuditEntry({ ...entry, ...owner, ...decision });
    return { line, text: intentOf(line, encodeResponse(response)) };
  });

async function placeIntent(dir: TempDir, bytes: Uint8Array, log: string): Promise<void> {
  await Deno.writeTextFile(`${await makeDir(dir, "audit")}/pipelock-dev-1.log`, log);
  await Deno.writeFile(`${await makeDir(dir, "private", "intents")}/dev-1.json`, bytes);
}

Deno.test("finishInterrupted() finishes an intent that is one", async () => {
  await using dir = await tempDir();
  const queueDir = await makeDir(dir, "queue", "dev-1");
  await holds(
    fc.asyncProperty(intent, async ({ line, text }) => {
      await placeIntent(dir, new TextEncoder().encode(text), line);
      const { finished, failed } = await finishInterrupted(dir.path);
      assertEquals([finished.length, failed], [1, []]);
      await Deno.remove(`${queueDir}/p1.response.json`);
    }),
    20,
  );
});

Deno.test("finishInterrupted() tells of an intent that is none, in words of ours, and never throws", async () => {
  await using dir = await tempDir();
  await makeDir(dir, "queue", "dev-1");
  const lines = fc.oneof(auditLine, fc.constant(""));
  await holds(
    fc.asyncProperty(anyRecordFile(intent.map(({ text }) => text)), lines, async (bytes, log) => {
      await placeIntent(dir, bytes, log);
      const { failed } = await finishInterrupted(dir.path);
      for (const { error } of failed) {
        const known = [MalformedRecordError, ResponseNotWrittenError, InvalidNameError];
        assert(known.some((known) => error instanceof known), String(error));
      }
    }),
  );
});

const HASH = fc.stringMatching(/^[0-9a-f]{64}$/);

Deno.test("lastShown() gives back what rememberShown() was given", async () => {
  await using dir = await tempDir();
  const ref = { ...REF, root: dir.path };
  holds(
    fc.property(
      HASH,
      fc.oneof(HASH, fc.constant("")),
      HASH,
      (proposalSha256, currentSha256, finalSha256) => {
        const shown = { proposalSha256, currentSha256, finalSha256 };
        rememberShown(ref, shown);
        assertEquals(lastShown(ref), shown);
        const path = dir.at("private", "shown", "dev-1", ref.proposalId);
        Deno.writeTextFileSync(path, `${proposalSha256} ${currentSha256}\n`);
        assertEquals(lastShown(ref), { proposalSha256, currentSha256 }); // As an older version writes it.
      },
    ),
    20,
  );
});

Deno.test("lastShown() gives whole hashes, or fails as it documents, for any bytes", async () => {
  await using dir = await tempDir();
  const path = `${await makeDir(dir, "private", "shown", "dev-1")}/p1`;
  const contract = documented("internal_mod.ts", "lastShown");
  const sound = fc.tuple(HASH, fc.oneof(HASH, fc.constant("")))
    .chain(([proposal, current]) =>
      fc.constantFrom("", ` ${"a".repeat(64)}`).map((final) => `${proposal} ${current}${final}\n`)
    );
  let read = 0;
  holds(fc.property(anyFile(sound), (bytes) => {
    Deno.writeFileSync(path, bytes);
    const shown = attempt(contract, () => lastShown({ ...REF, root: dir.path }));
    if (shown === undefined) return;
    assert(/^[0-9a-f]{64}$/.test(shown.proposalSha256));
    assert(/^(?:[0-9a-f]{64})?$/.test(shown.currentSha256));
    assert(shown.finalSha256 === undefined || /^[0-9a-f]{64}$/.test(shown.finalSha256));
    read++;
  }));
  assert(read > 0, "no file was read");
});
