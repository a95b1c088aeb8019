/**
 * The floor of a server. It answers everything with `ok`, but for `/held/NAME`: that is an event
 * stream which stays open until a file of that name is in the directory, sends what is in it, and
 * ends. The port is the argument, and after it the directory, if any.
 *
 * @module
 */

const dir = Deno.args[1];

const held = new Map<string, ReadableStreamDefaultController<Uint8Array>>();

const encoder = new TextEncoder();

function hold(name: string): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(": held\n\n"));
      held.set(name, controller);
    },
    cancel: () => void held.delete(name),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

async function answerFrom(queueDir: string): Promise<void> {
  for await (const { paths } of Deno.watchFs(queueDir, { recursive: false })) {
    for (const path of paths) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const stream = held.get(name);
      if (stream === undefined || !held.delete(name)) continue;
      const result = { structuredContent: JSON.parse(Deno.readTextFileSync(path)) };
      stream.enqueue(encoder.encode(`event: message\ndata: ${JSON.stringify({ result })}\n\n`));
      stream.close();
    }
  }
}

if (dir !== undefined) void answerFrom(dir);

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
  onListen: () => {},
}, (request) => {
  const [, first, name] = new URL(request.url).pathname.split("/");
  return first === "held" && name !== undefined ? hold(name) : new Response("ok\n");
});
