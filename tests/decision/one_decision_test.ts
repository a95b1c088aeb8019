import { COMPONENT_REBUILD } from "../../internal_mod.ts";
import {
  COMPONENT_FOR_TOOL,
  listPendingProposals,
  type Proposal,
  readAuditEntries,
  readResponse,
  sha256Hex,
  STATUS_APPROVED,
  STATUS_MODIFIED,
  STATUS_REJECTED,
  type Tool,
  TOOLS,
  verifyAuditLog,
} from "../../mod.ts";
import { type Ended, startRacers } from "../support/race.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";

const PROPOSALS = 500;

const OPERATORS = 8;

const BOTTLES = ["dev-1", "web.2"];

const VERBS = ["approve", "modify", "reject"] as const;

const STATUS_OF = {
  approve: STATUS_APPROVED,
  modify: STATUS_MODIFIED,
  reject: STATUS_REJECTED,
} as const;

/** What is proposed, and each operator's own version of it: all sound. */
const FILES: Readonly<Record<Tool, (by: string) => string>> = {
  "cred-proxy-block": (by) => JSON.stringify({ routes: [], by }),
  "pipelock-block": (by) => `# ${by}\napi.example.com\n`,
  "capability-block": (by) => `# ${by}\nFROM debian:13\n`,
};

const componentOf = (tool: Tool) => COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD;

const verbOf = (operator: number) => VERBS[operator % VERBS.length]!;

function shuffled<T>(values: readonly T[]): T[] {
  const order = values.map((value) => ({ value, at: Math.random() }));
  return order.sort((a, b) => a.at - b.at).map(({ value }) => value);
}

function queueAll(root: string): Promise<QueuedProposal[]> {
  return Promise.all(Array.from({ length: PROPOSALS }, (_, n) => {
    const tool = TOOLS[n % TOOLS.length]!;
    const bottleSlug = BOTTLES[n % BOTTLES.length]!;
    return queueSample(root, { tool, bottleSlug, proposedFile: FILES[tool]("the agent") });
  }));
}

/** One operator's command line for each proposal, by the operator's number. */
async function commandsOf(
  operator: number,
  root: string,
  proposals: readonly Proposal[],
  sha256Of: ReadonlyMap<string, string>,
): Promise<string[][]> {
  const verb = verbOf(operator);
  for (const tool of TOOLS) {
    await Deno.writeTextFile(`${root}/by-${operator}-${tool}`, FILES[tool](`${operator}`));
  }
  return proposals.map(({ id, tool }) => [
    ...[verb, id, "--json", "--notes", `by ${operator}`],
    ...(verb === "approve" ? ["--sha256", sha256Of.get(id)!] : []),
    ...(verb === "modify" ? ["--file", `${root}/by-${operator}-${tool}`] : []),
  ]);
}

interface Attempt extends Ended {
  readonly operator: number;
  readonly id: string;
}

// Threat: C1
Deno.test("eight operators decide the same 500 proposals at once: one wins each, all others hear of it", async () => {
  await using dir = await tempDir();
  const root = dir.at("root");
  const queued = await queueAll(root);
  const sha256Of = new Map(
    queued.map(({ proposal, proposalSha256 }) => [proposal.id, proposalSha256]),
  );
  const orders = await Promise.all(
    Array.from({ length: OPERATORS }, async (_, operator) => {
      const order = shuffled(queued.map(({ proposal }) => proposal));
      return { operator, order, commands: await commandsOf(operator, root, order, sha256Of) };
    }),
  );
  const racers = await startRacers(dir, root, orders.map(({ commands }) => commands));
  const ended = await Promise.all(racers.map((racer) => racer.go()));

  const attempts = orders.flatMap(({ operator, order }) =>
    order.map(({ id }, n): Attempt => ({ operator, id, ...ended[operator]![n]! }))
  );
  assertEquals(attempts.length, OPERATORS * PROPOSALS);
  const winners = new Map<string, Attempt>();
  for (const attempt of attempts.filter(({ exit }) => exit === 0)) {
    assert(!winners.has(attempt.id), `${attempt.id} was decided twice`);
    winners.set(attempt.id, attempt);
  }
  assertEquals(winners.size, PROPOSALS);
  // It was a race: nobody came too late for all of them.
  assertEquals(new Set([...winners.values()].map(({ operator }) => operator)).size, OPERATORS);

  const recorded = (await Promise.all(TOOLS.flatMap((tool) =>
    BOTTLES.map(async (slug) => {
      assert((await verifyAuditLog(componentOf(tool), slug, { root })).ok);
      return await readAuditEntries(componentOf(tool), slug, { root });
    })
  ))).flat();
  assertEquals(recorded.length, PROPOSALS);
  const entries = new Map(recorded.map((entry) => [entry.proposalId, entry]));

  for (const { proposal: { id, tool, proposedFile }, proposalSha256, queueDir } of queued) {
    const { operator } = winners.get(id)!;
    const verb = verbOf(operator);
    const status = STATUS_OF[verb];
    const final = { approve: proposedFile, modify: FILES[tool](`${operator}`), reject: null };
    const finalFile = final[verb];
    const notes = `by ${operator}`;
    const { auditHead, effect: _, ...answer } = await readResponse(queueDir, id);
    assertEquals(answer, { proposalId: id, status, notes, finalFile });
    assertEquals(auditHead?.seq, entries.get(id)!.seq! + 1);
    const entry = entries.get(id)!;
    assertEquals([entry.operatorAction, entry.operatorNotes], [status, notes]);
    assertEquals(entry.proposalSha256, proposalSha256);
    assertEquals(entry.finalSha256, finalFile === null ? "" : sha256Hex(finalFile));
  }

  for (const { id, exit, printed, complaints } of attempts) {
    if (exit === 0) continue;
    // Another proposal of that file was approved between this one's look and its decision.
    if (exit === 5 && complaints[0]!.includes("is not the file that was shown")) continue;
    const { operatorAction, operator } = entries.get(id)!;
    const message = `Proposal ${id} is already ${operatorAction}, by ${operator}`;
    assertEquals([exit, complaints], [4, [message]]);
    assertEquals(printed.map((line) => JSON.parse(line)), [
      { version: 1, error: { code: "already_decided", message } },
    ]);
  }

  for (const slug of BOTTLES) {
    assertEquals(await listPendingProposals(`${root}/queue/${slug}`), []);
    assertEquals([...Deno.readDirSync(`${root}/private/staging/${slug}`)], []);
  }
  assertEquals([...Deno.readDirSync(`${root}/private/intents`)], []);
});
