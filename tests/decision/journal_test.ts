import { finishInterrupted, readAnswer, withBottleLock } from "../../internal_mod.ts";
import {
  AlreadyDecidedError,
  archiveProposal,
  decide,
  MalformedRecordError,
  readAuditEntries,
  ResponseNotWrittenError,
  writeResponse,
} from "../../mod.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { refused } from "../support/refused.ts";
import { REPO, run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const intentPath = (dir: TempDir) => dir.at("private", "intents", "dev-1.json");

const logPath = (dir: TempDir) => dir.at("audit", "pipelock-dev-1.log");

async function decideSample(dir: TempDir, queued: QueuedProposal, operator = "ada@host") {
  return await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: queued.proposal.id,
    proposalSha256: queued.proposalSha256,
    verdict: { status: "approved" },
    notes: "fine",
    operator,
  });
}

/** Decides, then puts the disk back to where a crash would have left it before the intent was gone. */
async function crashed(dir: TempDir): Promise<QueuedProposal & { response: string }> {
  await decideSample(dir, await queueSample(dir.path));
  const queued = await queueSample(dir.path);
  const logSize = Deno.statSync(logPath(dir)).size;
  await decideSample(dir, queued);
  const response = queued.path.replace(".proposal.", ".response.");
  const intent = {
    version: 1,
    bottle_slug: "dev-1",
    proposal_id: queued.proposal.id,
    component: "pipelock",
    log_size: logSize,
    line: (await Deno.readTextFile(logPath(dir))).slice(logSize),
    response: await Deno.readTextFile(response),
  };
  await Deno.writeTextFile(intentPath(dir), JSON.stringify(intent));
  return { ...queued, response };
}

const actions = async (dir: TempDir) =>
  (await readAuditEntries("pipelock", "dev-1", { root: dir.path }))
    .map(({ operatorAction }) => operatorAction);

// Threat: C2
Deno.test("finishInterrupted() completes a record without an answer", async () => {
  await using dir = await tempDir();
  const { response, queueDir, proposal } = await crashed(dir);
  const told = await Deno.readTextFile(response);
  await Deno.remove(response);
  assertEquals(await finishInterrupted(dir.path), {
    finished: [{ bottleSlug: "dev-1", proposalId: proposal.id, outcome: "completed" }],
    failed: [],
  });
  assertEquals(await Deno.readTextFile(response), told);
  assertEquals((await readAnswer(queueDir, proposal.id))?.status, "approved");
  assertEquals(await finishInterrupted(dir.path), { finished: [], failed: [] });
  assertEquals(await actions(dir), ["approved", "approved"]);
});

Deno.test("finishInterrupted() finds the record behind what a writer without a lock put before it", async () => {
  await using dir = await tempDir();
  const { response } = await crashed(dir);
  await Deno.remove(response);
  const { log_size, line } = JSON.parse(await Deno.readTextFile(intentPath(dir)));
  const before = (await Deno.readTextFile(logPath(dir))).slice(0, log_size);
  for (const [between, outcome] of [["{half", "dropped"], ["{}\n", "completed"]] as const) {
    const intent = await Deno.readTextFile(intentPath(dir));
    await Deno.writeTextFile(logPath(dir), before + between + line);
    const { finished } = await finishInterrupted(dir.path);
    assertEquals(finished.map(({ outcome }) => outcome), [outcome]);
    await Deno.writeTextFile(intentPath(dir), intent);
  }
  assert(Deno.statSync(response).isFile);
});

