/**
 * Reads the syntax of a JSON text beside `JSON.parse`, which says neither where every error is, nor that
 * a key occurs twice, nor on which line a value begins. Pure.
 *
 * @module
 */

import { type ConfigProblem, MAX_PROBLEMS } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";

/** How deep arrays and objects may nest in a `routes.json`. */
const MAX_JSON_DEPTH = 64;

/** How many digits of a number every reader keeps. */
const MAX_DIGITS = 17;

/** The keys and indexes that lead to a value. */
export type JsonSteps = readonly (string | number)[];

/** What to say about some characters that never begin a value. */
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

const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?!\w)/y;

/** A key as the most tolerant reader takes it: in any case, with or without blanks and hidden characters. */
export function foldKey(key: string): string {
  if (/^[a-z_]*$/.test(key)) return key;
  // Each character by itself: to sort a long run of combining marks takes time quadratic in it.
  return key.replace(/\P{ASCII}/gu, (character) => character.normalize("NFKD"))
    .replace(/[\s\p{Cc}\p{Cf}]/gu, "").toLowerCase();
}

/** Whether every reader takes a number for the same: none rounds it, overflows or drops its sign. */
function isPlainNumber(literal: string): boolean {
  const value = Number(literal);
  const digits = literal.replace(/[eE].*/, "").replace(/[-.]/g, "").replace(/^0+/, "");
  if (value === 0) return digits === "" && !literal.startsWith("-");
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER && digits.length <= MAX_DIGITS;
}

/**
 * Finds what makes a text unfit as a JSON config file: a syntax error of RFC 8259, with its line and
 * column; nesting deeper than `maxDepth`; and what two readers take differently: a key that occurs twice in
 * one object, if only in another case, and a number that some readers round. `JSON.parse` accepts every text
 * without a problem, and `visit` is then called for each of its values in order, with the steps to it (in an
 * array that is used again), the line it begins on, and its index. Returns the first syntax or nesting error
 * alone, or else the keys and numbers, no more than a validator needs. Takes time linear in the text and does
 * not recurse.
 */
export function findJsonProblems(
  text: string,
  visit: (steps: JsonSteps, line: number, at: number) => void = () => {},
  maxDepth = MAX_JSON_DEPTH,
): readonly ConfigProblem[] {
  const ambiguous: ConfigProblem[] = [];
  /** The keys of each object that is not closed yet, by {@linkcode foldKey}; `undefined` for an array. */
  const open: (Map<string, string> | undefined)[] = [];
  const steps: (string | number)[] = [];
  let at = 0;
  let line = 1;
  const skipSpace = () => {
    for (; at < text.length && " \t\r\n".includes(text[at]!); at++) if (text[at] === "\n") line++;
  };
  const fail = (expected: string): readonly ConfigProblem[] => {
    const column = at - text.lastIndexOf("\n", at - 1);
    const point = text.codePointAt(at);
    const found = point === undefined ? "the end of the file" : quote(String.fromCodePoint(point));
    const message = `found ${found} at column ${column}, expected ${expected}`;
    return [{ where: `line ${line}`, message }];
  };
  const note = (message: string) => {
    if (ambiguous.length <= MAX_PROBLEMS) ambiguous.push({ where: formatJsonPath(steps), message });
  };

  for (let expectsValue = true;;) {
    skipSpace();
    const keys = open.at(-1);
    if (!expectsValue) {
      if (open.length === 0) {
        if (at === text.length) return ambiguous;
        return fail("nothing after the end of the JSON value: remove it");
      }
      const close = keys ? "}" : "]";
      if (text[at] !== close && text[at] !== ",") return fail(`"," or "${close}"`);
      if (text[at] === close) {
        open.pop();
        steps.pop();
      } else {
        expectsValue = true;
        if (!keys) steps.push((steps.pop() as number) + 1);
      }
      at++;
      continue;
    }
    if (keys) {
      const end = endOfString(text, at);
      if (end < 0) return fail('a key in double quotes: a comma before "}" must go');
      const key = JSON.parse(text.slice(at, end)) as string;
      steps[steps.length - 1] = key;
      const folded = foldKey(key);
      const first = keys.get(folded);
      if (first !== undefined) {
        const how = first === key ? "" : ", in another case or with other blanks";
        note(
          `found this key a second time on line ${line}${how}, ` +
            "expected it once in an object: remove one of the two",
        );
      }
      keys.set(folded, key);
      at = end;
      skipSpace();
      if (text[at] !== ":") return fail('":" between a key and its value');
      at++;
      skipSpace();
    }
    visit(steps, line, at);
    expectsValue = false;
    const first = text[at];
    if (first === "{" || first === "[") {
      if (open.length === maxDepth) {
        return fail(`at most ${maxDepth} arrays and objects in one another: nest less`);
      }
      at++;
      skipSpace();
      open.push(first === "{" ? new Map() : undefined);
      steps.push(first === "{" ? "" : 0);
      expectsValue = text[at] !== (first === "{" ? "}" : "]");
    } else if (first === '"') {
      const end = endOfString(text, at);
      if (end < 0) {
        const whole =
          "a string that ends on its line, its control characters and backslashes escaped";
        return fail(whole);
      }
      at = end;
    } else {
      SCALAR.lastIndex = at;
      if (!SCALAR.test(text)) return fail(HINTS.get(first) ?? "a JSON value");
      const scalar = text.slice(at, SCALAR.lastIndex);
      if (/\d$/.test(scalar) && !isPlainNumber(scalar)) {
        const expected = "one that every reader keeps: write fewer digits, or a string";
        note(`found the number ${quote(scalar)}, which some readers change, expected ${expected}`);
      }
      at = SCALAR.lastIndex;
    }
  }
}

/** Writes the steps to a value as a JSON path in printable ASCII: `$.routes[0]["auth scheme"]`. */
export function formatJsonPath(steps: JsonSteps): string {
  const parts = steps.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[A-Za-z_]\w*$/.test(step) && step.length <= 80 ? `.${step}` : `[${quote(step)}]`;
  });
  return `$${parts.join("")}`;
}

/** The index behind the string literal at `start`, or -1 if there is no whole one. */
export function endOfString(text: string, start: number): number {
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
