/**
 * Makes one tool call and prints its result as JSON. Started in a container's network namespace.
 *
 * @module
 */

import { CLIENT_KINDS } from "../support/clients.ts";

const [kind, tool, args] = Deno.args as [string, string, string];

const { connect } = CLIENT_KINDS.find(({ name }) => name === kind)!;

// The agent's name for the sidecar is a matter of the network; here it has none.
await using client = await connect(new URL("http://127.0.0.1:9100/mcp"));

console.log(JSON.stringify(await client.call(tool, JSON.parse(args))));
