/**
 * The inside of a program that does one thing as often as a line comes in, and says in a line what
 * came of it. So a sweep of thousands of faults pays for the start of a process only where it kills
 * one.
 *
 * @module
 */

import { TextLineStream } from "../support/lines.ts";

/**
 * Does a thing for every line of the standard input, until that ends.
 *
 * @param act What to do; what it gives is written down as JSON.
 */
export async function repeat(act: () => Promise<unknown>): Promise<void> {
  // Names and coins are drawn anew each time, always the same ones, so that a fault can be put on a
  // path. No key is made of them: those are drawn by the system's library.
  let drawn = 0;
  crypto.randomUUID = () => `00000000-0000-4000-8000-${String(++drawn).padStart(12, "0")}`;
  crypto.getRandomValues = (array) => {
    const { buffer, byteOffset, byteLength } = array!;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (const n of bytes.keys()) bytes[n] = ++drawn;
    return array;
  };
  const lines = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  console.log("ready");
  for await (const _ of lines) {
    drawn = 0;
    console.log(JSON.stringify(await act()));
  }
}
