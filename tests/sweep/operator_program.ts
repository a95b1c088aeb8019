/**
 * The operator's command line, many times in one process: each line of its input is a command line,
 * as a JSON array, and each line of its output says how that ended. So a sweep of thousands of
 * commands pays for the start of a process only where it kills one.
 *
 * @module
 */

import { main } from "../../cli/main.ts";
import { TextLineStream } from "../support/lines.ts";

/** Names are drawn anew for each command, always the same ones: so a fault can be put on a path. */
let drawn = 0;
crypto.randomUUID = () =>
  `00000000-0000-4000-8000-${String(++drawn).padStart(12, "0")}` as ReturnType<
    Crypto["randomUUID"]
  >;

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
console.log("ready");
for await (const line of lines) {
  drawn = 0;
  const words: string[] = [];
  const exit = await main(JSON.parse(line), {
    print: (text) => words.push(text),
    complain: () => {},
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    columns: 80,
  });
  console.log(JSON.stringify({ exit, words }));
}
