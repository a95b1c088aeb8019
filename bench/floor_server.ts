/**
 * The floor of a server. It answers everything with `ok`, but for `/held/NAME`: that is an event
 * stream which stays open until a file of that name is in the directory, sends what is in it, and
 * ends. The port is the argument, and after it the directory, if any, and `durable` if a file must be on
 * disk for each such call before it is held.
 *
 * @module
 */

const [port, dir, durable] = Deno.args;

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

/** Puts a file of a small proposal's size on disk, with its name. */
async function keep(name: string): Promise<void> {
  const staged = `${dir}/.${name}.tmp`;
  using file = await Deno.open(staged, { write: true, createNew: true, mode: 0o600 });
  await file.write(new Uint8Array(400));
  await file.syncData();
  await Deno.rename(staged, `${dir}/${name}.asked`);
  using names = await Deno.open(dir!);
  await names.sync();
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
  port: Number(port),
  onListen: () => {},
}, async (request) => {
  const [, first, name] = new URL(request.url).pathname.split("/");
  if (first !== "held" || name === undefined) return new Response("ok\n");
  if (durable !== undefined) await keep(name);
  return hold(name);
});
