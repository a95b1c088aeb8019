/**
 * The demo's agent: a process of its own, with the real MCP client and no right but to reach its
 * sidecar and its proxy, if there is one, and to read its config in force. It asks for four things at
 * once and prints each answer as a line of JSON.
 *
 * @module
 */

import { sha256Hex } from "../mod.ts";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { join } from "@std/path";

/** One question of the agent's: what it makes of the file in force, and why. */
interface Question {
  readonly tool: string;
  readonly file: string;
  readonly change: (current: string) => string;
  readonly justification: string;
  /** Whether it is about the host that the agent needs. */
  readonly isNeeded?: true;
}

const GITHUB_ROUTE = {
  path: "/github/",
  upstream: "https://api.github.com",
  auth_scheme: "token",
  token_ref: "github-readonly",
};

const QUESTIONS: readonly Question[] = [
  {
    tool: "pipelock-block",
    file: "allowlist",
    change: (current) => `${current}https://packages.example.com/\n`,
    justification: "npm ci cannot reach the registry.",
  },
  {
    tool: "cred-proxy-block",
    file: "routes.json",
    change: (current) => {
      const { routes } = JSON.parse(current);
      return JSON.stringify({ routes: [...routes, GITHUB_ROUTE] }, null, 2) + "\n";
    },
    justification:
      "The task is to triage open issues, and the proxy answers 404 for /github/. A read-only " +
      "token is enough.",
  },
  {
    tool: "pipelock-block",
    file: "allowlist",
    change: (current) => `${current}*.example.net\n`,
    justification: "pip install fails: files.example.net is blocked. One host below it would do.",
    isNeeded: true,
  },
  {
    tool: "capability-block",
    file: "Dockerfile",
    change: (current) =>
      current.replace(
        "USER agent",
        "RUN curl -fsSL https://get.example.com/tool.sh | sh\nUSER agent",
      ),
    justification: "The build needs `tool`, and there is no package of it.",
  },
];

/**
 * The operator may take a while; an SDK client gives up after a minute unless told otherwise. To
 * listen for progress is what makes the sidecar hold the call for as long as it takes.
 */
const TIMEOUT_MS = 24 * 60 * 60 * 1000;

/** How long the agent works between two questions. */
const PAUSE_MS = 200;

const [url, configDir, proxy, target] = Deno.args as [string, string, string?, string?];

/** What the agent's own request gets through its proxy. With `fetch` it would need a right to reach the host. */
async function request(): Promise<number> {
  const [hostname, port] = proxy!.split(":") as [string, string];
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const words = `GET ${target} HTTP/1.0\r\nHost: ${new URL(target!).host}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(words));
  const line = new Uint8Array("HTTP/1.1 200".length);
  await connection.read(line);
  return Number(new TextDecoder().decode(line).split(" ")[1]);
}

const client = new Client({ name: "demo-agent", version: "1.0.0" });

await client.connect(new StreamableHTTPClientTransport(new URL(url)));

await Promise.all(QUESTIONS.map(async ({ tool, file, change, justification, isNeeded }, n) => {
  // In this order, as an agent at work would.
  await new Promise((resolve) => setTimeout(resolve, n * PAUSE_MS));
  const tries = isNeeded === true && proxy !== undefined;
  const before = tries ? await request() : undefined;
  const current = await Deno.readTextFile(join(configDir, file));
  const result = await client.callTool({
    name: tool,
    arguments: {
      proposed_file: change(current),
      justification,
      current_file_sha256: sha256Hex(current),
    },
  }, { timeout: TIMEOUT_MS, onprogress: () => {} });
  const [content] = result.content;
  const text = content?.type === "text" ? content.text : "";
  const tried = tries ? [before, await request()] : undefined;
  console.log(JSON.stringify({ n, tool, isError: result.isError === true, text, tried }));
}));

await client.close();
