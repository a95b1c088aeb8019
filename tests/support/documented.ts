/**
 * Holds functions to the `@throws` of their own documentation.
 *
 * @module
 */

import { REPO } from "./run.ts";
import { join } from "@std/path";

/** A function's documented errors. */
export interface Documented {
  /** The function, for messages. */
  readonly name: string;
  /** The names of the classes that it says it throws. */
  readonly errors: ReadonlySet<string>;
}

interface Tag {
  readonly kind: string;
  readonly tsType?: { readonly repr: string };
}

interface Doc {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly { readonly jsDoc?: { readonly tags?: readonly Tag[] } }[];
      }[];
    }>
  >;
}

/**
 * Reads which errors a function documents.
 *
 * @param file The file that exports it, or passes it on, from the checkout.
 * @param name Its name.
 * @returns What its `@throws` say.
 */
export function documented(file: string, name: string): Documented {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--quiet", "--json", join(REPO, file)],
    stderr: "inherit",
  }).outputSync();
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as Doc;
  const symbol = Object.values(nodes).flatMap(({ symbols }) => symbols)
    .find((symbol) => symbol.name === name);
  if (symbol === undefined) throw new Error(`Cannot find ${name} in ${file}`);
  const tags = symbol.declarations.flatMap(({ jsDoc }) => jsDoc?.tags ?? []);
  const errors = tags.flatMap(({ kind, tsType }) => kind === "throws" ? tsType?.repr ?? [] : []);
  return { name, errors: new Set(errors.map((error) => error.replace(/^.*\./, ""))) };
}

/** An engine's own error of a class that is documented too has none of our words. */
const OURS = /^(?:Cannot|Proposal) [^]*: /;

const BUILT_IN = ["Error", "RangeError", "SyntaxError", "TypeError"];

function refuse({ name, errors }: Documented, error: unknown): void {
  const thrown = error instanceof Error ? error.constructor.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  if (errors.has(thrown) && (!BUILT_IN.includes(thrown) || OURS.test(message))) return;
  const known = [...errors].join(", ") || "no error at all";
  throw new Error(`${name}() threw ${thrown} (${message}), and documents ${known}`, {
    cause: error,
  });
}

/**
 * Calls a function that may fail as it documents, and in no other way.
 *
 * @param contract The function.
 * @param call The call.
 * @returns What it gave, or `undefined` if it threw a documented error.
 * @throws {Error} If it threw anything else.
 */
export function attempt<T>(contract: Documented, call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    refuse(contract, error);
    return undefined;
  }
}

/**
 * As {@linkcode attempt}, for a function that returns a promise.
 *
 * @param contract The function.
 * @param call The call.
 * @returns What it gave, or `undefined` if it rejected with a documented error.
 */
export async function attemptAsync<T>(
  contract: Documented,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    refuse(contract, error);
    return undefined;
  }
}
