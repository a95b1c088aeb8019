import { connectRaw, rawChunk, rawRequest } from "../support/raw_http.ts";
import { run } from "../support/run.ts";
import { type Sidecar, startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const JSON_TYPE = "application/json";

const ACCEPT = "application/json, text/event-stream";

const LIST = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });

async function post(
  { url }: Sidecar,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": JSON_TYPE, accept: ACCEPT, ...headers },
    body,
  });
  return [response.status, await response.text()];
}

// Threat: A2
Deno.test("the sidecar refuses what is no single, bounded JSON object, and goes on", async (t) => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path);
  const table: readonly (readonly [string, BodyInit, Record<string, string>, number, string])[] = [
    ["a batch", `[${LIST},${LIST}]`, {}, 400, "no batches"],
    ["no JSON", "{", {}, 400, "not JSON"],
    ["a string", '"x"', {}, 400, "expected a JSON object"],
    ["null", "null", {}, 400, "expected a JSON object"],
    ["bytes", new Uint8Array([0x7b, 0xff, 0x7d]), {}, 400, "not UTF-8"],
    ["200,000 levels", `${"[".repeat(200_000)}${"]".repeat(200_000)}`, {}, 400, "nested deeper"],
    ["300,000 values", `{"a":[${"0,".repeat(300_000)}0]}`, {}, 400, "more than 10000 values"],
    ["levels in an argument", `{"a":${"[".repeat(99)}${"]".repeat(99)}}`, {}, 400, "nested deeper"],
    ["levels behind an escaped quote", `["\\"",${"[".repeat(99)}`, {}, 400, "nested deeper"],
    ["levels behind a backslash", `["\\\\",${"[".repeat(99)}`, {}, 400, "nested deeper"],
    ["no levels in a string", `["\\"${"[".repeat(99)}"]`, {}, 400, "no batches"],
    ["quotes without an end", `"${'\\"'.repeat(2 ** 20)}`, {}, 400, "not JSON"],
    ["over 4 MiB", `"${"x".repeat(4 * 2 ** 20)}"`, {}, 413, "larger than 4194304"],
    ["plain text", LIST, { "content-type": "text/plain" }, 415, ""],
    ["no event stream wanted", LIST, { accept: "text/html" }, 406, ""],
    ["a foreign origin", LIST, { origin: "https://evil.example" }, 403, ""],
  ];
  for (const [what, body, headers, status, words] of table) {
    await t.step(what, async () => {
      const [got, text] = await post(sidecar, body, headers);
      assertEquals(got, status, text);
      assertStringIncludes(text, words);
    });
  }
  const [status, text] = await post(sidecar, LIST);
  assertEquals(status, 200);
  assertStringIncludes(text, "proposal-status");
});

// Threat: A2
Deno.test("a body that never says how long it is is cut off at 4 MiB", async () => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path);
  using connection = await connectRaw(sidecar.url);
  const headers = [`Content-Type: ${JSON_TYPE}`, `Accept: ${ACCEPT}`, "Transfer-Encoding: chunked"];
  await connection.send(rawRequest(headers, ""));
  const chunk = rawChunk(new Uint8Array(64 * 1024).fill(0x20));
  // To the bound it is read, and not refused.
  for (let sent = 0; sent < 64; sent++) await connection.send(chunk);
  await connection.send(chunk);
  const refusal = await connection.readUntil("}}");
  assertStringIncludes(refusal, "HTTP/1.1 413 ");
  assertStringIncludes(refusal.toLowerCase(), "connection: close");
  assertEquals((await post(sidecar, LIST))[0], 200);
});

// Threat: A3
Deno.test("methods that HTTP knows and MCP does not get 405, hosts that are not ours 403", async (t) => {
  await using dir = await tempDir();
  await using sidecar = await startSidecar(dir.path, "dev-1", 0, [
    "--allowed-host=mcp.internal, b",
  ]);
  const status = async (...args: string[]) => {
    const { out } = await run("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", ...args]);
    return out;
  };
  for (const method of ["GET", "DELETE", "PUT", "PATCH", "TRACE"]) {
    await t.step(method, async () => {
      assertEquals(await status("-X", method, sidecar.url.href), "405");
    });
  }
  const hosts = { "mcp.internal": "200", "b:9100": "200", supervise: "200", "evil.example": "403" };
  const health = new URL("/healthz", sidecar.url).href;
  for (const [host, expected] of Object.entries(hosts)) {
    await t.step(host, async () => {
      assertEquals(await status("-H", `Host: ${host}`, health), expected);
    });
  }
});

// Threat: A3
Deno.test("a bearer token, from a variable, lets in who has it", async () => {
  await using dir = await tempDir();
  const env = { SUPERVISE_TOKEN: "s3cret" };
  await using sidecar = await startSidecar(dir.path, "dev-1", 0, [], env);
  assertEquals((await post(sidecar, LIST))[0], 401);
  assertEquals((await post(sidecar, LIST, { authorization: "Bearer s3cre" }))[0], 401);
  assertEquals((await post(sidecar, LIST, { authorization: "Basic s3cret" }))[0], 401);
  assertEquals((await post(sidecar, LIST, { authorization: "Bearer s3cret" }))[0], 200);
  const health = await fetch(new URL("/healthz", sidecar.url));
  assertEquals([health.status, await health.text()], [200, "ok\n"]);
  assert(!JSON.stringify(sidecar.events).includes("s3cret"));
});

Deno.test("a bearer token, from a file, lets in who has it", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("token"), "from-a-file\n");
  await using sidecar = await startSidecar(dir.path, "dev-1", 0, [
    `--token-file=${dir.at("token")}`,
  ]);
  assertEquals((await post(sidecar, LIST))[0], 401);
  assertEquals((await post(sidecar, LIST, { authorization: "Bearer from-a-file" }))[0], 200);
});
