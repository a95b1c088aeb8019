import { listPendingProposals } from "../../mod.ts";
import { listen } from "../../sidecar/listen.ts";
import { CLIENT_KINDS } from "../support/clients.ts";
import { decideNext, queueOf, SLUG } from "../support/operator.ts";
import { connectRaw, rawChunk, rawRequest } from "../support/raw_http.ts";
import { REPO, run } from "../support/run.ts";
import { type Sidecar, startSidecar } from "../support/sidecar.ts";
import { isMissing } from "../support/skip.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";

/** What a sidecar may hold in memory, whatever it is sent, in MiB. */
const MAX_RESIDENT_MIB = 200;

const FETCH = CLIENT_KINDS[2]!;

const QUESTION = { proposed_file: "a.example\n", justification: "Why." };

/** The events of calls that are held. */
const TAKEN = ["proposed", "attached"];

const JSON_HEADERS = [
  "Content-Type: application/json",
  "Accept: application/json, text/event-stream",
];

/** A message as a request. */
function requestOf(message: Record<string, unknown>): Uint8Array {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  return rawRequest([...JSON_HEADERS, `Content-Length: ${body.length}`], body);
}

const CALL = requestOf({
  id: 1,
  method: "tools/call",
  params: { name: "pipelock-block", arguments: QUESTION },
});

const residentMib = ({ process }: Sidecar) =>
  Number(Deno.readTextFileSync(`/proc/${process.pid}/statm`).split(" ")[1]) * 4096 / 2 ** 20;

const filesOf = ({ process }: Sidecar) => [...Deno.readDirSync(`/proc/${process.pid}/fd`)].length;

/** Watches the memory of a sidecar to the end of the block. */
function watchMemory(sidecar: Sidecar): Disposable & { readonly peakMib: () => number } {
  let peak = residentMib(sidecar);
  const look = () => peak = Math.max(peak, residentMib(sidecar));
  const timer = setInterval(look, 20);
  return {
    peakMib: look,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Starts an attacker in a process of its own; it has sent what it sends, and keeps its connections open. */
async function attack({ url }: Sidecar, kind: string, count: number): Promise<AsyncDisposable> {
  const process = new Deno.Command("deno", {
    args: ["run", "--quiet", "--allow-net=127.0.0.1", join(REPO, "bench/attacker.ts")]
      .concat(url.port, kind, String(count)),
    stdout: "piped",
  }).spawn();
  const output = process.stdout.getReader();
  const { value } = await output.read();
  assert(new TextDecoder().decode(value).startsWith(`${count} opened`), String(value));
  return {
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
      await output.cancel();
    },
  };
}

/** Waits until the sidecar has logged, in all, so many connections that were evicted, late or not accepted. */
async function counted({ events, next }: Sidecar, what: string, least: number): Promise<void> {
  const count = () => events.reduce((sum, event) => sum + Number(event[what] ?? 0), 0);
  while (count() < least) await next();
}

/** Tries again: an attacker may push out a connection, and the next one gets in. */
async function soon<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries === 50) throw error;
    }
  }
}

const healthOf = ({ url }: Sidecar) =>
  soon(async () => {
    const response = await fetch(new URL("/healthz", url), { headers: { connection: "close" } });
    await response.text();
    return response.status;
  });

/** A response of events that ends once it was read to its end; `onEnd` is called then. */
function eventStream(chunks: readonly Uint8Array[], onEnd: () => void): Response {
  const left = [...chunks];
  const body = new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk !== undefined) return controller.enqueue(chunk);
      onEnd();
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

// Threat: A14
Deno.test.each(
  [["silent", 3000], ["half-headers", 2000], ["half-bodies", 600], ["drip", 1000]] as const,
)(
  "%s connections by the thousand: memory is bounded, others get in, held calls live on",
  async (kind, count) => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir);
    await using before = await FETCH.connect(sidecar.url);
    const held = before.call("pipelock-block", QUESTION);
    held.catch(() => {}); // Nobody awaits it if an assertion fails first.
    await sidecar.logged("proposed");
    const filesBefore = filesOf(sidecar);
    using memory = watchMemory(sidecar);
    {
      await using _ = await attack(sidecar, kind, count);
      // 512 connections, and what a sidecar has open besides; a socket that was just closed may count.
      assert(filesOf(sidecar) < 800, `${filesOf(sidecar)} files`);
      assertEquals(await healthOf(sidecar), 200);
      await using during = await FETCH.connect(sidecar.url);
      assertEquals((await soon(during.tools)).length, 4);
    }
    while (filesOf(sidecar) > filesBefore + 20) await new Promise((done) => setTimeout(done, 50));
    assert(memory.peakMib() < MAX_RESIDENT_MIB, `${memory.peakMib()} MiB`);
    await decideNext(dir, { status: "approved" });
    assertEquals((await held).structured?.status, "approved");
    await counted(sidecar, "evicted", 1);
    assertEquals(sidecar.noise, []);
  },
);

