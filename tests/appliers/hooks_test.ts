import { parseApplyConfig } from "../../appliers/config.ts";
import { hookApplier, openHookApplier, tryHooks } from "../../appliers/hooks.ts";
import {
  ApplyError,
  type ConfigChange,
  queueDirForSlug,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../../mod.ts";
import { startFakeProxy } from "../support/fake_proxy.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";

const change = (
  dir: TempDir,
  before: string | null,
  after: string | null,
  tool: Tool = TOOL_PIPELOCK_BLOCK,
): ConfigChange => ({
  root: dir.path,
  bottleSlug: "dev-1",
  tool,
  path: dir.at("current-config/dev-1/x"),
  before,
  after,
});

/** A program that notes in `said` which step it is for, and what it was given; `then` decides how it ends. */
const program = (dir: TempDir, step: string, then = "", ...args: string[]) => ({
  argv: ["/bin/sh", "-c", `echo "$0 $*" >> '${dir.at("said")}'; ${then}`, step, ...args],
});

const applierOf = (config: object) => hookApplier(parseApplyConfig(JSON.stringify(config), "x"));

async function said(dir: TempDir): Promise<string[]> {
  const text = await Deno.readTextFile(dir.at("said")).catch(() => "");
  return text.replaceAll(dir.path, "DIR").replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "FILE")
    .split("\n").slice(0, -1);
}

async function namesIn(path: string): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(path)) names.push(name);
  return names.sort();
}

Deno.test("check() has what would be read checked, and changes nothing", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("proxy"));
  await Deno.writeTextFile(dir.at("proxy/allowed"), "old");
  const check = program(dir, "check", 'cat "$1" >&2; grep -q new "$1"', "{file}", "{bottle}");
  const reload = program(dir, "reload");
  const applier = applierOf({
    pipelock: { render: "squid", to: dir.at("proxy/allowed"), check, reload },
  });
  await applier.check(change(dir, "a.test\n", "*.new.test\n"));
  assertEquals(await said(dir), ["check DIR/proxy/allowed.next dev-1"]);
  const error = await assertRejects(
    () => applier.check(change(dir, "a.test\n", "b.test\n")),
    ApplyError,
  );
  assertEquals([error.stage, error.exitCode, error.output], ["check", 1, "b.test\n"]);
  assertEquals(await namesIn(dir.at("proxy")), ["allowed"]);
  assertEquals(await Deno.readTextFile(dir.at("proxy/allowed")), "old");
});

Deno.test("apply() writes what is read, reloads, probes, and says what it saw", async () => {
  await using dir = await tempDir();
  await using proxy = startFakeProxy((host) => ["a.test", "b.test"].includes(host) ? 200 : 403);
  const applier = applierOf({
    pipelock: {
      render: "tinyproxy",
      to: dir.at("proxy/allowed"),
      reload: program(dir, "reload", 'cat "$1" >> "$2"', "{file}", dir.at("said")),
      stop_connections: program(dir, "stop"),
      probe: { proxy: proxy.address },
    },
  });
  const doing: string[] = [];
  const onProgress = (text: string) => void doing.push(text);
  const done = await applier.apply(change(dir, "a.test\n", "a.test\nb.test\n"), { onProgress });
  assertEquals(
    done,
    `wrote ${dir.at("proxy/allowed")}; /bin/sh ended with exit code 0; ` +
      `${proxy.address} allowed 2 and denied 3, 5 times in a row`,
  );
  assertEquals(await said(dir), ["reload DIR/proxy/allowed DIR/said", "^a\\.test$", "^b\\.test$"]);
  assertEquals(doing, ["renders the file", "reloads the proxy", "probes the proxy"]);
  assertEquals((await Deno.stat(dir.at("proxy/allowed"))).mode! & 0o777, 0o644);
  // What is taken away goes on in connections that are open.
  proxy.answer = (host) => host === "a.test" ? 200 : 403;
  const revoked = await applier.apply(change(dir, "a.test\nb.test\n", "a.test\n"));
  assertStringIncludes(revoked, "; connections that were open were ended");
  assertEquals((await said(dir)).at(-1), "stop ");
});