// Threat: C2
Deno.test("finishInterrupted() drops an intent without a record, so that the operator decides anew", async () => {
  await using dir = await tempDir();
  const queued = await crashed(dir);
  await Deno.remove(queued.response);
  const { log_size, line } = JSON.parse(await Deno.readTextFile(intentPath(dir)));
  // The crash tore the line: here it lacks only its LF, which is as good as nothing.
  const remembered = dir.at("private", "heads", "pipelock-dev-1");
  await Deno.truncate(logPath(dir), log_size + line.length - 1);
  await Deno.remove(remembered);
  const program = `
    import { decide, inspectProposal } from "${REPO}mod.ts";
    import { finishInterrupted } from "${REPO}internal_mod.ts";
    const [root, proposalId] = Deno.args;
    const { finished } = await finishInterrupted(root);
    console.log(finished[0].outcome);
    const ref = { root, bottleSlug: "dev-1", proposalId };
    const { proposalSha256 } = await inspectProposal(ref);
    const verdict = { status: "approved" };
    await decide({ ...ref, proposalSha256, verdict, notes: "", operator: "eve@host" });`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  // Another process: this one remembers a longer log, and would refuse.
  const { out, err } = await run("deno", [
    "run",
    "--no-prompt",
    `--config=${REPO}deno.json`,
    `--allow-read=${dir.path}`,
    `--allow-write=${dir.path}`,
    dir.at("program.ts"),
    dir.path,
    queued.proposal.id,
  ]);
  assertEquals([out, err], ["dropped\n", ""]);
  assertEquals((await readAnswer(queued.queueDir, queued.proposal.id))?.status, "approved");
  const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(entries.map(({ operator }) => operator), ["ada@host", "eve@host"]);
  const torn = await Deno.readTextFile(`${logPath(dir)}.torn-1`);
  assertEquals(`${torn}\n`, line);
  assertStringIncludes(entries[1]!.repair!, "are kept in pipelock-dev-1.log.torn-1");
});

Deno.test("finishInterrupted() leaves an answer alone that stands, or is archived", async () => {
  await using dir = await tempDir();
  const { queueDir, proposal } = await crashed(dir);
  const intent = await Deno.readTextFile(intentPath(dir));
  await finishInterrupted(dir.path);
  await archiveProposal(queueDir, proposal.id);
  await Deno.writeTextFile(intentPath(dir), intent);
  await finishInterrupted(dir.path);
  const files = [...Deno.readDirSync(queueDir)].filter(({ isFile }) => isFile);
  // Those of the first decision, and the copy of the file in force.
  assertEquals(files.length, 3);
  assertEquals(await actions(dir), ["approved", "approved"]);
});

Deno.test("finishInterrupted() records that another program's answer is in the place of its own, not which came first", async () => {
  await using dir = await tempDir();
  const queued = await crashed(dir);
  const { queueDir, proposal, response } = queued;
  await Deno.remove(response);
  const { id: proposalId } = proposal;
  await writeResponse(queueDir, { proposalId, status: "rejected", notes: "no", finalFile: null });
  await finishInterrupted(dir.path);
  assertEquals((await readAnswer(queueDir, proposalId))?.status, "rejected");
  assertEquals(await actions(dir), ["approved", "approved", "superseded"]);
  const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  // Its own was there before, and could have been collected.
  const notes = "Another program's answer is in its place in the queue.";
  assertEquals(entries.at(-1)!.operatorNotes, notes);
  // The log's decision did not take effect, so it is not what the operator is told.
  const again = () => decideSample(dir, { ...queued, proposal });
  const error = await refused(again, "answered_without_record");
  assertEquals(error.says, "rejected");
});

Deno.test("finishInterrupted() answers nothing that the log says was superseded, though the other answer is gone", async () => {
  await using dir = await tempDir();
  const { queueDir, proposal, response } = await crashed(dir);
  const intent = await Deno.readTextFile(intentPath(dir));
  await Deno.remove(response);
  const { id: proposalId } = proposal;
  await writeResponse(queueDir, { proposalId, status: "rejected", notes: "no", finalFile: null });
  await finishInterrupted(dir.path);
  // It died before the intent was gone, and whoever planted that answer took it back.
  await Deno.writeTextFile(intentPath(dir), intent);
  await Deno.remove(response);
  const { finished } = await finishInterrupted(dir.path);
  assertEquals(finished.map(({ outcome }) => outcome), ["superseded"]);
  assertEquals(await readAnswer(queueDir, proposalId), undefined);
  assertEquals(await actions(dir), ["approved", "approved", "superseded"]);
});

