import { PRESET_NAMES } from "../../../cli/command/flags.ts";
import { noteNotProven } from "../../../src/host/apply_state.ts";
import { parseApplyConfig } from "../../../appliers/config.ts";
import { startFakeProxy } from "../../support/fake_proxy.ts";
import { queueSample } from "../../support/records.ts";
import { supervise } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path";

/** A root with a bottle, and a set-up whose programs are those of every machine. */
async function configured(dir: TempDir, proxy: string, more: object = {}): Promise<string> {
  const root = dir.at("root");
  const added = await supervise(root, ["bottle", "add", "dev-1"]);
  assertEquals(added.code, 0, added.err);
  await Deno.writeTextFile(dir.at("root/current-config/dev-1/allowlist"), "a.test\n");
  await Deno.mkdir(dir.at("proxy"), { mode: 0o700 });
  const pipelock = {
    render: "squid",
    to: dir.at("proxy/allowed"),
    check: { argv: ["/bin/grep", "-q", "a.test", "{file}"] },
    reload: { argv: ["/bin/true"] },
    probe: { proxy, within_seconds: 1 },
    ...more,
  };
  await Deno.writeTextFile(dir.at("root/apply.json"), JSON.stringify({ pipelock }), {
    mode: 0o600,
  });
  return root;
}

Deno.test("apply check runs every step with the file in force, one row each", async () => {
  await using dir = await tempDir();
  await using proxy = startFakeProxy((host) => host === "a.test" ? 200 : 403);
  const root = await configured(dir, proxy.address);
  const { code, out, err } = await supervise(root, ["apply", "check", "--bottle", "dev-1"]);
  assertEquals([code, err], [0, ""]);
  assertEquals(
    out.replaceAll(dir.path, "DIR").replaceAll(proxy.address, "PROXY"),
    [
      "dev-1  pipelock  render   works  by squid",
      "dev-1  pipelock  check    works  /bin/grep accepted it",
      "dev-1  pipelock  install  works  wrote DIR/proxy/allowed, which was not there",
      "dev-1  pipelock  reload   works  /bin/true ended with exit code 0",
      "dev-1  pipelock  probe    works  PROXY allowed 1 and denied 1, 5 times in a row",
      "",
    ].join("\n"),
  );
  assertEquals(await Deno.readTextFile(dir.at("root/current-config/dev-1/allowlist")), "a.test\n");
});

Deno.test("apply check says which step failed and what the program printed, and exits with 1", async () => {
  await using dir = await tempDir();
  await using proxy = startFakeProxy(() => 403);
  // What a program prints is of others: it may quote an agent's file.
  const check = { argv: ["/bin/sh", "-c", "printf 'bad\\033[2J line\\n'; exit 3"] };
  const root = await configured(dir, proxy.address, { check });
  const { code, out } = await supervise(root, ["apply", "check", "--bottle", "dev-1"]);
  assertEquals(code, 1);
  assertStringIncludes(out, "dev-1  pipelock  check   failed  /bin/sh ended with exit code 3\n");
  assertMatch(out, /^ {2}\| bad\S*\[2J line$/m);
  assertEquals(out.includes("\u001b"), false);
  const json = await supervise(root, ["apply", "check", "--json"]);
  assertEquals(json.code, 1);
  const { version, bottles } = JSON.parse(json.out);
  assertEquals([version, bottles.length, bottles[0].bottle], [1, 1, "dev-1"]);
  assertEquals(
    bottles[0].steps.map((
      { component, step, result }: Record<string, string>,
    ) => [component, step, result]),
    [
      ["pipelock", "render", "works"],
      ["pipelock", "check", "failed"],
    ],
  );
});

Deno.test("apply check sees what the probe sees: exit 0 of a reload proves nothing", async () => {
  await using dir = await tempDir();
  await using proxy = startFakeProxy(() => 403);
  const root = await configured(dir, proxy.address);
  const { code, out } = await supervise(root, ["apply", "check", "--bottle", "dev-1"]);
  assertEquals(code, 1);
  assertStringIncludes(out, "reload   works ");
  assertMatch(out, /probe {4}failed {2}.* a\.test is not allowed \(answered 403\)/);
});

// Threat: C11
Deno.test("apply check says that an enforcer is not proven, and sees what the other file let in", async () => {
  await using dir = await tempDir();
  await using proxy = startFakeProxy((host) => ["a.test", "evil.test"].includes(host) ? 200 : 403);
  const root = await configured(dir, proxy.address);
  const since = "2026-01-01T00:00:00Z";
  const reason = "probe: evil.test is not denied (answered 200)";
  const mayHave = "a.test\nevil.test\n";
  noteNotProven(root, "dev-1", { tool: "pipelock-block", reason, since, mayHave });
  const wrong = await supervise(root, ["apply", "check", "--bottle", "dev-1"]);
  assertEquals(wrong.code, 1);
  assertStringIncludes(
    wrong.out,
    `state    failed  ENFORCER NOT PROVEN: nobody knows which allowlist`,
  );
  assertMatch(wrong.out, /probe {4}failed {2}.* evil\.test is not denied \(answered 200\)/);
  proxy.answer = (host) => host === "a.test" ? 200 : 403;
  const right = await supervise(root, ["apply", "check", "--bottle", "dev-1", "--json"]);
  const [state, ...steps] = JSON.parse(right.out).bottles[0].steps;
  assertEquals([right.code, state.step, state.result], [1, "state", "failed"]);
  assertMatch(steps.at(-1).says, /allowed 1 and denied 2/);
});

Deno.test("apply check refuses without apply.json, and with one that others can change", async () => {
  await using dir = await tempDir();
  const root = await configured(dir, "127.0.0.1:1");
  await Deno.chmod(dir.at("root/apply.json"), 0o620);
  const refused = await supervise(root, ["apply", "check"]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.err, "can be changed by others (-rw--w----); run chmod go-w on it");
  await Deno.chmod(dir.at("root/apply.json"), 0o600);
  await Deno.chmod(dir.at("proxy"), 0o777);
  const named = await supervise(root, ["apply", "check"]);
  assertEquals(named.code, 1);
  assertStringIncludes(named.err, `${dir.at("proxy")} can be changed by others (drwxrwxrwx)`);
  await Deno.remove(dir.at("root/apply.json"));
  const none = await supervise(root, ["apply", "check"]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.err, `there is no ${dir.at("root/apply.json")}; supervise apply init`);
});

Deno.test("apply check does not pass in a root without bottles: a job may look at the wrong one", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("apply.json"), "{}", { mode: 0o600 });
  const { code, out, err } = await supervise(dir.path, ["apply", "check"]);
  assertEquals([code, out], [3, ""]);
  assertStringIncludes(err, `there is no bottle in ${dir.path}; name another root with --root`);
});