Deno.test("apply() keeps a change that takes away, if connections cannot be ended", async () => {
  await using dir = await tempDir();
  const pipelock = { render: "squid", to: dir.at("allowed") };
  const taken = change(dir, "a.test\n", null);
  const without = await applierOf({ pipelock }).apply(taken);
  assertStringIncludes(
    without,
    "that it is in force was not seen; connections that were open stay open",
  );
  const stop = program(dir, "stop", "exit 1");
  const done = await applierOf({ pipelock: { ...pipelock, stop_connections: stop } }).apply(taken);
  assertStringIncludes(done, "may be open still: /bin/sh ended with exit code 1");
  assertEquals(await Deno.readTextFile(dir.at("allowed")), "");
});

Deno.test("an applier does nothing for a file that apply.json does not name, and says so", async () => {
  await using dir = await tempDir();
  const applier = applierOf({});
  await applier.check(change(dir, null, "a.test\n"));
  for (const call of [applier.apply, applier.restore]) {
    assertEquals(
      await call(change(dir, null, "a.test\n")),
      "apply.json names nothing that reloads it",
    );
  }
  const only = applierOf({ bottles: { "dev-1": { rebuild: { render: program(dir, "build") } } } });
  const pairs = [["dev-1", TOOL_CAPABILITY_BLOCK], ["dev-1", TOOL_PIPELOCK_BLOCK]] as const;
  assertEquals(pairs.map(([slug, tool]) => only.enforces!(slug, tool)), [true, false]);
  assertEquals(only.enforces!("dev-2", TOOL_CAPABILITY_BLOCK), false);
  assertEquals(openHookApplier(dir.path), undefined);
});

Deno.test("a program renders: it reads {config}, and writes {file}", async () => {
  await using dir = await tempDir();
  const applier = applierOf({
    pipelock: {
      render: program(dir, "render", 'tr a-z A-Z < "$1" > "$2"', "{config}", "{file}"),
      to: dir.at("proxy/allowed"),
    },
  });
  await applier.apply(change(dir, null, "a.test\n"));
  assertEquals(await Deno.readTextFile(dir.at("proxy/allowed")), "A.TEST\n");
  assertEquals(await said(dir), [
    "render DIR/private/apply/dev-1.pipelock DIR/private/staging/dev-1/FILE",
  ]);
  assertEquals([await namesIn(dir.at("proxy")), await namesIn(dir.at("private/apply"))], [[
    "allowed",
  ], []]);
});

Deno.test("restore() starts what a change that failed has ended, and probes that", async () => {
  await using dir = await tempDir();
  // It runs, and enforces the old list, only once it was started.
  await using proxy = startFakeProxy((host) => {
    try {
      Deno.statSync(dir.at("runs"));
    } catch {
      return null;
    }
    return host === "a.test" ? 200 : 403;
  });
  const pipelock = {
    render: "squid",
    to: dir.at("allowed"),
    reload: program(dir, "reload", `test -e '${dir.at("runs")}'`),
    probe: { proxy: proxy.address, within_seconds: 1 },
  };
  const back = change(dir, "a.test\nb.test\n", "a.test\n");
  const error = await assertRejects(() => applierOf({ pipelock }).restore(back), ApplyError);
  assertEquals([error.stage, error.exitCode], ["reload", 1]);
  const start = program(dir, "start", `touch '${dir.at("runs")}'`);
  const done = await applierOf({ pipelock: { ...pipelock, start } }).restore(back);
  assertMatch(
    done,
    /; started again: \/bin\/sh ended with exit code 0; .* allowed 1 and denied 2,/,
  );
  assertEquals(await said(dir), ["reload ", "reload ", "start "]);
  // Now it runs, but a start that cannot start it a second time proves nothing against it.
  const busy = { reload: program(dir, "reload", "exit 1"), start: program(dir, "start", "exit 3") };
  await applierOf({ pipelock: { ...pipelock, ...busy } }).restore(back);
  // It is not what the old file says: then the start's own words are told.
  proxy.answer = () => 403;
  const unproven = await assertRejects(
    () => applierOf({ pipelock: { ...pipelock, ...busy } }).restore(back),
    ApplyError,
  );
  assertEquals([unproven.stage, unproven.exitCode], ["start", 3]);
});

