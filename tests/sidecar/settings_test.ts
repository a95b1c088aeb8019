import {
  boundLog,
  readSettings,
  type Settings,
  SIDECAR_VARIABLES,
  sidecarFlags,
} from "../../sidecar/settings.ts";
import { REPO, run } from "../support/run.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const MAIN = join(REPO, "sidecar/main.ts");

/** The flags of a sidecar that may read no variable, or these. */
function flagsWith(queueDir: string, variables: readonly string[]): string[] {
  const flags = sidecarFlags(queueDir, "127.0.0.1:9100").slice(0, -1);
  return variables.length === 0 ? flags : [...flags, `--allow-env=${variables.join(",")}`];
}

// Threat: A3
Deno.test.each(SIDECAR_VARIABLES.map((name) => [name]))(
  "the sidecar does not start where it cannot tell whether %s is set",
  async (name) => {
    await using dir = await tempDir();
    const others = SIDECAR_VARIABLES.filter((other) => other !== name);
    const flags = [...flagsWith(dir.path, others), MAIN, `--queue-dir=${dir.path}`];
    const slug = name === "SUPERVISE_BOTTLE_SLUG" ? [] : ["--slug=dev-1"];
    const queueDir = name === "SUPERVISE_QUEUE_DIR" ? flags.slice(0, -1) : flags;
    const { code, err } = await run("deno", ["run", "--quiet", ...queueDir, ...slug], {
      env: { [name]: "1" },
    });
    assertEquals(code, 2, err);
    assertStringIncludes(err, `Cannot tell whether ${name} is set: run with --allow-env=${name}`);
  },
);

Deno.test("a flag stands in for its variable, so that the sidecar needs no environment", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("token"), "s3cret");
  const given = [
    ...["--slug=../x", `--queue-dir=${dir.path}`, "--host=127.0.0.1", "--port=9100"],
    ...["--hold-seconds=", "--repeat-seconds=600", "--max-held=256", "--max-pending=32"],
    ...["--allowed-host=", `--token-file=${dir.at("token")}`],
  ];
  const start = (args: readonly string[]) =>
    run("deno", ["run", "--quiet", ...flagsWith(dir.path, []), MAIN, ...args]);
  // The slug is looked at after the variables: this sidecar could tell all it needed.
  assertStringIncludes((await start(given)).err, 'Cannot use "../x" as a bottle slug');
  for (const left of given.map((_, at) => given.toSpliced(at, 1))) {
    const { code, err } = await start(left);
    assertEquals(code, 2, err);
    assertStringIncludes(err, " is set: run with --allow-env=SUPERVISE_");
  }
});

// Threat: A3
Deno.test("an empty token, or one that cannot be read, is no reason to let everybody in", async (t) => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("empty"), " \n");
  await Deno.mkdir(dir.at("folder"));
  const start = (args: readonly string[], env: Record<string, string> = {}) =>
    run("deno", [
      "run",
      "--quiet",
      ...sidecarFlags(dir.path, "127.0.0.1:9100"),
      MAIN,
      `--slug=dev-1`,
      `--queue-dir=${dir.path}`,
      ...args,
    ], { env });
  const table: readonly (readonly [string[], Record<string, string>, string])[] = [
    [["--token-file="], {}, "Cannot use an empty --token-file"],
    [["--token-file="], { SUPERVISE_TOKEN: "s3cret" }, "Cannot use an empty --token-file"],
    [[`--token-file=${dir.at("empty")}`], {}, "as --token-file: it is empty"],
    [[`--token-file=${dir.at("none")}`], {}, "there is no such file"],
    [[`--token-file=${dir.at("folder")}`], {}, `/folder as --token-file`],
    [
      ["--token-file=/etc/hostname"],
      {},
      "Cannot read /etc/hostname as --token-file: Requires read",
    ],
    [[], { SUPERVISE_TOKEN: "" }, "Cannot use SUPERVISE_TOKEN: it is empty"],
    [[], { SUPERVISE_TOKEN: " \n" }, "Cannot use SUPERVISE_TOKEN: it is empty"],
    [["--host="], {}, "Cannot use an empty --host"],
    [["--queue-dir="], {}, "Cannot use an empty --queue-dir"],
  ];
  for (const [args, env, sentence] of table) {
    await t.step(`${sentence} ${Object.keys(env)}`, async () => {
      const { code, err } = await start(args, env);
      assertEquals(code, 2, err);
      assertStringIncludes(err, sentence);
    });
  }
  await t.step("bytes that are not Unicode, and their value is not repeated", async () => {
    const flags = [...sidecarFlags(dir.path, "127.0.0.1:9100"), MAIN, "--slug=dev-1"];
    const script = `SUPERVISE_TOKEN=$(printf 's3cret\\377') exec deno run --quiet "$@"`;
    const { code, err } = await run("sh", ["-c", script, "sh", ...flags]);
    assertEquals([code, err.includes("s3cret")], [2, false], err);
    assertStringIncludes(err, "Cannot use SUPERVISE_TOKEN: it is not Unicode text");
  });
});

