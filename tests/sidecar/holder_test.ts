import { listPendingProposals } from "../../mod.ts";
import { type HeldCall, type Holder, openHolder } from "../../sidecar/hold.ts";
import type { HoldLimits } from "../../sidecar/settings.ts";
import { decideNext, queueOf, SLUG } from "../support/operator.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";

const LIMITS: HoldLimits = {
  holdMs: Infinity,
  holdWithProgressMs: Infinity,
  repeatMs: 600_000,
  maxHeld: 8,
  maxPending: 8,
};

const QUESTION = {
  tool: "pipelock-block",
  proposedFile: "x.example\n",
  justification: "Why.",
  currentFileHash: "",
} as const;

/** Opens a holder in this process, to the end of the block. */
async function openHere(dir: TempDir, limits: Partial<HoldLimits> = {}) {
  const queueDir = await queueOf(dir);
  const events: string[] = [];
  const holder: Holder = openHolder({
    bottleSlug: SLUG,
    queueDir,
    log: (event) => events.push(event),
    limits: { ...LIMITS, ...limits },
  });
  return { ...holder, queueDir, events, [Symbol.dispose]: holder.close };
}

function callOf(more: Partial<HeldCall> = {}): HeldCall {
  const { signal } = new AbortController();
  return {
    signal,
    session: "mine",
    requestId: 1,
    characters: 100,
    onHeld: () => {},
    nextTurn: () => Promise.resolve(),
    tell: undefined,
    ...more,
  };
}

const proposalsIn = async (queueDir: string) => (await listPendingProposals(queueDir)).length;

// Threat: A5
Deno.test("equal calls that overlap in any order write one proposal", async () => {
  await using dir = await tempDir();
  using holder = await openHere(dir);
  const asked: ReturnType<Holder["ask"]>[] = [];
  for (let n = 0; n < 8; n++) {
    asked.push(holder.ask(QUESTION, callOf({ requestId: n })));
    // Some begin in the same turn, some while the first one's file is being written.
    if (n % 3 === 2) await Promise.resolve();
    if (n === 5) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  while (holder.events.length < 8) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(holder.events.filter((event) => event === "proposed").length, 1);
  assertEquals(await proposalsIn(holder.queueDir), 1);
  await decideNext(dir, { status: "approved" });
  const outcomes = await Promise.all(asked);
  assertEquals(new Set(outcomes.map((outcome) => outcome.kind)), new Set(["answered"]));
  // The last of them archives both files, and no other one tries to.
  assertEquals(holder.events.filter((event) => event === "answered").length, 1);
});

// Threat: A5
Deno.test("a rejection refuses exactly that file of that tool, for a minute, and no other", async () => {
  await using dir = await tempDir();
  using holder = await openHere(dir, { holdMs: 0 });
  await holder.ask(QUESTION, callOf());
  await decideNext(dir, { status: "rejected" }, "never");
  const kindOf = async (more: Record<string, unknown>) =>
    (await holder.ask({ ...QUESTION, justification: "Please.", ...more }, callOf())).kind;
  assertEquals(await kindOf({}), "refused");
  assertEquals(await kindOf({ currentFileHash: "0".repeat(64) }), "refused");
  assertEquals(await kindOf({ proposedFile: "x.example\n\n" }), "pending");
  assertEquals(await kindOf({ proposedFile: "y.example\n" }), "pending");
  assertEquals(await kindOf({ tool: "capability-block" }), "pending");
  assertEquals(await proposalsIn(holder.queueDir), 3);
});

Deno.test("a rejected file can be proposed again once a minute is over, and not before", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  {
    using holder = await openHere(dir, { holdMs: 0 });
    await holder.ask(QUESTION, callOf());
  }
  const { proposal } = await decideNext(dir, { status: "rejected" });
  const again = { ...QUESTION, justification: "Please." };
  for (const [ageSeconds, kind] of [[50, "refused"], [61, "pending"]] as const) {
    const then = new Date(Date.now() - ageSeconds * 1000);
    await Deno.utime(`${queueDir}/${proposal.id}.response.json`, then, then);
    // A new sidecar knows what the directory says.
    using holder = await openHere(dir, { holdMs: 0 });
    assertEquals((await holder.ask(again, callOf())).kind, kind, `${ageSeconds} s`);
  }
});

