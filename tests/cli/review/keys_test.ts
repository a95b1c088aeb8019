import { deliver, openKeyDecoder, type Typed } from "../../../cli/review/keys.ts";
import { holds } from "../../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What reads bring, one after the other, and what is left when nothing more comes. */
function decode(...reads: readonly Uint8Array[]): Typed[] {
  const decoder = openKeyDecoder();
  return [...reads.flatMap((read) => decoder.take(read)), ...decoder.giveUp()];
}

/** Keys by their names, pastes in brackets. */
const namesOf = (typed: readonly Typed[]) =>
  typed.map((item) => "key" in item ? item.key : `[${item.paste}]`);

/** Sequences of which the end shows that they are complete, and the keys that they are. */
const COMPLETE: readonly [bytes: string, names: readonly string[]][] = [
  ["a", ["a"]],
  ["A", ["A"]],
  [" ", ["space"]],
  ["é", ["é"]],
  ["漢", ["漢"]],
  ["👍", ["👍"]],
  ["\ufeff", ["\ufeff"]],
  ["\r", ["return"]],
  ["\n", ["ctrl-j"]],
  ["\t", ["tab"]],
  ["\x7f", ["backspace"]],
  ["\b", ["backspace"]],
  ["\x00", ["ctrl-@"]],
  ["\x03", ["ctrl-c"]],
  ["\x04", ["ctrl-d"]],
  ["\x1a", ["ctrl-z"]],
  ["\x1c", ["ctrl-\\"]],
  ["\x1f", ["ctrl-_"]],
  ["\x1b[A", ["up"]],
  ["\x1b[B", ["down"]],
  ["\x1b[C", ["right"]],
  ["\x1b[D", ["left"]],
  ["\x1b[H", ["home"]],
  ["\x1b[F", ["end"]],
  ["\x1bOA", ["up"]],
  ["\x1bOB", ["down"]],
  ["\x1bOC", ["right"]],
  ["\x1bOD", ["left"]],
  ["\x1bOH", ["home"]],
  ["\x1bOF", ["end"]],
  ["\x1bOM", ["return"]],
  ["\x1b[1~", ["home"]],
  ["\x1b[7~", ["home"]],
  ["\x1b[4~", ["end"]],
  ["\x1b[8~", ["end"]],
  ["\x1b[5~", ["pageup"]],
  ["\x1b[6~", ["pagedown"]],
  ["\x1b[3~", ["delete"]],
  ["\x1b[[5~", ["pageup"]],
  ["\x1b[[6~", ["pagedown"]],
  ["\x1b[Z", ["tab"]],
  // With Shift, Alt, Ctrl and all of them.
  ["\x1b[1;2A", ["up"]],
  ["\x1b[1;3B", ["down"]],
  ["\x1b[1;5C", ["right"]],
  ["\x1b[1;8D", ["left"]],
  ["\x1b[3;5~", ["delete"]],
  ["\x1b[6;2~", ["pagedown"]],
  ["\x1bO5A", ["up"]],
  ["\x1bO1;5B", ["down"]],
  ["\x1b[3^", ["delete"]],
  ["\x1b[a", ["up"]],
  ["\x1bOd", ["left"]],
  ["\x1b\x1b[A", ["up"]],
  ["\x1b\x1bOB", ["down"]],
  ["\x1b\x1b[6~", ["pagedown"]],
  // Alt and a character.
  ["\x1ba", ["alt-a"]],
  ["\x1bA", ["alt-A"]],
  ["\x1bé", ["alt-é"]],
  ["\x1b👍", ["alt-👍"]],
  ["\x1b\r", ["alt-return"]],
  ["\x1b\x7f", ["alt-backspace"]],
  ["\x1b ", ["alt-space"]],
  ["\x1b\x01", ["alt-ctrl-a"]],
  // By code point.
  ["\x1b[97u", ["a"]],
  ["\x1b[99;5u", ["ctrl-c"]],
  ["\x1b[120;3u", ["alt-x"]],
  ["\x1b[27u", ["escape"]],
  ["\x1b[97;2u", []],
  ["\x1b[97;5:3u", []],
  ["\x1b[1114112u", []],
  // Whoever wants to get out is let out.
  ["\x1b\x03", ["escape", "ctrl-c"]],
  ["\x1b[\x03", ["ctrl-c"]],
  ["\x1b]11;\x03", ["ctrl-c"]],
  ["aa\x03", ["a", "a", "ctrl-c"]],
  // Sequences that are no key: function keys, replies, reports.
  ["\x1b[15~", []],
  ["\x1b[2~", []],
  ["\x1bOP", []],
  ["\x1b[[A", []],
  ["\x1b[E", []],
  ["\x1b[I", []],
  ["\x1b[O", []],
  ["\x1b[24;80R", []],
  ["\x1b[?64;1;2c", []],
  ["\x1b[>0;276;0c", []],
  ["\x1b[?2026;2$y", []],
  ["\x1b[27;5;99~", []],
  ["\x1b[99999999999999999999~", []],
  ["\x1b[<0;10;20M", []],
  ["\x1b[M !!", []],
  ["\x1b]11;rgb:ffff/ffff/ffff\x07", []],
  ["\x1b]11;rgb:ffff/ffff/ffff\x1b\\", []],
  ["\x1bP1+r544e=787465726d\x1b\\", []],
  ["\x1b_Gi=31;OK\x1b\\", []],
  // Broken off by another.
  ["\x1b[\x1b[A", ["up"]],
  ["\x1b[1;\x1b[B", ["down"]],
  ["\x1b]0;title\x1b[A", ["up"]],
  // Pastes.
  ["\x1b[200~\x1b[201~", ["[]"]],
  ["\x1b[200~a\r\nb\tc\x1b[A\x03漢\x1b[201~", ["[a\r\nb\tc\x1b[A\x03漢]"]],
  ["\x1b[200~one\x1b[201~x\x1b[200~two\x1b[201~", ["[one]", "x", "[two]"]],
  ["\x1b[200~\x1b[200~\x1b[20\x1b[201~", ["[\x1b[200~\x1b[20]"]],
  ["\x1b\x1b[200~a\x1b[201~", ["escape", "[a]"]],
  ["\x1b[201~", []],
];

