import { connectRaw, exchange, rawRequest } from "../support/raw_http.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { gzipSync } from "node:zlib";

const LIST = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });

const BATCH = `[${LIST},${LIST}]`;

const DEEP = `{"jsonrpc":"2.0","id":1,"method":"ping","params":${"[".repeat(99)}${"]".repeat(99)}}`;

const ACCEPT = "Accept: application/json, text/event-stream";

const encode = (text: string) => new TextEncoder().encode(text);

const utf16 = (text: string) =>
  new Uint8Array(Uint16Array.from([...text], (c) => c.charCodeAt(0)).buffer);

function request(body: string | Uint8Array, ...headers: string[]): Uint8Array {
  const bytes = typeof body === "string" ? encode(body) : body;
  const length = headers.some((header) => /^(content-length|transfer-encoding):/i.test(header))
    ? []
    : [`Content-Length: ${bytes.length}`];
  return rawRequest([ACCEPT, "Connection: close", ...length, ...headers], bytes);
}

/** The spellings of a content type that are JSON. */
const JSON_SPELLINGS = [
  "Content-Type: application/json",
  "Content-Type: Application/JSON",
  "content-type:application/json",
  "CONTENT-TYPE: APPLICATION/JSON; CHARSET=UTF-8",
  'Content-Type: application/json;charset="utf-8"',
  "Content-Type: application/json ; charset=utf-8",
];

// Threat: A2
Deno.test.each(JSON_SPELLINGS.map((header) => [header]))(
  "with the header %j every guard of a request holds",
  async (header) => {
    await using dir = await tempDir();
    await using sidecar = await startSidecar(dir.path);
    const [status, text] = await exchange(sidecar.url, request(LIST, header));
    assertEquals(status, 200);
    assertStringIncludes(text, "proposal-status");
    assertStringIncludes(text, ": held\n", "the first byte");
    for (const [body, words] of [[BATCH, "no batches"], [DEEP, "nested deeper"]] as const) {
      const [status, text] = await exchange(sidecar.url, request(body, header));
      assertEquals(status, 400);
      assertStringIncludes(text, words);
    }
    const large = request("", header, "Content-Length: 4194305");
    assertEquals((await exchange(sidecar.url, large))[0], 413);
  },
);

/** What is no JSON in UTF-8 by its headers or its bytes, or can be read in two ways. */
const REFUSED: readonly (readonly [string, Uint8Array, number])[] = [
  ["no content type", request(LIST), 415],
  ["an empty content type", request(LIST, "Content-Type:"), 415],
  ["a suffix +json", request(LIST, "Content-Type: application/vnd.api+json"), 415],
  ["text/json", request(LIST, "Content-Type: text/json"), 415],
  ["a list of types", request(LIST, "Content-Type: application/json, text/plain"), 415],
  ["a type that begins alike", request(LIST, "Content-Type: application/jsonx"), 415],
  ["another charset", request(LIST, "Content-Type: application/json; charset=utf-16"), 415],
  ["two charsets", request(LIST, `${JSON_SPELLINGS[3]}; charset=utf-16`), 415],
  ["another parameter", request(LIST, "Content-Type: application/json; x=y"), 415],
  ["two content types", request(LIST, JSON_SPELLINGS[0]!, "Content-Type: text/plain"), 400],
  ["two equal content types", request(LIST, JSON_SPELLINGS[0]!, JSON_SPELLINGS[1]!), 400],
  [
    "two sessions",
    request(LIST, JSON_SPELLINGS[0]!, "Mcp-Session-Id: a", "Mcp-Session-Id: b"),
    400,
  ],
  ["two hosts", request(LIST, JSON_SPELLINGS[0]!, "Host: localhost"), 400],
  ["a byte order mark", request(`\ufeff${LIST}`, JSON_SPELLINGS[0]!), 400],
  ["UTF-16", request(utf16(LIST), JSON_SPELLINGS[0]!), 400],
  ["UTF-16 with a mark", request(utf16(`\ufeff${LIST}`), JSON_SPELLINGS[0]!), 400],
  [
    "gzip",
    request(new Uint8Array(gzipSync(LIST)), JSON_SPELLINGS[0]!, "Content-Encoding: gzip"),
    415,
  ],
  [
    "an unknown content encoding",
    request(LIST, JSON_SPELLINGS[0]!, "Content-Encoding: x"),
    415,
  ],
  [
    "gzip as a transfer coding",
    request(
      `${LIST.length.toString(16)}\r\n${LIST}\r\n0\r\n\r\n`,
      JSON_SPELLINGS[0]!,
      "Transfer-Encoding: gzip, chunked",
    ),
    415,
  ],
  [
    "a length and chunks",
    request(
      `${LIST.length.toString(16)}\r\n${LIST}\r\n0\r\n\r\n`,
      JSON_SPELLINGS[0]!,
      `Content-Length: ${LIST.length}`,
      "Transfer-Encoding: chunked",
    ),
    400,
  ],
  [
    "two lengths",
    request(LIST, JSON_SPELLINGS[0]!, `Content-Length: ${LIST.length}`, "Content-Length: 5"),
    400,
  ],
  ["a folded header", request(LIST, "Content-Type: application/json", " ; charset=utf-16"), 400],
  ["a blank before the colon", request(LIST, "Content-Type : application/json"), 400],
  ["two values and no batch", request(`${LIST}${LIST}`, JSON_SPELLINGS[0]!), 400],
  ["no host", encode(`POST /mcp HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`), 400],
  [
    "a foreign target",
    encode("POST http://evil.example/mcp HTTP/1.1\r\nHost: supervise\r\nConnection: close\r\n\r\n"),
    404,
  ],
  ["HTTP/2 without asking", encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400],
];

