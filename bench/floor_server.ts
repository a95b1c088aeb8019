/**
 * The floor of a server's cold start: it answers everything with `ok`. The port is the argument.
 *
 * @module
 */

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
  onListen: () => {},
}, () => new Response("ok\n"));
