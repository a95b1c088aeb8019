import {
  ApplyConfigError,
  grantsIn,
  parseApplyConfig,
  readApplyConfig,
  requireOwn,
} from "../../appliers/config.ts";
import { importsOf } from "../../tools/lint/circles.ts";
import { REPO } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { isRoot } from "../support/user.ts";
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
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
  assertEquals(config.files, ["/srv/proxy/allowed"]);
});

Deno.test("parseApplyConfig() takes what follows an answer for an image alone, and grants its program", () => {
  const render = { argv: ["/usr/bin/build"] };
  const restart = { argv: ["/usr/bin/restart", "{bottle}", "{image}"] };
  const config = parse({ rebuild: { render, after_answer: restart } });
  assertEquals(config.settingsFor("dev-1", "rebuild")?.afterAnswer, {
    argv: restart.argv,
    timeoutMs: 900_000,
  });
  assertEquals(config.programs, ["/usr/bin/build", "/usr/bin/restart"]);
  const misplaced = refusal({ pipelock: { ...PIPELOCK, after_answer: restart } });
  assertStringIncludes(misplaced, 'field "pipelock.after_answer": there is no such field');
  const noProxy = refusal({ rebuild: { render, stop_connections: restart } });
  assertStringIncludes(noProxy, 'field "rebuild.stop_connections": there is no such field');
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
  assertEquals(config.files, ["/srv/proxy/allowed", "/srv/web/allowed"]);
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

/** What the launcher grants if it cannot use the file: the command line looks at it too, and says why. */
const ONLY_LS = ["run /bin/ls"];

/** Why a file is refused, here and for the launcher. */
function refusedFile(path: string): string {
  assertEquals(grantsIn(path), ONLY_LS);
  return assertThrows(() => readApplyConfig(path), ApplyConfigError).message;
}

// Threat: C8
Deno.test("readApplyConfig() refuses what others may change: file, programs, directories, and all on the way", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("way/root"), { recursive: true });
  const inner = { ...dir, at: (...parts: string[]) => dir.at("way/root", ...parts) };
  const path = await configured(inner);
  assertEquals(readApplyConfig(path)?.programs, [inner.at("bin/reload")]);
  const all = [`run ${inner.at("bin/reload")}`, "net 127.0.0.1:3128", `use ${inner.at("proxy")}`];
  assertEquals(grantsIn(path), [...ONLY_LS, ...all]);
  for (
    const [name, mode, says] of [
      ["apply.json", 0o620, "-rw--w----"],
      ["apply.json", 0o602, "-rw-----w-"],
      // The sticky bit of a file protects nothing.
      ["apply.json", 0o1666, "-rw-rw-rwT"],
      ["", 0o777, "drwxrwxrwx"],
      ["..", 0o777, "drwxrwxrwx"],
      ["proxy", 0o775, "drwxrwxr-x"],
      // Others could put a file there that is read with the rendered one.
      ["proxy", 0o1777, "drwxrwxrwt"],
      ["bin/reload", 0o757, "-rwxr-xrwx"],
      ["bin/reload", 0o1777, "-rwxrwxrwt"],
      ["bin", 0o777, "drwxrwxrwx"],
    ] as const
  ) {
    const was = (await Deno.stat(inner.at(name))).mode! & 0o7777;
    await Deno.chmod(inner.at(name), mode);
    assertStringIncludes(refusedFile(path), `${inner.at(name)} can be changed by others (${says})`);
    await Deno.chmod(inner.at(name), was);
  }
  await Deno.chmod(dir.at("way"), 0o1777);
  assertEquals(grantsIn(path).length, 4);
  await Deno.remove(inner.at("bin/reload"));
  assertStringIncludes(refusedFile(path), `${inner.at("bin/reload")} is not there`);
});

// Threat: C8
Deno.test("readApplyConfig() looks at each place that a link on the way leads through", async () => {
  await using dir = await tempDir();
  const path = await configured(dir);
  await Deno.mkdir(dir.at("open"));
  await Deno.rename(dir.at("bin"), dir.at("kept"));
  await Deno.symlink("../kept/../kept", dir.at("open/hop"));
  await Deno.symlink("open/hop", dir.at("bin"));
  assertEquals(requireOwn(dir.at("bin/reload")), dir.at("kept/reload"));
  await Deno.chmod(dir.at("open"), 0o777);
  assertStringIncludes(
    refusedFile(path),
    `${dir.at("open")} can be changed by others (drwxrwxrwx)`,
  );
  await Deno.remove(dir.at("open/hop"));
  await Deno.chmod(dir.at("open"), 0o755);
  await Deno.symlink("hop", dir.at("open/hop"));
  assertStringIncludes(refusedFile(path), "is not there");
});

// Threat: C8
Deno.test("readApplyConfig() refuses a directory behind a link that would be two grants", async () => {
  await using dir = await tempDir();
  const path = await configured(dir);
  for (const name of ["a,/etc", "a\r", "a\nb"]) {
    await Deno.remove(dir.at("proxy"));
    await Deno.mkdir(dir.at(name), { recursive: true });
    await Deno.symlink(name, dir.at("proxy"));
    assertMatch(refusedFile(path), /no grant can hold|link with a line break/);
  }
});

// Threat: C11
Deno.test("readApplyConfig() refuses two settings that would write one file", async () => {
  await using dir = await tempDir();
  const path = await configured(dir);
  await Deno.symlink("proxy", dir.at("alias"));
  const hosts = { render: "squid", to: dir.at("proxy/allowed") };
  const routes = { render: "nginx", to: dir.at("proxy/routes") };
  const writes = async (value: unknown) => await Deno.writeTextFile(path, JSON.stringify(value));
  const bottle = (to: string) => ({ pipelock: hosts, bottles: { d2: { pipelock: { to } } } });
  for (
    const value of [
      bottle(dir.at("alias/allowed")),
      bottle(dir.at("alias/allowed.next")),
      bottle(dir.at("proxy/allowed.base")),
      bottle(dir.at("proxy/Allowed")),
      { pipelock: hosts, "bottles": { d2: { pipelock: { render: "tinyproxy" } } } },
      { pipelock: hosts, "cred-proxy": { ...routes, to: hosts.to } },
      {
        pipelock: hosts,
        bottles: { d2: { "cred-proxy": { ...routes, to: dir.at("alias/allowed") } } },
      },
    ]
  ) {
    await writes(value);
    assertMatch(refusedFile(path), /need one file, .*\/proxy\/allowed/);
  }
  await writes({ ...bottle(dir.at("alias/allowed2")), "cred-proxy": routes });
  assertEquals(readApplyConfig(path)?.files.length, 3);
});

// Threat: C8
Deno.test("readApplyConfig() refuses a file of another account", { ignore: !isRoot }, async () => {
  await using dir = await tempDir();
  const path = await configured(dir);
  await Deno.chown(path, 12_345, 12_345);
  const { message } = assertThrows(() => readApplyConfig(path), ApplyConfigError);
  assertStringIncludes(message, "belongs to another account");
});

Deno.test("readApplyConfig() gives nothing if there is no file, and refuses one that is not text", async () => {
  await using dir = await tempDir();
  const path = dir.at("apply.json");
  assertEquals(readApplyConfig(path), undefined);
  assertEquals(grantsIn(path), ONLY_LS);
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
