/**
 * Reads the syntax of a JSON text ahead of `JSON.parse`, which says neither where every error is
 * nor that a key stands twice. Pure.
 *
 * @module
 */

import { collectProblems, type ConfigProblem } from "../../records/problem.ts";
import { lineAt, quote } from "../../text/quote.ts";

/** How many arrays and objects may stand in one another. */
export const MAX_JSON_DEPTH = 64;

/** An array or object that is not closed yet, with the place in it that is being read. */
interface Container {
  readonly keys: Set<string> | undefined;
  step: string | number;
}

/** What to say of some characters that never begin a value. */
const HINTS = new Map<string | undefined, string>([
  ["'", "a JSON value: strings stand in double quotes"],
  ["#", "a JSON value: JSON has no comments, remove it"],
  ["/", "a JSON value: JSON has no comments, remove it"],
  ["]", 'a JSON value: a comma before "]" must go'],
  ["\ufeff", "a JSON value: remove the byte order mark"],
]);

const QUOTE = 0x22;

const BACKSLASH = 0x5c;

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

const SPACE = /[\t\n\r ]*/y;

const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?!\w)/y;

/**
 * Finds what makes a text unfit as a JSON config file: a syntax error of RFC 8259, with its line
 * and column; a key that stands twice in one object, since one reader keeps the first and another
 * the last; and nesting deeper than {@linkcode MAX_JSON_DEPTH}. Takes time linear in the text and
 * does not recurse. A text without a problem is one that `JSON.parse` accepts.
 *
 * @param text The file's text.
 * @returns The first syntax or nesting error alone, or else every key that stands twice.
 */
export function findJsonProblems(text: string): readonly ConfigProblem[] {
  const repeated = collectProblems();
  const open: Container[] = [];
  let at = 0;
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const fail = (expected: string): readonly ConfigProblem[] => {
    const column = at - text.lastIndexOf("\n", at - 1);
    const point = text.codePointAt(at);
    const found = point === undefined ? "the end of the file" : quote(String.fromCodePoint(point));
    const message = `found ${found} at column ${column}, expected ${expected}`;
    return [{ where: `line ${lineAt(text, at)}`, message }];
  };

  let expectsValue = true;
  for (;;) {
    skip(SPACE);
    const inside = open.at(-1);
    if (!expectsValue) {
      if (inside === undefined) {
        if (at === text.length) return repeated.list();
        return fail("nothing after the end of the JSON value: remove it");
      }
      const close = inside.keys ? "}" : "]";
      if (text[at] !== close && text[at] !== ",") return fail(`"," or "${close}"`);
      if (text[at] === close) {
        open.pop();
      } else {
        expectsValue = true;
        if (typeof inside.step === "number") inside.step++;
      }
      at++;
      continue;
    }
    if (inside?.keys) {
      const end = endOfString(text, at);
      if (end < 0) return fail('a key in double quotes: a comma before "}" must go');
      const key = JSON.parse(text.slice(at, end)) as string;
      inside.step = key;
      if (inside.keys.has(key) && !repeated.isFull()) {
        repeated.add(
          formatJsonPath(open.map((container) => container.step)),
          `found this key a second time on line ${lineAt(text, at)}, ` +
            "expected it once in an object: remove one of the two",
        );
      }
      inside.keys.add(key);
      at = end;
      skip(SPACE);
      if (text[at] !== ":") return fail('":" between a key and its value');
      at++;
      skip(SPACE);
    }
    expectsValue = false;
    const bracket = text[at];
    if (bracket === "{" || bracket === "[") {
      if (open.length === MAX_JSON_DEPTH) {
        return fail(`at most ${MAX_JSON_DEPTH} arrays and objects in one another: nest less`);
      }
      at++;
      skip(SPACE);
      open.push({ keys: bracket === "{" ? new Set() : undefined, step: 0 });
      expectsValue = text[at] !== (bracket === "{" ? "}" : "]");
    } else if (bracket === '"') {
      const end = endOfString(text, at);
      if (end < 0) {
        return fail(
          "a string that ends on its line, its control characters and backslashes escaped",
        );
      }
      at = end;
    } else if (!skip(SCALAR)) {
      return fail(HINTS.get(bracket) ?? "a JSON value");
    }
  }
}

/**
 * Writes the way to a value as a JSON path, in printable ASCII: `$.routes[0]["auth scheme"]`.
 *
 * @param steps The keys and positions that lead to the value.
 * @returns The path.
 */
export function formatJsonPath(steps: readonly (string | number)[]): string {
  const parts = steps.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[A-Za-z_]\w*$/.test(step) && step.length <= 80 ? `.${step}` : `[${quote(step)}]`;
  });
  return `$${parts.join("")}`;
}

/** Where the string literal at `start` ends, or -1 if none stands there. */
function endOfString(text: string, start: number): number {
  if (text[start] !== '"') return -1;
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < 0x20) return -1;
    if (code === BACKSLASH) {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) return -1;
      at = ESCAPE.lastIndex - 1;
    }
  }
  return -1;
}
