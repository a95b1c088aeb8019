import { ACTION_SUPERSEDED } from "../../internal_mod.ts";
import {
  archiveProposal,
  type AuditEntry,
  decide,
  type Overview,
  type QueueEvent,
  watchEvents,
  writeAuditEntry,
  writeResponse,
} from "../../mod.ts";
import { changesBetween } from "../../src/decision/events.ts";
import { openQueues } from "../../src/decision/overview.ts";
import { sampleEntry } from "../support/audit.ts";
import { holds } from "../support/properties.ts";
import { type QueuedProposal, queueSample, samplePending } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { asUser, ranAlone } from "../support/user.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const NOTHING: Overview = {
  pending: [],
  unrecordedResponses: [],
  unlisted: [],
  unreadable: [],
  held: [],
};

/** Where a proposal is: pending with some bytes, or its response is without a record. */
type Place = { readonly sha: string } | { readonly says: string };

function overviewOf(
  places: Readonly<Record<string, Place>>,
  rest: Partial<Pick<Overview, "unlisted" | "unreadable">> = {},
): Overview {
  const all = Object.entries(places).map(([name, place]) => {
    const [bottleSlug, id] = name.split("/") as [string, string];
    return { bottleSlug, id, place };
  });
  return {
    pending: all.flatMap(({ bottleSlug, id, place }) =>
      "sha" in place ? [samplePending({ bottleSlug, id }, place.sha)] : []
    ),
    unrecordedResponses: all.flatMap(({ bottleSlug, id, place }) =>
      "says" in place ? [{ bottleSlug, proposalId: id, says: place.says }] : []
    ),
    unlisted: rest.unlisted ?? [],
    unreadable: rest.unreadable ?? [],
    held: [],
  };
}

const REJECTED = { operatorAction: "rejected", operator: "ada@host" } as AuditEntry;

const ALL_REJECTED = (ids: ReadonlySet<string>) => new Map([...ids].map((id) => [id, REJECTED]));

/** What an overview has, in an order that does not depend on when it came. */
function contentOf({ pending, unrecordedResponses, unlisted, unreadable }: Overview) {
  const sorted = (lines: readonly unknown[]) => lines.map((line) => JSON.stringify(line)).sort();
  return {
    pending: sorted(pending.map(({ proposal: { bottleSlug, id }, proposalSha256 }) => [
      bottleSlug,
      id,
      proposalSha256,
    ])),
    unrecorded: sorted(
      unrecordedResponses.map(({ bottleSlug, proposalId, says }) => [bottleSlug, proposalId, says]),
    ),
    unlisted: sorted(unlisted.map(({ bottleSlug, count }) => [bottleSlug, count])),
    unreadable: sorted(
      unreadable.map(({ bottleSlug, file, reason }) => [bottleSlug, file, reason]),
    ),
  };
}

/** What a reader of events knows who knew an overview. */
function applied(overview: Overview, events: readonly QueueEvent[]): Overview {
  let { pending, unrecordedResponses, unlisted, unreadable } = overview;
  for (const event of events) {
    const { bottleSlug } = event;
    if ("proposalId" in event) {
      const { proposalId } = event;
      if (event.event !== "over") {
        pending = pending.filter(({ proposal }) =>
          proposal.bottleSlug !== bottleSlug || proposal.id !== proposalId
        );
      }
      unrecordedResponses = unrecordedResponses.filter((response) =>
        response.bottleSlug !== bottleSlug || response.proposalId !== proposalId
      );
      if ("proposal" in event) pending = [...pending, event];
      if (event.event === "unrecorded") unrecordedResponses = [...unrecordedResponses, event];
    } else if ("file" in event) {
      const { file, reason } = event;
      unreadable = unreadable.filter((one) =>
        one.bottleSlug !== bottleSlug || one.file !== file || one.reason !== reason
      );
      if (event.event === "unreadable") unreadable = [...unreadable, event];
    } else {
      unlisted = unlisted.filter((one) => one.bottleSlug !== bottleSlug);
      if (event.event === "unlisted") unlisted = [...unlisted, event];
    }
  }
  return { pending, unrecordedResponses, unlisted, unreadable, held: [] };
}

const slug = fc.constantFrom("dev-1", "web.2");

const place: fc.Arbitrary<Place> = fc.oneof(
  fc.constantFrom("a", "b").map((sha) => ({ sha })),
  fc.constantFrom("approved", "it is a link").map((says) => ({ says })),
);