// Threat: A14
Deno.test("out of files, the sidecar accepts again, and its queue works on", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--hold-seconds=0"]);
  const setFiles = async (most: number) => {
    const pid = String(sidecar.process.pid);
    const { code, err } = await run("prlimit", [`--nofile=${most}:1024`, "--pid", pid]);
    assertEquals(code, 0, err);
  };
  await setFiles(128);
  {
    await using _ = await attack(sidecar, "silent", 500);
    await counted(sidecar, "accept_failed", 1);
    assertEquals(await healthOf(sidecar), 200);
    await using client = await FETCH.connect(sidecar.url);
    const { structured, text } = await soon(() => client.call("pipelock-block", QUESTION));
    assertEquals(structured?.status, "pending", text);
  }
  // Once there are files again, as many connections live side by side as before.
  await setFiles(1024);
  const liveSideBySide = async () => {
    using kept = new DisposableStack();
    const first = kept.use(await connectRaw(sidecar.url));
    for (let n = 0; n < 200; n++) kept.use(await connectRaw(sidecar.url));
    assertEquals(await healthOf(sidecar), 200);
    await first.send(requestOf({ id: 1, method: "ping" })).catch(() => {});
    return (await first.readUntil("\r\n")).startsWith("HTTP/1.1 200");
  };
  for (let tries = 1, logged = sidecar.events.length; !await liveSideBySide(); tries++) {
    assert(tries < 10, "connections are pushed out still");
    // Who was pushed out is in the log within a second; by then the sidecar has counted again.
    while (sidecar.events.length === logged) await sidecar.next();
    logged = sidecar.events.length;
  }
});

// Threat: A14
Deno.test("a request that does not arrive in time is given up, a held call is not", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  await using client = await FETCH.connect(sidecar.url);
  const held = client.call("pipelock-block", QUESTION);
  await sidecar.logged("proposed");
  using header = await connectRaw(sidecar.url);
  using body = await connectRaw(sidecar.url);
  using drip = await connectRaw(sidecar.url);
  await header.send(new TextEncoder().encode("POST /mcp HTTP/1.1\r\nHost: supervise\r\nX-"));
  const half = rawRequest([...JSON_HEADERS, "Content-Length: 100"], "{");
  await body.send(half);
  await drip.send(half);
  const dripping = setInterval(() => drip.send(new Uint8Array([0x20])).catch(() => {}), 500);
  // Each ends because the sidecar closes the connection: nothing here does.
  assertEquals(
    await Promise.all([header, body, drip].map((connection) => connection.readUntil("\0"))),
    ["", "", ""],
  );
  clearInterval(dripping);
  await counted(sidecar, "late", 1);
  await decideNext(dir, { status: "approved" });
  assertEquals((await held).structured?.status, "approved");
});

// Threat: A14
Deno.test("a body in chunks of one byte holds no more memory than its bytes", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using memory = watchMemory(sidecar);
  using kept = new DisposableStack();
  const head = rawRequest([...JSON_HEADERS, "Transfer-Encoding: chunked"], "");
  const chunks = new TextEncoder().encode("1\r\n \r\n".repeat(1_000));
  for (let n = 0; n < 400; n++) {
    const connection = kept.use(await connectRaw(sidecar.url));
    await connection.send(head);
    await connection.send(chunks);
  }
  assertEquals(await healthOf(sidecar), 200);
  assert(memory.peakMib() < MAX_RESIDENT_MIB, `${memory.peakMib()} MiB`);
  // The sidecar parses no more of one that has more such chunks.
  const connection = kept.use(await connectRaw(sidecar.url));
  await connection.send(head);
  await connection.send(chunks);
  await connection.send(chunks);
  const refusal = await connection.readUntil("}}");
  assert(refusal.startsWith("HTTP/1.1 400") && refusal.includes("too many small chunks"), refusal);
});