// Threat: A3
Deno.test("the sidecar logs the settings in force, and whether a token is needed, never the token", async () => {
  await using dir = await tempDir();
  const queueDir = dir.path;
  {
    await using sidecar = await startSidecar(queueDir);
    const { time: _, port: __, ...logged } = await sidecar.logged("listening");
    assertEquals(logged, {
      event: "listening",
      bottle: "dev-1",
      queue_dir: queueDir,
      host: "127.0.0.1",
      hold_seconds: 50,
      hold_with_progress_seconds: "no end",
      repeat_seconds: 600,
      max_held: 256,
      max_pending: 32,
      allowed_hosts: "",
      token: "none",
    });
  }
  await using sidecar = await startSidecar(queueDir, "dev-1", 0, ["--max-held=3"], {
    SUPERVISE_HOLD_SECONDS: "7",
    SUPERVISE_ALLOWED_HOSTS: "a, b",
    SUPERVISE_MAX_HELD: "9",
    SUPERVISE_TOKEN: "s3cret\n",
  });
  const logged = await sidecar.logged("listening");
  assertEquals([logged.hold_seconds, logged.hold_with_progress_seconds], [7, 7]);
  assertEquals([logged.max_held, logged.allowed_hosts, logged.token], [3, "a,b", "needed"]);
  assertEquals(JSON.stringify(logged).includes("s3cret"), false);
  const health = { headers: { authorization: "Bearer s3cret" }, method: "POST" };
  const response = await fetch(sidecar.url, health);
  assertEquals(response.status === 401, false, "a line feed behind the token does not count");
  await response.body?.cancel();
});

Deno.test("docs/clients.md has each setting with its variable and its default", async () => {
  const docs = await Deno.readTextFile(join(REPO, "docs/clients.md"));
  const rows = [...docs.matchAll(/^\| +(?:`--(.+?)`)? +\| +(?:`(SUPERVISE_.+?)`)? +\| (.*?) +\|/gm)]
    .map(([, flag, variable, otherwise]) => [flag, variable, otherwise!.trim()] as const);
  const { limits, ...settings } = readSettings(["--slug=dev-1"]) as Settings;
  const { holdMs, holdWithProgressMs, repeatMs, maxHeld, maxPending } = limits;
  assertEquals(holdWithProgressMs, Infinity);
  assertEquals(settings.allowedHosts, []);
  assertEquals(settings.token, undefined);
  assertEquals(rows, [
    ["slug", "SUPERVISE_BOTTLE_SLUG", ""],
    ["queue-dir", "SUPERVISE_QUEUE_DIR", settings.queueDir],
    ["host", "SUPERVISE_HOST", settings.host],
    ["port", "SUPERVISE_PORT", String(settings.port)],
    ["hold-seconds", "SUPERVISE_HOLD_SECONDS", `${holdMs / 1000}; token: no end`],
    ["repeat-seconds", "SUPERVISE_REPEAT_SECONDS", String(repeatMs / 1000)],
    ["max-held", "SUPERVISE_MAX_HELD", String(maxHeld)],
    ["max-pending", "SUPERVISE_MAX_PENDING", String(maxPending)],
    ["allowed-host", "SUPERVISE_ALLOWED_HOSTS", ""],
    ["token-file", undefined, ""],
    [undefined, "SUPERVISE_TOKEN", ""],
  ]);
  assertEquals(rows.flatMap(([, variable]) => variable ?? []), SIDECAR_VARIABLES);
});

// Threat: A14
Deno.test("boundLog() writes a thousand lines of an event, then one a second, and says what it left out", () => {
  const lines: [string, unknown][] = [];
  let now = 0;
  const log = boundLog((event, fields) => lines.push([event, fields]), () => now);
  for (let n = 0; n < 1500; n++) log("refused", { n });
  assertEquals(lines.length, 1000);
  log("proposed", {});
  assertEquals(lines.at(-1), ["proposed", {}]);
  now = 1000;
  log("refused", { n: 1500 });
  log("refused", { n: 1501 });
  assertEquals(lines.at(-1), ["refused", { n: 1500, omitted_before: 500 }]);
  assertEquals(lines.length, 1002);
  now = 1e9;
  for (let n = 0; n < 2000; n++) log("refused", { n });
  assertEquals(lines.length, 2002);
});