/** What one look may find, and what the log has by then. */
const found = fc.record({
  places: fc.dictionary(
    fc.tuple(slug, fc.constantFrom("p1", "p2", "p3")).map(([bottle, id]) => `${bottle}/${id}`),
    place,
    { noNullPrototype: true },
  ),
  unlisted: fc.uniqueArray(
    fc.record({ bottleSlug: slug, count: fc.integer({ min: 1, max: 2 }) }),
    { selector: ({ bottleSlug }) => bottleSlug },
  ),
  unreadable: fc.uniqueArray(
    fc.record({
      bottleSlug: slug,
      file: fc.constantFrom(".", "x.proposal.json"),
      reason: fc.constantFrom("it is a link", "it is not JSON"),
    }),
    { selector: (one) => JSON.stringify(one) },
  ),
  decided: fc.uniqueArray(fc.constantFrom<string>("p1", "p2", "p3")),
  unseen: fc.option(slug),
}).map(({ unseen, ...all }) => {
  if (unseen === null) return { ...all, unseen };
  // Of a queue that cannot be looked into, a look has nothing else.
  const others = <T extends { bottleSlug: string }>(some: readonly T[]) =>
    some.filter(({ bottleSlug }) => bottleSlug !== unseen);
  const places = Object.entries(all.places).filter(([name]) => !name.startsWith(`${unseen}/`));
  const whole = { bottleSlug: unseen, file: ".", reason: "closed", isWholeQueue: true as const };
  return {
    ...all,
    places: Object.fromEntries(places),
    unlisted: others(all.unlisted),
    unreadable: [...others(all.unreadable), whole],
    unseen,
  };
});

Deno.test("changesBetween() tells all that leads from one look to the next, whatever they found", () => {
  holds(
    fc.property(fc.array(found, { minLength: 1, maxLength: 8 }), (looks) => {
      let before: Overview | undefined;
      let known = NOTHING;
      for (const { places, decided, unseen, ...rest } of looks) {
        const latest = overviewOf(places, rest);
        const decidedAmong = (ids: ReadonlySet<string>) =>
          new Map([...ids].filter((id) => decided.includes(id)).map((id) => [id, REJECTED]));
        const { events, now } = changesBetween(before, latest, decidedAmong);
        known = applied(known, events);
        assertEquals(contentOf(known), contentOf(now));
        for (const event of events) {
          assertEquals(event.atStart, before === undefined);
          assertEquals(JSON.parse(JSON.stringify(event)), event);
          if (event.event === "decided") assert(decided.includes(event.proposalId));
          if (event.event === "withdrawn") assert(!decided.includes(event.proposalId));
          // Nothing in a queue that could not be looked into is told as gone.
          assert(event.bottleSlug !== unseen || "file" in event && event.file === ".");
        }
        // What is left out of the look is decided already, and its response on its way.
        const left = latest.pending.filter((entry) => !now.pending.includes(entry));
        assert(left.every(({ proposal: { id } }) => decided.includes(id)));
        assertEquals(changesBetween(now, now, decidedAmong).events, []);
        before = now;
      }
    }),
    1_000,
  );
});

/** What is told of: where proposals were, where they are, and the events. */
type Told = [string, Record<string, Place>, Record<string, Place>, string[]];

const p1 = "dev-1/p1";
const link = { bottleSlug: "dev-1", file: "x", reason: "it is a link" };
const notJson = { ...link, reason: "it is not JSON" };

Deno.test.each<Told>([
  ["a new proposal", {}, { [p1]: { sha: "a" } }, ["arrived p1"]],
  ["a proposal with other bytes", { [p1]: { sha: "a" } }, { [p1]: { sha: "b" } }, ["changed p1"]],
  ["a proposal that is gone", { [p1]: { sha: "a" } }, {}, ["withdrawn p1"]],
  ["a planted response", { [p1]: { sha: "a" } }, { [p1]: { says: "x" } }, ["unrecorded p1"]],
  ["another planted response", { [p1]: { says: "x" } }, { [p1]: { says: "y" } }, ["unrecorded p1"]],
  ["a planted response that is gone", { [p1]: { says: "x" } }, {}, ["over p1"]],
  [
    "a planted response that is gone again",
    { [p1]: { says: "x" } },
    { [p1]: { sha: "a" } },
    ["over p1", "arrived p1"],
  ],
])("changesBetween() without a decision tells %s", (_, before, now, expected) => {
  const { events } = changesBetween(overviewOf(before), overviewOf(now), () => new Map());
  assertEquals(events.map(named), expected);
});

Deno.test.each<Told>([
  ["a proposal that is gone", { [p1]: { sha: "a" } }, {}, ["decided p1"]],
  ["a planted response that is gone", { [p1]: { says: "x" } }, {}, ["decided p1"]],
  [
    "an id that was used again",
    { [p1]: { sha: "a" } },
    { [p1]: { sha: "b" } },
    ["decided p1", "arrived p1"],
  ],
  ["a proposal that is still there", { [p1]: { sha: "a" } }, { [p1]: { sha: "a" } }, []],
  // Its response is on its way: it neither arrives nor is it decided yet.
  ["a planted response that is moved away", { [p1]: { says: "x" } }, { [p1]: { sha: "a" } }, []],
  // The log was read before the decision was in it: the next look has it.
  ["a planted response", { [p1]: { sha: "a" } }, { [p1]: { says: "x" } }, ["unrecorded p1"]],
])("changesBetween() with a decision tells %s", (_, before, now, expected) => {
  const { events } = changesBetween(overviewOf(before), overviewOf(now), ALL_REJECTED);
  assertEquals(events.map(named), expected);
});

