import { keepFilesInForce, knownFile } from "../../internal_mod.ts";
import { sha256Hex } from "../../mod.ts";
import { supervise } from "../support/command_line.ts";
import { queueSample } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

// Threat: B7
Deno.test("show puts both diffs on the screen where the agent started from another file", async () => {
  await using dir = await tempDir();
  const inForce = dir.at("current-config", "dev-1", "allowlist");
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(inForce, "a.example\n");
  const started = sha256Hex("a.example\n");
  const proposedFile = "a.example\napi.github.com\n";
  await queueSample(dir.path, { id: "p1", currentFileHash: started, proposedFile });
  // Listed while it was in force, so a copy was kept.
  assertEquals((await supervise(dir.path, ["list"])).code, 0);
  await Deno.writeTextFile(inForce, "b.example\n");
  const { out } = await supervise(dir.path, ["show", "p1"]);
  const rows = out.split("\n");
  assertEquals(rows.slice(rows.findIndex((row) => row.startsWith("! "))), [
    '! low     old line 1: "b.example" would no longer be allowed',
    "! The agent did not start from the allowlist in force.",
    "",
    "What the agent changed, in the file it started from:",
    "--- allowlist (the agent's)",
    "+++ allowlist (proposed)",
    "@@ -1 +1,2 @@",
    " 1 a.example",
    "+2 api.github.com",
    "",
    "What would change, in the allowlist in force:",
    "--- allowlist (current)",
    "+++ allowlist (proposed)",
    "@@ -1 +1,2 @@",
    "-1 b.example",
    '! low     "b.example" would no longer be allowed',
    "+1 a.example",
    "+2 api.github.com",
    "",
  ]);
  const json = JSON.parse((await supervise(dir.path, ["show", "p1", "--json"])).out);
  assertEquals(json.stale, true);
  assertStringIncludes(json.agent_diff, "(the agent's)");
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 5);
  assertEquals((await supervise(dir.path, ["approve", "p1", "--allow-stale"])).code, 0);
});

Deno.test("keepFilesInForce() keeps the fifty newest, and knownFile() gives none that is not the one named", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  const put = async (n: number) => {
    await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), `${n}.example\n`);
    keepFilesInForce("dev-1", dir.path);
    const copy = dir.at("private", "known", "dev-1", sha256Hex(`${n}.example\n`));
    await Deno.utime(copy, n, n);
  };
  for (let n = 1; n <= 52; n++) await put(n);
  const known = (n: number) => knownFile("dev-1", sha256Hex(`${n}.example\n`), dir.path);
  assertEquals([known(1), known(2), known(3)], [undefined, undefined, "3.example\n"]);
  assertEquals(known(52), "52.example\n");
  const changed = dir.at("private", "known", "dev-1", sha256Hex("52.example\n"));
  await Deno.writeTextFile(changed, "evil.example\n");
  assertEquals([known(52), knownFile("dev-1", "../../x", dir.path)], [undefined, undefined]);
});
