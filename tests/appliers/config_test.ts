import {
  ApplyConfigError,
  grantsIn,
  parseApplyConfig,
  readApplyConfig,
} from "../../appliers/config.ts";
import { importsOf } from "../../tools/lint/circles.ts";
import { REPO } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { isRoot } from "../support/user.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";

const PIPELOCK = {
  render: "squid",
  to: "/srv/proxy/allowed",
  check: { argv: ["/usr/sbin/squid", "-k", "parse", "-f", "/srv/proxy/check.conf"] },
  reload: { argv: ["/usr/sbin/squid", "-k", "reconfigure"], timeout_seconds: 5 },
  probe: { proxy: "127.0.0.1:3128", in_a_row: 3 },
};

const parse = (value: unknown) => parseApplyConfig(JSON.stringify(value), "apply.json");

/** The message of the error that a file makes. */
function refusal(value: unknown): string {
  return assertThrows(() => parse(value), ApplyConfigError).message;
}

Deno.test("parseApplyConfig() reads a component, with defaults, for every bottle", () => {
  const config = parse({ pipelock: PIPELOCK });
  assertEquals(config.settingsFor("dev-1", "pipelock"), {
    render: "squid",
    to: "/srv/proxy/allowed",
    check: { argv: PIPELOCK.check.argv, timeoutMs: 30_000 },
    reload: { argv: PIPELOCK.reload.argv, timeoutMs: 5_000 },
    probe: {
      proxy: "127.0.0.1:3128",
      inARow: 3,
      withinMs: 10_000,
      denied: "supervise-canary.invalid",
    },
  });
  assertEquals(config.settingsFor("dev-1", "rebuild"), undefined);
  assertEquals(config.programs, ["/usr/sbin/squid"]);
  assertEquals(config.addresses, ["127.0.0.1:3128"]);
  assertEquals(config.directories, ["/srv/proxy"]);
});

Deno.test("parseApplyConfig() lets a bottle replace single fields", () => {
  const probe = { proxy: "127.0.0.1:3129" };
  const config = parse({
    pipelock: PIPELOCK,
    bottles: { "web.2": { pipelock: { to: "/srv/web/allowed", probe } } },
  });
  const own = config.settingsFor("web.2", "pipelock");
  assertEquals([own?.to, own?.probe?.proxy, own?.probe?.inARow], [
    "/srv/web/allowed",
    "127.0.0.1:3129",
    5,
  ]);
  assertEquals(own?.reload, config.settingsFor("dev-1", "pipelock")?.reload);
  assertEquals(config.addresses, ["127.0.0.1:3128", "127.0.0.1:3129"]);
  assertEquals(config.directories, ["/srv/proxy", "/srv/web"]);
});

Deno.test("parseApplyConfig() takes a bottle that only the overrides name", () => {
  const config = parse({ bottles: { "dev-1": { pipelock: PIPELOCK } } });
  assertEquals(config.settingsFor("dev-1", "pipelock")?.to, "/srv/proxy/allowed");
  assertEquals(config.settingsFor("dev-2", "pipelock"), undefined);
});

Deno.test.each(
  [
    ["an unknown field", { pipelok: {} }, 'field "pipelok": there is no such field'],
    [
      "an unknown field of a component",
      { pipelock: { ...PIPELOCK, restart: {} } },
      "pipelock.restart",
    ],
    ["a list", [], "it is not a JSON object"],
    ["no render", { pipelock: { to: "/x" } }, 'field "pipelock.render": it is missing'],
    [
      "another format",
      { pipelock: { ...PIPELOCK, render: "nginx" } },
      '"squid", "tinyproxy", "pipelock"',
    ],
    ["no to", { pipelock: { render: "squid" } }, 'field "pipelock.to": it is missing'],
    ["a relative to", { pipelock: { ...PIPELOCK, to: "allowed" } }, "absolute path"],
    [
      "a to with two readings",
      { pipelock: { ...PIPELOCK, to: "/srv/../etc/passwd" } },
      "absolute path",
    ],
    [
      "a to that would be two grants",
      { pipelock: { ...PIPELOCK, to: "/srv,/etc/x" } },
      "absolute path",
    ],
    [
      "a program without a path",
      { pipelock: { ...PIPELOCK, reload: { argv: ["squid"] } } },
      "absolute",
    ],
    ["no program", { pipelock: { ...PIPELOCK, reload: { argv: [] } } }, "absolute"],
    [
      "two grants as a program",
      { pipelock: { ...PIPELOCK, reload: { argv: ["/bin/a,/bin/b"] } } },
      "absolute",
    ],
    [
      "a line for a shell",
      { pipelock: { ...PIPELOCK, reload: "squid -k reconfigure" } },
      "JSON object",
    ],
    ["a placeholder within a word", {
      pipelock: { ...PIPELOCK, reload: { argv: ["/bin/x", "-f{file}"] } },
    }, "is replaced by nothing"],
    ["an unknown placeholder", {
      pipelock: { ...PIPELOCK, reload: { argv: ["/bin/x", "{host}"] } },
    }, "is replaced by nothing"],
    [
      "no time",
      { pipelock: { ...PIPELOCK, reload: { argv: ["/bin/x"], timeout_seconds: 0 } } },
      "1 to 3600",
    ],
    ["a probe of all hosts", { pipelock: { ...PIPELOCK, probe: { proxy: "*:80" } } }, "host:port"],
    ["a probe without a proxy", { pipelock: { ...PIPELOCK, probe: { in_a_row: 2 } } }, "host:port"],
    [
      "a probe of routes for hosts",
      { pipelock: { ...PIPELOCK, probe: { url: "http://a:80" } } },
      "pipelock.probe.url",
    ],
    ["a canary that ends a line", {
      pipelock: { ...PIPELOCK, probe: { proxy: "a:80", denied: "x\r\ny" } },
    }, "probe.denied"],
    ["a probe with TLS", {
      "cred-proxy": { render: "nginx", to: "/x/y", probe: { url: "https://a:80" } },
    }, "http://host:port"],
    [
      "tokens elsewhere",
      { "cred-proxy": { render: "nginx", to: "/x/y", tokens: "/etc/tokens" } },
      "private/",
    ],
    ["a format for images", { rebuild: { render: "squid" } }, "expected a program"],
    ["no bottle", { bottles: { "../x": { pipelock: PIPELOCK } } }, "not the name of a bottle"],
  ] as const,
)("parseApplyConfig() refuses %s", (_what, value, says) => {
  assertStringIncludes(refusal(value), says);
});

