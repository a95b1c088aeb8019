import { writeProposal, writeResponse } from "../../mod.ts";
import { SECRET } from "../support/attack.ts";
import type { RaceResult } from "../support/raced_reader.ts";
import { sampleProposal } from "../support/records.ts";
import { REPO, run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

/** How long a reader that hangs is waited for after it should have ended. */
const PATIENCE_MS = 20_000;

/** Starts the attack, and waits until it has begun; at the end of the block it is over. */
async function attack(what: string, dir: TempDir, forMs: number): Promise<AsyncDisposable> {
  const process = new Deno.Command("deno", {
    args: [
      "run",
      "-A",
      "--quiet",
      join(REPO, "tests/support/attack.ts"),
      what,
      dir.at("queue"),
      dir.at("outside"),
      String(forMs),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await lines.read()).value, "ready\n");
  return {
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await lines.cancel();
      await process.status;
    },
  };
}

/** Reads for a while in a process of its own. One that hangs is killed, and has no result. */
async function readRaced(
  what: string,
  dir: TempDir,
  forMs: number,
  permission: string,
): Promise<RaceResult> {
  const process = new Deno.Command("deno", {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      `--config=${join(REPO, "deno.json")}`,
      permission,
      join(REPO, "tests/support/raced_reader.ts"),
      what,
      dir.at("queue"),
      String(forMs),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const patience = setTimeout(() => process.kill("SIGKILL"), forMs + PATIENCE_MS);
  const { success, stdout } = await process.output();
  clearTimeout(patience);
  assert(success, "the reader hung, or failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

const scopes = (dir: TempDir) => [`--allow-read=${dir.at("queue")}`, "-A"];

// Threat: B2
Deno.test("readUntrusted() leaks nothing and hangs on nothing while links and FIFOs are swapped in", async () => {
  await using dir = await tempDir();
  await writeProposal(dir.at("queue"), sampleProposal({ id: "p1" }));
  await writeProposal(dir.at("outside"), sampleProposal({ id: "p1", justification: SECRET }));
  await run("mkfifo", [dir.at("outside", "fifo")]);
  await using _ = await attack("file", dir, 60_000);
  const results = await Promise.all(
    scopes(dir).map((permission) => readRaced("file", dir, 10_000, permission)),
  );
  for (const { read, refused, leaked } of results) {
    assertEquals(leaked, 0);
    assert(read > 0 && refused > 0, "the race did not take place");
  }
});

Deno.test("readAnswer() leaks nothing while a link is swapped in for the archive", async () => {
  await using dir = await tempDir();
  const answer = { proposalId: "p1", status: "rejected", finalFile: null } as const;
  await writeResponse(dir.at("queue", "processed"), { ...answer, notes: "ours" });
  await writeResponse(dir.at("outside"), { ...answer, notes: SECRET });
  await using _ = await attack("directory", dir, 60_000);
  const results = await Promise.all(
    scopes(dir).map((permission) => readRaced("directory", dir, 5_000, permission)),
  );
  for (const { read, refused, leaked } of results) {
    assertEquals(leaked, 0);
    // It reads what is archived, and refuses what a link shows: both happened.
    assert(read > 0 && refused > 0, "the race did not take place");
  }
});