// Threat: C11
Deno.test("restore() ends connections that a failed change let in, or says that they stay open", async () => {
  await using dir = await tempDir();
  const pipelock = { render: "squid", to: dir.at("allowed"), reload: program(dir, "reload") };
  const stop_connections = program(dir, "stop");
  const back = change(dir, "a.test\nevil.test\n", "a.test\n");
  const without = await applierOf({ pipelock }).restore(back);
  assertStringIncludes(without, "; connections that were open stay open");
  const stopping = applierOf({ pipelock: { ...pipelock, stop_connections } });
  assertStringIncludes(await stopping.restore(back), "; connections that were open were ended");
  assertEquals(await said(dir), ["reload ", "reload ", "stop "]);
  // Also if it had to be started again, and if what failed was a file that is not read here.
  const ended = { ...pipelock, reload: program(dir, "reload", "exit 1") };
  const started = { ...ended, start: program(dir, "start"), stop_connections };
  await applierOf({ pipelock: started }).restore(change(dir, "not a list", "a.test\n"));
  assertEquals((await said(dir)).slice(3), ["reload ", "start ", "stop "]);
  // What failed only took something away.
  await stopping.restore(change(dir, "a.test\n", "a.test\nb.test\n"));
  assertEquals((await said(dir)).at(-1), "reload ");
});

// Threat: C11
Deno.test("a file that two bottles would write is refused: one bottle's list would be the other's", async () => {
  await using dir = await tempDir();
  for (const slug of ["dev-1", "web.2"]) {
    await Deno.mkdir(queueDirForSlug(slug, { root: dir.path }), { recursive: true });
  }
  const pipelock = { render: "squid", to: dir.at("allowed") };
  const shared = applierOf({ pipelock });
  const error = await assertRejects(() => shared.check(change(dir, null, "a.test\n")), ApplyError);
  assertStringIncludes(error.message, `${dir.at("allowed")} is also the file of web.2`);
  const bottles = { "web.2": { pipelock: { to: dir.at("other") } } };
  await applierOf({ pipelock, bottles }).check(change(dir, null, "a.test\n"));
});

const ROUTES = JSON.stringify({
  routes: [{
    path: "/npm/",
    upstream: "https://npm.example",
    auth_scheme: "Bearer",
    token_env: "NPM",
  }],
});

// Threat: C11
Deno.test("tokens end up in the rendered file alone, which nobody else may read", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("private"));
  const settings = {
    render: "nginx",
    to: dir.at("nginx/routes.conf"),
    tokens: "private/tokens",
    check: program(dir, "check", 'stat -c %a "$1" >> "$2"', "{file}", dir.at("said")),
  };
  const applier = applierOf({ "cred-proxy": settings });
  const added = change(dir, null, ROUTES, TOOL_CRED_PROXY_BLOCK);
  const refused = async (says: string) => {
    const { message, output } = await assertRejects(() => applier.check(added), ApplyError);
    assertStringIncludes(message, says);
    assertEquals([message.includes("s3cret"), output], [false, ""]);
  };
  await refused("tokens: it is not there");
  const tokens = dir.at("private/tokens");
  for (
    const [text, says] of [["{s3cret", "not JSON"], ['{"NPM": "s3cret"}', "expected"], [
      '{"token_env": {"NPM": 1}}',
      "expected",
    ], ["{}", 'has no token_env "NPM"']] as const
  ) {
    await Deno.writeTextFile(tokens, text, { mode: 0o600 });
    await refused(says);
  }
  await Deno.writeTextFile(tokens, JSON.stringify({ token_env: { NPM: "s3cret" } }));
  await Deno.chmod(tokens, 0o640);
  await refused("others may read it");
  await Deno.chmod(tokens, 0o600);
  await applier.check(added);
  assertEquals((await said(dir)).at(-1), "600");
  const done = await applier.apply(added);
  assertEquals([done.includes("s3cret"), (await Deno.stat(settings.to)).mode! & 0o777], [
    false,
    0o600,
  ]);
  assertStringIncludes(await Deno.readTextFile(settings.to), "Bearer s3cret");
  await applier.apply(change(dir, ROUTES, null, TOOL_CRED_PROXY_BLOCK));
  assertEquals(await Deno.readTextFile(settings.to), "");
});

