import { type List, open, openList, SNOOZE_MS } from "../../../cli/review/list.ts";
import type { AuditEntry, Overview, PendingProposal } from "../../../mod.ts";
import { changesBetween } from "../../../src/decision/events.ts";
import { openClock } from "../../support/clock.ts";
import { holds } from "../../support/properties.ts";
import { samplePending } from "../../support/records.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const HEIGHT = 5;

function entryOf(id: string, version = 0): PendingProposal {
  const bottleSlug = Number(id.slice(1)) % 2 === 0 ? "dev-1" : "web.2";
  return samplePending({ id, bottleSlug, justification: `Why ${id}.` }, `${id} ${version}`);
}

/** What the log says of whatever is gone. */
const APPROVED = { operatorAction: "approved", operator: "ada@host" } as AuditEntry;

/** The proposals' version; the decision on those that are gone, null where there is none. */
interface Merged {
  readonly version?: number;
  readonly decision?: AuditEntry | null;
}

/** A table, and whether anything in it moved by itself since that was asked last. */
function opened() {
  const clock = openClock(0);
  let shifts = 0;
  const list = openList(clock.now, () => shifts++);
  let before: Overview = {
    pending: [],
    unrecordedResponses: [],
    unlisted: [],
    unreadable: [],
    held: [],
  };
  const merge = (ids: readonly string[], { version = 0, decision = APPROVED }: Merged = {}) => {
    const pending = ids.map((id) => entryOf(id, version));
    const changes = changesBetween(
      before,
      { ...before, pending },
      (ids) => new Map(decision === null ? [] : [...ids].map((id) => [id, decision])),
    );
    before = changes.now;
    list.merge(changes.events, () => undefined);
  };
  const shifted = () => {
    const any = shifts > 0;
    shifts = 0;
    return any;
  };
  return { clock, list, merge, shifted };
}

const idsOf = (list: List) => list.visible().map(({ entry }) => entry.proposal.id);

const current = (list: List) => list.current()?.entry.proposal.id;

/** On which row of the screen the current one stands. */
function place(list: List): number {
  const rows = list.window(HEIGHT);
  return rows.findIndex(({ key }) => key === list.current()?.key);
}

Deno.test("merge() appends what is new, wherever it stands in the queue, and moves nothing", () => {
  const { list, merge, shifted } = opened();
  merge(["p2", "p3"]);
  list.move(1);
  shifted();
  merge(["p1", "p2", "p4", "p3"]);
  assertEquals([idsOf(list), current(list)], [["p2", "p3", "p1", "p4"], "p3"]);
  assertEquals(shifted(), false);
});

Deno.test("merge() leaves a row that waits no more where it stood, and says what became of it", () => {
  const { clock, list, merge, shifted } = opened();
  merge(["p1", "p2", "p3"]);
  shifted();
  merge(["p1", "p3"]);
  assertEquals(idsOf(list), ["p1", "p2", "p3"]);
  const words = { kind: "over", words: "approved by ada@host", sinceMs: 0 } as const;
  assertEquals(list.visible()[1]?.stage, words);
  assertEquals([list.counts().waiting, shifted()], [2, false]);
  clock.pass(9_999);
  list.sweep();
  assertEquals(idsOf(list).length, 3);
  clock.pass(1);
  list.sweep();
  assertEquals([idsOf(list), shifted()], [["p1", "p3"], false]);
});

Deno.test("of many rows that wait no more those that do so for longest go first, wherever they stand", () => {
  const { clock, list, merge } = opened();
  const others = Array.from({ length: 100 }, (_, n) => `p${n + 1}`);
  merge(["p0", ...others]);
  clock.pass(1_000);
  merge(["p0"], { decision: null });
  clock.pass(8_000);
  merge([]);
  assertEquals(idsOf(list), ["p0", ...others.slice(1)]);
});

Deno.test("a row that is swept away leaves the cursor on its row, at its place on the screen", () => {
  const { clock, list, merge } = opened();
  const ids = Array.from({ length: 20 }, (_, n) => `p${n}`);
  merge(ids);
  list.move(10);
  list.window(HEIGHT);
  list.move(-2);
  const before = place(list);
  merge(ids.filter((id) => id !== "p3" && id !== "p7"));
  clock.pass(10_000);
  list.sweep();
  assertEquals([current(list), place(list)], ["p8", before]);
});

Deno.test("where the cursor's own row goes, the one below takes over; at the end the one above", () => {
  const { clock, list, merge } = opened();
  merge(["p1", "p2", "p3"]);
  list.move(1);
  for (const [left, expected] of [[["p1", "p3"], "p3"], [["p1"], "p1"], [[], undefined]] as const) {
    merge(left);
    clock.pass(10_000);
    list.sweep();
    assertEquals(current(list), expected);
  }
});