// Threat: A14
Deno.test("of a request that was refused little more is read, and then it is closed", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  const mebibyte = rawChunk(new Uint8Array(2 ** 20).fill(0x20));
  for (const headers of [["Content-Type: text/plain"], [...JSON_HEADERS, "Origin: http://evil"]]) {
    using connection = await connectRaw(sidecar.url);
    await connection.send(rawRequest([...headers, "Transfer-Encoding: chunked"], ""));
    let sent = 0;
    // 8 MiB, and what the kernel keeps on the way.
    while (sent < 64 && await connection.send(mebibyte).then(() => true, () => false)) sent++;
    assert(sent < 64, "it is read and read");
    assertMatch(await connection.readUntil("\r\n"), /^HTTP\/1\.1 4|^$/);
  }
});

// Threat: A14
Deno.test("responses that nobody reads do not fill the memory", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  await using client = await FETCH.connect(sidecar.url);
  const asked = client.call("pipelock-block", QUESTION);
  await sidecar.logged("proposed");
  const finalFile = "# long\n".repeat(140_000);
  await decideNext(dir, { status: "modified", finalFile });
  const { structured } = await asked;
  assertEquals(structured?.final_file, finalFile);
  const bytes = requestOf({
    id: 1,
    method: "tools/call",
    params: { name: "proposal-status", arguments: { proposal_id: structured?.proposal_id } },
  });
  using memory = watchMemory(sidecar);
  using kept = new DisposableStack();
  for (let n = 0; n < 200; n++) {
    const connection = kept.use(await connectRaw(sidecar.url));
    await connection.send(bytes).catch(() => {});
  }
  assertEquals(
    (await soon(() => client.call("proposal-status", { proposal_id: structured?.proposal_id })))
      .structured,
    structured,
  );
  assert(memory.peakMib() < 1.5 * MAX_RESIDENT_MIB, `${memory.peakMib()} MiB`);
});

// Threat: A14
Deno.test("many large bodies at once are bounded, and small calls are held beside those that are held", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using memory = watchMemory(sidecar);
  const clients = await Promise.all(Array.from({ length: 30 }, () => FETCH.connect(sidecar.url)));
  const proposed_file = "# long\n".repeat(140_000);
  // Equal calls wait for one proposal, so no other bound keeps them from being held.
  const calls = clients.map((client) =>
    client.call("pipelock-block", { proposed_file, justification: "Why." })
      .then(({ structured }) => String(structured?.status), ({ message }) => String(message))
  );
  let over = 0;
  for (const call of calls) call.then(() => over++);
  const took = () => sidecar.events.filter(({ event }) => TAKEN.includes(event));
  while (took().length + over < 30) await new Promise((done) => setTimeout(done, 20));
  // Small calls are answered and held meanwhile.
  await using small = await FETCH.connect(sidecar.url);
  const held = small.call("pipelock-block", QUESTION);
  held.catch(() => {});
  while (took().filter(({ event }) => event === "proposed").length < 2) await sidecar.next();
  await using other = await FETCH.connect(sidecar.url);
  assertEquals((await other.tools()).length, 4);
  await decideNext(dir, { status: "approved" });
  await decideNext(dir, { status: "approved" });
  assertEquals((await held).structured?.status, "approved");
  const outcomes = await Promise.all(calls);
  assert(outcomes.filter((outcome) => outcome === "approved").length >= 10, String(outcomes));
  assert(memory.peakMib() < MAX_RESIDENT_MIB, `${memory.peakMib()} MiB`);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

// Threat: A14
Deno.test.each(
  [["announced", "{"], ["sent but for one", "{".padEnd(63_999)]] as const,
)("64,000 bytes %s, 270 times, push out no call that is larger or slower", async (_, part) => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using kept = new DisposableStack();
  const bytes = rawRequest([...JSON_HEADERS, "Content-Length: 64000"], part);
  for (let n = 0; n < 270; n++) {
    await kept.use(await connectRaw(sidecar.url)).send(bytes).catch(() => {});
  }
  using small = await connectRaw(sidecar.url);
  const ping = requestOf({ id: 1, method: "ping" });
  await small.send(ping.subarray(0, ping.length - 5));
  using large = await connectRaw(sidecar.url);
  await large.send(requestOf({ id: 1, method: "ping", params: { more: "x".repeat(100_000) } }));
  assert((await large.readUntil("\r\n")).startsWith("HTTP/1.1 200"));
  await small.send(ping.subarray(ping.length - 5));
  assert((await small.readUntil("\r\n")).startsWith("HTTP/1.1 200"));
});

