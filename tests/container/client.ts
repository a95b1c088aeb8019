/**
 * Makes one tool call and prints its result as JSON. Started in a container's network namespace.
 *
 * @module
 */

import { CLIENT_KINDS } from "../support/clients.ts";

const [kind, url, tool, args] = Deno.args as [string, string, string, string];

const { connect } = CLIENT_KINDS.find(({ name }) => name === kind)!;

await using client = await connect(new URL(url));

console.log(JSON.stringify(await client.call(tool, JSON.parse(args))));
