import { PATIENCE } from "../support/clients.ts";
import { decideNext, queueOf, SLUG } from "../support/operator.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import {
  Client as ClientOf2026,
  StreamableHTTPClientTransport as TransportOf2026,
} from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { assert, assertEquals } from "@std/assert";

const call = (n: number) => ({
  name: "pipelock-block",
  arguments: { proposed_file: `h${n}.example\n`, justification: `For ${n}.` },
});

/** What a client sent: the method, the JSON-RPC id that is its own or that it cancels, and its session. */
type Sent = readonly [method: string, id: unknown, session: string | null];

/** A `fetch` that notes what goes through it. */
function noting(sent: Sent[]): typeof fetch {
  return (input, init) => {
    if (init?.method === "POST") {
      const { method, id, params } = JSON.parse(String(init.body));
      const session = new Headers(init.headers).get("mcp-session-id");
      sent.push([method, id ?? params?.requestId, session]);
    }
    return fetch(input, init);
  };
}

async function connect2025(url: URL, sent: Sent[]) {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(url, { fetch: noting(sent) }));
  return {
    call: (n: number, signal?: AbortSignal) =>
      client.callTool(call(n), undefined, {
        ...PATIENCE,
        onprogress: () => {},
        ...(signal && { signal }),
      }),
    close: () => client.close(),
  };
}

async function connect2026(url: URL, sent: Sent[]) {
  const client = new ClientOf2026({ name: "test", version: "1" });
  await client.connect(new TransportOf2026(url, { fetch: noting(sent) }));
  return {
    call: (n: number, signal?: AbortSignal) =>
      client.callTool(call(n), { ...PATIENCE, onprogress: () => {}, ...(signal && { signal }) }),
    close: () => client.close(),
  };
}

// Threat: A4
Deno.test.each([["1.x", connect2025], ["2.x", connect2026]] as const)(
  "of two SDK %s clients with equal ids, one gives up and the other's call is held on",
  async (_kind, connect) => {
    await using dir = await tempDir();
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir);
    const sent: [Sent[], Sent[]] = [[], []];
    const [first, second] = [
      await connect(sidecar.url, sent[0]),
      await connect(sidecar.url, sent[1]),
    ];
    const end = new AbortController();
    const cancelled = first.call(1, end.signal).then(() => "answered", () => "gone");
    const held = second.call(2);
    while (sidecar.events.filter(({ event }) => event === "proposed").length < 2) {
      await sidecar.next();
    }
    end.abort("enough");
    assertEquals(await cancelled, "gone");
    await sidecar.logged("released");
    for (let n = 0; n < 2; n++) await decideNext(dir, { status: "rejected" });
    const { structuredContent } = await held as { structuredContent: { status: string } };
    assertEquals(structuredContent.status, "rejected");
    assertEquals(sidecar.events.filter(({ event }) => event === "released").length, 1);

    const [mine, theirs] = sent.map((all) => all.find(([method]) => method === "tools/call")!);
    const [, cancelledId, cancelledIn] = sent[0].find(([method]) =>
      method === "notifications/cancelled"
    )!;
    assertEquals([mine![1], cancelledId], [theirs![1], theirs![1]], "the ids are equal");
    assertEquals(cancelledIn, mine![2]);
    assert(mine![2] !== null && mine![2] !== theirs![2], "the sessions are not");
    await first.close();
    await second.close();
  },
);

/** Posts a message of the 2025 protocol. */
function post(url: URL, message: Record<string, unknown>, session?: string): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(session !== undefined && { "mcp-session-id": session }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  });
}

async function openSession(url: URL): Promise<string> {
  const response = await post(url, {
    id: 0,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "raw", version: "1" },
    },
  });
  await response.text();
  return response.headers.get("mcp-session-id") ?? "";
}

// Threat: A4
Deno.test("a cancellation releases the call of its own session with that id, and a stranger none", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir, SLUG, 0, ["--max-held=8"]);
  const { url } = sidecar;
  const [mine, other] = [await openSession(url), await openSession(url)];
  assert(/^[0-9a-f-]{36}$/.test(mine) && mine !== other);
  const ask = (id: unknown, n: number, session?: string) =>
    post(url, { id, method: "tools/call", params: call(n) }, session);
  const held = [
    await ask(1, 1, mine),
    await ask(1, 2, other),
    await ask(1, 3),
    await ask("1", 4, mine),
    await ask(2, 5, mine),
  ];
  const results = held.map((response) => response.text());
  const cancel = async (requestId: unknown, session?: string) => {
    const params = { requestId, reason: "x" };
    const response = await post(url, { method: "notifications/cancelled", params }, session);
    assertEquals([response.status, await response.text()], [202, ""]);
  };
  const released = () => sidecar.events.filter(({ event }) => event === "released").length;
  const guesses = [
    "",
    "1",
    "undefined",
    "null",
    mine.toUpperCase(),
    `${mine} `,
    `${mine},${other}`,
  ];
  for (
    const session of [
      undefined,
      crypto.randomUUID(),
      await openSession(url),
      ...guesses.slice(0, 5),
    ]
  ) {
    for (const id of [0, 1, 2, "1", "2", null, [1]]) await cancel(id, session);
  }
  await cancel(1, guesses[6]);
  // Each message was handled before its response came; one more round for the line in the log.
  await openSession(url);
  assertEquals(released(), 0);

  await cancel(1, mine);
  assert((await results[0])!.includes('"status":"pending"'));
  await sidecar.logged("released");
  await openSession(url);
  assertEquals(released(), 1, "not the other session's, not the string, not the other id");
  for (let n = 0; n < 5; n++) await decideNext(dir, { status: "approved" });
  for (const result of results.slice(1)) assert((await result).includes('"status":"approved"'));
});
