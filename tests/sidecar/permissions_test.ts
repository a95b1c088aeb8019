import { sidecarFlags } from "../../sidecar/settings.ts";
import { REPO, run } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

// Threat: B1
Deno.test("the sidecar can write its queue, and nothing else", async () => {
  await using dir = await tempDir();
  const queueDir = dir.at("queue", "dev-1");
  await Deno.mkdir(queueDir, { recursive: true });
  await using other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    throw new Error("Somebody connected");
  });
  const { code, out } = await run("deno", [
    "run",
    "--quiet",
    ...sidecarFlags(queueDir, "127.0.0.1:0"),
    join(REPO, "tests/sidecar/probe.ts"),
    queueDir,
    dir.at("queue", "beside"),
    String(other.addr.port),
  ]);
  assertEquals(out.trim().split("\n"), [
    "read /etc/passwd: denied",
    "list the folder above the queue: denied",
    "write beside the queue: denied",
    "link out of the queue: denied",
    "connect out: denied",
    "fetch out: denied",
    "listen on another port: denied",
    "start a process: denied",
    "read another variable: denied",
    "list the environment: denied",
    "read the host's name: denied",
    "call a library: denied",
    "import from disk: denied",
    "write in the queue: allowed",
  ]);
  assertEquals(code, 0);
  assertEquals([...Deno.readDirSync(dir.at("queue"))].map(({ name }) => name), ["dev-1"]);
  assertEquals([...Deno.readDirSync(queueDir)].map(({ name }) => name), ["own"]);
});