/** A call with a progress token that waits for a proposal. */
const waitFor = (proposal_id: unknown, more: Record<string, unknown> = {}) =>
  requestOf({
    id: 1,
    method: "tools/call",
    params: {
      name: "proposal-status",
      arguments: { proposal_id, wait_seconds: 86_400 },
      _meta: { progressToken: 1, ...more },
    },
  });

// Threat: A14
Deno.test("many calls that wait for one large proposal keep no copy of it, and are answered one after another", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using memory = watchMemory(sidecar);
  await using client = await FETCH.connect(sidecar.url);
  // With one character beyond Latin-1, V8 keeps two bytes for each.
  const proposed_file = "# \u0100\n" + "# long\n".repeat(140_000);
  const asked = client.call("pipelock-block", { proposed_file, justification: "Why." });
  asked.catch(() => {}); // Nobody awaits it if an assertion fails first.
  const { proposal_id } = await sidecar.logged("proposed");
  using kept = new DisposableStack();
  for (let n = 0; n < 120; n++) {
    const connection = kept.use(await connectRaw(sidecar.url));
    await connection.send(waitFor(proposal_id));
    await connection.readUntil(": held");
  }
  assert(memory.peakMib() < MAX_RESIDENT_MIB, `held: ${memory.peakMib()} MiB`);
  const finalFile = proposed_file + "# mine\n";
  await decideNext(dir, { status: "modified", finalFile });
  assertEquals((await asked).structured?.final_file, finalFile);
  // It is the last to be answered.
  const { structured } = await soon(() => client.call("proposal-status", { proposal_id }));
  assertEquals(structured?.final_file, finalFile);
  assert(memory.peakMib() < 1.5 * MAX_RESIDENT_MIB, `answered: ${memory.peakMib()} MiB`);
});

// Threat: A14
Deno.test("equal calls with large bodies are all held, and keep nothing of them", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using memory = watchMemory(sidecar);
  const call = requestOf({
    id: 1,
    method: "tools/call",
    params: {
      name: "pipelock-block",
      arguments: { proposed_file: "# long\n".repeat(140_000), justification: "Why." },
    },
  });
  using kept = new DisposableStack();
  for (let n = 0; n < 150; n++) {
    const connection = kept.use(await connectRaw(sidecar.url));
    await connection.send(call);
    await connection.readUntil(": held");
  }
  while (sidecar.events.filter(({ event }) => TAKEN.includes(event)).length < 150) {
    await sidecar.next();
  }
  assert(memory.peakMib() < MAX_RESIDENT_MIB, `${memory.peakMib()} MiB`);
  assertEquals(sidecar.events.filter(({ event }) => event === "refused"), []);
});

// Threat: A14
Deno.test("a long progress token is not sent back again and again: such a call is not held", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using connection = await connectRaw(sidecar.url);
  await connection.send(requestOf({
    id: 1,
    method: "tools/call",
    params: {
      name: "pipelock-block",
      arguments: QUESTION,
      _meta: { progressToken: "t".repeat(20_000) },
    },
  }));
  assert((await connection.readUntil('"status":"pending"')).endsWith('"status":"pending"'));
});

// Threat: A14
Deno.test("comments to a client that takes nothing are left out, and it can be asked whether it has taken all", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const encoder = new TextEncoder();
  const taken: boolean[] = [];
  const ended = Promise.withResolvers<void>();
  const stop = listen({
    listener,
    maxHeld: 1,
    log: () => {},
    async handle(incoming) {
      await incoming.read();
      incoming.giveBack();
      taken.push(incoming.isTaken());
      // More than the kernel takes while nobody reads.
      const chunks = [
        "data: large ".padEnd(15 * 2 ** 20),
        ...Array(9).fill(": comment"),
        "data: end",
      ];
      return eventStream(chunks.map((chunk) => encoder.encode(chunk)), () => {
        taken.push(incoming.isTaken());
        ended.resolve();
      });
    },
  });
  using connection = await connectRaw(new URL(`http://127.0.0.1:${listener.addr.port}`));
  await connection.send(CALL);
  await ended.promise;
  assertEquals(taken, [true, false]);
  assert(!(await connection.readUntil("data: end")).includes(": comment"));
  await stop();
});