Deno.test("a change from a file that could not be put back is refused before anything changes", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("proxy"));
  const applier = applierOf({
    pipelock: {
      render: "squid",
      to: dir.at("proxy/allowed"),
      check: program(dir, "check"),
      probe: { proxy: "127.0.0.1:1", denied: "canary.test" },
    },
    rebuild: { render: program(dir, "build"), reload: program(dir, "tag") },
  });
  const error = await assertRejects(
    () => applier.check(change(dir, "Upper.test\n", "a.test\n")),
    ApplyError,
  );
  assertStringIncludes(
    error.message,
    "the file in force could not be put back: the allowlist, line 1",
  );
  assertStringIncludes(
    error.message,
    `correct ${dir.at("current-config/dev-1/x")} in an editor first`,
  );
  assertEquals(await said(dir), []);
  // Of images there may be none to go back to.
  const none = change(dir, "FROM a\n", null, TOOL_CAPABILITY_BLOCK);
  await applier.check(none);
  for (const call of [applier.apply, applier.restore]) {
    assertMatch(await call(none), /^there was no Dockerfile/);
  }
  assertEquals([applier.effectOf?.(none), await said(dir)], ["file", []]);
});

Deno.test("what a render left behind that was given up decides nothing later", async () => {
  await using dir = await tempDir();
  // It writes to its file for as long as the test lasts, as a build does that outlives its time.
  const render = {
    ...program(
      dir,
      "build",
      `if grep -q slow "$1"; then (while test -e '${dir.at("on")}'; do
         printf 'sha256:%064d' 666 > "$2"; done) > /dev/null 2>&1 & sleep 9; fi
       printf 'sha256:%064d' 1 > "$2"`,
      "{config}",
      "{file}",
    ),
    timeout_seconds: 1,
  };
  const reload = program(dir, "tag", "", "{image}");
  const applier = applierOf({
    rebuild: { render, check: program(dir, "try", "sleep 0.1"), reload },
  });
  const to = (text: string) => change(dir, null, text, TOOL_CAPABILITY_BLOCK);
  await Deno.writeTextFile(dir.at("on"), "");
  await assertRejects(() => applier.check(to("FROM slow\n")), ApplyError, "was ended after 1 s");
  const good = to("FROM good\n");
  await applier.check(good);
  await applier.apply(good);
  await Deno.remove(dir.at("on"));
  assertEquals((await said(dir)).at(-1), `tag sha256:${"1".padStart(64, "0")}`);
});

Deno.test("an image is built and tried before its name moves, and is the one that was tried", async () => {
  await using dir = await tempDir();
  // A builder that gives another image each time, as one does with a network or a clock.
  const build =
    `n=$(cat "$3" 2>/dev/null || echo 10); echo $((n + 1)) > "$3"; grep -q FROM "$1" || exit 9
    printf 'sha256:%064d' $((n + 1)) > "$2"`;
  const rebuild = {
    render: program(dir, "build", build, "{config}", "{file}", dir.at("count")),
    check: program(dir, "try", 'test "$1" != sha256:*13', "{image}"),
    reload: program(dir, "tag", "", "{image}", "{bottle}"),
  };
  const applier = applierOf({ rebuild });
  const image = (n: number) => `sha256:${"0".repeat(62)}${n}`;
  const built = change(dir, null, "FROM a\n", TOOL_CAPABILITY_BLOCK);
  await applier.check(built);
  await applier.apply(built);
  const build1 = `build DIR/private/apply/dev-1.rebuild DIR/private/staging/dev-1/FILE DIR/count`;
  assertEquals(await said(dir), [build1, `try ${image(11)}`, `tag ${image(11)} dev-1`]);
  // Without a check before it, as after a crash, it is built anew.
  await applier.restore(change(dir, null, "FROM b\n", TOOL_CAPABILITY_BLOCK));
  assertEquals((await said(dir)).slice(3), [build1, `tag ${image(12)} dev-1`]);
  const broken = change(dir, "FROM a\n", "RUN x\n", TOOL_CAPABILITY_BLOCK);
  const error = await assertRejects(() => applier.check(broken), ApplyError);
  assertEquals([error.stage, error.exitCode], ["render", 9]);
  const silent = applierOf({ rebuild: { render: program(dir, "build") } });
  await assertRejects(() => silent.check(built), ApplyError, "left no image's id in {file}");
});