Deno.test("changesBetween() tells a decision that overrides once, when its response is there", () => {
  let before = overviewOf({ [p1]: { says: "approved" } });
  const seen: string[] = [];
  for (const places of [{ [p1]: { sha: "a" } }, { [p1]: { sha: "a" } }, {}, {}]) {
    const { events, now } = changesBetween(before, overviewOf(places), ALL_REJECTED);
    seen.push(events.map(named).join());
    before = now;
  }
  assertEquals(seen, ["", "", "decided p1", ""]);
});

Deno.test.each<[string, typeof link[], typeof link[], string[]]>([
  ["a file that cannot be read", [], [link], ["unreadable x"]],
  ["a file that can be read again", [link], [], ["over x"]],
  ["another reason", [link], [notJson], ["over x", "unreadable x"]],
  ["one reason of two that is over", [link, notJson], [notJson], ["over x"]],
])("changesBetween() tells %s", (_, before, now, expected) => {
  const { events } = changesBetween(
    { ...NOTHING, unreadable: before },
    { ...NOTHING, unreadable: now },
    () => new Map(),
  );
  assertEquals(events.map(named), expected);
});

/** An event in a few words. */
function named(event: QueueEvent): string {
  const about = "proposalId" in event
    ? event.proposalId
    : "file" in event
    ? event.file
    : event.bottleSlug;
  return `${event.event} ${about}`;
}

/** The events of a root, waited for one at a time. */
function follow(dir: TempDir, options: Parameters<typeof watchEvents>[0] = {}) {
  const events = watchEvents({ root: dir.path, ...options });
  return {
    next: async () => (await events.next()).value!,
    [Symbol.asyncDispose]: async () => void await events.return(),
  };
}

function reject(dir: TempDir, { proposal, proposalSha256 }: QueuedProposal) {
  const { bottleSlug, id: proposalId } = proposal;
  const verdict = { status: "rejected" } as const;
  const who = { notes: "no", operator: "ada@host" };
  return decide({ root: dir.path, bottleSlug, proposalId, proposalSha256, verdict, ...who });
}

Deno.test("watchEvents() tells who decided as the log has it, though the sidecar has archived all of it", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await using events = follow(dir);
  const arrived = await events.next();
  assertEquals([named(arrived), arrived.atStart], ["arrived p1", true]);
  assert(arrived.event === "arrived");
  assertEquals([arrived.proposal, arrived.proposalSha256], [
    queued.proposal,
    queued.proposalSha256,
  ]);
  await reject(dir, queued);
  await archiveProposal(queued.queueDir, "p1");
  const event = await events.next();
  assert(event.event === "decided");
  const { operatorAction, operator, operatorNotes } = event.decision;
  assertEquals([operatorAction, operator, operatorNotes], ["rejected", "ada@host", "no"]);
  assertEquals(event.atStart, false);
});

// Threat: B8
Deno.test("watchEvents() takes a response that was planted, and archived, for no decision", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  await using events = follow(dir);
  assertEquals(named(await events.next()), "arrived p1");
  const planted = { status: "approved", notes: "by ada@host", finalFile: "x" } as const;
  await writeResponse(queueDir, { proposalId: "p1", ...planted });
  assertEquals(named(await events.next()), "unrecorded p1");
  await archiveProposal(queueDir, "p1");
  const over = await events.next();
  assertEquals([named(over), "was" in over && over.was], ["over p1", "unrecorded"]);
});

// Threat: B8
Deno.test("watchEvents() tells a response as unrecorded once the log takes its decision back", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await using events = follow(dir);
  assertEquals(named(await events.next()), "arrived p1");
  await reject(dir, queued);
  const event = await events.next();
  assert(event.event === "decided");
  // Nothing in the queue changes by this.
  const superseded = { ...event.decision, operatorAction: ACTION_SUPERSEDED };
  await writeAuditEntry(superseded, { root: dir.path });
  assertEquals(named(await events.next()), "unrecorded p1");
});

Deno.test("watchEvents() tells that a proposal was changed in its place, with the new bytes' hash", async () => {
  await using dir = await tempDir();
  const { path } = await queueSample(dir.path, { id: "p1" });
  await using events = follow(dir);
  assertEquals(named(await events.next()), "arrived p1");
  const other = await queueSample(dir.path, { id: "p2", justification: "Something else." });
  assertEquals(named(await events.next()), "arrived p2");
  // In one step, or a look may find half of it.
  await Deno.writeTextFile(
    dir.at("p1"),
    (await Deno.readTextFile(other.path)).replace('"p2"', '"p1"'),
  );
  await Deno.rename(dir.at("p1"), path);
  const event = await events.next();
  assert(event.event === "changed");
  assertEquals([event.proposalId, event.proposal.justification], ["p1", "Something else."]);
});

