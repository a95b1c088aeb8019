import { SIDECAR_VARIABLES, sidecarFlags } from "../../sidecar/settings.ts";
import { REPO, run, type RunOptions } from "../support/run.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

function sidecar(queueDir: string, args: readonly string[], options: RunOptions = {}) {
  const flags = sidecarFlags(queueDir, "127.0.0.1:9100");
  return run("deno", ["run", "--quiet", ...flags, join(REPO, "sidecar/main.ts"), ...args], options);
}

for (
  const [args, env, sentence] of [
    [[], {}, "--slug or SUPERVISE_BOTTLE_SLUG is missing"],
    [["--slug=../x"], {}, 'Cannot use "../x" as a bottle slug'],
    [[], { SUPERVISE_BOTTLE_SLUG: "A" }, 'Cannot use "A" as a bottle slug'],
    [["--slug=a", "--port=x"], {}, 'Cannot use "x" as --port'],
    [["--slug=a", "--port=70000"], {}, 'Cannot use "70000" as --port'],
    [["--slug=a", "--allowed-host=a,b:1"], {}, 'Cannot use "b:1" as --allowed-host'],
    [["--slug=a"], { SUPERVISE_ALLOWED_HOSTS: "a@b" }, 'Cannot use "a@b" as --allowed-host'],
    [["--slug=a"], { SUPERVISE_PORT: "-1" }, 'Cannot use "-1" as --port'],
    [["--slug=a", "--verbose"], {}, "Cannot use --verbose: there is no such flag"],
    [["--slug=a", "more"], {}, "Cannot use more: there is no such flag"],
  ] as const
) {
  Deno.test(`the sidecar says what is wrong with ${JSON.stringify([...args, env])}`, async () => {
    await using dir = await tempDir();
    const { code, out, err } = await sidecar(dir.path, args, { env });
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, sentence);
    assertEquals(err.trim().split("\n").length, 2);
  });
}

Deno.test("the sidecar prints its flags and its variables for --help", async () => {
  await using dir = await tempDir();
  const { code, out } = await sidecar(dir.path, ["--help"]);
  assertEquals(code, 0);
  for (const variable of SIDECAR_VARIABLES) assertStringIncludes(out, variable);
});

Deno.test("the sidecar says in one line that it cannot listen where it may not, or twice", async () => {
  await using dir = await tempDir();
  const denied = await sidecar(dir.path, ["--slug=a", `--queue-dir=${dir.path}`, "--port=9101"]);
  assertEquals(denied.code, 1);
  assertStringIncludes(denied.err, 'Requires net access to "127.0.0.1:9101"');
  assertEquals(denied.err.includes("    at "), false);

  await using first = await startSidecar(dir.path);
  const flags = sidecarFlags(dir.path, `127.0.0.1:${first.url.port}`);
  const args = ["--slug=a", `--queue-dir=${dir.path}`, `--port=${first.url.port}`];
  const main = join(REPO, "sidecar/main.ts");
  const second = await run("deno", ["run", "--quiet", ...flags, main, ...args]);
  assertEquals(second.code, 1);
  assertStringIncludes(second.err, `Cannot listen on 127.0.0.1:${first.url.port}`);
});

Deno.test("the sidecar serves /mcp and /healthz under its own names, and nothing else", async () => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, sidecar.url), init);
    const text = await response.text();
    return [response.status, text.trim()];
  };
  assertEquals(await ask("/healthz"), [200, "ok"]);
  assertEquals((await ask("/healthz", { method: "POST" }))[0], 405);
  assertEquals((await ask("/"))[0], 404);
  assertEquals((await ask("/mcp/x"))[0], 404);
  assertEquals((await ask("/mcp"))[0], 405);
  assertEquals((await ask("/healthz", { headers: { origin: "http://evil.example" } }))[0], 403);
  const rebound = await run("curl", ["-s", "-H", "Host: evil.example", sidecar.url.href]);
  assertStringIncludes(rebound.out, "Invalid Host");
});
