import { REPO, run } from "../support/run.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

/** The check asks this address alone, so these cases share one test: at most one may listen there. */
const ADDRESS = { hostname: "127.0.0.1", port: 9100 };

async function check(...args: number[]): Promise<[code: number, words: string]> {
  const permission = `--allow-net=${ADDRESS.hostname}:${args[0] ?? ADDRESS.port}`;
  const words = [permission, join(REPO, "sidecar/health.ts"), ...args.map(String)];
  const { code, err } = await run("deno", ["run", "--quiet", "--no-prompt", ...words]);
  return [code, err.trim()];
}

Deno.test("the health check of a unit exits with 0 if the one process answers, and no other one", async () => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path);
  const [port, { pid }] = [Number(sidecar.url.port), sidecar.process];
  assertEquals(await check(port, pid), [0, "/healthz: 200"]);
  assertEquals(await check(port, pid + 1), [1, "/healthz: another process answers"]);
});

Deno.test("the health check exits with 0 for a 200, and with 1 for anything else", async () => {
  for (const status of [200, 503, 500, 404, 204, 301]) {
    await using _ = Deno.serve({ ...ADDRESS, onListen() {} }, ({ url }) => {
      const isAsked = new URL(url).pathname === "/healthz";
      return new Response(null, { status: isAsked ? status : 418 });
    });
    assertEquals(await check(), [status === 200 ? 0 : 1, `/healthz: ${status}`]);
  }
  {
    // Takes the connection, and never answers.
    using _ = Deno.listen(ADDRESS);
    assertEquals(await check(), [1, "/healthz: no answer in 4000 ms"]);
  }
  assertEquals((await check())[0], 1, "nobody listens");
});
