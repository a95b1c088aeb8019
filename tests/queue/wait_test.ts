import { type ProposalResponse, waitForResponse, writeResponse } from "../../mod.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { setImmediate } from "node:timers";

const answer = (proposalId: string): ProposalResponse => ({
  proposalId,
  status: "approved",
  notes: `for ${proposalId}`,
  finalFile: "x\n",
});

Deno.test("waitForResponse() returns an answer that is there already", async () => {
  await using dir = await tempDir();
  await writeResponse(dir.path, answer("p1"));
  assertEquals(await waitForResponse(dir.path, "p1"), answer("p1"));
});

Deno.test("waitForResponse() is told by an event, long before the poll interval is over", async () => {
  await using dir = await tempDir();
  const waiting = waitForResponse(dir.path, "p1", { pollIntervalMs: 2 ** 30 });
  // Until the first look has found nothing.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  await writeResponse(dir.path, answer("p1"));
  assertEquals(await waiting, answer("p1"));
});

Deno.test("waitForResponse() looks at every interval, for a directory that comes later", async () => {
  await using dir = await tempDir();
  const queue = dir.at("later", "dev-1");
  const waiting = waitForResponse(queue, "p1", { pollIntervalMs: 10 });
  await writeResponse(queue, answer("p1"));
  assertEquals(await waiting, answer("p1"));
});

Deno.test("waitForResponse() takes a malformed response for none, and waits for a sound one", async () => {
  await using dir = await tempDir();
  const path = dir.at("p1.response.json");
  await Deno.writeTextFile(path, '{"proposal_id": "p1", "sta');
  const early = waitForResponse(dir.path, "p1", { timeoutMs: 50, pollIntervalMs: 5 });
  await assertRejects(() => early, DOMException, "none came within 50 ms");
  const waiting = waitForResponse(dir.path, "p1", { pollIntervalMs: 5 });
  await Deno.remove(path);
  await writeResponse(dir.path, answer("p1"));
  assertEquals(await waiting, answer("p1"));
});

Deno.test("waitForResponse() ends with the signal's reason", async () => {
  await using dir = await tempDir();
  const end = new AbortController();
  const waiting = waitForResponse(dir.path, "p1", { signal: end.signal });
  end.abort(new Error("gone"));
  await assertRejects(() => waiting, Error, "gone");
  await assertRejects(() => waitForResponse(dir.path, "p1", { signal: end.signal }), Error, "gone");
});

Deno.test("waitForResponse() gives each of 200 waiters its own answer", async () => {
  await using dir = await tempDir();
  const ids = Array.from({ length: 200 }, (_, n) => `p${n}`);
  const waiting = ids.map((id) => waitForResponse(dir.path, id));
  for (const id of ids) await writeResponse(dir.path, answer(id));
  assertEquals(
    (await Promise.all(waiting)).map(({ notes }) => notes),
    ids.map((id) => `for ${id}`),
  );
});

Deno.test("waitForResponse() leaves no watch behind", async () => {
  await using dir = await tempDir();
  for (const options of [{ timeoutMs: 1 }, { signal: AbortSignal.timeout(1) }]) {
    await assertRejects(() => waitForResponse(dir.path, "p1", options), DOMException);
  }
});

Deno.test("waitForResponse() tells once of an answer that it cannot read", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("p1.response.json"));
  const told: string[] = [];
  const waiting = waitForResponse(dir.path, "p1", {
    timeoutMs: 60,
    pollIntervalMs: 5,
    onUnreadable: (error) => told.push(error.message),
  });
  await assertRejects(() => waiting, DOMException);
  assertEquals(told, [`Cannot read ${dir.at("p1.response.json")}: it is a directory`]);
});

Deno.test("waitForResponse() waits without an end where a timer could not, and refuses what is no time", async () => {
  await using dir = await tempDir();
  const waiting = [Infinity, 2 ** 31, 2 ** 40].map((timeoutMs) =>
    waitForResponse(dir.path, "p1", { timeoutMs, pollIntervalMs: 2 ** 40 })
  );
  const ended = Promise.race(waiting).then(() => "an answer", ({ name }) => String(name));
  // A timer for too long goes off before one that was set after it, for longer.
  const after = waitForResponse(dir.path, "p2", { timeoutMs: 50 });
  const first = await Promise.race([ended, after.catch(() => "the one that ends")]);
  assertEquals(first, "the one that ends");
  await writeResponse(dir.path, answer("p1"));
  assertEquals(await Promise.all(waiting), [answer("p1"), answer("p1"), answer("p1")]);
  for (const options of [{ timeoutMs: -1 }, { timeoutMs: NaN }, { pollIntervalMs: 0 }]) {
    await assertRejects(() => waitForResponse(dir.path, "p2", options), RangeError, "Cannot wait");
  }
});
