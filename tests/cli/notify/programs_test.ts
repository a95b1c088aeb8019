import { readReceiverRecord } from "../../../internal_mod.ts";
import { inEnvironment } from "../../support/environment.ts";
import { TextLineStream } from "../../support/lines.ts";
import { configure, isSigned, SECRET, startReceiver } from "../../support/receiver.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run, supervise } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const LAUNCHER = join(REPO, "cli/supervise.sh");

const UUID = "6da1c435-41d4-4bcd-9f70-63006c4dbbbf";

const HOSTILE = {
  justification:
    "EVIL \x1b]9;4;1;100\x07 approve: https://evil.example/?yes \x1b]777;notify;a;b\x07",
  proposedFile: "EVIL.example\n",
};

/** A `watch` in a process of its own, as an operator starts it. */
function startWatch(dir: TempDir, args: readonly string[] = []) {
  const process = new Deno.Command("sh", {
    args: [LAUNCHER, "watch", ...args],
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" }),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    const reader = stream.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    return async () => (await reader.read()).value ?? "";
  };
  return {
    out: lines(process.stdout),
    err: lines(process.stderr),
    end: async () => {
      process.kill("SIGINT");
      return (await process.status).code;
    },
  };
}

// Threat: A11
Deno.test("watch tells a webhook and an ntfy topic of what arrives, and not of what stood there, nor what an agent wrote", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  await configure(dir, {
    webhook: { url: receiver.url("/hook") },
    ntfy: { url: receiver.url("/topic") },
  });
  await queueSample(dir.path, { id: "before", ...HOSTILE });
  const watch = startWatch(dir);
  assertStringIncludes(await watch.out(), "before");
  await queueSample(dir.path, { id: UUID, ...HOSTILE });
  assertStringIncludes(await watch.out(), UUID);
  const got = [await receiver.next(), await receiver.next()]
    .sort((a, b) => a.path < b.path ? -1 : 1);
  const text = "1 proposal waits in dev-1 (6da1c435). 2 wait in all";
  const { timestamp, ...told } = JSON.parse(got[0]!.body);
  assertEquals(told, {
    type: "proposals.arrived",
    data: {
      text,
      arrived: 1,
      waiting: 2,
      proposals: [{ bottle_slug: "dev-1", id: UUID, tool: "pipelock-block" }],
    },
  });
  assert(Math.abs(Date.now() - Date.parse(timestamp)) < 60_000);
  assertEquals([isSigned(got[0]!, SECRET), got[1]!.body], [true, text]);
  for (const { headers } of got) assertEquals(/EVIL/i.test(JSON.stringify([...headers])), false);
  assertEquals([await watch.end(), await watch.out(), await watch.err()], [0, "", ""]);
  assertEquals(receiver.left(), 0);
});

Deno.test("of two watchers of one root one tells", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  await configure(dir, { webhook: { url: receiver.url("/hook") } });
  await queueSample(dir.path, { id: "before" });
  const watchers = [startWatch(dir), startWatch(dir)];
  for (const { out } of watchers) await out();
  await queueSample(dir.path, { id: UUID });
  for (const { out } of watchers) assertStringIncludes(await out(), UUID);
  await receiver.next();
  // Each of them sends, as it ends, what it has not sent yet.
  for (const { end, out, err } of watchers) {
    assertEquals([await end(), await out(), await err()], [0, "", ""]);
  }
  assertEquals(receiver.left(), 0);
});

// Threat: C7
Deno.test("a receiver that never answers keeps watch neither from printing nor from ending", async () => {
  await using dir = await tempDir();
  const open = Promise.withResolvers<Response>();
  await using receiver = startReceiver(() => open.promise);
  await configure(dir, { webhook: { url: receiver.url("/hook") } });
  await queueSample(dir.path, { id: "before" });
  const watch = startWatch(dir);
  await watch.out();
  await queueSample(dir.path, { id: UUID });
  await watch.out();
  await receiver.next();
  // While it hangs, what arrives is printed, and Ctrl-C ends the program: the receiver still has nothing.
  await queueSample(dir.path, { id: "meanwhile" });
  assertStringIncludes(await watch.out(), "meanwhile");
  assertEquals([await watch.end(), await watch.out(), await watch.err()], [0, "", ""]);
  open.resolve(new Response());
  const { failures, dropped, reason } = readReceiverRecord("webhook", dir.path);
  assertEquals([failures, dropped, reason], [1, 2, "no answer before the program ended"]);
});

