import { openUndoBuffer, UNDO_MS } from "../../../cli/review/undo_buffer.ts";
import { openClock } from "../../support/clock.ts";
import { assertEquals } from "@std/assert";

function hold() {
  const clock = openClock(0);
  const due: string[] = [];
  const undoBuffer = openUndoBuffer<string>(clock.later, (group) => due.push(group.join("+")));
  return { clock, due, undoBuffer };
}

Deno.test("openUndoBuffer() gives a group out when its time is up, and not before", () => {
  const { clock, due, undoBuffer } = hold();
  undoBuffer.hold(["a", "b"]);
  clock.pass(1_000);
  undoBuffer.hold(["c"]);
  clock.pass(UNDO_MS - 1_001);
  assertEquals([due, undoBuffer.count()], [[], 3]);
  clock.pass(1);
  assertEquals([due, undoBuffer.count()], [["a+b"], 1]);
  clock.pass(1_000);
  assertEquals([due, undoBuffer.count()], [["a+b", "c"], 0]);
});

Deno.test("undo() gives back the last group whole, then the one before, then nothing", () => {
  const { clock, due, undoBuffer } = hold();
  undoBuffer.hold(["a", "b"]);
  undoBuffer.hold(["c"]);
  assertEquals(undoBuffer.undo(), ["c"]);
  assertEquals(undoBuffer.undo(), ["a", "b"]);
  assertEquals(undoBuffer.undo(), undefined);
  clock.pass(2 * UNDO_MS);
  assertEquals(due, []);
});

Deno.test("drop() takes out what has become pointless, and leaves the rest of its group", () => {
  const { clock, due, undoBuffer } = hold();
  undoBuffer.hold(["a", "b"]);
  undoBuffer.hold(["c"]);
  assertEquals(undoBuffer.drop((item) => item !== "b"), ["a", "c"]);
  assertEquals(undoBuffer.count(), 1);
  // The group that is empty now is none to undo.
  assertEquals(undoBuffer.undo(), ["b"]);
  clock.pass(2 * UNDO_MS);
  assertEquals(due, []);
});

Deno.test("takeAll() gives everything back in order, and nothing is due any more", () => {
  const { clock, due, undoBuffer } = hold();
  undoBuffer.hold(["a", "b"]);
  undoBuffer.hold(["c"]);
  assertEquals(undoBuffer.takeAll(), ["a", "b", "c"]);
  assertEquals([undoBuffer.takeAll(), undoBuffer.undo()], [[], undefined]);
  clock.pass(2 * UNDO_MS);
  assertEquals(due, []);
});