/** Bytes after which more may come, and what they are if nothing does. */
const UNFINISHED: readonly [bytes: string, names: readonly string[]][] = [
  ["\x1b", ["escape"]],
  ["\x1b\x1b", ["escape", "escape"]],
  ["\x1b[", ["alt-["]],
  ["\x1bO", ["alt-O"]],
  ["\x1b]", ["alt-]"]],
  ["\x1bP", ["alt-P"]],
  ["\x1b[1;5", []],
  ["\x1b\x1b[", []],
  ["\x1b]11;rgb", []],
  ["\x1b]11;rgb\x1b", []],
  ["\x1b[M !", []],
];

Deno.test.each([...COMPLETE, ...UNFINISHED])("the decoder takes %j for %j", (bytes, names) => {
  assertEquals(namesOf(decode(bytesOf(bytes))), names);
  // However it was split, and with another key right behind it.
  for (let at = 1; at < bytesOf(bytes).length; at++) {
    const [first, second] = [bytesOf(bytes).slice(0, at), bytesOf(bytes).slice(at)];
    assertEquals(namesOf(decode(first, second)), names, `split at ${at}`);
  }
});

Deno.test.each(COMPLETE)("the decoder does not wait for more behind %j", (bytes, names) => {
  const decoder = openKeyDecoder();
  assertEquals(namesOf(decoder.take(bytesOf(bytes))), names);
  assert(!decoder.isUnfinished());
  assertEquals(namesOf(decoder.take(bytesOf("x"))), ["x"]);
});

Deno.test.each(UNFINISHED)("the decoder waits for more behind %j", (bytes, names) => {
  const decoder = openKeyDecoder();
  assertEquals(decoder.take(bytesOf(bytes)), []);
  assert(decoder.isUnfinished());
  assertEquals(namesOf(decoder.giveUp()), names);
  assert(!decoder.isUnfinished());
  assertEquals(namesOf(decoder.take(bytesOf("x"))), ["x"]);
});