// Threat: A2
Deno.test.each(REFUSED.map(([what, bytes, status]) => [what, bytes, status] as const))(
  "the sidecar passes nothing on of a request with %s",
  async (_what, bytes, expected) => {
    await using dir = await tempDir();
    await using sidecar = await startSidecar(dir.path);
    const [status, text] = await exchange(sidecar.url, bytes);
    assertEquals(status, expected, text);
    assert(!text.includes("proposal-status"), text);
    const [after] = await exchange(sidecar.url, request(LIST, JSON_SPELLINGS[0]!));
    assertEquals(after, 200);
  },
);

/** What a client writes for a server that it reaches by one of its names. */
const OUR_NAMES = [
  ...["supervise", "SUPERVISE:9100", "localhost", "Localhost:1", "127.0.0.1:65535", "[::1]:9100"],
  ...["host.containers.internal", "host.containers.internal:9100"],
];

/** What a URL parser, or a careless reader, takes for one of them. */
const OTHER_NAMES = [
  ...["", "evil.example", "evil@supervise", "supervise@evil", "supervise/evil", "supervise?x"],
  ...["supervise#x", "supervise\\@evil", "%73upervise", "supervise.", "supervise:", "supervise:x"],
  ...[
    "supervise:1:2",
    "supervise:123456",
    "supervise, localhost",
    "super\tvise",
    "http://supervise",
  ],
  ...["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "::1", "[0:0::1]", "[::1%25lo]"],
  ...["[::ffff:127.0.0.1]", "localhost.evil.example", "*", "ｌocalhost", "loc\xadalhost"],
];

const OTHER_ORIGINS = [
  ...[
    "",
    "null",
    "supervise",
    "chrome-extension://supervise",
    "HTTP://supervise",
    "http:supervise",
  ],
  ...["http://supervise/", "http://supervise http://localhost"],
];

const ORIGIN = "Host: supervise\r\nOrigin: ";

// Threat: A3
Deno.test.each(
  [
    [200, [
      ...OUR_NAMES.map((name) => `Host: ${name}`),
      ...OUR_NAMES.map((name) => `${ORIGIN}http://${name}`),
      ...OUR_NAMES.map((name) => `${ORIGIN}https://${name}`),
    ]],
    [403, [
      ...OTHER_NAMES.map((name) => `Host: ${name}`),
      ...OTHER_NAMES.map((name) => `${ORIGIN}http://${name}`),
      ...OTHER_ORIGINS.map((origin) => `${ORIGIN}${origin}`),
      "Host: evil.example\r\nOrigin: http://supervise",
    ]],
  ] as const,
)("names in Host and Origin are read as they are written: %d", async (expected, headers) => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path, "dev-1", 0, [
    "--allowed-host=Host.Containers.internal",
  ]);
  for (const header of headers) {
    const request = `GET /healthz HTTP/1.1\r\nConnection: close\r\n${header}\r\n\r\n`;
    const [status] = await exchange(sidecar.url, encode(request));
    assertEquals([header, status], [header, expected]);
  }
});

// Threat: A2
Deno.test("a key that is there twice means what it means last, to the guards and to MCP alike", async () => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path);
  const twice = '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list","params":{}}';
  const [status, text] = await exchange(sidecar.url, request(twice, JSON_SPELLINGS[1]!));
  assertEquals(status, 200);
  assertStringIncludes(text, "proposal-status");
  // The guard that names sessions reads the same method.
  const opening = '"params":{"protocolVersion":"2025-06-18","capabilities":{},' +
    '"clientInfo":{"name":"a","version":"1"}}}';
  for (
    const [methods, isSession] of [
      ['"method":"initialize","method":"ping"', false],
      ['"method":"ping","method":"initialize"', true],
    ] as const
  ) {
    const body = `{"jsonrpc":"2.0","id":1,${methods},${opening}`;
    const [, text] = await exchange(sidecar.url, request(body, JSON_SPELLINGS[0]!));
    assertEquals(/^mcp-session-id: /im.test(text), isSession, text);
    assertEquals(text.includes("serverInfo"), isSession, text);
  }
});

// Threat: A2
Deno.test("a second request before the first has its response ends the connection", async () => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path);
  const call = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: {
      name: "pipelock-block",
      arguments: { proposed_file: "a.example\n", justification: "x" },
    },
  });
  const one = rawRequest([ACCEPT, JSON_SPELLINGS[0]!, `Content-Length: ${call.length}`], call);
  const look = "GET /healthz HTTP/1.1\r\nHost: supervise\r\n";
  const looks = new TextEncoder().encode(`${look}\r\n${look}Connection: close\r\n\r\n`);
  for (const packet of [[...one, ...one], looks]) {
    using connection = await connectRaw(sidecar.url);
    await connection.send(new Uint8Array(packet));
    const text = await connection.readUntil("\0");
    assert(!text.includes('"result"') && text.split("HTTP/1.1 200").length <= 2, text);
  }
  // Of a request that comes later its first bytes are enough.
  using connection = await connectRaw(sidecar.url);
  await connection.send(one);
  await connection.readUntil(": held");
  await connection.send(one.subarray(0, 9));
  assert(!(await connection.readUntil("\0")).includes('"result"'));
  const [after] = await exchange(sidecar.url, request(LIST, JSON_SPELLINGS[0]!));
  assertEquals(after, 200);
});
