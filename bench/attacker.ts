/**
 * Attacks a sidecar with requests that never end: opens many connections, keeps each one open, and prints a
 * line when all have sent what they send. Arguments: the port, a kind of attack, how many connections.
 *
 * @module
 */

const [port, kind, count] = [Number(Deno.args[0]), Deno.args[1]!, Number(Deno.args[2])];

/** How many connect at the same time. */
const AT_ONCE = 100;

const HEAD = "POST /mcp HTTP/1.1\r\nHost: supervise\r\nContent-Type: application/json\r\n" +
  "Accept: application/json, text/event-stream\r\nContent-Length: 4194304\r\n";

/** Half a body of the largest size. */
const HALF = new Uint8Array(2 * 1024 * 1024).fill(0x20);

const CHUNKS = new TextEncoder().encode("1\r\n \r\n".repeat(100_000));

const open: Deno.Conn[] = [];
let broken = 0;

const text = (words: string) => new TextEncoder().encode(words);

async function send(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

const ATTACKS: Readonly<Record<string, (conn: Deno.Conn) => Promise<void>>> = {
  "silent": () => Promise.resolve(),
  "half-headers": (conn) => send(conn, text(HEAD)),
  "half-bodies": async (conn) => {
    await send(conn, text(`${HEAD}\r\n`));
    await send(conn, HALF);
  },
  // A body that is nearly of the largest size, each byte by itself.
  "small-chunks": async (conn) => {
    await send(conn, text(`${HEAD.replace(/Content-Length.*/, "Transfer-Encoding: chunked")}\r\n`));
    for (let n = 0; n < 40; n++) await send(conn, CHUNKS);
  },
  // A byte a second, for as long as it is let.
  "drip": async (conn) => {
    await send(conn, text(`${HEAD}\r\n`));
    const timer = setInterval(() => conn.write(text(" ")).catch(() => clearInterval(timer)), 1_000);
  },
};

async function attack(): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  open.push(conn);
  await ATTACKS[kind]!(conn);
}

for (let made = 0; made < count; made += AT_ONCE) {
  const some = Array.from({ length: Math.min(AT_ONCE, count - made) }, () =>
    attack().catch(() => {
      broken++;
    }));
  await Promise.all(some);
}
console.log(`${open.length} opened, ${broken} cut off`);
setInterval(() => {}, 1_000);