Deno.test("the decoder waits for the end of a paste, however long it takes", () => {
  const decoder = openKeyDecoder();
  assertEquals(decoder.take(bytesOf("\x1b[200~a")), []);
  assert(!decoder.isUnfinished());
  assertEquals(decoder.giveUp(), []);
  assertEquals(decoder.take(bytesOf("\r\x1b[201~")), [{ paste: "a\r" }]);
});

Deno.test("the decoder takes bytes that are not UTF-8 for U+FFFD", () => {
  assertEquals(namesOf(decode(Uint8Array.of(0xff, 0x61, 0xc3, 0x28, 0xe6, 0xbc))), [
    "\ufffd",
    "a",
    "\ufffd",
    "(",
    "\ufffd",
  ]);
});

/** Bytes: keys, beginnings of keys, and anything else. */
const stream = fc.array(fc.oneof(
  fc.constantFrom(...[...COMPLETE, ...UNFINISHED].map(([bytes]) => bytesOf(bytes))),
  fc.constantFrom("\x1b", "[", "O", "200~", "201~", "\x1b[20", ";", "M", "\x07", "\\").map(bytesOf),
  fc.uint8Array({ maxLength: 5 }),
)).map((pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece])));

Deno.test("how a stream of bytes is split changes no key", () => {
  holds(
    fc.property(stream, fc.array(fc.nat()), (bytes, cuts) => {
      const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
      const reads = [0, ...places].map((from, n) => bytes.slice(from, places[n]));
      assertEquals(decode(...reads), decode(bytes));
      assertEquals(decode(...Array.from(bytes, (byte) => Uint8Array.of(byte))), decode(bytes));
    }),
    1_000,
  );
});

Deno.test("keys that are complete are the same keys in any order, and none gets lost", () => {
  holds(fc.property(fc.array(fc.constantFrom(...COMPLETE)), (keys) => {
    const bytes = bytesOf(keys.map(([bytes]) => bytes).join(""));
    assertEquals(namesOf(decode(bytes)), keys.flatMap(([, names]) => names));
  }));
});

Deno.test("a sequence that is no key types nothing", () => {
  // deno-lint-ignore no-control-regex
  const csi = fc.stringMatching(/^\x1b\[[?>=<][0-9;:]{0,9}[!-/]?[@-LN-~]$/);
  holds(fc.property(csi, (bytes) => assertEquals(decode(bytesOf(bytes)), [])));
});

Deno.test("deliver() presses a key that stands alone, and hands over characters side by side as a burst", () => {
  const delivered = (text: string) => {
    const calls: string[] = [];
    deliver(openKeyDecoder().take(bytesOf(text)), {
      press: (key) => calls.push(`press ${key}`),
      burst: (typed) => calls.push(`burst ${JSON.stringify(typed)}`),
      paste: (pasted) => calls.push(`paste ${pasted}`),
    });
    return calls;
  };
  assertEquals(delivered("a"), ["press a"]);
  assertEquals(delivered("\r"), ["press return"]);
  assertEquals(delivered("aa"), ['burst "aa"']);
  assertEquals(delivered("a\r"), ['burst "a\\r"']);
  assertEquals(delivered("\x04\x04"), ['burst "\\u0004\\u0004"']);
  // Held arrows and Backspace count each; Ctrl-C is heard in the middle of everything.
  assertEquals(delivered("\x1b[A\x1b[A"), ["press up", "press up"]);
  assertEquals(delivered("\x7f\x7f"), ["press backspace", "press backspace"]);
  assertEquals(delivered("aa\x03b"), ['burst "aa"', "press ctrl-c", "press b"]);
  assertEquals(delivered("a\x1b[Ba"), ["press a", "press down", "press a"]);
  assertEquals(delivered("a\x1b[200~x\x1b[201~b"), ["press a", "paste x", "press b"]);
});