Deno.test("watch says once what is wrong with notify.json, tells nobody, and goes on", async () => {
  await using dir = await tempDir();
  await configure(dir, { webhok: {} });
  await queueSample(dir.path, { id: "before" });
  const watch = startWatch(dir);
  assertStringIncludes(await watch.out(), "before");
  assertEquals(
    await watch.err(),
    `! Notifies nobody. Cannot use ${dir.path}/notify.json, field "webhok": ` +
      'there is no such field; expected "terminal", "webhook", "ntfy"',
  );
  assertEquals([await watch.end(), await watch.out(), await watch.err()], [0, "", ""]);
});

Deno.test("notify sends a test to each receiver, says what came of each, and exits 1 if one failed", async () => {
  await using dir = await tempDir();
  let status = 200;
  await using receiver = startReceiver(({ path }) =>
    new Response(path === "/hook" ? "EVIL" : null, { status: path === "/hook" ? status : 200 })
  );
  const { hostPort } = receiver;
  await configure(dir, {
    terminal: "bell",
    webhook: { url: receiver.url("/hook") },
    ntfy: { url: receiver.url("/topic") },
  });
  const good = await supervise(dir.path, ["notify"]);
  assertEquals([good.code, good.err], [0, ""]);
  assertEquals(good.out.split("\n"), [
    "skipped  terminal  standard output is not a terminal, or is for a program",
    `told     webhook   ${hostPort}  it answered 200`,
    `told     ntfy      ${hostPort}  it answered 200`,
    "",
  ]);
  const sent = [await receiver.next(), await receiver.next()];
  const hook = sent.find(({ path }) => path === "/hook")!;
  const { type, data } = JSON.parse(hook.body);
  assertEquals([type, isSigned(hook, SECRET)], ["supervise.test", true]);
  assertEquals(sent.find(({ path }) => path === "/topic")!.body, data.text);

  status = 500;
  const bad = await supervise(dir.path, ["notify", "--json"]);
  assertEquals([bad.code, bad.err], [1, ""]);
  assertEquals(JSON.parse(bad.out), {
    version: 1,
    receivers: [
      {
        receiver: "terminal",
        result: "skipped",
        says: "standard output is not a terminal, or is for a program",
      },
      { receiver: "webhook", place: hostPort, result: "failed", says: "it answered 500" },
      { receiver: "ntfy", place: hostPort, result: "told", says: "it answered 200" },
    ],
  });
});

Deno.test("notify says what is wrong with its files, and tries what is not", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  const out = async () => {
    const { code, out, err } = await supervise(dir.path, ["notify"]);
    return [code, (out + err).replaceAll(dir.path, "$ROOT")];
  };
  await configure(dir, {});
  assertEquals(await out(), [
    1,
    "Cannot notify: $ROOT/notify.json names no receiver; docs/notify.md says what to write\n",
  ]);
  await configure(dir, { webhook: {} });
  assertEquals(await out(), [
    1,
    'Cannot use $ROOT/notify.json, field "webhook.url": it is not a string; write https://host/path\n',
  ]);
  const secretFile = "private/another";
  await configure(dir, {
    webhook: { url: "https://h.example/x", secret_file: secretFile },
    ntfy: { url: receiver.url("/topic") },
  });
  assertEquals(await out(), [
    1,
    `failed  webhook  Cannot use $ROOT/${secretFile}: there is no such file; docs/notify.md makes one\n` +
    `told    ntfy     ${receiver.hostPort}  it answered 200\n`,
  ]);
});

Deno.test("notify sends each signature of a webhook whose secret is being changed", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  const other = "whsec_" + new Uint8Array(32).fill(7).toBase64();
  await configure(dir, { webhook: { url: receiver.url("/hook") } }, {
    "webhook-secret": `${SECRET}\n${other}\n`,
  });
  assertEquals((await supervise(dir.path, ["notify"])).code, 0);
  const sent = await receiver.next();
  assertEquals([SECRET, other].map((secret) => isSigned(sent, secret)), [true, true]);
  assertEquals(isSigned(sent, "whsec_" + new Uint8Array(32).toBase64()), false);
});

