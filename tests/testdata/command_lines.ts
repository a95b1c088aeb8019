/**
 * Many commands of the operator's in one process, one after the other, as fast as they go.
 *
 * Each line of its input is a command line, as JSON. Says "ready", then starts when its input ends;
 * says of each how it ended, as a line of JSON.
 *
 * @module
 */

import { main, type Terminal } from "../../cli/main.ts";

console.log("ready");

const input = await new Response(Deno.stdin.readable).text();

const commands: string[][] = input.trimEnd().split("\n").map((line) => JSON.parse(line));

const ended: string[] = [];

for (const args of commands) {
  const printed: string[] = [];
  const complaints: string[] = [];
  const terminal: Terminal = {
    print: (text) => printed.push(text),
    write: (bytes) => printed.push(new TextDecoder().decode(bytes)),
    complain: (text) => complaints.push(text),
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: false,
    columns: 80,
  };
  const exit = await main(args, terminal);
  ended.push(JSON.stringify({ exit, printed, complaints }));
}

console.log(ended.join("\n"));