Deno.test("merge() says of a proposal that was written anew, or is back, that it is", () => {
  const { list, merge } = opened();
  merge(["p1", "p2"]);
  list.set(list.visible()[1]!.key, { kind: "held", status: "approved", untilMs: 5_000 });
  merge(["p1", "p2"], { version: 1, decision: null });
  for (const { stage } of list.visible()) {
    assertEquals(stage, open("changed meanwhile: look again"));
  }
  merge([], { decision: null });
  merge(["p1"], { version: 1 });
  assertEquals(list.visible()[0]?.stage, open("it was gone, and is back"));
});

Deno.test("snooze() hides a row for a quarter of an hour; then it comes last, and says so", () => {
  const { clock, list, merge } = opened();
  merge(["p1", "p2", "p3"]);
  list.snooze(list.current()!.key);
  assertEquals([idsOf(list), current(list)], [["p2", "p3"], "p2"]);
  assertEquals([list.counts().waiting, list.counts().snoozed], [3, 1]);
  clock.pass(SNOOZE_MS - 1);
  list.sweep();
  merge(["p1", "p2", "p3", "p4"]);
  assertEquals(idsOf(list), ["p2", "p3", "p4"]);
  clock.pass(1);
  list.sweep();
  assertEquals([idsOf(list), list.counts().snoozed], [["p2", "p3", "p4", "p1"], 0]);
  assertEquals(list.visible().at(-1)?.stage, open("shown again after 15 minutes"));
});

Deno.test("selected() has only rows that wait; what waits no more leaves the selection", () => {
  const { list, merge } = opened();
  merge(["p1", "p2", "p3"]);
  for (const { key } of list.visible()) list.toggle(key);
  list.toggle(list.visible()[0]!.key);
  merge(["p1", "p2"]);
  assertEquals(list.selected().map(({ entry }) => entry.proposal.id), ["p2"]);
  merge(["p1", "p2", "p3"]);
  assertEquals(list.selected().length, 1);
  list.set(list.selected()[0]!.key, { kind: "held", status: "approved", untilMs: 5_000 });
  assertEquals(list.selected(), []);
});

/** What may happen to a table: what others do, and what the operator's keys do. */
type Happening =
  | { readonly what: "merge"; readonly there: readonly boolean[] }
  | { readonly what: "pass"; readonly ms: number }
  | { readonly what: "snooze" | "wake" }
  | { readonly what: "filter"; readonly text: string }
  | { readonly what: "move"; readonly by: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.array(fc.boolean(), { minLength: 12, maxLength: 12 })
    .map((there) => ({ what: "merge" as const, there })),
  fc.constantFrom(1_000, 9_000, SNOOZE_MS).map((ms) => ({ what: "pass" as const, ms })),
  fc.constantFrom("snooze" as const, "wake" as const).map((what) => ({ what })),
  fc.constantFrom("", "web", "1", "nothing has this")
    .map((text) => ({ what: "filter" as const, text })),
  fc.integer({ min: -6, max: 6 }).map((by) => ({ what: "move" as const, by })),
);

// Threat: B12
Deno.test("only the operator's keys move the cursor, unless its row is gone; its place stays too", () => {
  holds(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      const { clock, list, merge, shifted } = opened();
      for (const happened of happenings) {
        const before = { id: current(list), place: place(list), ids: idsOf(list) };
        shifted();
        switch (happened.what) {
          case "merge":
            merge(happened.there.flatMap((isThere, n) => isThere ? [`p${n}`] : []));
            break;
          case "pass":
            clock.pass(happened.ms);
            list.sweep();
            break;
          case "snooze":
            if (list.current() !== undefined) list.snooze(list.current()!.key);
            break;
          case "wake":
            list.wake();
            break;
          case "filter":
            list.setFilter(happened.text);
            break;
          case "move":
            list.move(happened.by);
        }
        const ids = idsOf(list);
        assertEquals(new Set(ids).size, ids.length);
        assertEquals(current(list) === undefined, ids.length === 0);
        const stillThere = before.id !== undefined && ids.includes(before.id);
        if (stillThere && happened.what !== "move") {
          assertEquals(current(list), before.id, JSON.stringify(happened));
          // It can only stand elsewhere where there are no longer enough rows above it or below.
          const moved = place(list) - before.place;
          const at = ids.indexOf(before.id!);
          if (moved < 0) assertEquals(place(list), at);
          if (moved > 0) assert(ids.length - at + place(list) <= HEIGHT || at === place(list));
        }
        // Before a key counts, the screen tells the person that the row that it is about is another one, or stands
        // elsewhere; and nobody is held up by any other row.
        if (happened.what !== "move" && before.id !== undefined) {
          const isMoved = current(list) !== before.id || place(list) !== before.place;
          assertEquals(shifted(), isMoved, JSON.stringify(happened));
        }
      }
    }),
    500,
  );
});
