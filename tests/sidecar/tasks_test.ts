import { listPendingProposals, newProposal, writeProposal } from "../../mod.ts";
import { CLIENT_KINDS } from "../support/clients.ts";
import { decideNext, queueOf, SLUG } from "../support/operator.ts";
import { startSidecar } from "../support/sidecar.ts";
import { modernClient, type Reply, type Send } from "../support/tasks_client.ts";
import { tempDir } from "../support/temp.ts";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { z } from "zod";

const TASKS = "io.modelcontextprotocol/tasks";

function question(n = 1) {
  return { proposed_file: `h${n}.example\n`, justification: `For ${n}.` };
}

const ask = (send: Send, args: Record<string, unknown> = question()) =>
  send("tools/call", { name: "pipelock-block", arguments: args });

/** A result without what every one of them has. */
function bare({ result }: Reply): Record<string, unknown> {
  const { _meta: _, ...rest } = result;
  return rest;
}

Deno.test("a declared call is a task at once, with the proposal's id", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const send = modernClient(sidecar.url);
  const { result: { capabilities } } = await send("server/discover");
  assertEquals(capabilities.extensions, { [TASKS]: {} });

  const created = bare(await ask(send));
  const [{ id, arrivalTimestamp } = { id: "", arrivalTimestamp: "" }] = await listPendingProposals(
    queueDir,
  );
  assertEquals(created, {
    resultType: "task",
    content: [],
    taskId: id,
    status: "working",
    statusMessage: created.statusMessage,
    createdAt: arrivalTimestamp,
    lastUpdatedAt: arrivalTimestamp,
    ttlMs: null,
    pollIntervalMs: 5000,
  });
  const { content: _, ...task } = created;
  assertEquals(bare(await send("tasks/get", { taskId: id })), { ...task, resultType: "complete" });
  assertStringIncludes(String(created.statusMessage), "it is next");
  assertEquals((await ask(send)).result.taskId, id);
  assertEquals((await listPendingProposals(queueDir)).length, 1);
});

for (
  const verdict of [
    { status: "approved" },
    { status: "modified", finalFile: "mine.example\n" },
    { status: "rejected" },
  ] as const
) {
  Deno.test(`${verdict.status}: the task is completed, with the result of a held call`, async () => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir);
    const send = modernClient(sidecar.url);
    const { taskId } = bare(await ask(send));
    const holding = ask(modernClient(sidecar.url, {}));
    await sidecar.logged("attached");
    await decideNext(dir, verdict);
    const { resultType, ...held } = bare(await holding);
    assertEquals(resultType, "complete");
    assertEquals((held.structuredContent as { status: string }).status, verdict.status);

    const got = bare(await send("tasks/get", { taskId }));
    assertEquals([got.taskId, got.status, got.result], [taskId, "completed", held]);
    assert(String(got.lastUpdatedAt) > String(got.createdAt));
    assertEquals(bare(await send("tasks/get", { taskId })), got);
  });
}

Deno.test("a task and its result survive restarts", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  const restarted = async <T>(run: (send: Send) => Promise<T>): Promise<T> => {
    await using sidecar = await startSidecar(queueDir);
    const result = await run(modernClient(sidecar.url));
    assertEquals(sidecar.noise, []);
    return result;
  };
  const { taskId } = bare(await restarted((send) => ask(send)));
  const get = (send: Send) => send("tasks/get", { taskId });
  assertEquals(bare(await restarted(get)).status, "working");
  await decideNext(dir, { status: "approved" });
  // Nobody has the answer yet, and asking the question again does not archive it.
  assertEquals((await restarted((send) => ask(send))).result.taskId, taskId);
  assert([...Deno.readDirSync(queueDir)].some(({ name }) => name === `${taskId}.response.json`));

  const first = bare(await restarted(get));
  assertEquals(first.status, "completed");
  assertEquals([...Deno.readDirSync(`${queueDir}/processed`)].length, 2);
  assertEquals(bare(await restarted(get)), first);
});

Deno.test("tasks/cancel detaches: the proposal remains, the result says so, the task goes on", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const send = modernClient(sidecar.url);
  const { taskId } = bare(await ask(send));
  const cancelled = await send("tasks/cancel", { taskId });
  assertEquals(bare(cancelled), { resultType: "complete" });
  assertStringIncludes(cancelled.result._meta["supervise/notice"], "remains in the queue");
  assertEquals((await sidecar.logged("detached")).proposal_id, taskId);
  assertEquals((await listPendingProposals(queueDir)).map(({ id }) => id), [taskId]);
  assertEquals((await ask(send)).result.taskId, taskId);
  assertEquals(bare(await send("tasks/get", { taskId })).status, "working");

  await decideNext(dir, { status: "approved" });
  assertEquals(bare(await send("tasks/get", { taskId })).status, "completed");
  const late = await send("tasks/cancel", { taskId });
  assertEquals(bare(late), { resultType: "complete" });
  assertStringIncludes(late.result._meta["supervise/notice"], "decided on the proposal already");
  assertEquals(bare(await send("tasks/update", { taskId, inputResponses: {} })), {
    resultType: "complete",
  });
});

