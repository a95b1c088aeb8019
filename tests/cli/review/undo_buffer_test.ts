import { openHeld, UNDO_MS } from "../../../cli/review/undo_buffer.ts";
import { openClock } from "../../support/clock.ts";
import { assertEquals } from "@std/assert";

function hold() {
  const clock = openClock(0);
  const due: string[] = [];
  const held = openHeld<string>(clock.later, (group) => due.push(group.join("+")));
  return { clock, due, held };
}

Deno.test("openHeld() gives a group out when its time is up, and not before", () => {
  const { clock, due, held } = hold();
  held.hold(["a", "b"]);
  clock.pass(1_000);
  held.hold(["c"]);
  clock.pass(UNDO_MS - 1_001);
  assertEquals([due, held.count()], [[], 3]);
  clock.pass(1);
  assertEquals([due, held.count()], [["a+b"], 1]);
  clock.pass(1_000);
  assertEquals([due, held.count()], [["a+b", "c"], 0]);
});

Deno.test("undo() gives back the last group whole, then the one before, then nothing", () => {
  const { clock, due, held } = hold();
  held.hold(["a", "b"]);
  held.hold(["c"]);
  assertEquals(held.undo(), ["c"]);
  assertEquals(held.undo(), ["a", "b"]);
  assertEquals(held.undo(), undefined);
  clock.pass(2 * UNDO_MS);
  assertEquals(due, []);
});

Deno.test("drop() takes out what has become pointless, and leaves the rest of its group", () => {
  const { clock, due, held } = hold();
  held.hold(["a", "b"]);
  held.hold(["c"]);
  assertEquals(held.drop((item) => item !== "b"), ["a", "c"]);
  assertEquals(held.count(), 1);
  // The group that is empty now is none to undo.
  assertEquals(held.undo(), ["b"]);
  clock.pass(2 * UNDO_MS);
  assertEquals(due, []);
});

Deno.test("takeAll() gives everything back in order, and nothing is due any more", () => {
  const { clock, due, held } = hold();
  held.hold(["a", "b"]);
  held.hold(["c"]);
  assertEquals(held.takeAll(), ["a", "b", "c"]);
  assertEquals([held.takeAll(), held.undo()], [[], undefined]);
  clock.pass(2 * UNDO_MS);
  assertEquals(due, []);
});
