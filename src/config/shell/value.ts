/**
 * Text as a shell works it out: how far it is known, and what it comes from. Pure.
 *
 * @module
 */

/** Text that a command prints, that a variable has, or that a word becomes. */
export interface Value {
  /** The text. What is not known is in it as it is written, such as `$X`. */
  readonly text: string;
  readonly isKnown: boolean;
  /** The address or the program in the network that it comes from. */
  readonly network?: string | undefined;
  /** Whether it was in another form before: base64, hexadecimal. */
  readonly isDecoded?: boolean | undefined;
}

export const NOTHING: Value = { text: "", isKnown: true };

export function known(text: string): Value {
  return { text, isKnown: true };
}

export function unknown(text: string, from: Partial<Value> = {}): Value {
  return { text, isKnown: false, network: from.network, isDecoded: from.isDecoded };
}

/** Several values one after the other. */
export function concat(values: readonly Value[], between = ""): Value {
  if (values.length === 1) return values[0]!;
  return {
    text: values.map(({ text }) => text).join(between),
    isKnown: values.every(({ isKnown }) => isKnown),
    network: values.find(({ network }) => network !== undefined)?.network,
    isDecoded: values.some(({ isDecoded }) => isDecoded),
  };
}

/** One of two values, and nobody knows which. */
export function either(a: Value, b: Value): Value {
  if (a.text === b.text && a.isKnown === b.isKnown) return a;
  return unknown(`{${a.text}|${b.text}}`, concat([a, b]));
}

/** A word so that it cannot be taken for two words or for an operator. */
export function spell({ text }: Value): string {
  return /^[\w@%+=:,./^~*?\[\]{}$()|-]+$/.test(text) ? text : JSON.stringify(text);
}
