import { parseReceiverUrl } from "../../../cli/notify/config.ts";
import type { Arrival } from "../../../cli/notify/message.ts";
import { MAX_WAITING, openJournal, openOutbox, type Patience } from "../../../cli/notify/outbox.ts";
import { post, readReceivers } from "../../../cli/notify/receivers.ts";
import { readReceiverRecord } from "../../../internal_mod.ts";
import { configure, isSigned, SECRET, startReceiver } from "../../support/receiver.ts";
import { run } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** So little that a test need not wait, and enough that what comes at once is one message. */
const QUICK: Patience = { gatherMs: 20, betweenMs: 0, againMs: [1, 1], closeMs: 5_000 };

const UUID = "6da1c435-41d4-4bcd-9f70-63006c4dbbbf";

const at = (bottleSlug: string, proposalId = UUID): Arrival => ({
  bottleSlug,
  proposalId,
  tool: "pipelock-block",
});

/** The outbox of a root's webhook as a program opens it, but for its patience. */
function openWebhook(dir: TempDir, patience: Partial<Patience> = {}) {
  const { remote: [webhook], problems } = readReceivers(dir.path);
  assertEquals(problems, []);
  const journal = openJournal("webhook", dir.path);
  return openOutbox(webhook!, journal, { ...QUICK, ...patience });
}

async function outboxTo(dir: TempDir, url: string, patience: Partial<Patience> = {}) {
  await configure(dir, { webhook: { url } });
  return openWebhook(dir, patience);
}

const textOf = (body: string): string => JSON.parse(body).data.text;

Deno.test("openOutbox() tells of what comes at once in one message, signed, and of what comes later in another", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  const outbox = await outboxTo(dir, receiver.url("/hook"));
  outbox.put([at("dev-1")], 1);
  outbox.put([at("web.2")], 2);
  const first = await receiver.next();
  assertEquals(textOf(first.body), "2 proposals wait in 2 bottles: dev-1, web.2");
  assertEquals([first.method, first.path, isSigned(first, SECRET)], ["POST", "/hook", true]);
  outbox.put([at("dev-3")], 3);
  assertEquals(
    textOf((await receiver.next()).body),
    "1 proposal waits in dev-3 (6da1c435). 3 wait in all",
  );
  await outbox.close();
  const { failures, dropped, told, lastSuccess } = readReceiverRecord("webhook", dir.path);
  assertEquals([failures, dropped, told.length, typeof lastSuccess], [0, 0, 3, "string"]);
});

Deno.test("openOutbox() tries again with the same id and body, signed anew, until it is taken", async () => {
  await using dir = await tempDir();
  let answers = 0;
  await using receiver = startReceiver(() =>
    new Response(null, { status: answers++ < 2 ? 503 : 204 })
  );
  const outbox = await outboxTo(dir, receiver.url("/hook"));
  outbox.put([at("dev-1")], 1);
  const tries = [await receiver.next(), await receiver.next(), await receiver.next()];
  await outbox.close();
  assertEquals(new Set(tries.map(({ headers }) => headers.get("webhook-id"))).size, 1);
  assertEquals(new Set(tries.map(({ body }) => body)).size, 1);
  assert(tries.every((one) => isSigned(one, SECRET)));
  const { failures, reason, dropped } = readReceiverRecord("webhook", dir.path);
  assertEquals([failures, reason, dropped], [0, undefined, 0]);
});

for (
  const [what, answer, tries, reason] of [
    ["answers 500", () => new Response("hello", { status: 500 }), 3, "it answered 500"],
    ["answers 404", () => new Response("hello", { status: 404 }), 1, "it answered 404"],
    [
      "answers 410",
      () => new Response(null, { status: 410 }),
      1,
      "it answered 410: it wants no more messages",
    ],
    [
      "redirects",
      () => new Response(null, { status: 307, headers: { location: "/elsewhere" } }),
      1,
      "it redirects (307), and redirects are not followed; write the new address",
    ],
  ] as const
) {
  // Threat: C7
  Deno.test(`openOutbox() gives up a receiver that ${what}, and says how much was dropped`, async () => {
    await using dir = await tempDir();
    await using receiver = startReceiver(answer);
    const outbox = await outboxTo(dir, receiver.url("/hook"));
    outbox.put([at("dev-1"), at("dev-2")], 2);
    for (let n = 0; n < tries; n++) assertEquals((await receiver.next()).path, "/hook");
    await outbox.close();
    const record = readReceiverRecord("webhook", dir.path);
    assertEquals([receiver.left(), record.failures, record.dropped], [0, tries, 2]);
    assertEquals([record.reason, record.lastSuccess], [reason, undefined]);
  });
}

