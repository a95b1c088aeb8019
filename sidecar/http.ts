/**
 * What a request must be before MCP sees it: from somebody who may ask, bounded, one JSON object.
 *
 * @module
 */

import { hasQueueDirectory, jsonExcess, sha256Hex } from "../sidecar_mod.ts";
import { timingSafeEqual } from "node:crypto";

/** The largest body that is read, in bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** The deepest nesting that is parsed; a tool call needs less than ten levels. */
const MAX_DEPTH = 64;

/** A request, read as far as its headers. */
export interface Incoming {
  readonly method: string;
  /** Its target without the query. */
  readonly path: string;
  /** The names and values of its headers in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** Reads its body; the result is a refusal if it has no body that may be read. */
  readonly read: () => Promise<Uint8Array | Response>;
  /** Nothing of its body is needed any more: its bytes no longer count. */
  readonly giveBack: () => void;
  /** Waits until it is this request's turn: what takes much memory is done for one request after another. */
  readonly nextTurn: () => Promise<void>;
  /** Whether the client has taken all of the response that was sent so far. */
  readonly isTaken: () => boolean;
}

/** A response in plain text. */
export function plain(status: number, text: string, headers: HeadersInit = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}

/** A response that a JSON-RPC client can read. */
export function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", id: null, error: { code, message } }, { status });
}

/**
 * Refuses a request that names another server, as DNS rebinding does, or that a page of another site sends. A
 * name is compared as it is written: a URL parser would read `evil@localhost` and `0x7f.1` as names of this
 * server, which another reader would not.
 *
 * @param hosts Its names, in lower case.
 */
export function refuseOtherHosts(
  headers: Headers,
  hosts: readonly string[],
): Response | undefined {
  const host = headers.get("host") ?? "";
  // What is no browser sends no Origin.
  const origin = headers.get("origin") ?? `http://${host}`;
  const sites = { Host: host, Origin: /^https?:\/\/(.*)$/.exec(origin)?.[1] ?? "" };
  for (const [header, site] of Object.entries(sites)) {
    if (hosts.includes(site.toLowerCase().replace(/:\d{1,5}$/, ""))) continue;
    const reason = `Invalid ${header}: not a name of this server; --allowed-host adds one`;
    return rpcError(403, -32000, reason);
  }
  return undefined;
}

/**
 * Refuses a request without the bearer token, if the sidecar has one. Compares hashes of equal length, in
 * constant time.
 */
export function refuseWithoutToken(
  headers: Headers,
  token: string | undefined,
): Response | undefined {
  if (token === undefined) return undefined;
  const given = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
  const digest = (text: string) => new TextEncoder().encode(sha256Hex(text));
  if (timingSafeEqual(digest(given), digest(token))) return undefined;
  return plain(401, "Cannot let you in: the bearer token is missing or wrong", {
    "www-authenticate": 'Bearer realm="supervise"',
  });
}

/**
 * The headers that this server reads, itself or through the SDK. Each may be there once; the SDK gets these
 * and no others, with the content type that was checked here.
 */
const HEADERS = [
  "accept",
  "authorization",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
  "origin",
  "transfer-encoding",
];

/** The headers that count, from names and values in turn; the refusal if one of them is there twice. */
export function readHeaders(rawHeaders: readonly string[]): Headers | Response {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!HEADERS.includes(name)) continue;
    if (headers.has(name)) return plain(400, `Cannot read that: the header ${name} is there twice`);
    headers.set(name, rawHeaders[at + 1]!);
  }
  return headers;
}

/** Refuses what is not JSON in UTF-8, sent as it is: nothing else is read here, and so nothing else gets on. */
export function refuseOtherContent(headers: Headers): Response | undefined {
  const type = headers.get("content-type") ?? "";
  const isJson = /^application\/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i.test(type);
  const isPlain = /^(identity)?$/i.test(headers.get("content-encoding") ?? "") &&
    /^(chunked)?$/i.test(headers.get("transfer-encoding") ?? "");
  if (isJson && isPlain) return undefined;
  return rpcError(415, -32000, "Unsupported media type: expected application/json in UTF-8");
}

/**
 * Parses the one JSON-RPC message of a POST; the SDK gets the value, and never the bytes. The result is the
 * refusal, 400, if it is not JSON, nested too deep, or a batch.
 */
export function parseMessage(bytes: Uint8Array): object | Response {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return rpcError(400, -32700, "Parse error: the body is not UTF-8");
  }
  // Before it is parsed: many small values take a second to parse, and nothing else runs meanwhile.
  const excess = jsonExcess(bytes, MAX_DEPTH);
  if (excess !== undefined) return rpcError(400, -32600, `Invalid request: ${excess}`);
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
  return message;
}

/** Answers the health check: 200 if the queue directory exists, else 503. It says which process answers. */
export function health(method: string, queueDir: string): Response {
  if (method !== "GET" && method !== "HEAD") {
    return plain(405, "Cannot do that: /healthz answers GET", { allow: "GET, HEAD" });
  }
  return hasQueueDirectory(queueDir)
    ? plain(200, "ok", { pid: String(Deno.pid) })
    : plain(503, "Cannot find the queue directory");
}

/**
 * The JSON-RPC id of the call that a message cancels; `undefined` if it cancels none. The id says nothing of
 * the client: clients count from 0, so that of two in a bottle both have it.
 */
export function cancelledId(message: object): string | number | undefined {
  const { method, params } = message as { method?: unknown; params?: { requestId?: unknown } };
  if (method !== "notifications/cancelled") return undefined;
  const id = params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}
