import { MalformedRecordError } from "../../mod.ts";
import { MAX_QUEUE_FILE_BYTES } from "../../src/disk/read_untrusted.ts";
import { parseJsonBytes } from "../../src/records/codec.ts";
import { jsonExcess, MAX_JSON_LEVELS, MAX_JSON_VALUES } from "../../src/text/json.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";

const utf8 = (text: string) => new TextEncoder().encode(text);

const DEEP = "it is nested deeper than 32 levels";

const MANY = "it has more than 10000 values";

/** Levels and values as `JSON.parse` sees them; an empty array counts as if it held one. */
function measure(value: unknown): { levels: number; values: number } {
  if (typeof value !== "object" || value === null) return { levels: 0, values: 1 };
  const parts = Object.values(value).map(measure);
  return {
    levels: 1 + Math.max(0, ...parts.map(({ levels }) => levels)),
    values: Math.max(2, 1 + parts.reduce((sum, { values }) => sum + values, 0)),
  };
}

Deno.test("jsonExcess() counts levels and values as JSON.parse() would find them", () => {
  const deepOrFlat = fc.oneof(
    fc.json(),
    fc.tuple(fc.integer({ min: 0, max: 40 }), fc.json()).map(([n, json]) =>
      "[".repeat(n) + json + "]".repeat(n)
    ),
    fc.tuple(fc.integer({ min: 9_990, max: 10_010 }), fc.string()).map(([n, text]) =>
      JSON.stringify({ text, list: new Array(n - 4).fill(text) })
    ),
  );
  fc.assert(
    fc.property(deepOrFlat, (json) => {
      const { levels, values } = measure(JSON.parse(json));
      const excess = jsonExcess(utf8(json));
      assertEquals(excess === undefined, levels <= MAX_JSON_LEVELS && values <= MAX_JSON_VALUES);
      if (levels > MAX_JSON_LEVELS && values <= MAX_JSON_VALUES) assertEquals(excess, DEEP);
    }),
    { numRuns: 500 },
  );
});

Deno.test("jsonExcess() counts nothing inside of a string, whatever is escaped in it", () => {
  const text = '"\\' + "[{,".repeat(20_000);
  assertEquals(jsonExcess(utf8(JSON.stringify({ text, more: ["\\", text, "\\\\"] }))), undefined);
});

const full = (head: string, piece: string, tail = "") =>
  head + piece.repeat((MAX_QUEUE_FILE_BYTES - head.length - tail.length) / piece.length) + tail;

const KEYS = Array.from({ length: 600_000 }, (_, n) => `"k${n}":0`).join(",");

// A reader that goes back in these would not come to an end; one that parses before it counts gives
// another reason.
Deno.test.each<[string, string, string | undefined]>([
  ["open arrays", full("", "["), DEEP],
  ["closed arrays", full("", "[", "]".repeat(MAX_QUEUE_FILE_BYTES / 2)), DEEP],
  ["open objects", full("", '{"a":'), DEEP],
  ["nesting inside of an extra key", full('{"id":"p1","extra":', '{"a":['), DEEP],
  ["keys by the hundred thousand", `{${KEYS}}`, MANY],
  ["elements by the million", full("[", "0,", "0]"), MANY],
  ["empty arrays by the million", full("[", "[],", "[]]"), MANY],
  ["a number of eight million digits", full('{"id":', "9", "}"), undefined],
  ["an exponent of eight million digits", full('{"id":1e', "9", "}"), undefined],
  ["a string of escapes", full('{"id":"', "\\u0041", '"}'), undefined],
  ["a key of eight million letters", full('{"', "x", '":0}'), undefined],
  ["quotes", full("", '"'), "it is not JSON"],
  ["commas", full("", ","), MANY],
  ["a hole", full("", "\0"), "it is not JSON"],
  ["space", full("", " "), "it is empty"],
])("parseJsonBytes() comes to an end with eight megabytes of %s", (_, text, reason) => {
  const bytes = utf8(text);
  assert(bytes.length <= MAX_QUEUE_FILE_BYTES);
  const parse = () => parseJsonBytes(bytes, "f");
  if (reason === undefined) parse();
  else assertEquals(assertThrows(parse, MalformedRecordError).reason, reason);
});

Deno.test("parseJsonBytes() measures before it parses, and refuses what is no UTF-8", () => {
  const parse = (text: string) => parseJsonBytes(new TextEncoder().encode(text), "it");
  assertEquals(parse("[[1]]"), [[1]]);
  const deep = "[".repeat(33) + "]".repeat(33);
  assertThrows(() => parse(deep), MalformedRecordError, "nested deeper than 32 levels");
  const many = `[${"1,".repeat(10_000)}1]`;
  assertThrows(() => parse(many), MalformedRecordError, "more than 10000 values");
  assertThrows(() => parseJsonBytes(new Uint8Array([0x22, 0xff, 0x22]), "it"), Error, "not UTF-8");
});