Deno.test("openOutbox() tries again no sooner than Retry-After says", async () => {
  await using dir = await tempDir();
  const status = 503;
  await using late = startReceiver(() =>
    new Response(null, { status, headers: { "retry-after": "3600" } })
  );
  await using soon = startReceiver(() => new Response(null, { status }));
  const first = await outboxTo(dir, late.url("/hook"));
  first.put([at("dev-1")], 1);
  await late.next();
  const second = await outboxTo(dir, soon.url("/hook"));
  second.put([at("dev-2")], 1);
  for (let tries = 0; tries < 3; tries++) await soon.next();
  // Without the header all tries are over by now.
  assertEquals(late.left(), 0);
  await Promise.all([first.close(), second.close()]);
});

Deno.test("openOutbox() never tries again where a receiver said 410", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver(() => new Response(null, { status: 410 }));
  const outbox = await outboxTo(dir, receiver.url("/hook"));
  outbox.put([at("dev-1")], 1);
  await receiver.next();
  outbox.put([at("dev-2")], 2);
  await outbox.close();
  assertEquals([receiver.left(), readReceiverRecord("webhook", dir.path).dropped], [0, 2]);
});

Deno.test("close() is done in its time though a receiver never answers, and what was lost is remembered", async () => {
  await using dir = await tempDir();
  const open = Promise.withResolvers<Response>();
  await using receiver = startReceiver(() => open.promise);
  const outbox = await outboxTo(dir, receiver.url("/hook"), { closeMs: 100 });
  outbox.put([at("dev-1")], 1);
  await receiver.next();
  await outbox.close();
  open.resolve(new Response());
  const { failures, dropped, reason } = readReceiverRecord("webhook", dir.path);
  assertEquals([failures, dropped, reason], [1, 1, "no answer before the program ended"]);
});

Deno.test("close() still sends what has just arrived", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  const outbox = await outboxTo(dir, receiver.url("/hook"), { gatherMs: 3_600_000 });
  outbox.put([at("dev-1")], 1);
  await outbox.close();
  assertEquals(textOf((await receiver.next()).body), "1 proposal waits in dev-1 (6da1c435)");
});

// Threat: A12
Deno.test("openOutbox() holds no more than it may: the oldest are dropped, and counted", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  const outbox = await outboxTo(dir, receiver.url("/hook"));
  const flood = Array.from({ length: MAX_WAITING + 5 }, (_, n) => at(`dev-${n}`));
  outbox.put(flood, flood.length);
  const { arrived, waiting, proposals } = JSON.parse((await receiver.next()).body).data;
  assertEquals([arrived, waiting, proposals.length], [MAX_WAITING, flood.length, 20]);
  assertEquals(proposals[0].bottle_slug, "dev-5");
  await outbox.close();
  assertEquals(readReceiverRecord("webhook", dir.path).dropped, 5);
});

Deno.test("of many outboxes of one root one tells of each proposal", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  await configure(dir, { webhook: { url: receiver.url("/hook") } });
  const outboxes = Array.from({ length: 4 }, () => openWebhook(dir));
  for (let n = 0; n < 5; n++) for (const { put } of outboxes) put([at(`dev-${n}`)], n + 1);
  await Promise.all(outboxes.map(({ close }) => close()));
  const told: string[] = [];
  while (receiver.left() > 0) {
    const { proposals } = JSON.parse((await receiver.next()).body).data;
    for (const { bottle_slug } of proposals) told.push(bottle_slug);
  }
  assertEquals(told.sort(), ["dev-0", "dev-1", "dev-2", "dev-3", "dev-4"]);
});

Deno.test("openOutbox() tells though nothing can be remembered", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  const outbox = await outboxTo(dir, receiver.url("/hook"));
  await Deno.writeTextFile(dir.at("private", "notify"), "no directory");
  outbox.put([at("dev-1")], 1);
  assertEquals(textOf((await receiver.next()).body), "1 proposal waits in dev-1 (6da1c435)");
  await outbox.close();
});

