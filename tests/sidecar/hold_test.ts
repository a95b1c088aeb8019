import { listPendingProposals, newProposal, writeProposal } from "../../mod.ts";
import { type CallResult, CLIENT_KINDS, PATIENCE, type TestClient } from "../support/clients.ts";
import { decideNext, queueOf, SLUG } from "../support/operator.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const FETCH = CLIENT_KINDS[2]!;

/** A question, and how to ask it. */
function question(n = 1, more: Record<string, unknown> = {}) {
  return { proposed_file: `h${n}.example\n`, justification: `For ${n}.`, ...more };
}

const ask = (client: TestClient, args = question()) => client.call("pipelock-block", args);

const statusOf = (client: TestClient, proposal_id: string, wait_seconds?: number) =>
  client.call("proposal-status", {
    proposal_id,
    ...(wait_seconds !== undefined && { wait_seconds }),
  });

for (const { name, connect } of CLIENT_KINDS) {
  Deno.test(`${name}: at the cap the call returns "pending", and proposal-status tells the rest`, async () => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--hold-seconds=0"]);
    await using client = await connect(sidecar.url);
    await ask(client, question(0));
    const { isError, structured, text } = await ask(client);
    assertEquals(isError, false);
    assertEquals([structured?.status, structured?.ahead], ["pending", 1]);
    assertStringIncludes(text, "proposal-status");
    const id = String(structured?.proposal_id);
    assertEquals((await statusOf(client, id)).structured?.status, "pending");

    await decideNext(dir, { status: "rejected" });
    assertEquals((await statusOf(client, id)).structured?.ahead, 0);
    await decideNext(dir, { status: "modified", finalFile: "mine.example\n" }, "mine");
    const told = await statusOf(client, id);
    assertEquals(told.structured, {
      status: "modified",
      notes: "mine",
      next:
        "It is the file in force, and nothing has the proxy read it: the operator may do that by " +
        "hand. Try again later; until then go on with other work. To ask again changes nothing.",
      proposal_id: id,
      final_file: "mine.example\n",
    });
    assertEquals(await statusOf(client, id), told);
    assertEquals((await ask(client)).structured, told.structured);
  });
}

Deno.test("proposal-status waits as long as it is told to, and hears of the decision", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  await using client = await FETCH.connect(sidecar.url);
  const asked = ask(client);
  const { proposal_id } = await sidecar.logged("proposed");
  const waiting = statusOf(client, String(proposal_id), 30);
  await decideNext(dir, { status: "approved" });
  assertEquals((await waiting).structured?.status, "approved");
  assertEquals((await asked).structured?.status, "approved");
});

// Threat: A1
Deno.test("proposal-status gives one answer for an unknown id, a hostile one, another bottle's", async () => {
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
  await using client = await FETCH.connect(sidecar.url);
  const answers: CallResult[] = [];
  for (const id of ["nope", "../x", "", "x".repeat(500), foreign.id]) {
    answers.push(await statusOf(client, id));
  }
  for (const answer of answers) assertEquals(answer, answers[0]);
  assertEquals(answers[0]!.isError, true);
});

// Threat: A5
Deno.test("the same question asked many times at once is one proposal, with one answer for all", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const calls = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
    const client = await CLIENT_KINDS[n % 3]!.connect(sidecar.url);
    return { client, call: ask(client) };
  }));
  while (sidecar.events.filter(({ event }) => event === "attached").length < 19) {
    await sidecar.next();
  }
  assertEquals((await listPendingProposals(queueDir)).length, 1);
  const { proposalId } = await decideNext(dir, { status: "approved" });
  for (const { client, call } of calls) {
    assertEquals((await call).structured?.proposal_id, proposalId);
    await client[Symbol.asyncDispose]();
  }
  const archived = [...Deno.readDirSync(`${queueDir}/processed`)].map(({ name }) => name);
  assertEquals(archived.length, 2);
});

Deno.test("another file, reason or base is another question; the same one later is a new proposal", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, [
    "--hold-seconds=0",
    "--repeat-seconds=0",
  ]);
  await using client = await FETCH.connect(sidecar.url);
  const base = question();
  const variants = [
    base,
    { ...base, justification: "Other." },
    { ...base, proposed_file: "other.example\n" },
    { ...base, current_file_sha256: "0".repeat(64) },
    { ...base, current_file_sha256: "1".repeat(64) },
  ];
  for (const variant of variants) await ask(client, variant);
  assertEquals((await listPendingProposals(queueDir)).length, variants.length);
  const first = await decideNext(dir, { status: "approved" });
  const again = await ask(client, base);
  assertEquals(again.structured?.status, "pending");
  assert(again.structured?.proposal_id !== first.proposalId);
});

