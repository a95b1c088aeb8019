import { openHolder } from "../../sidecar/hold.ts";
import { createServer } from "../../sidecar/server.ts";
import { incomingMessage } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";

/** Lets the test decide when an interval has passed, to the end of the block. */
function holdIntervals(): Disposable & { readonly pass: () => void } {
  const { setInterval, clearInterval } = globalThis;
  const running = new Map<number, () => void>();
  globalThis.setInterval = ((run: () => void) => {
    running.set(running.size + 1, run);
    return running.size;
  }) as unknown as typeof setInterval;
  globalThis.clearInterval = (id) => void running.delete(Number(id));
  return {
    pass: () => running.forEach((run) => run()),
    [Symbol.dispose]: () => void Object.assign(globalThis, { setInterval, clearInterval }),
  };
}

const LIMITS = {
  holdMs: 0,
  holdWithProgressMs: Infinity,
  repeatMs: 600_000,
  maxHeld: 1,
  maxPending: 1,
};

Deno.test("a held call tells its client that it waits, also while the queue cannot be read", async () => {
  await using dir = await tempDir();
  using intervals = holdIntervals();
  const events: string[] = [];
  const told: string[] = [];
  const end = new AbortController();
  const holder = openHolder({
    bottleSlug: "dev-1",
    queueDir: dir.at("queue"),
    log: (event) => events.push(event),
    limits: LIMITS,
  });
  const question = {
    tool: "pipelock-block",
    proposedFile: "x.example\n",
    justification: "Why.",
    currentFileHash: "",
  } as const;
  const tell = (_: number, message: string) => {
    told.push(message.replace(/\d+ s/, "N s"));
    return Promise.resolve();
  };
  const held = holder.ask(question, {
    signal: end.signal,
    session: "a",
    requestId: 1,
    characters: 100,
    onHeld: () => {},
    nextTurn: () => Promise.resolve(),
    tell,
  });
  while (!events.includes("proposed")) await new Promise((resolve) => setTimeout(resolve, 1));
  intervals.pass();
  await Deno.rename(dir.at("queue"), dir.at("gone"));
  await Deno.symlink(dir.at("gone"), dir.at("queue"));
  intervals.pass();
  assertEquals(told, [
    "waiting for the operator, N s, you are next",
    "waiting for the operator, N s",
  ]);
  holder.release("a", 1);
  const outcome = await held.catch((error) => error);
  assert(outcome instanceof Error, "nor can the result say how many come first");
  holder.close();
});

// Threat: A14
Deno.test("a client that has not taken what was sent gets no further progress message", async () => {
  await using dir = await tempDir();
  using intervals = holdIntervals();
  const server = createServer({
    bottleSlug: "dev-1",
    queueDir: dir.at("queue"),
    version: "1",
    allowedHosts: [],
    token: undefined,
    log: () => {},
    limits: LIMITS,
  });
  const isHeld = Promise.withResolvers<void>();
  let isTaken = false;
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: {
      name: "pipelock-block",
      arguments: { proposed_file: "x.example\n", justification: "Why." },
      _meta: { progressToken: "t" },
    },
  };
  const body = new TextEncoder().encode(JSON.stringify(message));
  const response = await server.handle(
    incomingMessage(body, { giveBack: isHeld.resolve, isTaken: () => isTaken }),
  );
  await isHeld.promise;
  for (let n = 0; n < 3; n++) intervals.pass();
  isTaken = true;
  intervals.pass();
  server.close();
  const text = await response.text();
  assertEquals(text.match(/notifications\/progress/g)?.length, 1, text);
});