/** A root with an `apply.json` whose program and directory are the operator's. */
async function configured(dir: TempDir): Promise<string> {
  for (const name of ["proxy", "bin"]) await Deno.mkdir(dir.at(name), { mode: 0o755 });
  await Deno.writeTextFile(dir.at("bin/reload"), "#!/bin/sh\n", { mode: 0o755 });
  const pipelock = {
    ...PIPELOCK,
    to: dir.at("proxy/allowed"),
    check: undefined,
    reload: { argv: [dir.at("bin/reload")] },
  };
  const path = dir.at("apply.json");
  await Deno.writeTextFile(path, JSON.stringify({ pipelock }), { mode: 0o600 });
  return path;
}

// Threat: C8
Deno.test("grantsIn() refuses what others may change: file, directories, programs", async () => {
  await using dir = await tempDir();
  const path = await configured(dir);
  const all = [dir.at("bin/reload"), "127.0.0.1:3128", dir.at("proxy")];
  assertEquals<unknown>(grantsIn(path), { lines: all });
  for (
    const [name, mode] of [
      ["apply.json", 0o620],
      ["apply.json", 0o602],
      ["", 0o777],
      ["proxy", 0o775],
      ["bin/reload", 0o757],
      ["bin", 0o777],
    ] as const
  ) {
    const was = (await Deno.stat(dir.at(name))).mode! & 0o7777;
    await Deno.chmod(dir.at(name), mode);
    const { lines, problem } = grantsIn(path);
    assertEquals(lines, ["", "", ""]);
    const message = problem ??
      assertThrows(() => readApplyConfig(path), ApplyConfigError).message;
    assertStringIncludes(message, `others may change it (mode ${mode.toString(8)})`);
    await Deno.chmod(dir.at(name), was);
  }
  await Deno.remove(dir.at("bin/reload"));
  assertStringIncludes(
    grantsIn(path).problem ?? "",
    `it names ${dir.at("bin/reload")}: it is not there`,
  );
});

// Threat: C8
Deno.test("readApplyConfig() refuses a file of another account", { ignore: !isRoot }, async () => {
  await using dir = await tempDir();
  const path = await configured(dir);
  await Deno.chown(path, 12_345, 12_345);
  const { message } = assertThrows(() => readApplyConfig(path), ApplyConfigError);
  assertStringIncludes(message, "it belongs to another account");
});

Deno.test("readApplyConfig() gives nothing if there is no file, and refuses one that is not text", async () => {
  await using dir = await tempDir();
  const path = dir.at("apply.json");
  assertEquals(readApplyConfig(path), undefined);
  assertEquals<unknown>(grantsIn(path), { lines: ["", "", ""] });
  for (const [bytes, says] of [[[0xff], "it is not UTF-8"], [[0x7b], "it is not JSON"]] as const) {
    await Deno.writeFile(path, new Uint8Array(bytes), { mode: 0o600 });
    const { message } = assertThrows(() => readApplyConfig(path), ApplyConfigError);
    assertStringIncludes(message, says);
  }
  await Deno.writeFile(path, new Uint8Array(65 * 1024));
  assertStringIncludes(
    assertThrows(() => readApplyConfig(path), ApplyConfigError).message,
    "more than the 65536 allowed",
  );
  await Deno.remove(path);
  await Deno.mkdir(path, { mode: 0o700 });
  assertStringIncludes(
    assertThrows(() => readApplyConfig(path), ApplyConfigError).message,
    "it is not a file",
  );
});

Deno.test("appliers/config.ts imports nothing: the launcher runs it before each start", async () => {
  const file = "appliers/config.ts";
  const text = await Deno.readTextFile(join(REPO, file));
  assertEquals(importsOf(file, text), []);
  assertEquals(/^import /m.test(text), false);
});