for (const { name, connect } of CLIENT_KINDS) {
  Deno.test(`${name}: a call that is cut off leaves its question, and a repeated call its answer`, async () => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir);
    const first = await connect(sidecar.url);
    const lost = ask(first).then(() => "answered", () => "cut off");
    const { proposal_id } = await sidecar.logged("proposed");
    await first[Symbol.asyncDispose]();
    assertEquals(await lost, "cut off");
    await sidecar.logged("detached");

    await using second = await connect(sidecar.url);
    const repeated = ask(second);
    await sidecar.logged("attached");
    await decideNext(dir, { status: "approved" });
    assertEquals((await repeated).structured?.proposal_id, proposal_id);
    assertEquals((await listPendingProposals(queueDir)).length, 0);
  });

  Deno.test(`${name}: a question survives kill -9: status, repetition and a late answer find it`, async () => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    let id: string;
    {
      await using first = await startSidecar(queueDir);
      await using client = await connect(first.url);
      const lost = ask(client).catch(() => "cut off");
      id = String((await first.logged("proposed")).proposal_id);
      first.process.kill("SIGKILL");
      await first.process.status;
      // Not every client notices; nobody waits for it.
      void lost;
    }
    {
      await using second = await startSidecar(queueDir);
      await using client = await connect(second.url);
      assertEquals((await statusOf(client, id)).structured?.status, "pending");
      const repeated = ask(client);
      await second.logged("attached");
      await decideNext(dir, { status: "approved" });
      assertEquals((await repeated).structured?.proposal_id, id);
    }
    await using third = await startSidecar(queueDir);
    await using client = await connect(third.url);
    assertEquals((await statusOf(client, id)).structured?.status, "approved");
  });
}

Deno.test("an answer that came while nobody listened is delivered when asked for, and archived", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--hold-seconds=0"]);
  await using client = await FETCH.connect(sidecar.url);
  await ask(client);
  await decideNext(dir, { status: "approved" });
  assertEquals((await ask(client)).structured?.status, "approved");
  assertEquals([...Deno.readDirSync(`${queueDir}/processed`)].length, 2);
});

// Threat: A5
Deno.test("a file that was just rejected is not queued again with other words", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  await using client = await FETCH.connect(sidecar.url);
  const asked = ask(client);
  await decideNext(dir, { status: "rejected" }, "never this host");
  assertEquals((await asked).structured?.status, "rejected");
  const again = await ask(client, question(1, { justification: "Pretty please." }));
  assertEquals(again.isError, true);
  assertStringIncludes(again.text, "never this host");
  assertEquals(await listPendingProposals(queueDir), []);
});

// Threat: A5
Deno.test("more pending proposals or held calls than allowed are refused at once, in words", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--max-pending=2", "--max-held=1"]);
  await using client = await FETCH.connect(sidecar.url);
  const held = ask(client, question(1));
  await sidecar.logged("proposed");
  const second = await ask(client, question(2));
  assertEquals(second.isError, true);
  assertStringIncludes(second.text, "holds 1 calls already");
  const third = await ask(client, question(3));
  assertEquals(third.isError, true);
  assertStringIncludes(third.text, "2 proposals of this bottle wait");
  await decideNext(dir, { status: "approved" });
  assertEquals((await held).structured?.status, "approved");
});

Deno.test("a call with a progress token is told every ten seconds, and not cut off by the default cap", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const response = await fetch(sidecar.url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 7,
      method: "tools/call",
      params: { name: "pipelock-block", arguments: question(), _meta: { progressToken: "t" } },
    }),
  });
  const chunks = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  // The first byte comes before the first notice, which takes ten seconds.
  assertEquals((await chunks.read()).value, ": held\n\n");
  let stream = "";
  while (!stream.includes("notifications/progress")) stream += (await chunks.read()).value;
  assertStringIncludes(stream, '"progressToken":"t"');
  assertStringIncludes(stream, "waiting for the operator, 10 s, you are next");
  // Between two notices, a comment keeps what is in between from calling the stream dead.
  while (!stream.includes(": keepalive")) stream += (await chunks.read()).value;
  await decideNext(dir, { status: "approved" });
  while (!stream.includes('"id":7')) stream += (await chunks.read()).value;
  assertStringIncludes(stream, '"status":"approved"');
  await chunks.cancel();
});

Deno.test("a cancelled call is let go of, and its question stays", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--max-held=1"]);
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(sidecar.url));
  const end = new AbortController();
  const call = { name: "pipelock-block", arguments: question() };
  const options = { ...PATIENCE, signal: end.signal, onprogress: () => {} };
  const cancelled = client.callTool(call, undefined, options).then(() => "answered", () => "gone");
  await sidecar.logged("proposed");
  end.abort("enough");
  assertEquals(await cancelled, "gone");
  await sidecar.logged("released");
  // Its place is free again, though the client keeps the connection open.
  const repeated = client.callTool(call, undefined, { ...PATIENCE, onprogress: () => {} });
  await sidecar.logged("attached");
  await decideNext(dir, { status: "approved" });
  assertEquals((await repeated).isError ?? false, false);
  assertEquals((await listPendingProposals(queueDir)).length, 0);
  await client.close();
});
