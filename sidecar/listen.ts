/**
 * HTTP: reads a request from a bounded connection, and sends its response. `node:http` parses.
 *
 * @module
 */

import { type Connection, type Connections, openConnections } from "./connections.ts";
import { type Incoming, MAX_BODY_BYTES, plain, rpcError } from "./http.ts";
import type { Log } from "./settings.ts";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setImmediate } from "node:timers";

const COMMENT = ": held\n\n";

/** What a comment in a stream begins with. */
const COLON = COMMENT.charCodeAt(0);

/** How many turns of the event loop a call takes until its response is there, if it is not held. */
const TURNS = 4;

/** What a listening sidecar needs. */
export interface ListenOptions {
  /** Where clients connect. */
  readonly listener: Deno.TcpListener;
  /** How many calls may be held at once: each needs a connection. */
  readonly maxHeld: number;
  /** Where events are logged. */
  readonly log: Log;
  /** Answers a request. */
  readonly handle: (incoming: Incoming) => Promise<Response>;
}

/** Answers what comes; the result stops that, and waits until what is being answered has been sent. */
export function listen({ listener, maxHeld, log, handle }: ListenOptions): () => Promise<void> {
  /** The last response of each connection. */
  const responses = new WeakMap<Connection, ServerResponse>();
  let turn = Promise.resolve();
  /**
   * Lets the requests go on one after another, a few turns of the event loop apart. Many that arrive together
   * would otherwise be answered step by step together, and all their responses be in memory before the first
   * one counts.
   */
  function nextTurn(): Promise<void> {
    const mine = turn;
    turn = mine.then(async () => {
      for (let n = 0; n < TURNS; n++) await new Promise((resolve) => void setImmediate(resolve));
    });
    return mine;
  }

  const http = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const connection = connections.of(request.socket);
    const last = connection && responses.get(connection);
    // No MCP client sends a request before it has the response to the last one. Bytes that are held still
    // are of that response: while the next call is held, nothing would bound them.
    if (connection === undefined || connection.bytes > 0 || last?.writableEnded === false) {
      return void request.socket.destroy();
    }
    responses.set(connection, response);
    if (connection.phase !== "reading") connections.enter(connection, "reading");
    response.once("finish", () => {
      // The client may have sent its next request, or a part of it, before this event.
      if (connection.phase === "sending" && response.shouldKeepAlive) {
        connections.enter(connection, "idle");
      }
    });
    answer(request, response, connection).catch((error) => {
      log("failed", { error: error instanceof Error ? error.name : "unknown" });
      request.socket.destroy();
    });
  });
  // Deno's `node:http` closes every connection of a server that does not listen behind its first response,
  // without a word to the client, whose next request then fails. This server is handed its connections.
  Object.defineProperty(http, "listening", { value: true });
  http.on("clientError", (_error, socket) => {
    socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    socket.resume();
  });
  const connections = openConnections(
    listener,
    maxHeld,
    log,
    (socket) => http.emit("connection", socket),
  );

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    connection: Connection,
  ): Promise<void> {
    for (const stream of [request, response]) stream.on("error", () => {});
    let bodyBytes = 0;
    const giveBack = () => {
      connections.give(connection, bodyBytes);
      bodyBytes = 0;
    };
    const incoming: Incoming = {
      method: request.method ?? "",
      path: (request.url ?? "").split("?")[0]!,
      rawHeaders: request.rawHeaders,
      async read() {
        const chunks: Uint8Array[] = [];
        const refusal = await readBody(request, connection, connections, chunks);
        if (refusal !== undefined) return refusal;
        bodyBytes = connection.bytes;
        connections.enter(connection, "answering");
        await nextTurn();
        // The request lives as long as its response, and what listens to it keeps this list.
        return Buffer.concat(chunks.splice(0));
      },
      giveBack,
      nextTurn,
      isTaken: () => connection.bytes === 0,
    };
    let result: Response;
    try {
      result = await handle(incoming);
    } catch (error) {
      log("failed", { error: error instanceof Error ? error.name : "unknown" });
      result = plain(500, "Cannot answer: the sidecar failed");
    }
    // What comes of a body that was not read is dropped, unparsed, and then the connection is closed.
    if (!request.complete) response.shouldKeepAlive = false;
    for (const [name, value] of result.headers) {
      if (name !== "connection") response.setHeader(name, value);
    }
    response.statusCode = result.status;
    if (result.headers.get("content-type")?.startsWith("text/event-stream")) {
      await stream(result, response, connection, giveBack);
    } else {
      giveBack();
      const bytes = await result.bytes();
      connections.enter(connection, request.complete ? "sending" : "refused");
      response.end(bytes);
    }
  }

  async function stream(
    result: Response,
    response: ServerResponse,
    connection: Connection,
    giveBack: () => void,
  ): Promise<void> {
    // At once, so that no client takes a held call for a dead one.
    response.write(COMMENT);
    const reader = result.body!.getReader();
    // The client is gone: this ends its hold. Of a response whose turn has not come, the socket alone tells.
    const { socket } = response.req;
    const onClose = () => void reader.cancel().catch(() => {});
    socket.once("close", onClose);
    if (socket.destroyed) onClose();
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      // A client that has not taken what came before needs no comment to keep the stream alive.
      if (value[0] === COLON && connection.bytes > 0) continue;
      giveBack();
      connections.take(connection, value.length);
      response.write(value, () => connections.give(connection, value.length));
    }
    socket.off("close", onClose);
    connections.enter(connection, "sending");
    response.end();
  }

  return connections.close;
}

