/**
 * The sidecar's connections: how many there may be, how long a request may take to arrive, and how many bytes
 * all of them may hold. Where one bound is reached, a connection that has not sent a whole request is closed,
 * the oldest, or of bytes the one that has held most for longest, so that a client that comes later still gets
 * in. A connection whose call is being answered stays.
 *
 * The limits of `node:http` are not used: its own accept loop ends without a word when the process is out of
 * files (docs/adr/0033-connections.md).
 *
 * @module
 */

import type { Log } from "./settings.ts";
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

/** How many bytes of requests and responses all connections may hold. */
const MAX_BYTES = 16 * 1024 * 1024;

/** How many connections there may be besides those whose calls are held. */
const SPARE_CONNECTIONS = 256;

/** How many connections are given up when the process is out of files, so that the queue's can be opened. */
const SPARE_FILES = 32;

/** How many connections there may be however few files there are. */
const LEAST_CONNECTIONS = 8;

/** How much is read at once: each connection has a buffer of this size. */
const READ_BYTES = 16 * 1024;

/**
 * The same, until a connection holds as much as the other. In one turn of the event loop all that was read
 * is parsed, and who connects waits for some turns: 16 KiB in chunks of one byte take 15 milliseconds.
 */
const FIRST_READ_BYTES = 1024;

/** How much is read of a request that was refused: many clients send all of it before they read. */
const REFUSED_BYTES = 8 * 1024 * 1024;

/** How often the times are looked at. */
const CHECK_EVERY_MS = 1_000;

/** How long to wait after a connection could not be accepted. */
const RETRY_MS = 100;

/**
 * What a connection is doing. It is never closed while it is `answering`: its request is complete, and the
 * response has not ended yet. It is `refused` if it has its response and its request is not complete.
 */
export type Phase = "idle" | "reading" | "answering" | "sending" | "refused";

/** How long a connection may be in a phase. Clients keep an idle connection for up to 90 seconds. */
const MAX_MS: Readonly<Record<Phase, number>> = {
  idle: 120_000,
  reading: 15_000,
  answering: Infinity,
  sending: 15_000,
  refused: 1_000,
};

/** A connection. */
export interface Connection {
  /** Its bytes, for `node:http`. */
  readonly socket: Duplex;
  /** Since when it has been in its phase, as `performance.now()` has it. */
  since: number;
  phase: Phase;
  /** How many bytes it holds. */
  bytes: number;
}

/** All connections of a server. */
export interface Connections {
  /** The connection with this socket; `undefined` once it is closed. */
  readonly of: (socket: object) => Connection | undefined;
  /** Puts a connection into a phase. */
  readonly enter: (connection: Connection, phase: Phase) => void;
  /** Lets a connection hold more bytes; `false` if it is closed, or is the next to be closed for its bytes. */
  readonly take: (connection: Connection, bytes: number) => boolean;
  /** Takes bytes back. */
  readonly give: (connection: Connection, bytes: number) => void;
  /** Accepts no more, and returns when what is being answered has been sent. */
  readonly close: () => Promise<void>;
}

/**
 * Accepts connections until it is closed. No error of `accept` ends it.
 *
 * @param onSocket Gets the socket of each.
 */