Deno.test("wait_seconds is capped by the time for which a call is held", async () => {
  await using dir = await tempDir();
  using holder = await openHere(dir, { holdMs: 1, holdWithProgressMs: 2 });
  const asked = await holder.ask(QUESTION, callOf());
  assert(asked.kind === "pending");
  // Each waits for ever if nothing caps it.
  for (const tell of [undefined, () => Promise.resolve()]) {
    const outcome = await holder.status(asked.proposal.id, Infinity, callOf({ tell }));
    assertEquals(outcome?.kind, "pending");
  }
});

// Threat: A14
Deno.test("a call that would keep more than 16,384 characters of its request is not held", async () => {
  await using dir = await tempDir();
  using holder = await openHere(dir);
  const isHeld = Promise.withResolvers<void>();
  const held = holder.ask(QUESTION, callOf({ characters: 16_384, onHeld: isHeld.resolve }));
  await isHeld.promise;
  const more = callOf({ characters: 16_385, tell: () => Promise.resolve() });
  const pending = await holder.ask(QUESTION, more);
  assert(pending.kind === "pending");
  assertEquals((await holder.status(pending.proposal.id, Infinity, more))?.kind, "pending");
  await decideNext(dir, { status: "approved" });
  assertEquals((await held).kind, "answered");
});

// Threat: A4
Deno.test("a cancellation releases its own call alone, also one whose proposal is being written", async () => {
  await using dir = await tempDir();
  using holder = await openHere(dir);
  const early = holder.ask(QUESTION, callOf());
  holder.release("mine", 1);
  assertEquals((await early).kind, "pending");

  const calls = [
    callOf(),
    callOf({ session: "other" }),
    callOf({ requestId: 2 }),
    callOf({ requestId: "1" }),
    callOf({ session: undefined }),
  ];
  const held = calls.map((call) => holder.ask(QUESTION, call));
  const ended: number[] = [];
  held.forEach((outcome, n) => outcome.then(() => ended.push(n)));
  while (holder.events.filter((event) => event === "attached").length < 5) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  holder.release("mine", 1);
  assertEquals((await held[0]!).kind, "pending");
  assertEquals(ended, [0]);
  await decideNext(dir, { status: "approved" });
  const outcomes = await Promise.all(held.slice(1));
  assertEquals(outcomes.map(({ kind }) => kind), Array(4).fill("answered"));
});

Deno.test("a closed holder holds no call, not even one whose proposal is being written", async () => {
  await using dir = await tempDir();
  using holder = await openHere(dir);
  const asked = holder.ask(QUESTION, callOf());
  holder.close();
  assertEquals((await asked).kind, "pending");
  assertEquals((await holder.ask(QUESTION, callOf({ requestId: 2 }))).kind, "pending");
});

Deno.test("a call ends when its client is gone, and frees its place", async () => {
  await using dir = await tempDir();
  using holder = await openHere(dir, { maxHeld: 1 });
  const gone = new AbortController();
  const held = holder.ask(QUESTION, callOf({ signal: gone.signal })).catch((error) => error);
  while (!holder.events.includes("proposed")) await new Promise((done) => setTimeout(done, 1));
  assertEquals((await holder.ask(QUESTION, callOf())).kind, "refused");
  gone.abort(new Error("gone"));
  assertEquals((await held).message, "gone");
  const next = holder.ask(QUESTION, callOf());
  await decideNext(dir, { status: "approved" });
  assertEquals((await next).kind, "answered");
});
