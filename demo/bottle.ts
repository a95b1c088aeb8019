/**
 * A bottle for the demo: its folders, its files in force, its sidecar, its agent.
 *
 * @module
 */

import { currentConfigDirForSlug } from "../internal_mod.ts";
import { queueDirForSlug } from "../mod.ts";
import { sidecarFlags } from "../sidecar/settings.ts";
import type { RunningProxy } from "./proxy.ts";
import { ensureDir } from "@std/fs";
import { fromFileUrl, join } from "@std/path";

/** The demo's bottle. */
export const SLUG = "demo-1";

const HERE = fromFileUrl(new URL(".", import.meta.url));

const IN_FORCE: Readonly<Record<string, string>> = {
  "routes.json": JSON.stringify(
    {
      routes: [{
        path: "/anthropic/",
        upstream: "https://api.anthropic.com",
        auth_scheme: "Bearer",
        token_ref: "anthropic",
        role: "anthropic-base-url",
      }],
    },
    null,
    2,
  ) + "\n",
  "allowlist": "# package mirror\nmirror.internal.example\n",
  "Dockerfile": "FROM debian:12-slim\n" +
    "RUN apt-get update && apt-get install -y git python3\nUSER agent\n",
};

/**
 * Lays out a root with one bottle.
 *
 * @param root An empty directory.
 */
export async function layOut(root: string): Promise<void> {
  const config = currentConfigDirForSlug(SLUG, root);
  await ensureDir(queueDirForSlug(SLUG, { root }));
  await ensureDir(config);
  for (const [name, content] of Object.entries(IN_FORCE)) {
    await Deno.writeTextFile(join(config, name), content);
  }
}

/** A sidecar that listens. */
export interface RunningSidecar {
  /** Its process. */
  readonly process: Deno.ChildProcess;
  /** Its MCP endpoint. */
  readonly url: string;
  /** The permissions it was started with. */
  readonly flags: readonly string[];
}

/**
 * Starts the bottle's sidecar, under its permissions, and waits until it listens.
 *
 * @param root The root.
 * @returns The sidecar.
 */
export async function startSidecar(root: string): Promise<RunningSidecar> {
  const queueDir = queueDirForSlug(SLUG, { root });
  const flags = sidecarFlags(queueDir, "127.0.0.1:0");
  const main = join(HERE, "../sidecar/main.ts");
  const process = new Deno.Command("deno", {
    args: ["run", "--quiet", ...flags, main, "--slug", SLUG, "--queue-dir", queueDir, "--port=0"],
    stdin: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  for await (const chunk of process.stderr.pipeThrough(new TextDecoderStream())) {
    log += chunk;
    const listening = log.match(/^\{.*"event":"listening".*"port":(\d+).*\}$/m);
    if (listening !== null) return { process, url: `http://127.0.0.1:${listening[1]}/mcp`, flags };
  }
  throw new Error(`Cannot start the sidecar: ${log.trim()}`);
}

/** What the agent was told. */
export interface AgentAnswer {
  /** The question's number, from 0. */
  readonly n: number;
  /** The tool that was called. */
  readonly tool: string;
  /** Whether the call failed at once. */
  readonly isError: boolean;
  /** The answer in words. */
  readonly text: string;
  /** What the agent's own request got before it asked, and after the answer. */
  readonly tried?: readonly [before: number, after: number];
}

/** An agent that asks. */
export interface RunningAgent {
  /** Its process. */
  readonly process: Deno.ChildProcess;
  /** What it has been told so far. */
  readonly answers: AgentAnswer[];
  /** Settles when it has its first answer, or has ended. */
  readonly firstAnswer: Promise<void>;
  /** Settles when it has all its answers, or was ended. */
  readonly done: Promise<void>;
}

/**
 * Starts the agent, which may reach its sidecar and its proxy, and read its config in force, as in a real
 * bottle.
 *
 * @param root The root.
 * @param url The sidecar's endpoint.
 * @param proxy The bottle's proxy, if it has one.
 * @returns The agent.
 */
export function startAgent(root: string, url: string, proxy?: RunningProxy): RunningAgent {
  const config = currentConfigDirForSlug(SLUG, root);
  const [through, net] = proxy === undefined
    ? [[], ""]
    : [[proxy.address, proxy.target], `,${proxy.address}`];
  const flags = ["--no-prompt", `--allow-net=${new URL(url).host}${net}`, `--allow-read=${config}`];
  const process = new Deno.Command("deno", {
    args: ["run", "--quiet", ...flags, join(HERE, "agent.ts"), url, config, ...through],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const answers: AgentAnswer[] = [];
  const first = Promise.withResolvers<void>();
  const done = (async () => {
    let rest = "";
    for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) answers.push(JSON.parse(line));
      if (answers.length > 0) first.resolve();
    }
    await process.status;
    first.resolve();
  })();
  return { process, answers, firstAnswer: first.promise, done };
}