Deno.test("a line end behind a body does not end a held call", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using connection = await connectRaw(sidecar.url);
  await connection.send(CALL);
  await sidecar.logged("proposed");
  await connection.send(new Uint8Array([0x0d, 0x0a]));
  // Once another request is answered, the sidecar has read the line end too.
  assertEquals(await healthOf(sidecar), 200);
  await decideNext(dir, { status: "approved" });
  assert((await connection.readUntil('"status":"approved"')).includes('"status":"approved"'));
});

Deno.test("a connection serves one request after another, as soon as the client has the response", async () => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path);
  using connection = await connectRaw(sidecar.url);
  const get = (path: string) =>
    new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: supervise\r\n\r\n`);
  const lastChunk = "\r\n0\r\n\r\n";
  const kinds: readonly (readonly [Uint8Array, number, string])[] = [
    [get("/healthz"), 200, "ok\n"],
    [get("/mcp"), 405, "POST\n"],
    [requestOf({ id: 1, method: "ping" }), 200, lastChunk],
    [requestOf({ method: "notifications/initialized" }), 202, "\r\n\r\n"],
    [requestOf({ id: 2, method: "tools/list", params: {} }), 200, lastChunk],
    [rawRequest([...JSON_HEADERS, "Content-Length: 2"], "[]"), 400, "}}"],
  ];
  for (let n = 0; n < 20 * kinds.length; n++) {
    const [bytes, status, end] = kinds[n % kinds.length]!;
    const middle = bytes.length - n % 7;
    await connection.send(bytes.subarray(0, middle));
    await connection.send(bytes.subarray(middle));
    const response = await connection.readUntil(end);
    assert(response.startsWith(`HTTP/1.1 ${status} `) && response.endsWith(end), response);
    assert(!response.toLowerCase().includes("connection: close"), response);
  }
});

Deno.test("a client that ends its sending side is gone: its hold ends, its proposal stays", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  using connection = await connectRaw(sidecar.url);
  await connection.send(CALL);
  await sidecar.logged("proposed");
  await connection.end();
  await sidecar.logged("detached");
  assert(!(await connection.readUntil("\0")).includes('"result"'));
  assertEquals((await listPendingProposals(queueDir)).length, 1);
});

// Threat: A14
Deno.test("a client that has not taken a response gets no other call held on that connection", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ended = Promise.withResolvers<void>();
  let calls = 0;
  const stop = listen({
    listener,
    maxHeld: 1,
    log: () => {},
    async handle(incoming) {
      calls++;
      await incoming.read();
      // More than the kernel takes while nobody reads.
      return eventStream([new Uint8Array(15 * 2 ** 20)], ended.resolve);
    },
  });
  using connection = await connectRaw(new URL(`http://127.0.0.1:${listener.addr.port}`));
  await connection.send(CALL);
  await ended.promise;
  // The sidecar has seen the end of the response once it has no microtask left.
  await new Promise((resolve) => setTimeout(resolve, 0));
  let isOpen = true;
  while (isOpen) await connection.send(CALL).catch(() => isOpen = false);
  assertEquals(calls, 1);
  await stop();
});

Deno.test("what the sidecar sends leaves at once: its sockets do not wait for more of it", {
  ignore: isMissing("strace", "-V"),
}, async () => {
  await using dir = await tempDir();
  const trace = dir.at("trace");
  await Deno.mkdir(dir.at("bin"));
  // The sidecar keeps its own process, and what is traced is written before it goes on.
  const strace = `strace -D -f -qq -e trace=setsockopt -o ${trace} ${Deno.execPath()}`;
  await Deno.writeTextFile(dir.at("bin", "deno"), `#!/bin/sh\nexec ${strace} "$@"\n`, {
    mode: 0o755,
  });
  const env = { PATH: `${dir.at("bin")}:${Deno.env.get("PATH")}` };
  await using sidecar = await startSidecar(await queueOf(dir), SLUG, 0, [], env);
  await (await fetch(new URL("/healthz", sidecar.url))).text();
  assertMatch(
    await Deno.readTextFile(trace),
    / setsockopt\(\d+, SOL_TCP, TCP_NODELAY, \[1\], 4\) = 0/,
  );
});