Deno.test("watchEvents() gives a slow reader what is different by then, and nothing of what came between", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "first" });
  await using events = follow(dir, { pollIntervalMs: 5 });
  assertEquals(named(await events.next()), "arrived first");
  for (let n = 0; n < 100; n++) {
    const { path } = await queueSample(dir.path, { id: `between${n}` });
    await Deno.remove(path);
  }
  await queueSample(dir.path, { id: "last" });
  const seen: string[] = [];
  while (seen.at(-1) !== "arrived last") seen.push(named(await events.next()));
  // A look may have been under way, and then it may have found one of the hundred.
  assert(seen.length <= 3, seen.join());
});

Deno.test("watchEvents() does not tell after a restart what happened before, and marks what is there", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2" });
  {
    await using events = follow(dir);
    assertEquals([named(await events.next()), named(await events.next())], [
      "arrived p1",
      "arrived p2",
    ]);
  }
  await reject(dir, queued);
  await using events = follow(dir);
  const event = await events.next();
  assertEquals([named(event), event.atStart], ["arrived p2", true]);
  await queueSample(dir.path, { id: "p3" });
  const later = await events.next();
  assertEquals([named(later), later.atStart], ["arrived p3", false]);
});

Deno.test("watchEvents() ends when it is aborted, in the middle of a look and while it waits", async () => {
  await using dir = await tempDir();
  for (const id of ["p1", "p2"]) await queueSample(dir.path, { id });
  for (const count of [1, 2]) {
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of watchEvents({ root: dir.path, signal: stop.signal })) {
      seen.push(named(event));
      if (count === 1) stop.abort();
      else if (seen.length === 2) setTimeout(() => stop.abort());
    }
    assertEquals(seen.length, count);
  }
});

// Threat: B5
Deno.test("watchEvents() tells nothing in a queue as gone that it cannot look into, and goes on without a log", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  const { path } = await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2", bottleSlug: "dev-2" });
  await writeAuditEntry(sampleEntry({ proposalId: "p0" }), { root: dir.path });
  const queueDir = dir.at("queue", "dev-2");
  const log = dir.at("audit", "pipelock-dev-1.log");
  await asUser(dir.path, async () => {
    await using events = follow(dir);
    const next = async () => named(await events.next());
    /** What the look after a change tells; no look is under way meanwhile. */
    const after = (change: () => void) => {
      const soon = next();
      change();
      return soon;
    };
    assertEquals([await next(), await next()], ["arrived p1", "arrived p2"]);
    assertEquals(await after(() => Deno.chmodSync(queueDir, 0o000)), "unreadable .");
    assertEquals(await after(() => Deno.chmodSync(queueDir, 0o700)), "over .");
    // The log of the first bottle cannot be read when its proposal goes.
    Deno.chmodSync(log, 0o000);
    assertEquals(await after(() => Deno.removeSync(path)), "withdrawn p1");
    assertEquals(await next(), "unreadable .");
    await queueSample(dir.path, { id: "p3", bottleSlug: "dev-2" });
    assertEquals(await next(), "arrived p3");
  });
});

Deno.test("a queue that is closed after its names were read is one that nobody can look into", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  await asUser(dir.path, async () => {
    const queues = openQueues({ root: dir.path });
    queues.refreshBottles();
    assertEquals(queues.overview().pending.length, 1);
    for (const mode of [0o000, 0o400]) {
      await Deno.chmod(queueDir, mode);
      queues.refreshBottle("dev-1", new Set(["p1.proposal.json"]));
      const { unreadable } = queues.overview();
      await Deno.chmod(queueDir, 0o700);
      assertEquals(unreadable.map(({ file, isWholeQueue }) => [file, isWholeQueue]), [[".", true]]);
    }
    queues.refreshBottle("dev-1");
    assertEquals(queues.overview().pending.length, 1);
  });
});

Deno.test("watchEvents() tells of one bottle alone, and of the proposals that are wanted", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", bottleSlug: "other" });
  const dropped = await queueSample(dir.path, { id: "p2" });
  await queueSample(dir.path, { id: "p3" });
  await using events = follow(dir, {
    bottleSlug: "dev-1",
    wanted: ({ proposal }) => proposal.id !== "p2",
  });
  assertEquals(named(await events.next()), "arrived p3");
  await Deno.remove(dropped.path);
  await queueSample(dir.path, { id: "p4" });
  assertEquals(named(await events.next()), "arrived p4");
});
