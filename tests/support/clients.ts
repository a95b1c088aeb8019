/**
 * The MCP clients that agents use: the SDK of 2025, the one of 2026, and a bare `fetch`.
 *
 * @module
 */

import {
  Client as ClientOf2026,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client as ClientOf2025 } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport as TransportOf2025 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/** What a tool call returned. */
export interface CallResult {
  readonly isError: boolean;
  readonly text: string;
  readonly structured: Record<string, unknown> | undefined;
}

/** A connected client. */
export interface TestClient extends AsyncDisposable {
  /** The tools on offer, as they came. */
  readonly tools: () => Promise<readonly Record<string, unknown>[]>;
  /** Calls a tool. */
  readonly call: (name: string, args: Record<string, unknown>) => Promise<CallResult>;
}

/** A kind of client. */
export interface ClientKind {
  readonly name: string;
  readonly connect: (url: URL) => Promise<TestClient>;
}

/** How long a client waits for a response: longer than any test, on a machine that does other things too. */
export const PATIENCE = { timeout: 600_000 };

const INFO = { name: "test", version: "1" };

// deno-lint-ignore no-explicit-any
function asCallResult(result: any): CallResult {
  return {
    isError: result.isError === true,
    text: result.content.map(({ text }: { text: string }) => text).join("\n"),
    structured: result.structuredContent,
  };
}

async function connect2025(url: URL): Promise<TestClient> {
  const client = new ClientOf2025(INFO);
  await client.connect(new TransportOf2025(url), PATIENCE);
  return {
    tools: async () => (await client.listTools(undefined, PATIENCE)).tools,
    call: async (name, args) =>
      asCallResult(await client.callTool({ name, arguments: args }, undefined, PATIENCE)),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function connect2026(url: URL): Promise<TestClient> {
  const client = new ClientOf2026(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new StreamableHTTPClientTransport(url), PATIENCE);
  return {
    tools: async () =>
      (await client.listTools(undefined, PATIENCE)).tools as unknown as Record<string, unknown>[],
    call: async (name, args) =>
      asCallResult(await client.callTool({ name, arguments: args }, PATIENCE)),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** One POST, and the answer out of its event stream. */
async function post(url: URL, method: string, params: unknown, signal: AbortSignal) {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-06-18",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal,
  });
  const body = await response.text();
  const data = body.startsWith("{") ? body : body.match(/^data: (\{.*)$/m)?.[1];
  if (data === undefined) throw new Error(`No answer in: ${body}`);
  const { result, error } = JSON.parse(data);
  if (error !== undefined) throw new Error(error.message);
  return result;
}

function connectFetch(url: URL): Promise<TestClient> {
  const end = new AbortController();
  const send = async (method: string, params: unknown) => {
    const late = setTimeout(() => end.abort(new Error("No answer")), PATIENCE.timeout);
    try {
      return await post(url, method, params, end.signal);
    } finally {
      clearTimeout(late);
    }
  };
  return Promise.resolve({
    tools: async () => (await send("tools/list", {})).tools,
    call: async (name, args) => asCallResult(await send("tools/call", { name, arguments: args })),
    [Symbol.asyncDispose]: () => Promise.resolve(end.abort()),
  });
}

/** Every kind of client. */
export const CLIENT_KINDS: readonly ClientKind[] = [
  { name: "the SDK 1.x client", connect: connect2025 },
  { name: "the SDK 2.x client (2026-07-28)", connect: connect2026 },
  { name: "a bare fetch", connect: connectFetch },
];
