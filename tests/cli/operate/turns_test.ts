import { openTurns } from "../../../cli/operate/turns.ts";
import type { QueueEvent } from "../../../mod.ts";
import { assertEquals } from "@std/assert";

/** What is in an event beside its name and its proposal does not matter here. */
const look = (...named: readonly (readonly [string, string])[]) => ({
  events: named.map(([event, name]) => {
    const [bottleSlug, proposalId] = name.split("/");
    return { event, bottleSlug, proposalId, atStart: false } as unknown as QueueEvent;
  }),
  now: { pending: [], unrecordedResponses: [], unlisted: [], unreadable: [], held: [] },
});

const arrived = (...names: readonly string[]) =>
  look(...names.map((name) => ["arrived", name] as const));

function rest(turns: ReturnType<typeof openTurns>, nowMs = 0): string[] {
  const order: string[] = [];
  for (let due = turns.next(nowMs); due !== undefined; due = turns.next(nowMs)) {
    order.push(`${due.bottleSlug}/${due.proposalId}`);
  }
  return order;
}

// Threat: B12
Deno.test("bottles take turns to have the rules asked, whatever one of them has pending", () => {
  const turns = openTurns();
  turns.take(arrived("a/1", "a/2", "a/3", "b/1", "b/2"));
  assertEquals(turns.next(0)?.proposalId, "1");
  turns.take(look(["arrived", "c/1"], ["changed", "a/2"], ["decided", "a/3"]));
  assertEquals(rest(turns), ["b/1", "c/1", "a/2", "b/2"]);
  assertEquals(turns.waitMs(0), Infinity);
});

Deno.test("a proposal that the rules could not be asked about is due again later, unless it is gone", () => {
  const turns = openTurns();
  turns.take(arrived("a/1", "a/2", "a/3"));
  const asked = [1, 2, 3].map(() => turns.next(0)!);
  turns.take(look(["withdrawn", "a/1"], ["changed", "a/2"]));
  for (const due of asked) turns.again(due, 60_000, "no");
  assertEquals(turns.waitMs(0), 0);
  assertEquals(rest(turns), ["a/2"]);
  assertEquals([turns.waitMs(10_000), turns.waitMs(70_000)], [50_000, 0]);
  assertEquals(turns.next(60_000)?.said, "no");
});
