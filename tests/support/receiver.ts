/**
 * A receiver of notifications on this host: what it was sent, and how it answers.
 *
 * @module
 */

import type { TempDir } from "./temp.ts";
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** The secret of the specification's own test vector. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** A request as it came in. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A receiver that listens. */
export interface TestReceiver extends AsyncDisposable {
  /** Its host and port. */
  readonly hostPort: string;
  /** An address of it. */
  readonly url: (path: string) => string;
  /** The next request, waited for. */
  readonly next: () => Promise<Received>;
  /** How many requests have come that nobody asked {@linkcode next} for. */
  readonly left: () => number;
}

/**
 * Starts a receiver.
 *
 * @param answer How it answers; with 200 unless given. One that never comes leaves the request open.
 * @returns The receiver, for `await using`.
 */
export function startReceiver(
  answer: (request: Received) => Response | Promise<Response> = () => new Response(null),
): TestReceiver {
  const received: Received[] = [];
  let arrived = Promise.withResolvers<void>();
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stop.signal },
    async (request) => {
      const { method, headers } = request;
      const path = new URL(request.url).pathname;
      const one = { method, path, headers, body: await request.text() };
      received.push(one);
      arrived.resolve();
      return await answer(one);
    },
  );
  const hostPort = `127.0.0.1:${server.addr.port}`;
  return {
    hostPort,
    url: (path) => `http://${hostPort}${path}`,
    next: async () => {
      while (received.length === 0) {
        await arrived.promise;
        arrived = Promise.withResolvers<void>();
      }
      return received.shift()!;
    },
    left: () => received.length,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await server.finished;
    },
  };
}

/**
 * Whether a webhook is signed as Standard Webhooks has it, by a verifier that shares no code with ours.
 *
 * @param received The request.
 * @param secret The secret, `whsec_` and base64.
 * @returns Whether one of its signatures fits, and the timestamp is now.
 */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const timestamp = Number(headers.get("webhook-timestamp"));
  if (!(Math.abs(Date.now() / 1000 - timestamp) < 300)) return false;
  const content = `${headers.get("webhook-id")}.${timestamp}.${body}`;
  const expected = createHmac("sha256", key).update(content).digest();
  return (headers.get("webhook-signature") ?? "").split(" ").some((signature) => {
    const [version, base64 = ""] = signature.split(",");
    const given = Buffer.from(base64, "base64");
    return version === "v1" && given.length === 32 && timingSafeEqual(given, expected);
  });
}

/**
 * Writes `notify.json`, and a file in `private/` for each secret.
 *
 * @param dir The root.
 * @param config The configuration; a string is written as it is.
 * @param secrets The files in `private/`, by name.
 */
export async function configure(
  dir: TempDir,
  config: unknown,
  secrets: Readonly<Record<string, string>> = { "webhook-secret": `${SECRET}\n` },
): Promise<void> {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  await Deno.mkdir(dir.at("private"), { recursive: true, mode: 0o700 });
  const files: Record<string, string> = { "notify.json": text };
  for (const [name, secret] of Object.entries(secrets)) files[`private/${name}`] = secret;
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(dir.at(name), content, { mode: 0o600 });
    await Deno.chmod(dir.at(name), 0o600);
  }
}