/** Smaller chunks share a block of this many bytes: kept by itself, one byte would hold hundreds. */
const BLOCK_BYTES = 4 * 1024;

/** Adds a chunk to a list. */
function addTo(chunks: Uint8Array[]): (chunk: Uint8Array) => void {
  let room = new Uint8Array();
  return (chunk) => {
    if (chunk.length >= BLOCK_BYTES) return void chunks.push(chunk);
    if (chunk.length > room.length || chunks.at(-1)?.buffer !== room.buffer) {
      room = new Uint8Array(BLOCK_BYTES);
      chunks.push(room.subarray(0, 0));
    }
    const block = chunks.pop()!;
    room.set(chunk);
    room = room.subarray(chunk.length);
    chunks.push(new Uint8Array(block.buffer, 0, block.length + chunk.length));
  };
}

/** A body of more chunks than this must have so many bytes a chunk: a chunk of one byte costs as much to parse. */
const MANY_CHUNKS = 1024;
const LEAST_CHUNK_BYTES = 256;

/** Reads a body into a list, or gives the refusal of one that is too large or does not come. */
function readBody(
  request: IncomingMessage,
  connection: Connection,
  connections: Connections,
  chunks: Uint8Array[],
): Promise<Response | undefined> {
  return new Promise((resolve) => {
    let [length, count] = [0, 0];
    const add = addTo(chunks);
    const refuse = (refusal: Response) => {
      request.off("data", onData);
      chunks.length = 0;
      connections.give(connection, connection.bytes);
      resolve(refusal);
    };
    /** Refuses a body of this length if it is too long. */
    const isTooLong = (bytes: number): boolean => {
      if (bytes <= MAX_BODY_BYTES) return false;
      refuse(rpcError(413, -32600, `Request body larger than ${MAX_BODY_BYTES} bytes`));
      return true;
    };
    const onData = (chunk: Uint8Array) => {
      length += chunk.length;
      if (isTooLong(length)) return;
      if (++count > MANY_CHUNKS && length < count * LEAST_CHUNK_BYTES) {
        return refuse(rpcError(400, -32600, "Request body in too many small chunks"));
      }
      // What is announced does not count: it costs the client nothing, and others would make room for it.
      if (connections.take(connection, chunk.length)) return add(chunk);
      refuse(rpcError(503, -32603, "Too many bytes of other requests: try again"));
    };
    if (isTooLong(Number(request.headers["content-length"] ?? 0))) return;
    request.on("data", onData);
    request.once("end", () => resolve(undefined));
    // The client is gone: no response reaches it.
    request.once("close", () => resolve(plain(400, "Cannot read the body: it ended too soon")));
  });
}
