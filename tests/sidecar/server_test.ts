import {
  decide,
  listPendingProposals,
  readOverview,
  sha256Hex,
  type Verdict,
  watchPending,
} from "../../mod.ts";
import { CLIENT_KINDS } from "../support/clients.ts";
import { decideNext, queueOf } from "../support/operator.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ASKS = [
  ["cred-proxy-block", '{"routes": []}\n', '{"routes": [], "note": "edited"}\n'],
  ["pipelock-block", "api.github.com\n", "api.github.com\nexample.com\n"],
  ["capability-block", "FROM debian:12\n", "FROM debian:12-slim\n"],
] as const;

for (const { name, connect } of CLIENT_KINDS) {
  Deno.test(`the sidecar serves ${name}: every tool, every decision`, async (t) => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir);
    await using client = await connect(sidecar.url);

    await t.step("offers its tools with schemas and words", async () => {
      const tools = await client.tools();
      const names = [...ASKS.map(([tool]) => tool), "proposal-status"];
      assertEquals(tools.map(({ name }) => name), names);
      for (const tool of tools.slice(0, -1)) {
        assertStringIncludes(String(tool.description), "/etc/claude-bottle/current-config/");
        const { required, properties } = tool.inputSchema as {
          required: string[];
          properties: Record<string, unknown>;
        };
        assertEquals(required, ["justification"]);
        assertEquals(
          Object.keys(properties).slice(0, -3),
          tool.name === "capability-block" ? ["patch"] : ["add", "remove"],
        );
        assertEquals(
          Object.keys(properties).slice(-3),
          ["proposed_file", "justification", "current_file_sha256"],
        );
        assert(tool.outputSchema !== undefined);
      }
    });

    for (const [tool, proposed_file, edited] of ASKS) {
      const args = {
        proposed_file,
        justification: "Because.",
        current_file_sha256: sha256Hex("").toUpperCase(),
      };
      for (const status of ["approved", "modified", "rejected"] as const) {
        await t.step(`${tool}: ${status}`, async () => {
          const verdict: Verdict = status === "modified"
            ? { status, finalFile: edited }
            : { status };
          const justification = `Because of ${status}.`;
          const calling = client.call(tool, { ...args, justification });
          // The agent's file is not in force, so a decision that applies would be stale.
          await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
          for (const file of ["routes.json", "allowlist", "Dockerfile"]) {
            await Deno.writeTextFile(dir.at("current-config", "dev-1", file), "");
          }
          const { proposal } = await decideNext(dir, verdict, `notes on ${status}`);
          assertEquals(proposal.currentFileHash, sha256Hex(""));
          assertEquals(proposal.proposedFile, proposed_file);
          const { isError, structured, text } = await calling;
          assertEquals(isError, false);
          // Nothing here makes a file take effect: no words say that it did.
          const next = status === "rejected"
            ? "Read the notes before you ask again."
            : tool === "capability-block"
            ? "It is the Dockerfile in force, and nothing builds an image of it"
            : "It is the file in force, and nothing has the proxy read it";
          const { next: told, ...output } = structured!;
          assertStringIncludes(String(told), next);
          assertStringIncludes(text, String(told));
          assertEquals(output, {
            status,
            notes: `notes on ${status}`,
            proposal_id: proposal.id,
            ...(status === "modified" && { final_file: edited }),
          });
          for (const word of [`${status}:`, `notes on ${status}`, proposal.id]) {
            assertStringIncludes(text, word);
          }
          if (status === "modified") assertStringIncludes(text, edited);
        });
      }
    }

    await t.step("archives both files of every answered call", () => {
      const names = [...Deno.readDirSync(`${queueDir}/processed`)].map(({ name }) => name);
      assertEquals(names.length, 2 * 9);
      const left = [...Deno.readDirSync(queueDir)].map(({ name }) => name);
      // The copies of the files in force, for the next change.
      assertEquals(left.filter((name) => !name.startsWith("current.")), ["processed"]);
    });

    await t.step("logs every event, and none of the agent's words", async () => {
      await sidecar.logged("answered");
      assertEquals(sidecar.events.filter(({ event }) => event === "proposed").length, 9);
      assertEquals(sidecar.events.filter(({ event }) => event === "answered").length, 9);
      assert(!JSON.stringify(sidecar.events).includes("Because"));
      assertEquals(sidecar.noise, []);
    });
  });

  Deno.test(`the sidecar answers ${name} at once when the file is malformed, and queues nothing`, async () => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir);
    await using client = await connect(sidecar.url);
    const bad: readonly (readonly [string, Record<string, unknown>, string])[] = [
      ["cred-proxy-block", { proposed_file: "{", justification: "x" }, "line 1"],
      ["cred-proxy-block", { proposed_file: '{"routes": 1}', justification: "x" }, "$.routes"],
      ["pipelock-block", { proposed_file: "https://x.example", justification: "x" }, "line 1"],
      ["capability-block", { proposed_file: "RUN true", justification: "x" }, "FROM"],
      ["pipelock-block", { proposed_file: " ", justification: "x" }, "proposed_file"],
      ["pipelock-block", { proposed_file: "a.example", justification: "\n" }, "justification"],
      ["pipelock-block", { proposed_file: "a.example" }, "justification"],
      [
        "pipelock-block",
        { proposed_file: "a.example", justification: "é".repeat(9000) },
        "18000 bytes",
      ],
      [
        "pipelock-block",
        { proposed_file: "a.example\n".repeat(120_000), justification: "x" },
        "1048576",
      ],
      [
        "pipelock-block",
        { proposed_file: "a.example", justification: "x", current_file_sha256: "abc" },
        "64 hex digits",
      ],
    ];
    for (const [tool, args, word] of bad) {
      const { isError, text, structured } = await client.call(tool, args);
      assertEquals([isError, structured], [true, undefined], text);
      assertStringIncludes(text, word);
    }
    assertEquals([...Deno.readDirSync(queueDir)], []);
  });
}

