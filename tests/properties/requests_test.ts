import { readFlags } from "../../cli/command/flags.ts";
import { cancelledId, parseMessage, refuseWithoutToken } from "../../sidecar/http.ts";
import { createServer } from "../../sidecar/server.ts";
import { readSettings } from "../../sidecar/settings.ts";
import { anyKey, anyRecordFile, anyText, shortText } from "../support/arbitraries.ts";
import { attempt, documented } from "../support/documented.ts";
import { holds } from "../support/properties.ts";
import { incomingMessage } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** Words of a command line: flags of ours with any value, now and then others, and anything. */
function commandLine(...flags: string[]): fc.Arbitrary<string[]> {
  const known = fc.constantFrom(...flags);
  const value = fc.oneof(fc.constantFrom("", "1", "-1", "dev-1", "-", "--", "true"), shortText);
  const flag = fc.tuple(known, value).map(([name, value]) => `--${name}=${value}`);
  const bare = known.map((name) => `--${name}`);
  const dotted = fc.tuple(fc.oneof(known, anyKey), anyKey).map(([name, key]) =>
    `--${name}.${key}=1`
  );
  const other = fc.tuple(fc.constantFrom("--", "-", "--no-"), fc.oneof(known, anyKey))
    .map(([dashes, name]) => dashes + name);
  const word = fc.oneof(
    { weight: 8, arbitrary: flag },
    { weight: 4, arbitrary: bare },
    { weight: 4, arbitrary: value },
    { weight: 1, arbitrary: dotted },
    { weight: 1, arbitrary: other },
  );
  return fc.array(word, { maxLength: 6 });
}

Deno.test("readFlags() fails only as it documents, for any words", () => {
  const contract = documented("cli/command/flags.ts", "readFlags");
  const words = commandLine(
    "root",
    "bottle",
    "component",
    "notes",
    "file",
    "sha256",
    "json",
    "help",
  );
  holds(fc.property(words, (words) => {
    const flags = attempt(contract, () => readFlags(words));
    for (const value of [flags?.root, flags?.notes, flags?.file, ...flags?.words ?? []]) {
      assert(value === undefined || typeof value === "string");
    }
  }));
});

// Threat: C6
Deno.test("readFlags() keeps words as they were typed, with flags between or not", () => {
  const word = fc.oneof(
    fc.constantFrom("list", "007", "1e5", "0x10", "-", ""),
    shortText.filter((text) => !/^-|^(?:true|false)$/.test(text)),
  );
  const words = fc.array(word, { maxLength: 3 });
  const flag = fc.constantFrom([], ["--json"], ["--notes", "-_ is a note"], ["--bottle=dev-1"]);
  holds(fc.property(words, flag, words, word, (before, flag, after, last) => {
    const flags = readFlags([...before, ...flag, ...after, "--", last, "--json"]);
    assertEquals(flags.words, [...before, ...after, last, "--json"]);
  }));
});

Deno.test("readSettings() fails only as it documents, for any words", () => {
  const contract = documented("sidecar/settings.ts", "readSettings");
  const words = commandLine(
    ...["slug", "queue-dir", "host", "port", "hold-seconds", "repeat-seconds", "max-held"],
    ...["max-pending", "allowed-host", "token-file", "help"],
  );
  let taken = 0;
  holds(fc.property(words, fc.boolean(), (words, named) => {
    const settings = attempt(
      contract,
      () => readSettings(named ? ["--slug=dev-1", ...words] : words),
    );
    if (settings === undefined || settings === "help") return;
    const { slug, queueDir, host, port, limits } = settings;
    for (const text of [slug, queueDir, host]) assertEquals(typeof text, "string");
    assert(port >= 0 && port <= 65535);
    for (const limit of Object.values(limits)) assert(limit >= 0);
    taken++;
  }));
  assert(taken > 0, "no words were taken");
});

const CALL = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: {
    name: "pipelock-block",
    arguments: { proposed_file: "a.example\n", justification: "x", current_file_hash: "" },
    _meta: { progressToken: 1 },
  },
});

const CANCEL = JSON.stringify({
  jsonrpc: "2.0",
  method: "notifications/cancelled",
  params: { requestId: 1, reason: "x" },
});

const message = fc.oneof(
  anyRecordFile(fc.constantFrom(CALL, CANCEL)),
  anyRecordFile(fc.constant(CALL)),
);

// Threat: A2
Deno.test("parseMessage() gives one JSON object or a refusal, for any body", async () => {
  const counts = { messages: 0, refusals: 0 };
  await holds(fc.asyncProperty(message, async (body) => {
    const read = parseMessage(body);
    if (!(read instanceof Response)) {
      assertEquals(JSON.stringify(read), JSON.stringify(JSON.parse(textOf(body))));
      const id = cancelledId(read);
      assert(["string", "number", "undefined"].includes(typeof id));
      counts.messages++;
      return;
    }
    assertEquals(read.status, 400);
    const { error } = await read.json();
    assert([-32700, -32600].includes(error.code), error.message);
    counts.refusals++;
  }));
  assert(counts.messages > 0 && counts.refusals > 0, JSON.stringify(counts));
});

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

// Threat: A3
Deno.test("refuseWithoutToken() lets in the token alone, whatever the header says", () => {
  // What a header cannot carry is refused before, by Headers.
  const value = anyText.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, "").trim());
  holds(fc.property(value, value, fc.boolean(), (token, given, right) => {
    fc.pre(token !== "");
    const authorization = right ? `bearer ${token}` : given;
    const refused = refuseWithoutToken(new Headers({ authorization }), token);
    const expected = right || given.replace(/^bearer /i, "") === token && given !== token;
    assertEquals(refused?.status, expected ? undefined : 401);
  }));
});

// Threat: A2
Deno.test("the sidecar answers any message, and never with a failure of its own", async () => {
  await using dir = await tempDir();
  const server = createServer({
    bottleSlug: "dev-1",
    queueDir: dir.path,
    version: "0",
    allowedHosts: [],
    token: undefined,
    limits: { holdMs: 0, holdWithProgressMs: 0, repeatMs: 0, maxHeld: 10, maxPending: 10 },
    log: () => {},
  });
  await holds(fc.asyncProperty(message, async (body) => {
    const response = await server.handle(incomingMessage(body));
    const text = await response.text();
    assert(response.status < 500, `${response.status}: ${text}`);
    assert(!text.includes("-32603"), text);
  }));
  server.close();
});