// Threat: A11
Deno.test("an ntfy topic gets one line, a title of ours, the token, and no header that does anything", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  const config = { ntfy: { url: receiver.url("/topic"), token_file: "private/ntfy-token" } };
  await configure(dir, config, { "ntfy-token": "tk_abc\n" });
  const outbox = openOutbox(readReceivers(dir.path).remote[0]!, undefined, QUICK);
  outbox.put([at("dev-1")], 1);
  const { method, path, headers, body } = await receiver.next();
  await outbox.close();
  assertEquals([method, path, body], ["POST", "/topic", "1 proposal waits in dev-1 (6da1c435)"]);
  assertEquals(headers.get("authorization"), "Bearer tk_abc");
  const usual = /^(?:accept.*|host|content-.*|connection|user-agent|title|authorization)$/;
  assertEquals([...headers.keys()].filter((name) => !usual.test(name)), []);
  assertEquals([headers.get("title"), headers.get("user-agent")], ["supervise", "supervise"]);
});

for (
  const [what, text, says] of [
    [
      "a signing key",
      "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
      "it is not a token",
    ],
    ["a header of its own", "tk_abc\r\nActions: view\n", "it is not a token"],
    ["nothing", "\n", "it is not a token"],
  ] as const
) {
  // Threat: C8
  Deno.test(`readReceivers() sends no ${what} as a token`, async () => {
    await using dir = await tempDir();
    const config = { ntfy: { url: "https://n.example/t", token_file: "private/x" } };
    await configure(dir, config, { x: text });
    const { remote, problems: [problem] } = readReceivers(dir.path);
    assertEquals([remote, problem?.name], [[], "ntfy"]);
    assertStringIncludes(problem!.says, says);
  });
}

const NEVER = new AbortController().signal;

async function attempt(url: string, tryMs = 2_000) {
  const parsed = parseReceiverUrl(url);
  if (typeof parsed === "string") throw new Error(parsed);
  return await post(parsed, { headers: {}, body: "x" }, NEVER, tryMs);
}

// Threat: C7
Deno.test("post() waits no longer than it may for a status, and for nothing behind it", async () => {
  const open = Promise.withResolvers<Response>();
  const drip = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
  await using receiver = startReceiver(({ path }) =>
    path === "/hangs" ? open.promise : new Response(drip)
  );
  assertEquals(await attempt(receiver.url("/hangs"), 50), {
    told: false,
    says: "no answer within 0.05 s",
    again: true,
  });
  open.resolve(new Response());
  assertEquals(await attempt(receiver.url("/endless")), { told: true, says: "it answered 200" });
});

// Threat: C8
Deno.test("post() says in words of ours why it failed, and nothing of the address", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const cases = [
    [`http://127.0.0.1:${port}/secret`, "it refused the connection"],
    ["https://host.invalid/secret", "its name is not known here"],
    ["http://127.0.0.1:6667/secret", "its port is one that no HTTP client uses"],
  ] as const;
  for (const [url, says] of cases) assertEquals((await attempt(url)).says, says);
  await using server = startReceiver();
  const plain = await attempt(`https://${server.hostPort}/secret`);
  assertEquals([plain.told, plain.says], [false, "the connection failed"]);
});

// Threat: C7
Deno.test("post() takes no certificate that nobody vouches for", {
  ignore: isMissing("openssl", "version"),
}, async () => {
  await using dir = await tempDir();
  const made = await run("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=x".split(
      " ",
    ),
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", dir.at("key"), "-out", dir.at("cert")],
  ]);
  assertEquals(made.code, 0);
  const [cert, key] = [Deno.readTextFileSync(dir.at("cert")), Deno.readTextFileSync(dir.at("key"))];
  let reached = false;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    () => {
      reached = true;
      return new Response();
    },
  );
  const { told, says } = await attempt(`https://127.0.0.1:${server.addr.port}/secret`);
  assertEquals([told, says, reached], [false, "its certificate is not accepted", false]);
});

Deno.test("post() leaves a receiver alone for as long as it asks, within bounds", async () => {
  let after = "7";
  await using receiver = startReceiver(() =>
    new Response(null, { status: 429, headers: { "retry-after": after } })
  );
  const asked = async () => {
    const outcome = await attempt(receiver.url("/"));
    return outcome.told ? "told" : outcome.afterMs;
  };
  assertEquals(await asked(), 7_000);
  after = "999999";
  assertEquals(await asked(), 300_000);
  after = "Wed, 21 Oct 2026 07:28:00 GMT";
  assertEquals(await asked(), undefined);
});
