/**
 * A proxy that does with its list what real ones were seen to do, at a moment that a test chooses.
 *
 * @module
 */

/** How it answers from now on, and what it was asked. */
export interface FakeProxy extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string;
  /** Gives the status for each target that is asked for; `null` closes the connection without a word. */
  answer: (target: string) => number | null;
  /** What was asked for, in order. */
  readonly asked: string[];
}

/**
 * Starts one on the loopback interface.
 *
 * @param answer Gives the status for a host of CONNECT, or for a path of GET.
 */
export function startFakeProxy(answer: FakeProxy["answer"]): FakeProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const proxy: FakeProxy = {
    address: `127.0.0.1:${listener.addr.port}`,
    answer,
    asked: [],
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await served;
    },
  };
  async function serve(connection: Deno.Conn): Promise<void> {
    try {
      const bytes = new Uint8Array(4_096);
      const length = await connection.read(bytes) ?? 0;
      const line = new TextDecoder().decode(bytes.subarray(0, length));
      const target = /^(?:CONNECT (\S+):443|GET (\S+)) HTTP\/1\.1\r\n/.exec(line)!;
      proxy.asked.push(target[1] ?? target[2]!);
      const status = proxy.answer(target[1] ?? target[2]!);
      if (status === null) return;
      await connection.write(new TextEncoder().encode(`HTTP/1.1 ${status} Word\r\n\r\n`));
    } catch {
      // The one that asks has left.
    } finally {
      connection.close();
    }
  }
  const served = (async () => {
    const open = [];
    try {
      for await (const connection of listener) open.push(serve(connection));
    } catch {
      // It was closed.
    }
    await Promise.all(open);
  })();
  return proxy;
}