// Threat: A4
Deno.test("the sidecar gives many calls at once their own answers", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  // Every bare fetch sends the same JSON-RPC id.
  const client = await CLIENT_KINDS[2]!.connect(sidecar.url);
  const calls = Array.from(
    { length: 20 },
    (_, n) =>
      client.call("pipelock-block", { proposed_file: `h${n}.example`, justification: `call ${n}` }),
  );
  for await (const { pending } of watchPending(queueDir)) {
    if (pending.length === calls.length) break;
  }
  for (
    const { proposal, proposalSha256 } of readOverview({ root: dir.path }).pending.toReversed()
  ) {
    await decide({
      root: dir.path,
      bottleSlug: "dev-1",
      proposalId: proposal.id,
      proposalSha256,
      verdict: { status: "rejected" },
      notes: `answer to ${proposal.justification}`,
      operator: "ada@host",
    });
  }
  const notes = (await Promise.all(calls)).map(({ structured }) => structured?.notes);
  assertEquals(notes, calls.map((_, n) => `answer to call ${n}`));
});

Deno.test("the sidecar lets go of a call when the agent is gone; the proposal stays", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const end = new AbortController();
  const call = fetch(sidecar.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "pipelock-block",
        arguments: { proposed_file: "a.example", justification: "x" },
      },
    }),
    signal: end.signal,
  });
  const response = await call;
  await sidecar.logged("proposed");
  end.abort();
  await response.body?.cancel().catch(() => {});
  await sidecar.logged("detached");
  assertEquals((await listPendingProposals(queueDir)).length, 1);
});

Deno.test("the sidecar stops at SIGTERM though calls are held, and leaves the proposals", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const client = await CLIENT_KINDS[2]!.connect(sidecar.url);
  const call = client.call("pipelock-block", { proposed_file: "a.example", justification: "x" });
  await sidecar.logged("proposed");
  sidecar.process.kill("SIGTERM");
  const { structured } = await call;
  assertEquals((await sidecar.process.status).code, 0);
  assertEquals(structured?.status, "pending");
  assertEquals((await listPendingProposals(queueDir)).length, 1);
});

Deno.test("the sidecar tells the agent when it cannot use its queue", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  await Deno.remove(queueDir);
  await Deno.writeTextFile(queueDir, "in the way");
  const client = await CLIENT_KINDS[2]!.connect(sidecar.url);
  const args = { proposed_file: "a.example", justification: "x" };
  const { isError, text } = await client.call("pipelock-block", args);
  assertEquals(isError, true);
  assertStringIncludes(text, "could not use its queue directory");
  const health = await fetch(new URL("/healthz", sidecar.url));
  assertEquals([health.status, await health.text()], [503, "Cannot find the queue directory\n"]);
  await sidecar.logged("failed");
});
