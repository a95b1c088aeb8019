import { parseApplyConfig } from "../../appliers/config.ts";
import { hookApplier } from "../../appliers/hooks.ts";
import { withBottleLock } from "../../internal_mod.ts";
import { decide, listPendingProposals, sha256Hex } from "../../mod.ts";
import {
  clearUnderway,
  leaveUnderway,
  readUnderway,
  type Underway,
} from "../../src/queue/underway.ts";
import { resultOf } from "../../sidecar/tools.ts";
import { underwayPath } from "../../src/disk/layout.ts";
import { PATIENCE } from "../support/clients.ts";
import { queueOf, SLUG } from "../support/operator.ts";
import { makeOutside, OUTSIDE_SECRET, PLANTED } from "../support/planted.ts";
import { sampleProposal } from "../support/records.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";

const WORDS: Underway = { proposalId: "p1", isTakenBack: false, doing: "reloads the proxy" };

// Threat: B13
Deno.test("what is planted in the place of the host's words is passed over, replaced and removed, and leads nowhere", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await makeOutside(dir.at("outside"));
  const path = underwayPath(queueDir);
  for (const { kind, plant } of PLANTED) {
    await plant(path, dir.at("outside"));
    assertEquals([kind, readUnderway(queueDir, "p1")], [kind, undefined]);
    leaveUnderway(queueDir, WORDS, dir.at("private/staging"));
    const isDirectory = kind === "directory";
    assertEquals([kind, readUnderway(queueDir, "p1")], [kind, isDirectory ? undefined : WORDS]);
    clearUnderway(queueDir);
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  }
  assertEquals(await Deno.readTextFile(dir.at("outside/secret")), OUTSIDE_SECRET);
});

// Threat: B13
Deno.test("words that are long, hidden, old or of another proposal are not passed on", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  const leave = (words: object) =>
    Deno.writeTextFile(
      underwayPath(queueDir),
      JSON.stringify({ proposal_id: "p1", taken_back: false, doing: "", ...words }),
    );
  for (const doing of ["x".repeat(201), "a\nb", "a\u202eb", "\u200b", "", 7]) {
    await leave({ doing });
    assertEquals([doing, readUnderway(queueDir, "p1")], [doing, undefined]);
  }
  await leave({ doing: "lädt neu" });
  assertEquals(readUnderway(queueDir, "p1")?.doing, "lädt neu");
  assertEquals(readUnderway(queueDir, "p2"), undefined);
  const { now } = Date;
  try {
    // The owner of a file can set other times than the one that counts.
    Date.now = () => now() + 62 * 60 * 1000;
    assertEquals(readUnderway(queueDir, "p1"), undefined);
  } finally {
    Date.now = now;
  }
  // What an applier says that is not a few words is left out, and fails nothing.
  clearUnderway(queueDir);
  leaveUnderway(queueDir, { ...WORDS, doing: "a\nb" }, dir.at("private/staging"));
  assertEquals(readUnderway(queueDir, "p1"), undefined);
});

/** Waits for a file that the test makes, and ends with the code that is in it. */
const WAITS =
  'while ! [ -e "$1" ]; do sleep 0.05; done; read -r code < "$1"; rm "$1"; exit "$code"';

Deno.test("an agent that waits hears what is being done, that it failed, and what to do in the end", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  const root = dir.path;
  await Deno.mkdir(dir.at("current-config", SLUG), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", SLUG, "allowlist"), "kept.example\n");
  const end = (code: number) =>
    Deno.writeTextFile(dir.at("end.new"), `${code}\n`).then(() =>
      Deno.rename(dir.at("end.new"), dir.at("end"))
    );
  const argv = ["/bin/sh", "-c", WAITS, "sh", dir.at("end")];
  const applier = hookApplier(
    parseApplyConfig(
      JSON.stringify({ pipelock: { render: "squid", to: dir.at("allowed"), reload: { argv } } }),
      "apply.json",
    ),
  );

  await using sidecar = await startSidecar(queueDir);
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(sidecar.url), PATIENCE);
  const told: string[] = [];
  let heard = Promise.withResolvers<void>();
  const call = client.callTool({
    name: "pipelock-block",
    arguments: { proposed_file: "kept.example\nnew.example\n", justification: "Why." },
  }, {
    ...PATIENCE,
    onprogress: ({ message }) => {
      told.push(message!);
      heard.resolve();
      heard = Promise.withResolvers();
    },
  });
  await sidecar.logged("proposed");
  const [proposal] = await listPendingProposals(queueDir);
  const id = proposal!.id;
  const state = async () => {
    const status = { name: "proposal-status", arguments: { proposal_id: id } };
    const { structuredContent } = await client.callTool(status, PATIENCE);
    return (structuredContent as { notes: string }).notes;
  };
  const sha256 = sha256Hex(await Deno.readFile(`${queueDir}/${id}.proposal.json`));
  const approve = () =>
    decide({
      ...{ root, bottleSlug: SLUG, proposalId: id, proposalSha256: sha256, applier },
      ...{ verdict: { status: "approved" }, notes: "", operator: "ada@host" },
    });
  /** Until the host says something: the call is held meanwhile. */
  const untilTold = async (words: string) => {
    while (await state() !== `No response is here yet: ${words}.`) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  assertEquals(await state(), "No response is here yet.");
  const failing = approve();
  failing.catch(() => {});
  await untilTold("being put into force, not approved yet: the host reloads the proxy");
  await heard.promise;
  assertMatch(
    told.at(-1)!,
    /^being put into force, not approved yet: the host reloads the proxy, \d+ s$/,
  );
  await end(1);
  await untilTold("it did not take effect: the host reloads the proxy");
  await end(0);
  await assertRejects(() => failing, Error, "Nothing was decided");
  await untilTold("it did not take effect; waiting for the operator again");
  await assertRejects(() => Deno.lstat(underwayPath(queueDir)), Deno.errors.NotFound);

  await end(0);
  await approve();
  const { structuredContent } = await call;
  const { status, next } = structuredContent as Record<string, string>;
  assertEquals(status, "approved");
  // Nothing probes it, and the words do not say that anything did.
  assertMatch(next!, /^Try again now\. The proxy was told to read it, and nobody looked /);
  assert(!told.some((message) => /approved(?! yet)/.test(message)), told.join("\n"));
  await client.close();
});

// Threat: B13
Deno.test("words that a crash left are gone once the next one has the bottle's lock", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  leaveUnderway(queueDir, WORDS, dir.at("private/staging"));
  await withBottleLock(dir.path, SLUG, () => assert(readUnderway(queueDir, "p1")));
  assertEquals(readUnderway(queueDir, "p1"), undefined);
});

Deno.test("an agent that is granted a Dockerfile for a time is told that the end restarts its bottle", () => {
  const proposal = sampleProposal({ tool: "capability-block" });
  const nextOf = (until?: string) => {
    const response = {
      ...{ proposalId: proposal.id, status: "approved", notes: "", finalFile: null } as const,
      ...{ effect: "restarts" as const, ...(until !== undefined && { until }) },
    };
    const { content } = resultOf({ kind: "answered", proposal, response, answeredAtMs: 0 });
    return JSON.stringify(content);
  };
  assertMatch(nextOf("2999-01-01T00:00:00Z"), /When its time is over, it is restarted again\./);
  assert(!nextOf().includes("restarted again"));
});
