/**
 * Runs its arguments as a command line of the operator's, as often as a line comes in, and says in a
 * line how that ended. So a sweep of thousands of commands pays for the start of a process only where
 * it kills one.
 *
 * @module
 */

import { main } from "../../cli/main.ts";
import { TextLineStream } from "../support/lines.ts";

/** Names are drawn anew for each command, always the same ones: so a fault can be put on a path. */
let drawn = 0;
crypto.randomUUID = () => `00000000-0000-4000-8000-${String(++drawn).padStart(12, "0")}`;

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
console.log("ready");
for await (const _ of lines) {
  drawn = 0;
  const words: string[] = [];
  const exit = await main(Deno.args, {
    print: (text) => words.push(text),
    complain: () => {},
    write: () => {},
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    columns: 80,
  });
  console.log(JSON.stringify({ exit, words }));
}