export function openConnections(
  listener: Deno.TcpListener,
  maxHeld: number,
  log: Log,
  onSocket: (socket: Duplex) => void,
): Connections {
  const most = maxHeld + SPARE_CONNECTIONS;
  let limit = most;
  /** The connections by the time at which they entered their phase. */
  const open = new Map<object, Connection>();
  let bytesInAll = 0;
  let isClosing = false;
  let freed = Promise.withResolvers<void>();
  const counts = { evicted: 0, late: 0, accept_failed: 0 };

  function enter(connection: Connection, phase: Phase): void {
    const { socket } = connection;
    if (!open.delete(socket)) return;
    connection.phase = phase;
    connection.since = performance.now();
    open.set(socket, connection);
    if (isClosing && phase === "idle") socket.destroy();
  }

  function give(connection: Connection, bytes: number): void {
    // A closed connection has given back everything.
    if (!open.has(connection.socket)) return;
    connection.bytes -= bytes;
    bytesInAll -= bytes;
  }

  function add(conn: Deno.TcpConn): void {
    let refusedBytes = 0;
    const socket = socketOf(conn, (bytes) => {
      if (connection.phase === "refused") {
        refusedBytes += bytes.length;
        if (refusedBytes > REFUSED_BYTES) socket.destroy();
        return false;
      }
      if (isLineEnd(bytes)) return true;
      // A second request before the first one is answered: no MCP client sends that.
      if (connection.phase === "answering") socket.destroy();
      // The last response may have reached the client before `node:http` knows that it was sent.
      else if (connection.phase !== "reading") enter(connection, "reading");
      return true;
    }, () => {
      const isCheap = connection.phase === "refused" || connection.bytes >= READ_BYTES;
      return isCheap ? READ_BYTES : FIRST_READ_BYTES;
    }, () => {
      give(connection, connection.bytes);
      open.delete(socket);
      freed.resolve();
      freed = Promise.withResolvers();
    });
    const connection: Connection = { socket, phase: "idle", since: performance.now(), bytes: 0 };
    open.set(socket, connection);
    onSocket(socket);
  }

  function evict(connection: Connection): void {
    counts.evicted++;
    connection.socket.destroy();
  }

  /** Closes the oldest connection that may be closed; `false` if no connection may be closed. */
  function evictOldest(): boolean {
    const oldest = open.values().find(({ phase }) => phase !== "answering");
    if (oldest !== undefined) evict(oldest);
    return oldest !== undefined;
  }

  /** Of the connections that may be closed, the one with most bytes times age: a client sends in one go. */
  function largestForLongest(): Connection | undefined {
    const now = performance.now();
    let [found, heaviest]: [Connection | undefined, number] = [undefined, 0];
    for (const connection of open.values()) {
      const { phase, bytes, since } = connection;
      const weight = bytes * (now - since + 1);
      if (phase === "answering" || weight <= heaviest) continue;
      [found, heaviest] = [connection, weight];
    }
    return found;
  }

  async function acceptAll(): Promise<void> {
    while (!isClosing) {
      let conn: Deno.TcpConn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (isClosing) return;
        counts.accept_failed++;
        if (["EMFILE", "ENFILE"].includes((error as { code?: string }).code ?? "")) {
          limit = Math.max(LEAST_CONNECTIONS, Math.min(limit, open.size) - SPARE_FILES);
        }
        while (open.size > limit && evictOldest());
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      while (open.size >= limit && !evictOldest()) await freed.promise;
      add(conn);
    }
  }

  const timer = setInterval(() => {
    // The flood is over, or it was another process that had used up the files.
    if (open.size <= limit / 2) limit = most;
    const now = performance.now();
    for (const { phase, since, socket } of open.values()) {
      if (now - since <= MAX_MS[phase]) continue;
      if (phase !== "idle") counts.late++;
      socket.destroy();
    }
    if (Object.values(counts).some((count) => count > 0)) {
      log("connections", { open: open.size, ...counts });
      Object.assign(counts, { evicted: 0, late: 0, accept_failed: 0 });
    }
  }, CHECK_EVERY_MS);

  void acceptAll();
  return {
    of: (socket) => open.get(socket),
    enter,
    give,
    take(connection, bytes) {
      // What a closed connection took, nobody would give back.
      if (!open.has(connection.socket)) return false;
      connection.bytes += bytes;
      bytesInAll += bytes;
      while (bytesInAll > MAX_BYTES) {
        const other = largestForLongest();
        if (other === undefined || other === connection) return false;
        evict(other);
      }
      return true;
    },
    async close() {
      isClosing = true;
      listener.close();
      for (const { phase, socket } of open.values()) {
        if (phase === "idle" || phase === "reading") socket.destroy();
      }
      while (open.size > 0) await freed.promise;
      clearInterval(timer);
    },
  };
}

/** A line end behind a body is no request: some clients send one (RFC 9112, section 2.2). */
function isLineEnd(bytes: Uint8Array): boolean {
  return bytes.length <= 2 && bytes.every((byte) => byte === 0x0d || byte === 0x0a);
}

/** What is read into, and used again: as garbage it would outgrow what is in use. */
const buffers: Uint8Array<ArrayBuffer>[] = [];

/**
 * A connection as `node:http` takes it.
 *
 * @param onBytes Whether `node:http` gets these bytes.
 * @param mostBytes How much the next read may give.
 * @param onClose Called once, and at once.
 */
function socketOf(
  conn: Deno.TcpConn,
  onBytes: (bytes: Uint8Array) => boolean,
  mostBytes: () => number,
  onClose: () => void,
): Duplex {
  try {
    // Else the kernel keeps the end of a response until the client's has acknowledged its start: 40 ms.
    conn.setNoDelay();
  } catch {
    // The client is gone: reading says so.
  }
  const socket = new Duplex({
    readableHighWaterMark: READ_BYTES,
    read() {
      const buffer = buffers.pop() ?? new Uint8Array(READ_BYTES);
      conn.read(buffer.subarray(0, mostBytes())).then((length) => {
        if (length === null) return void this.push(null);
        const bytes = buffer.slice(0, length);
        if (onBytes(bytes)) this.push(bytes);
        else if (!this.destroyed) this._read(READ_BYTES);
      }).catch((error) => this.destroy(error)).finally(() => buffers.push(buffer));
    },
    // A small chunk and what HTTP puts around it are one packet; a large one is not copied.
    writev(parts, done) {
      const chunks: Uint8Array[] = parts.map(({ chunk }) => chunk);
      const areSmall = chunks.every(({ length }) => length <= READ_BYTES);
      writeAll(conn, areSmall ? [Buffer.concat(chunks)] : chunks).then(() => done(), done);
    },
    final(done) {
      conn.closeWrite().then(() => done(), done);
    },
    destroy(error, done) {
      onClose();
      try {
        conn.close();
      } catch {
        // It is closed already.
      }
      done(error);
    },
  });
  // A client that goes in the middle is no event worth a line.
  socket.on("error", () => {});
  return socket;
}

async function writeAll(conn: Deno.TcpConn, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) at += await conn.write(chunk.subarray(at));
  }
}