// Threat: C8
Deno.test("a webhook on this host is reached without the proxy that variables name", async () => {
  await using proxy = startReceiver();
  const through = { HTTP_PROXY: proxy.url("/"), http_proxy: proxy.url("/") };
  // A variable that is there already is passed on without an export.
  for (const env of [through, { ...through, NO_PROXY: "" }]) {
    await using dir = await tempDir();
    await using receiver = startReceiver();
    await configure(dir, { webhook: { url: receiver.url("/hook") } });
    assertEquals((await supervise(dir.path, ["notify"], { env })).code, 0);
    assertEquals([receiver.left(), proxy.left()], [1, 0]);
  }
});

Deno.test("notify without the launcher says which permission is missing, not where to", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  await configure(dir, { webhook: { url: receiver.url("/secret") } });
  const { code, out } = await run("deno", [
    ...["run", "--quiet", "--no-prompt", "--frozen", "--config", join(REPO, "deno.json")],
    ...[`--allow-read=${dir.path}`, `--allow-write=${dir.path}`, "--allow-sys=uid"],
    ...["--allow-env=CLAUDE_BOTTLE_ROOT,HOME,NO_COLOR", join(REPO, "cli/main.ts")],
    ...["notify", "--root", dir.path],
  ]);
  assertEquals(code, 1);
  assertEquals(
    out,
    `failed  webhook  ${receiver.hostPort}  this program may not reach it; start it again through ` +
      `cli/supervise.sh, or with --allow-net=${receiver.hostPort}\n`,
  );
  assertEquals(receiver.left(), 0);
});

/** Runs the launcher in a terminal of its own, and gives the very bytes that come out of it. */
async function bytesOf(dir: TempDir, words: string, env: Record<string, string>): Promise<string> {
  const command = `sh ${LAUNCHER} ${words}`;
  const { out } = await run("script", ["-qec", command, "/dev/null"], {
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1", TERM_PROGRAM: "", ...env }),
  });
  return out;
}

const TEST = "A test: nothing waits because of this message";

for (
  const [terminal, env, bytes] of [
    ["auto", { TERM: "xterm-256color" }, "\x07"],
    ["auto", { TERM: "xterm-kitty" }, `\x1b]99;;supervise: ${TEST}\x1b\\`],
    ["auto", { TERM: "xterm", TERM_PROGRAM: "WezTerm" }, `\x1b]777;notify;supervise;${TEST}\x07`],
    ["osc9", { TERM: "xterm" }, `\x1b]9;supervise: ${TEST}\x07`],
    ["osc9", { TERM: "tmux-256color" }, "\x07"],
  ] as const
) {
  Deno.test(
    `notify writes to a real terminal, told ${terminal} in ${JSON.stringify(env)}, one sequence`,
    {
      ignore: isMissing("script"),
    },
    async () => {
      await using dir = await tempDir();
      await configure(dir, { terminal });
      const out = await bytesOf(dir, "notify", env);
      const at = out.indexOf("told");
      assertEquals(out.slice(0, at), bytes);
      assertEquals(await bytesOf(dir, "notify | cat", env), out.replace(/.*/s, SKIPPED));
      assertEquals((await bytesOf(dir, "notify --json", env)).slice(0, 1), "{");
    },
  );
}

const SKIPPED = "skipped  terminal  standard output is not a terminal, or is for a program\r\n";

Deno.test("watch rings the bell of a real terminal when something arrives", {
  ignore: isMissing("script"),
}, async () => {
  await using dir = await tempDir();
  await configure(dir, { terminal: "bell" });
  await queueSample(dir.path, { id: "before" });
  await using process = new Deno.Command("script", {
    // A terminal that nobody looks at has no width.
    args: ["-qec", `stty cols 100; exec sh ${LAUNCHER} watch`, "/dev/null"],
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1", TERM: "xterm" }),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  const sees = async (text: string) => {
    while (!seen.includes(text)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`it ended: ${seen}`);
      seen += value;
    }
  };
  await sees("before");
  await queueSample(dir.path, { id: UUID, ...HOSTILE });
  await sees("\x07");
  assertEquals(seen.split("\n").filter((line) => line.includes("\x07")), ["\x07"]);
  assertStringIncludes(seen, UUID.slice(0, 8));
  // Ctrl-C, as a person types it.
  const keys = process.stdin.getWriter();
  await keys.write(new TextEncoder().encode("\x03"));
  while (!(await reader.read()).done);
  await keys.close().catch(() => {});
  await process.status;
});