Deno.test("an image is used only for the text that it was built from, by a build that succeeded, if its check did", async () => {
  await using dir = await tempDir();
  const build = `cp "$1" "$3"; printf 'sha256:%064d' $(grep -c . "$1") > "$2"; ! grep -q scan "$1"`;
  const rebuild = {
    render: program(dir, "build", build, "{config}", "{file}", dir.at("text")),
    check: program(dir, "try", "test ! -e REFUSE".replace("REFUSE", dir.at("refuse")), "{image}"),
    reload: program(dir, "tag", "", "{image}"),
  };
  const applier = applierOf({ rebuild });
  const image = (n: number) => `sha256:${String(n).padStart(64, "0")}`;
  const to = (text: string) => change(dir, null, text, TOOL_CAPABILITY_BLOCK);
  const [a, b, scanned] = [to("FROM a\n"), to("FROM a\nRUN b\n"), to("FROM a\nRUN b\nRUN scan\n")];
  const names = async () => (await said(dir)).map((line) => line.split(" ")[0]);
  // It was built and then failed: what it left in {file} is not an image that may be used.
  for (let n = 0; n < 2; n++) await assertRejects(() => applier.check(scanned), ApplyError);
  assertEquals(await names(), ["build", "build"]);
  // One that was tried and refused is built anew, and none is used for another text.
  await Deno.writeTextFile(dir.at("refuse"), "");
  await assertRejects(() => applier.check(a), ApplyError, "ended with exit code 1");
  await Deno.remove(dir.at("refuse"));
  await applier.check(b);
  await applier.apply(b);
  assertEquals((await said(dir)).at(-1), `tag ${image(2)}`);
  await applier.check(a);
  await applier.apply(a);
  assertEquals((await said(dir)).at(-1), `tag ${image(1)}`);
  assertEquals((await names()).slice(2), [
    "build",
    "try",
    "build",
    "try",
    "tag",
    "build",
    "try",
    "tag",
  ]);
});

Deno.test("tryHooks() says of each step whether it works, and ends with the first that does not", async () => {
  await using dir = await tempDir();
  await using proxy = startFakeProxy((host) => host === "a.test" ? 200 : 403);
  const pipelock = { render: "squid", to: dir.at("allowed"), probe: { proxy: proxy.address } };
  const inForce = change(dir, "a.test\n", "a.test\n");
  const rows = async (more: object) => {
    const config = parseApplyConfig(JSON.stringify({ pipelock: { ...pipelock, ...more } }), "x");
    const steps = await Array.fromAsync(tryHooks(config, inForce));
    return steps.map(({ step, result, says }) =>
      `${step} ${result}: ${says.replaceAll(dir.path, "DIR")}`
    );
  };
  assertEquals(await rows({}), [
    "render works: by squid",
    "check none: nothing checks it",
    "install works: wrote DIR/allowed, which was not there",
    "reload none: nothing reloads it",
    `probe works: ${proxy.address} allowed 1 and denied 1, 5 times in a row`,
  ]);
  await Deno.writeTextFile(dir.at("allowed"), "other");
  assertEquals((await rows({}))[2], "install works: wrote DIR/allowed, which said something else");
  assertEquals((await rows({}))[2], "install works: DIR/allowed is what the file in force says");
  await Deno.writeFile(dir.at("allowed"), new Uint8Array([0x61, 0xff]));
  assertEquals((await rows({}))[2], "install works: wrote DIR/allowed, which said something else");
  await Deno.writeFile(dir.at("allowed.base"), new Uint8Array([0x61, 0xff]));
  assertEquals(await rows({ render: "pipelock" }), [
    "render failed: DIR/allowed.base is not UTF-8 text",
  ]);
  assertEquals(await rows({ check: program(dir, "check", "exit 1") }), [
    "render works: by squid",
    "check failed: /bin/sh ended with exit code 1",
  ]);
});
