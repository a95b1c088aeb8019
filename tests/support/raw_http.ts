/**
 * HTTP by hand: what no client library would send, byte by byte.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A message of the 2025 protocol as a request: a request line, headers as they are given, and a body. */
export function rawRequest(headers: readonly string[], body: string | Uint8Array): Uint8Array {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const head = ["POST /mcp HTTP/1.1", "Host: supervise", ...headers, "", ""].join("\r\n");
  return new Uint8Array([...encoder.encode(head), ...bytes]);
}

/** Bytes as one chunk of a body whose length is not announced. */
export function rawChunk(bytes: Uint8Array): Uint8Array {
  return new Uint8Array([
    ...encoder.encode(`${bytes.length.toString(16)}\r\n`),
    ...bytes,
    ...encoder.encode("\r\n"),
  ]);
}

/** A connection on which bytes are sent as they are. */
export interface RawConnection extends Disposable {
  /** Sends bytes. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Ends the sending side alone. */
  readonly end: () => Promise<void>;
  /** Reads on to the end of the text, or of the connection; the result is what came since the last time. */
  readonly readUntil: (text: string) => Promise<string>;
}

/**
 * Opens a connection.
 *
 * @param url The server.
 * @returns The connection, for `using`.
 */
export async function connectRaw(url: URL): Promise<RawConnection> {
  const conn = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  conn.setNoDelay();
  const buffer = new Uint8Array(65_536);
  let received = "";
  return {
    async send(bytes) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
    end: () => conn.closeWrite(),
    async readUntil(text) {
      while (!received.includes(text)) {
        // A reset ends a connection too.
        const length = await conn.read(buffer).catch(() => null);
        if (length === null) break;
        received += new TextDecoder().decode(buffer.subarray(0, length));
      }
      const at = received.indexOf(text);
      const read = received.slice(0, at < 0 ? undefined : at + text.length);
      received = received.slice(read.length);
      return read;
    },
    [Symbol.dispose]: () => conn.close(),
  };
}

/**
 * Sends one request on a connection of its own, and reads until the server closes it.
 *
 * @param url The server.
 * @param request The bytes; its headers should say `Connection: close`.
 * @returns The status, 0 if none came, and all that came.
 */
export async function exchange(url: URL, request: Uint8Array): Promise<[number, string]> {
  using connection = await connectRaw(url);
  await connection.send(request);
  const text = await connection.readUntil("\0");
  return [Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text];
}
