/**
 * The sidecar's HTTP face: the MCP endpoint, its guards, the health check. The only file that knows
 * MCP.
 *
 * @module
 */

import {
  createMcpHandler,
  hostHeaderValidationResponse,
  McpServer,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { SUPERVISE_HOSTNAME, type Tool, validateConfigFile } from "../mod.ts";
import { hold, type HoldOptions } from "./hold.ts";
import {
  INPUT_SCHEMA,
  OUTPUT_SCHEMA,
  outputOf,
  problemsOfInput,
  TOOL_OFFERS,
  type ToolInput,
  wordsOf,
} from "./tools.ts";

/** What a sidecar serves. */
export interface ServerOptions extends HoldOptions {
  /** The version it tells clients. */
  readonly version: string;
}

/** The names under which a sidecar may be addressed; anything else smells of DNS rebinding. */
const ALLOWED_HOSTS = [SUPERVISE_HOSTNAME, "localhost", "127.0.0.1", "[::1]"];

const INSTRUCTIONS = "Ask a human operator for more rights when this sandbox blocks you: a " +
  "credential route, a host, a tool. Each tool proposes a whole new config file and waits for the " +
  "decision.";

/**
 * Makes the sidecar's request handler.
 *
 * @param options What it serves.
 * @returns A handler for `Deno.serve`.
 */
export function createFetchHandler(options: ServerOptions): Deno.ServeHandler {
  const mcp = createMcpHandler(() => createMcpServer(options), {
    // Headers and a comment at once and every 15 s: a held call must not look like a dead one.
    responseMode: "sse",
    keepAliveMs: 15_000,
    onerror: (error) => options.log("protocol_error", { error: error.name }),
  });
  return async (request, { completed }) => {
    const refused = hostHeaderValidationResponse(request, ALLOWED_HOSTS) ??
      originValidationResponse(request, ALLOWED_HOSTS);
    if (refused !== undefined) {
      options.log("refused", { status: refused.status });
      return refused;
    }
    switch (new URL(request.url).pathname) {
      case "/mcp":
        // A Request cannot be made of every method that HTTP knows, such as TRACE.
        if (!["GET", "POST", "DELETE", "OPTIONS", "HEAD"].includes(request.method)) {
          return plain(405, "Cannot do that: /mcp answers POST", { allow: "POST" });
        }
        return await mcp.fetch(withDisconnect(request, completed));
      case "/healthz":
        return health(request, options.queueDir);
      default:
        return plain(404, "Cannot find that: this server has /mcp and /healthz");
    }
  };
}

/**
 * A request whose signal aborts when the client is gone, and only then. The signal of Deno's own
 * aborts after every answer too, and warns about it on stderr as soon as it is touched, even by
 * `clone`; so this is a new request around the same body.
 */
function withDisconnect(request: Request, completed: Promise<void>): Request {
  const gone = new AbortController();
  completed.catch((reason) => gone.abort(reason));
  const { url, method, headers, body } = request;
  return new Request(url, { method, headers, body, signal: gone.signal });
}

function plain(status: number, text: string, headers: HeadersInit = {}): globalThis.Response {
  return new Response(`${text}\n`, { status, headers });
}

async function health(request: Request, queueDir: string): Promise<globalThis.Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "Cannot do that: /healthz answers GET", { allow: "GET, HEAD" });
  }
  const queue = await Deno.lstat(queueDir).catch(() => undefined);
  return queue?.isDirectory ? plain(200, "ok") : plain(503, "Cannot find the queue directory");
}

/** A fresh server for each request: nothing is kept in memory between two. */
function createMcpServer(options: ServerOptions): McpServer {
  const server = new McpServer(
    { name: "supervise", title: "Supervise", version: options.version },
    { instructions: INSTRUCTIONS },
  );
  for (const { name, title, description } of TOOL_OFFERS) {
    server.registerTool(name, {
      title,
      description,
      inputSchema: INPUT_SCHEMA,
      outputSchema: OUTPUT_SCHEMA,
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    }, (input, context) => callTool(options, name, input, context.mcpReq.signal));
  }
  return server;
}

async function callTool(options: ServerOptions, tool: Tool, input: ToolInput, signal: AbortSignal) {
  const problems = problemsOfInput(input);
  if (problems.length === 0) {
    for (const { where, message } of validateConfigFile(tool, input.proposed_file)) {
      problems.push(`${where}: ${message}`);
    }
  }
  if (problems.length > 0) {
    options.log("malformed", { tool, problems: problems.length });
    return failed(
      `Cannot ask the operator: the proposal has ${problems.length} ` +
        `problem${problems.length === 1 ? "" : "s"}. Nothing was queued. Mend and call again.\n` +
        problems.map((problem) => `- ${problem}`).join("\n"),
    );
  }
  try {
    const response = await hold(options, tool, input, signal);
    return {
      content: [{ type: "text" as const, text: wordsOf(tool, response) }],
      structuredContent: outputOf(response),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    options.log("failed", { tool, error: error instanceof Error ? error.name : "unknown" });
    return failed(
      "Cannot ask the operator: the sidecar could not use its queue directory. This is not your " +
        "fault; tell the operator, or try again later.",
    );
  }
}

function failed(text: string) {
  return { isError: true, content: [{ type: "text" as const, text }] };
}
