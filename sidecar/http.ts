/**
 * What a request must be before MCP sees it: from somebody who may ask, bounded, one JSON object.
 *
 * @module
 */

import { hasQueueDirectory, jsonExcess, sha256Hex } from "../sidecar_mod.ts";
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";

/** The largest body that is read, in bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** The deepest nesting that is parsed; a tool call needs less than ten levels. */
const MAX_DEPTH = 64;

/** A response in plain text. */
export function plain(status: number, text: string, headers: HeadersInit = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}

/** A response that a JSON-RPC client can read. */
function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", id: null, error: { code, message } }, { status });
}

/**
 * Refuses a request without the bearer token, if the sidecar has one. Compares hashes of equal length, in
 * constant time.
 */
export function refuseWithoutToken(
  request: Request,
  token: string | undefined,
): Response | undefined {
  if (token === undefined) return undefined;
  const given = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const digest = (text: string) => new TextEncoder().encode(sha256Hex(text));
  if (timingSafeEqual(digest(given), digest(token))) return undefined;
  const headers = { "www-authenticate": 'Bearer realm="supervise"' };
  return plain(401, "Cannot let you in: the bearer token is missing or wrong", headers);
}

/** Reads a body; `undefined` if it is larger than the bound. */
async function readBounded(request: Request): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads the one JSON-RPC message of a POST. The result is the refusal if there is none: 413 for a body
 * that is too large, 400 for one that is not JSON, nested too deep, or a batch.
 */
export async function readMessage(request: Request): Promise<{ message: object } | Response> {
  const bytes = await readBounded(request);
  if (bytes === undefined) {
    return rpcError(413, -32600, `Request body larger than ${MAX_BODY_BYTES} bytes`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return rpcError(400, -32700, "Parse error: the body is not UTF-8");
  }
  if (jsonExcess(bytes, MAX_DEPTH, Infinity) !== undefined) {
    return rpcError(400, -32600, `Invalid request: nested deeper than ${MAX_DEPTH}`);
  }
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return rpcError(400, -32700, "Parse error: the body is not JSON");
  }
  if (Array.isArray(message)) return rpcError(400, -32600, "Invalid request: no batches here");
  if (typeof message !== "object" || message === null) {
    return rpcError(400, -32600, "Invalid request: expected a JSON object");
  }
  return { message };
}

const COMMENT = new TextEncoder().encode(": held\n\n");

/** Puts a comment in front of an event stream, so that no client takes a held call for a dead one. */
export function withFirstByte(response: Response): Response {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream || response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(COMMENT),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, response);
}

/** Answers the health check: 200 if the queue directory exists, else 503. */
export function health(request: Request, queueDir: string): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "Cannot do that: /healthz answers GET", { allow: "GET, HEAD" });
  }
  return hasQueueDirectory(queueDir)
    ? plain(200, "ok")
    : plain(503, "Cannot find the queue directory");
}

/**
 * The JSON-RPC id of the call that a message cancels; `undefined` if it cancels none. A client of the 2025
 * protocols cancels in a request of its own, which names an id and no client. So another client's call
 * with the same id is released too: it gets "pending", as at its time limit, and can ask again.
 */
export function cancelledId(message: object): string | number | undefined {
  const { method, params } = message as { method?: unknown; params?: { requestId?: unknown } };
  if (method !== "notifications/cancelled") return undefined;
  const id = params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}