Deno.test("finishInterrupted() tells of what it cannot finish, and goes on with other bottles", async () => {
  await using dir = await tempDir();
  const { queueDir, response } = await crashed(dir);
  await Deno.remove(queueDir, { recursive: true });
  await Deno.writeTextFile(dir.at("private", "intents", "aaa.json"), "{}");
  const { finished, failed } = await finishInterrupted(dir.path);
  assertEquals(finished, []);
  assertEquals(failed.map(({ bottleSlug }) => bottleSlug).sort(), ["aaa", "dev-1"]);
  const unanswered = failed.find(({ bottleSlug }) => bottleSlug === "dev-1")!.error;
  assert(unanswered instanceof ResponseNotWrittenError);
  assertStringIncludes(unanswered.message, "the decision is recorded");

  await Deno.mkdir(queueDir);
  const again = await finishInterrupted(dir.path);
  assertEquals(again.finished.map(({ outcome }) => outcome), ["completed"]);
  assert(Deno.statSync(response).isFile);
});

Deno.test("finishInterrupted() waits for no bottle whose decision is being carried out, and looks at one alone if asked", async () => {
  await using dir = await tempDir();
  const { response } = await crashed(dir);
  await Deno.remove(response);
  const none = { finished: [], failed: [] };
  await withBottleLock(dir.path, "dev-2", async () => {
    await Deno.copyFile(intentPath(dir), dir.at("private", "intents", "dev-2.json"));
    assertEquals(await finishInterrupted(dir.path, {}, "dev-2"), none);
    assertEquals(await finishInterrupted(dir.path, {}, "dev-3"), none);
    const { finished, failed } = await finishInterrupted(dir.path);
    assertEquals([finished.map(({ bottleSlug }) => bottleSlug), failed], [["dev-1"], []]);
  });
  const { failed } = await finishInterrupted(dir.path);
  assertEquals(failed.map(({ bottleSlug }) => bottleSlug), ["dev-2"]);
});

// Threat: C2
Deno.test("decide() records before it answers", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  // Made before: in a directory that comes later the first events can be missed.
  await Deno.mkdir(dir.at("audit"), { mode: 0o700 });
  const watched = [dir.at("queue", "dev-1"), dir.at("audit"), dir.path];
  const watcher = Deno.watchFs(watched, { recursive: false });
  await decideSample(dir, queued);
  await Deno.writeTextFile(dir.at("end"), "");
  const names: string[] = [];
  for await (const { paths, kind } of watcher) {
    for (const path of paths) {
      if (path === dir.at("end")) watcher.close();
      if (kind === "modify" && path.endsWith(".log")) names.push("line");
      if (kind === "create" && path.endsWith(".response.json")) names.push("answer");
    }
  }
  assertEquals(names.indexOf("line") < names.indexOf("answer"), true, names.join());
  assert(names.includes("line"));
});

// Threat: C4
Deno.test("decide() refuses, before it records, where no answer can be written", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  // Not the queue's file system, as if the queue alone were a mount.
  await Deno.mkdir(dir.at("private"));
  await Deno.symlink("/dev/shm", dir.at("private", "staging"));
  const error = await assertRejects(() => decideSample(dir, queued), Error);
  assertStringIncludes(error.message, "Nothing was decided");
  assertEquals(await actions(dir), []);
  await Deno.remove(dir.at("private", "staging"));
  await Deno.remove("/dev/shm/dev-1", { recursive: true });
  await decideSample(dir, queued);
});

