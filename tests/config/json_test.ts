import { findJsonProblems, formatJsonPath } from "../../src/config/routes/json.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";

Deno.test("findJsonProblems() accepts what JSON.parse accepts, and nothing else", () => {
  const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", '"', "}", "]", "0", "\\"))
    .map(([json, cut, put]) => {
      const index = cut % (json.length + 1);
      return json.slice(0, index) + put + json.slice(index + 1);
    });
  // A key that stands twice is the one thing that JSON.parse does not mind.
  fc.assert(
    fc.property(fc.oneof(broken, fc.string()), (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const syntax = findJsonProblems(text).filter(({ message }) => !message.includes("this key"));
      assertEquals(syntax.length === 0, isJson, text);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("formatJsonPath() quotes keys that are no names", () => {
  assertEquals(formatJsonPath(["routes", 0, "a-b", "\u202e"]), '$.routes[0]["a-b"]["\\u202e"]');
});