Deno.test("a proposal may have arrived at any text: the task says so in ISO 8601", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const send = modernClient(sidecar.url);
  for (
    const [n, arrivalTimestamp, createdAt] of [
      [1, "yesterday", "1970-01-01T00:00:00.000Z"],
      [2, "", "1970-01-01T00:00:00.000Z"],
      [3, "2026-11-22T19:40:02+01:00", "2026-11-22T18:40:02.000Z"],
    ] as const
  ) {
    const args = question(n);
    const proposal = newProposal({
      bottleSlug: SLUG,
      tool: "pipelock-block",
      proposedFile: args.proposed_file,
      justification: args.justification,
      currentFileHash: "",
    });
    await writeProposal(queueDir, { ...proposal, arrivalTimestamp });
    const task = bare(await send("tasks/get", { taskId: proposal.id }));
    assertEquals([task.createdAt, task.lastUpdatedAt], [createdAt, createdAt], arrivalTimestamp);
  }
});

// Threat: A1
Deno.test("an unknown id, a hostile one and another bottle's get one error", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  const foreign = newProposal({
    bottleSlug: "dev-2",
    tool: "pipelock-block",
    proposedFile: "x.example\n",
    justification: "",
    currentFileHash: "",
  });
  await writeProposal(queueDir, foreign);
  await using sidecar = await startSidecar(queueDir);
  const send = modernClient(sidecar.url);
  for (const method of ["tasks/get", "tasks/cancel", "tasks/update"]) {
    for (const taskId of ["nope", "../x", "", "x".repeat(500), foreign.id]) {
      assertEquals((await send(method, { taskId })).error, {
        code: -32602,
        message: "Cannot find that task: this bottle has proposed nothing with that id",
      });
    }
  }
});

Deno.test("what is malformed or refused is a tool error at once, no task", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--max-pending=1"]);
  const send = modernClient(sidecar.url);
  const malformed = bare(await ask(send, { ...question(), proposed_file: "https://x.example" }));
  assertEquals([malformed.resultType, malformed.isError], ["complete", true]);
  assertEquals(malformed.taskId, undefined);
  assertEquals(await listPendingProposals(queueDir), []);

  await ask(send);
  const refused = bare(await ask(send, question(2)));
  assertEquals([refused.resultType, refused.isError], ["complete", true]);
});

Deno.test("tasks are told of though no more calls can be held", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--max-held=1"]);
  const held = ask(modernClient(sidecar.url, {}), question(1));
  await sidecar.logged("proposed");
  const send = modernClient(sidecar.url);
  const { taskId } = bare(await ask(send, question(2)));
  assertEquals(bare(await send("tasks/get", { taskId })).status, "working");
  await decideNext(dir, { status: "approved" });
  assertEquals((await held).result.structuredContent.status, "approved");
});

Deno.test("without the extension a call is held, and the task methods are refused", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const { taskId } = bare(await ask(modernClient(sidecar.url), question(0)));
  for (const extensions of [{}, { [`${TASKS}2`]: {} }]) {
    const send = modernClient(sidecar.url, extensions);
    for (const method of ["tasks/get", "tasks/cancel", "tasks/update"]) {
      const { error } = await send(method, { taskId });
      assertEquals(error?.code, -32021);
      assertEquals(error?.data, { requiredCapabilities: { extensions: { [TASKS]: {} } } });
    }
  }
  const holding = ask(modernClient(sidecar.url, {}), question(0));
  await sidecar.logged("attached");
  await decideNext(dir, { status: "approved" });
  const held = bare(await holding);
  assertEquals([held.resultType, held.taskId], ["complete", undefined]);
  assertEquals(held.structuredContent, {
    status: "approved",
    notes: "so be it",
    next:
      "It is the file in force, and nothing has the proxy read it: the operator may do that by " +
      "hand. Try again later; until then go on with other work. To ask again changes nothing.",
    proposal_id: taskId,
  });
});

Deno.test("a client of 2025 gets no task, whatever it sends along", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--hold-seconds=0"]);
  await using client = await CLIENT_KINDS[0]!.connect(sidecar.url);
  const { structured } = await client.call("pipelock-block", question());
  assertEquals(structured?.status, "pending");
  const response = await fetch(sidecar.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tasks/get",
      params: { taskId: structured?.proposal_id },
    }),
  });
  assertStringIncludes(await response.text(), '"code":-32601');
});

Deno.test("the SDK 2.x client asks about a task, and cancels it", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const { taskId } = bare(await ask(modernClient(sidecar.url)));
  const client = new Client({ name: "test", version: "1" }, {
    capabilities: { extensions: { [TASKS]: {} } },
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  });
  await client.connect(new StreamableHTTPClientTransport(sidecar.url));
  const params = { taskId: String(taskId) };
  const any = z.looseObject({});
  const cancelled = await client.request({ method: "tasks/cancel", params }, any);
  assertStringIncludes(JSON.stringify(cancelled), "remains in the queue");
  await decideNext(dir, { status: "rejected" }, "no");
  const task = await client.request({ method: "tasks/get", params }, any);
  assertEquals([task.taskId, task.status], [taskId, "completed"]);
  await client.close();
});
