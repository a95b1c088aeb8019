/**
 * Stand-in for the part of `jsr:@std/assert` in use here: the same signatures and verdicts,
 * plainer messages.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { equal } from "./equal.ts";

// deno-lint-ignore no-explicit-any
type Class<T> = abstract new (...args: any[]) => T;

/** Thrown by every assertion here, as by `@std/assert`. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Stand-in for `assert` of `@std/assert`. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Stand-in for `fail` of `@std/assert`. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

/** Stand-in for `assertEquals` of `@std/assert`: deep, see {@linkcode equal}. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}\n${difference(actual, expected)}`,
  );
}

/** Stand-in for `assertNotEquals` of `@std/assert`. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${show(actual)} not to be: ${show(expected)}${suffix(msg)}`,
  );
}

/** Stand-in for `assertStrictEquals` of `@std/assert`: `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    show(actual) === show(expected)
      ? `Values have the same structure but are not reference-equal${suffix(msg)}\n\n${
        show(actual)
      }\n`
      : `Values are not strictly equal${suffix(msg)}\n${difference(actual, expected)}`,
  );
}

/** Stand-in for `assertStringIncludes` of `@std/assert`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`,
  );
}

/** Stand-in for `assertMatch` of `@std/assert`. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`,
  );
}

/** Stand-in for `assertGreaterOrEqual` of `@std/assert`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} >= ${show(expected)}`,
  );
}

/** Stand-in for `assertLessOrEqual` of `@std/assert`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} <= ${show(expected)}`,
  );
}

/** Stand-in for `assertInstanceOf` of `@std/assert`. */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any
  T extends abstract new (...args: any[]) => any,
>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was "${typeName(actual)}"${
      suffix(msg)
    }`,
  );
}

/** Stand-in for `assertThrows` of `@std/assert`: returns what was thrown. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Stand-in for `assertThrows` of `@std/assert`: checks class and message, returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  ...rest: ExpectationArgs
): unknown {
  const expected = expectation(rest);
  try {
    fn();
  } catch (error) {
    checkError(error, expected, "thrown");
    return error;
  }
  throw new AssertionError(`Expected function to throw${suffix(expected.msg)}`);
}

/** Stand-in for `assertRejects` of `@std/assert`: returns the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Stand-in for `assertRejects` of `@std/assert`: checks class and message, returns the error. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...rest: ExpectationArgs
): Promise<unknown> {
  const expected = expectation(rest);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // Reported below: a throw before there is a promise is no rejection.
  }
  if (typeof promise !== "object" || typeof promise?.then !== "function") {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(expected.msg)}`,
    );
  }
  try {
    await promise;
  } catch (error) {
    checkError(error, expected, "rejected");
    return error;
  }
  throw new AssertionError(
    `Expected function to reject${suffix(expected.msg)}`,
  );
}

interface Expectation {
  readonly ErrorClass?: Class<Error> | undefined;
  readonly msgIncludes?: string | undefined;
  readonly msg?: string | undefined;
}

type ExpectationArgs = [
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
];

function expectation(
  [classOrMsg, msgIncludes, msg]: ExpectationArgs,
): Expectation {
  return typeof classOrMsg === "string"
    ? { msg: classOrMsg }
    : { ErrorClass: classOrMsg, msgIncludes, msg };
}

function checkError(
  error: unknown,
  { ErrorClass, msgIncludes = "", msg }: Expectation,
  verb: string,
): void {
  if (ErrorClass === undefined) return;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${verb}${suffix(msg)}`);
  }
  if (!(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${typeName(error)}"${
        suffix(msg)
      }`,
    );
  }
  if (
    !stripVTControlCharacters(error.message).includes(
      stripVTControlCharacters(msgIncludes),
    )
  ) {
    throw new AssertionError(
      `Expected error message to include ${JSON.stringify(msgIncludes)}, but got ${
        JSON.stringify(error.message)
      }${suffix(msg)}`,
    );
  }
}

function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? value.constructor?.name ?? "Object" : typeof value;
}

function show(value: unknown): string {
  return Deno.inspect(value, {
    depth: Infinity,
    sorted: true,
    trailingComma: true,
    compact: false,
    iterableLimit: Infinity,
    strAbbreviateSize: Infinity,
  });
}

/** The lines before and after the first and last difference, and between them both versions. */
function difference(actual: unknown, expected: unknown): string {
  const text = (value: unknown) => (typeof value === "string" ? value : show(value)).split("\n");
  const [a, b] = [text(actual), text(expected)];
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const lines = (mark: string, part: string[]) => part.map((line) => `${mark}   ${line}`);
  return [
    "\n    [Diff] Actual (-) / Expected (+)\n",
    ...lines(" ", a.slice(0, head)),
    ...lines("-", a.slice(head, a.length - tail)),
    ...lines("+", b.slice(head, b.length - tail)),
    ...lines(" ", a.slice(a.length - tail)),
    "",
  ].join("\n");
}