Deno.test("what does not take effect is said with the last lines of the program that failed", async () => {
  await using dir = await tempDir();
  const words = "for n in $(seq 20); do echo line $n; done; printf 'host not found \\033[2J\\n'";
  const root = await configured(dir, "127.0.0.1:1", {
    check: { argv: ["/bin/sh", "-c", `${words} >&2; exit 1`] },
  });
  await Deno.writeTextFile(dir.at("new"), "a.test\nb.test\n");
  await queueSample(root, { id: "p1", proposedFile: "a.test\nb.test\n" });
  await queueSample(root, { id: "p2", proposedFile: "a.test\nc.test\n" });
  for (const id of ["p1", "p2"]) assertEquals((await supervise(root, ["show", id])).code, 0);
  for (
    const args of [
      ["edit", "allowlist", "--bottle", "dev-1", "--file", dir.at("new")],
      ["approve", "p1"],
      ["approve", "p1", "p2"],
    ]
  ) {
    const { code, err } = await supervise(root, args);
    assertEquals(code, 1, err);
    assertMatch(err, /check: \/bin\/sh ended with exit code 1; exit 1; .*\n {2}\| line 12\n/);
    assertMatch(err, /\n {2}\| line 20\n {2}\| host not found \S*\[2J\n/);
    assertEquals(err.includes("\u001b"), false);
  }
});

for (const name of PRESET_NAMES) {
  Deno.test(`apply init ${name} prints an apply.json that can be used, and what else it needs`, async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("root"));
    const { code, out, err } = await supervise(dir.at("root"), ["apply", "init", name]);
    assertEquals(code, 0, err);
    const config = parseApplyConfig(out, "apply.json");
    assertEquals(config.programs.length > 0, true);
    assertEquals(config.files.every((path) => dirname(path) === dir.at("root/proxy")), true);
    assertStringIncludes(err, `Save it as ${dir.at("root/apply.json")}, with mode 600`);
    for (const [, file] of err.matchAll(new RegExp(`apply init ${name} (\\S+) >`, "g"))) {
      const other = await supervise(dir.at("root"), ["apply", "init", name, file!]);
      assertEquals([other.code, other.err], [0, ""]);
      assertEquals(other.out.includes("/srv/proxy"), false);
    }
  });
}

Deno.test("apply init refuses what it has no set-up for", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("root"));
  for (
    const [words, says] of [[["haproxy"], "squid, tinyproxy, pipelock, nginx, buildah"], [[
      "squid",
      "x",
    ], "squid has apply.json, squid.conf"], [
      ["squid", "squid.conf", "x"],
      "then a FILE of it",
    ]] as const
  ) {
    const { code, err } = await supervise(dir.at("root"), ["apply", "init", ...words]);
    assertEquals(code, 2);
    assertStringIncludes(err, says);
  }
});