Deno.test("decide() is not kept from deciding by a directory in the place of its probe", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await Deno.mkdir(`${queued.queueDir}/.probe.tmp/full`, { recursive: true });
  await decideSample(dir, queued);
  assertEquals((await readAnswer(queued.queueDir, queued.proposal.id))?.status, "approved");
});

Deno.test("decide() finishes what was interrupted before it decides", async () => {
  await using dir = await tempDir();
  const queued = await crashed(dir);
  await Deno.remove(queued.response);
  const again = () => decideSample(dir, queued, "bob@host");
  await assertRejects(again, AlreadyDecidedError, "already approved, by ada@host");
  assertEquals((await readAnswer(queued.queueDir, queued.proposal.id))?.status, "approved");
});

Deno.test("decide() refuses to go on over an intent that it cannot read", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path);
  await Deno.mkdir(dir.at("private", "intents"), { recursive: true });
  await Deno.writeTextFile(intentPath(dir), "{}");
  const says = "move it away to go on, and dev-1.before, if that is there";
  await assertRejects(() => decideSample(dir, queued), MalformedRecordError, says);
});

Deno.test.each<[string, (line: string, id: string) => object]>([
  ["has no line", () => ({ line: "" })],
  ["has an empty line", () => ({ line: "\n" })],
  ["has a torn line", (line) => ({ line: line.slice(0, -1) })],
  ["records another status", (line) => ({ line: line.replace('"approved"', '"rejected"') })],
  ["records another proposal", (line, id) => ({ line: line.replaceAll(id, "p9") })],
  ["has no response", () => ({ response: "{}" })],
])("finishInterrupted() takes no intent that %s", async (_, change) => {
  await using dir = await tempDir();
  const { response } = await crashed(dir);
  await Deno.remove(response);
  const intent = JSON.parse(await Deno.readTextFile(intentPath(dir)));
  const changed = { ...intent, ...change(intent.line, intent.proposal_id) };
  await Deno.writeTextFile(intentPath(dir), JSON.stringify(changed));
  const { finished, failed } = await finishInterrupted(dir.path);
  assertEquals([finished.length, failed.length], [0, 1]);
  assertStringIncludes(failed[0]!.error.message, "it is not an intent; move it away");
});

Deno.test("decide() in many processes: one wins each, the log and the answer agree", async () => {
  await using dir = await tempDir();
  const queued = await Promise.all(Array.from({ length: 12 }, () => queueSample(dir.path)));
  const program = `
    import * as supervise from "${REPO}mod.ts";
    const [root, operator, status] = Deno.args;
    let won = 0;
    for (const { proposal, proposalSha256 } of
      supervise.readOverview({ root }).pending.toSorted(() => Math.random() - 0.5)) {
      try {
        await supervise.decide({
          root, operator, proposalSha256, bottleSlug: "dev-1", proposalId: proposal.id,
          verdict: { status }, notes: "by " + operator,
        });
        won++;
      } catch (error) {
        if (!(error instanceof supervise.AlreadyDecidedError) || !error.operator) throw error;
      }
    }
    console.log(won);`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  const operators = await Promise.all(
    ["ada", "bob", "eve"].map((operator, n) =>
      new Deno.Command("deno", {
        args: [
          "run",
          "--no-prompt",
          `--config=${REPO}deno.json`,
          `--allow-read=${dir.path}`,
          `--allow-write=${dir.path}`,
          dir.at("program.ts"),
          dir.path,
          operator,
          n === 0 ? "rejected" : "approved",
        ],
        stderr: "inherit",
      }).output()
    ),
  );
  const won = operators.map(({ stdout }) => Number(new TextDecoder().decode(stdout)));
  assertEquals(won.reduce((sum, n) => sum + n, 0), queued.length);
  const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(entries.length, queued.length);
  for (const entry of entries) {
    const answer = await readAnswer(queued[0]!.queueDir, entry.proposalId!);
    assert(answer !== undefined);
    assertEquals([answer.status, answer.notes], [entry.operatorAction, `by ${entry.operator}`]);
  }
});
