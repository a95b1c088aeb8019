import { openUndoBuffer, UNDO_MS } from "../../../cli/review/undo_buffer.ts";
import { openClock } from "../../support/clock.ts";
import { assertEquals } from "@std/assert";

function hold(lateMs = 0) {
  const clock = openClock(0);
  const due: string[] = [];
  const held: string[] = [];
  const undoBuffer = openUndoBuffer<string>({
    // A timer of a program that was stopped comes late.
    now: clock.now,
    later: (ms, run) => clock.later(ms + lateMs, run),
    due: (group) => due.push(group.join("+")),
    held: (items, untilMs) => held.push(`${items.join("+")} ${untilMs}`),
  });
  return { clock, due, held, undoBuffer };
}

Deno.test("the time to undo stands still while the screen is away, and begins anew when it is back", () => {
  const { clock, due, held, undoBuffer } = hold();
  undoBuffer.hold(["a", "b"]);
  clock.pass(4_000);
  undoBuffer.hold(["c"]);
  const back = undoBuffer.away();
  clock.pass(60_000);
  assertEquals([due, undoBuffer.count()], [[], 3]);
  back();
  clock.pass(UNDO_MS - 1);
  assertEquals(due, []);
  clock.pass(1);
  assertEquals(due, ["a+b", "c"]);
  assertEquals(held, [
    "a+b 5000",
    "c 9000",
    "a+b Infinity",
    "c Infinity",
    "a+b 69000",
    "c 69000",
  ]);
});

Deno.test("the time to undo begins anew in a program that was stopped from outside", () => {
  const { clock, due, held, undoBuffer } = hold(2_000);
  undoBuffer.hold(["a"]);
  clock.pass(UNDO_MS + 4_000);
  assertEquals([due, held], [[], ["a 5000", "a 14000"]]);
  undoBuffer.undo();
  const busy = hold(450);
  busy.undoBuffer.hold(["a"]);
  busy.clock.pass(UNDO_MS + 900);
  assertEquals(busy.due, ["a"]);
});

Deno.test("a program that is busy all the time lengthens the time to undo once", () => {
  const { clock, due, undoBuffer } = hold(2_000);
  undoBuffer.hold(["a"]);
  clock.pass(2 * (UNDO_MS + 4_000));
  assertEquals(due, ["a"]);
});

Deno.test("after a question the time to undo goes on where it was: one after the other puts nothing off", () => {
  const { clock, due, held, undoBuffer } = hold();
  undoBuffer.hold(["a"]);
  for (let question = 0; question < 8; question++) {
    clock.pass(900);
    const resume = undoBuffer.pause();
    clock.pass(3_000);
    resume();
  }
  assertEquals(due, ["a"]);
  // 0.5 s are left after the fifth one: a little more is given, once.
  assertEquals(held.filter((text) => !text.endsWith("Infinity")), [
    "a 5000",
    "a 8000",
    "a 11000",
    "a 14000",
    "a 17000",
    "a 20500",
    "a 23500",
  ]);
});

Deno.test("what was stopped and goes on while a question is open waits for the answer, and has the whole time", () => {
  const { clock, due, undoBuffer } = hold();
  undoBuffer.hold(["a"]);
  clock.pass(UNDO_MS - 1);
  const resume = undoBuffer.pause();
  undoBuffer.away()();
  clock.pass(60_000);
  assertEquals(due, []);
  resume();
  clock.pass(UNDO_MS - 1);
  assertEquals(due, []);
  clock.pass(1);
  assertEquals(due, ["a"]);
});

Deno.test("a program that goes on in the last moment of the time has the whole of it", () => {
  const { clock, due, undoBuffer } = hold(350);
  undoBuffer.hold(["a"]);
  // It was stopped, and its timer runs late. What tells it that it goes on comes behind the timer.
  clock.pass(UNDO_MS + 350);
  undoBuffer.away()();
  clock.pass(UNDO_MS - 1);
  assertEquals(due, []);
  clock.pass(701);
  assertEquals(due, ["a"]);
});

Deno.test("the time stands still until the last of several pauses ends, also of what is held meanwhile", () => {
  const { clock, due, undoBuffer } = hold();
  const [first] = [undoBuffer.pause(), undoBuffer.hold(["a"])];
  const second = undoBuffer.pause();
  first();
  clock.pass(60_000);
  assertEquals(due, []);
  second();
  clock.pass(UNDO_MS);
  assertEquals(due, ["a"]);
});

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
