/**
 * A 2026-07-28 client that may declare the tasks extension. A bare `fetch`, because the SDK's client
 * takes a result of type `task` for a fault.
 *
 * @module
 */

/** What came back: a result, or a JSON-RPC error. */
export interface Reply {
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Sends one request. */
export type Send = (method: string, params?: Record<string, unknown>) => Promise<Reply>;

const PREFIX = "io.modelcontextprotocol";

/**
 * Makes a client.
 *
 * @param url The MCP endpoint.
 * @param extensions What it declares in every request.
 * @returns A function that sends one request.
 */
export function modernClient(
  url: URL,
  extensions: Record<string, unknown> = { [`${PREFIX}/tasks`]: {} },
): Send {
  return async (method, params = {}) => {
    const name = params.name ?? params.taskId;
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
        ...(typeof name === "string" && { "mcp-name": name }),
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method,
        params: {
          ...params,
          _meta: {
            [`${PREFIX}/protocolVersion`]: "2026-07-28",
            [`${PREFIX}/clientInfo`]: { name: "test", version: "1" },
            [`${PREFIX}/clientCapabilities`]: { extensions },
          },
        },
      }),
    });
    const body = await response.text();
    const data = body.startsWith("{") ? body : body.match(/^data: (\{.*)$/m)?.[1];
    if (data === undefined) throw new Error(`No answer in: ${body}`);
    return JSON.parse(data);
  };
}
