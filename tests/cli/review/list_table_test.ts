import { open, openTable, SNOOZE_MS, type Table } from "../../../cli/review/list.ts";
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
  const table = openTable(clock.now, () => shifts++);
  let before: Overview = { pending: [], unrecordedResponses: [], unlisted: [], unreadable: [] };
  const merge = (ids: readonly string[], { version = 0, decision = APPROVED }: Merged = {}) => {
    const pending = ids.map((id) => entryOf(id, version));
    const changes = changesBetween(
      before,
      { ...before, pending },
      (ids) => new Map(decision === null ? [] : [...ids].map((id) => [id, decision])),
    );
    before = changes.now;
    table.merge(changes.events, () => undefined);
  };
  const shifted = () => {
    const any = shifts > 0;
    shifts = 0;
    return any;
  };
  return { clock, table, merge, shifted };
}

const idsOf = (table: Table) => table.visible().map(({ entry }) => entry.proposal.id);

const current = (table: Table) => table.current()?.entry.proposal.id;

/** On which row of the screen the current one stands. */
function place(table: Table): number {
  const rows = table.window(HEIGHT);
  return rows.findIndex(({ key }) => key === table.current()?.key);
}

Deno.test("merge() appends what is new, wherever it stands in the queue, and moves nothing", () => {
  const { table, merge, shifted } = opened();
  merge(["p2", "p3"]);
  table.move(1);
  shifted();
  merge(["p1", "p2", "p4", "p3"]);
  assertEquals([idsOf(table), current(table)], [["p2", "p3", "p1", "p4"], "p3"]);
  assertEquals(shifted(), false);
});

Deno.test("merge() leaves a row that waits no more where it stood, and says what became of it", () => {
  const { clock, table, merge, shifted } = opened();
  merge(["p1", "p2", "p3"]);
  shifted();
  merge(["p1", "p3"]);
  assertEquals(idsOf(table), ["p1", "p2", "p3"]);
  const words = { kind: "over", words: "approved by ada@host", sinceMs: 0 } as const;
  assertEquals(table.visible()[1]?.standing, words);
  assertEquals([table.counts().waiting, shifted()], [2, false]);
  clock.pass(9_999);
  table.sweep();
  assertEquals(idsOf(table).length, 3);
  clock.pass(1);
  table.sweep();
  assertEquals([idsOf(table), shifted()], [["p1", "p3"], true]);
});

Deno.test("a row that is swept away leaves the cursor on its row, at its place on the screen", () => {
  const { clock, table, merge } = opened();
  const ids = Array.from({ length: 20 }, (_, n) => `p${n}`);
  merge(ids);
  table.move(10);
  table.window(HEIGHT);
  table.move(-2);
  const before = place(table);
  merge(ids.filter((id) => id !== "p3" && id !== "p7"));
  clock.pass(10_000);
  table.sweep();
  assertEquals([current(table), place(table)], ["p8", before]);
});

Deno.test("where the cursor's own row goes, the one below takes over; at the end the one above", () => {
  const { clock, table, merge } = opened();
  merge(["p1", "p2", "p3"]);
  table.move(1);
  for (const [left, expected] of [[["p1", "p3"], "p3"], [["p1"], "p1"], [[], undefined]] as const) {
    merge(left);
    clock.pass(10_000);
    table.sweep();
    assertEquals(current(table), expected);
  }
});

Deno.test("merge() says of a proposal that was written anew, or is back, that it is", () => {
  const { table, merge } = opened();
  merge(["p1", "p2"]);
  table.set(table.visible()[1]!.key, { kind: "held", status: "approved", untilMs: 5_000 });
  merge(["p1", "p2"], { version: 1, decision: null });
  for (const { standing } of table.visible()) {
    assertEquals(standing, open("changed meanwhile: look again"));
  }
  merge([], { decision: null });
  merge(["p1"], { version: 1 });
  assertEquals(table.visible()[0]?.standing, open("it was gone, and is back"));
});

Deno.test("snooze() hides a row for a quarter of an hour; then it comes last, and says so", () => {
  const { clock, table, merge } = opened();
  merge(["p1", "p2", "p3"]);
  table.snooze(table.current()!.key);
  assertEquals([idsOf(table), current(table)], [["p2", "p3"], "p2"]);
  assertEquals([table.counts().waiting, table.counts().snoozed], [3, 1]);
  clock.pass(SNOOZE_MS - 1);
  table.sweep();
  merge(["p1", "p2", "p3", "p4"]);
  assertEquals(idsOf(table), ["p2", "p3", "p4"]);
  clock.pass(1);
  table.sweep();
  assertEquals([idsOf(table), table.counts().snoozed], [["p2", "p3", "p4", "p1"], 0]);
  assertEquals(table.visible().at(-1)?.standing, open("back after a while"));
});

Deno.test("selected() has only rows that wait; what waits no more leaves the selection", () => {
  const { table, merge } = opened();
  merge(["p1", "p2", "p3"]);
  for (const { key } of table.visible()) table.toggle(key);
  table.toggle(table.visible()[0]!.key);
  merge(["p1", "p2"]);
  assertEquals(table.selected().map(({ entry }) => entry.proposal.id), ["p2"]);
  merge(["p1", "p2", "p3"]);
  assertEquals(table.selected().length, 1);
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
      const { clock, table, merge, shifted } = opened();
      for (const happened of happenings) {
        const before = { id: current(table), place: place(table), ids: idsOf(table) };
        shifted();
        switch (happened.what) {
          case "merge":
            merge(happened.there.flatMap((isThere, n) => isThere ? [`p${n}`] : []));
            break;
          case "pass":
            clock.pass(happened.ms);
            table.sweep();
            break;
          case "snooze":
            if (table.current() !== undefined) table.snooze(table.current()!.key);
            break;
          case "wake":
            table.wake();
            break;
          case "filter":
            table.setFilter(happened.text);
            break;
          case "move":
            table.move(happened.by);
        }
        const ids = idsOf(table);
        assertEquals(new Set(ids).size, ids.length);
        assertEquals(current(table) === undefined, ids.length === 0);
        const stillThere = before.id !== undefined && ids.includes(before.id);
        if (stillThere && happened.what !== "move") {
          assertEquals(current(table), before.id, JSON.stringify(happened));
          // It can only stand elsewhere where there are no longer enough rows above it or below.
          const moved = place(table) - before.place;
          const at = ids.indexOf(before.id!);
          if (moved < 0) assertEquals(place(table), at);
          if (moved > 0) assert(ids.length - at + place(table) <= HEIGHT || at === place(table));
        }
        // Whoever looks at a row that is another one now is told, before a key counts.
        if (happened.what !== "move" && before.ids.some((id, n) => ids[n] !== id)) {
          assert(shifted(), JSON.stringify(happened));
        }
      }
    }),
    500,
  );
});
