import { findJsonProblems, formatJsonPath } from "../../src/config/routes/json.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";

Deno.test("findJsonProblems() accepts what JSON.parse accepts, and nothing else", () => {
  const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", '"', "}", "]", "0", "\\"))
    .map(([json, cut, put]) => {
      const index = cut % (json.length + 1);
      return json.slice(0, index) + put + json.slice(index + 1);
    });
  // JSON.parse does not mind what two readers take differently; that has a place, and no line.
  fc.assert(
    fc.property(fc.oneof(broken, fc.string()), (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const syntax = findJsonProblems(text).filter(({ where }) => where.startsWith("line "));
      assertEquals(syntax.length === 0, isJson, text);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("formatJsonPath() quotes keys that are no names", () => {
  assertEquals(formatJsonPath(["routes", 0, "a-b", "\u202e"]), '$.routes[0]["a-b"]["\\u202e"]');
});

/** The steps to every value, as `JSON.parse` finds them. */
function stepsIn(value: unknown, steps: readonly (string | number)[] = []): string[] {
  if (typeof value !== "object" || value === null) return [JSON.stringify(steps)];
  const inside = Array.isArray(value)
    ? value.flatMap((each, n) => stepsIn(each, [...steps, n]))
    : Object.entries(value).flatMap(([key, each]) => stepsIn(each, [...steps, key]));
  return [JSON.stringify(steps), ...inside];
}

Deno.test("findJsonProblems() visits every value that JSON.parse finds, and no other", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const visited: string[] = [];
      findJsonProblems(text, (steps) => visited.push(JSON.stringify(steps)), Infinity);
      // Object.entries() lists keys that are numbers first.
      assertEquals(visited.toSorted(), stepsIn(JSON.parse(text)).toSorted());
    }),
    { numRuns: 500 },
  );
});

Deno.test("findJsonProblems() visits each value with its line", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("\n", "\r\n"), (json, end) => {
      // With an indent every value begins on a line of its own, behind its key.
      const written = JSON.stringify(JSON.parse(json), null, 1);
      const lines = written.split("\n");
      findJsonProblems(lines.join(end), (steps, line) => {
        const key = steps.at(-1);
        const value = steps.reduce<unknown>(
          (inside, step) => (inside as Record<string | number, unknown>)[step],
          JSON.parse(json),
        );
        const begin = JSON.stringify(value, null, 1).split("\n", 1)[0]!;
        const whole = typeof key === "string" ? `${JSON.stringify(key)}: ${begin}` : begin;
        assertEquals(lines[line - 1]!.trim().replace(/,$/, ""), whole.trim());
      }, Infinity);
    }),
    { numRuns: 300 },
  );
});

Deno.test("findJsonProblems() goes as deep as it is told, and does not recurse", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  assertEquals(findJsonProblems(deep).map(({ where }) => where), ["line 1"]);
  let deepest = 0;
  const visit = (steps: readonly unknown[]) => deepest = Math.max(deepest, steps.length);
  assertEquals(findJsonProblems(deep, visit, Infinity), []);
  assertEquals(deepest, 199_999);
});
