/**
 * A sidecar's process that gets one tool call.
 *
 * @module
 */

import { sidecarFlags } from "../../sidecar/settings.ts";
import { type CallResult, CLIENT_KINDS } from "../support/clients.ts";
import { TextLineStream } from "../support/lines.ts";
import { SLUG } from "../support/operator.ts";
import { REPO } from "../support/run.ts";
import { QUESTION } from "./asking.ts";
import { kill, orHung, spawnDeno, type Target } from "./target.ts";
import { join } from "@std/path";

const BARE_FETCH = CLIENT_KINDS.find(({ name }) => name === "a bare fetch")!;

/**
 * Starts a real sidecar, under its real permissions. It draws the same names as the one before it.
 *
 * @param cpu The processor to run on.
 * @param queueDir Its queue directory.
 * @returns The process, once it listens.
 */
export async function startAsked(cpu: number, queueDir: string): Promise<Target<CallResult>> {
  const process = spawnDeno(cpu, [
    "run",
    "--quiet",
    "--seed=7",
    ...sidecarFlags(queueDir, "127.0.0.1:0"),
    join(REPO, "sidecar/main.ts"),
    `--slug=${SLUG}`,
    `--queue-dir=${queueDir}`,
    "--port=0",
    "--hold-seconds=0",
  ], { stdin: "null", stdout: "null", stderr: "piped" });
  const logged = process.stderr
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  const listening = Promise.withResolvers<number>();
  const reading = (async () => {
    for await (const line of logged) {
      const port = /"event":"listening".*"port":(\d+)/.exec(line)?.[1];
      if (port !== undefined) listening.resolve(Number(port));
    }
    listening.reject(new Error("Cannot start the sidecar: it ended before it listened"));
  })();
  const url = new URL(`http://127.0.0.1:${await listening.promise}/mcp`);
  return {
    pid: process.pid,
    act: async () => await orHung(ask(url).catch(() => "died" as const)),
    async end() {
      await kill(process);
      await reading;
    },
  };
}

async function ask(url: URL): Promise<CallResult> {
  await using client = await BARE_FETCH.connect(url);
  return await client.call("pipelock-block", QUESTION);
}
