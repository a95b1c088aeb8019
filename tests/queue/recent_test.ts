import {
  archiveProposal,
  type Proposal,
  type ProposalResponse,
  UnsafeFileError,
  writeProposal,
  writeResponse,
} from "../../mod.ts";
import { stampOfFile } from "../../src/disk/read_untrusted.ts";
import { type AskedLately, askedOf, openAskingQueue } from "../../src/queue/recent.ts";
import { encodeProposal } from "../../src/records/codec.ts";
import { flood } from "../support/flood.ts";
import { sampleProposal } from "../support/records.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

const SLUG = "dev-1";

const KEEP_MS = 600_000;

function openQueue(dir: string) {
  const queue = openAskingQueue(dir, SLUG, KEEP_MS);
  return { ...queue, [Symbol.dispose]: queue.close };
}

const proposal = (id: string, more: Partial<Proposal> = {}) =>
  sampleProposal({ id, bottleSlug: SLUG, justification: `Reason ${id}.`, ...more });

const response = (proposalId: string, more: Partial<ProposalResponse> = {}): ProposalResponse => ({
  proposalId,
  status: "rejected",
  notes: `for ${proposalId}`,
  finalFile: null,
  ...more,
});

/** What a queue shows a caller that proposes nothing. */
async function lately(queue: ReturnType<typeof openQueue>) {
  let seen: AskedLately | undefined;
  await queue.propose(proposal("never"), (_, asked) => (seen = asked));
  return {
    pending: [...seen!.pending.keys()].sort(),
    answered: [...seen!.answered.values()].map(({ id, notes }) => `${id}: ${notes}`).sort(),
  };
}

const propose = (queue: ReturnType<typeof openQueue>, proposal: Proposal) =>
  queue.propose(proposal, () => undefined);

let ticks = 0;

/** Does what another process might do, in a tick of the directory's clock of its own. */
async function elsewhere(dir: string, change: () => unknown): Promise<void> {
  await change();
  const tick = 1_000_000_000 + ticks++;
  Deno.utimeSync(dir, tick, tick);
}

/** Counts how often a directory below a folder is listed, to the end of the block. */
function countLists(folder: string): Disposable & { readonly take: () => number } {
  const readDirSync = Deno.readDirSync;
  let listed = 0;
  Deno.readDirSync = (path) => {
    if (String(path).startsWith(folder)) listed++;
    return readDirSync(path);
  };
  return {
    take: () => {
      const taken = listed;
      listed = 0;
      return taken;
    },
    [Symbol.dispose]() {
      Deno.readDirSync = readDirSync;
    },
  };
}

/** Keeps timers from going off by themselves, to the end of the block. */
function holdTimers(): Disposable & { readonly held: (() => void)[] } {
  const { setTimeout, clearTimeout } = globalThis;
  const { unrefTimer } = Deno;
  const held: (() => void)[] = [];
  globalThis.setTimeout = ((run: () => void) => held.push(run)) as unknown as typeof setTimeout;
  globalThis.clearTimeout = () => {};
  Deno.unrefTimer = () => {};
  return {
    held,
    [Symbol.dispose]() {
      Object.assign(globalThis, { setTimeout, clearTimeout });
      Deno.unrefTimer = unrefTimer;
    },
  };
}

Deno.test("propose() shows what is pending, and what other processes answered, archived and asked", async () => {
  await using dir = await tempDir();
  using queue = openQueue(dir.path);
  assertEquals(await lately(queue), { pending: [], answered: [] });
  assertEquals(await propose(queue, proposal("p1")), undefined);
  assertEquals(await lately(queue), { pending: ["p1"], answered: [] });

  await elsewhere(dir.path, async () => {
    await writeProposal(dir.path, proposal("p2"));
    await writeProposal(dir.path, proposal("other", { bottleSlug: "dev-2" }));
  });
  assertEquals(await lately(queue), { pending: ["p1", "p2"], answered: [] });
  await elsewhere(dir.path, () => writeResponse(dir.path, response("p1")));
  assertEquals(await lately(queue), { pending: ["p2"], answered: ["p1: for p1"] });
  await elsewhere(dir.path, async () => {
    await writeResponse(dir.path, response("p2"));
    await archiveProposal(dir.path, "p2");
  });
  assertEquals(await lately(queue), { pending: [], answered: ["p1: for p1", "p2: for p2"] });
  assertEquals((await queue.proposal("p2"))?.id, "p2");
  assertEquals((await queue.response("p2"))?.notes, "for p2");
});

Deno.test("what a queue shows is the same for the next process, and old responses are left out", async () => {
  await using dir = await tempDir();
  {
    using queue = openQueue(dir.path);
    for (const id of ["open", "collected", "waiting", "old"]) await propose(queue, proposal(id));
    for (const id of ["collected", "waiting", "old"]) await writeResponse(dir.path, response(id));
    await queue.archive("collected", response("collected"));
  }
  const longAgo = (Date.now() - KEEP_MS - 1_000) / 1_000;
  await Deno.utime(dir.at("old.response.json"), longAgo, longAgo);
  using queue = openQueue(dir.path);
  assertEquals(await lately(queue), {
    pending: ["open"],
    answered: ["collected: for collected", "waiting: for waiting"],
  });
});

Deno.test("propose() lists nothing for what its own process changes, however much is pending", async () => {
  await using dir = await tempDir();
  using _ = holdTimers();
  using queue = openQueue(dir.path);
  await propose(queue, proposal("first"));
  using lists = countLists(dir.path);
  for (let n = 0; n < 50; n++) await propose(queue, proposal(`p${n}`));
  assertEquals(lists.take(), 0);
  await elsewhere(dir.path, () => writeResponse(dir.path, response("first")));
  // One list for what somebody else did; an archive of its own is then no news either.
  assertEquals((await lately(queue)).pending.length, 50);
  assertEquals(lists.take(), 1);
  await queue.archive("first", response("first"));
  await propose(queue, proposal("last"));
  assertEquals((await lately(queue)).answered, ["first: for first"]);
  assert(lists.take() <= 1, "the archive, which is new");
});

// Threat: A5
Deno.test("propose() writes one of many equal proposals, and the others wait until it is on disk", async () => {
  await using dir = await tempDir();
  using queue = openQueue(dir.path);
  const question = { justification: "The same." };
  const { key } = askedOf(proposal("a", question));
  const results = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
    const same = await queue.propose(
      proposal(`p${n}`, question),
      (fresh, { pending }) => [...pending.values()].find((asked) => asked.key === fresh.key),
    );
    if (same === undefined) return undefined;
    // Not before the file has its name.
    const found = await queue.proposal(same.id, key);
    assert(Deno.statSync(dir.at(`${same.id}.proposal.json`)).isFile);
    return found?.id;
  }));
  const written = [...Deno.readDirSync(dir.path)].map(({ name }) => name.split(".")[0]);
  assertEquals(written, ["p0"]);
  assertEquals(results, [undefined, ...Array(19).fill("p0")]);
});

Deno.test("a proposal that cannot be written is an error for all who ask for it, and not pending", async () => {
  await using dir = await tempDir();
  using queue = openQueue(dir.path);
  assertEquals(await lately(queue), { pending: [], answered: [] });
  Deno.mkdirSync(dir.at("p1.proposal.json"));
  const first = propose(queue, proposal("p1"));
  const second = queue.proposal("p1");
  await assertRejects(() => first, Deno.errors.IsADirectory);
  await assertRejects(() => second, Deno.errors.IsADirectory);
  assertEquals((await lately(queue)).pending, []);
});

Deno.test("proposal() gives what is on disk, and only if it still asks the same", async () => {
  await using dir = await tempDir();
  using queue = openQueue(dir.path);
  const asked = proposal("p1");
  await propose(queue, asked);
  const { key } = askedOf(asked);
  assertEquals(await queue.proposal("p1", key), asked);
  // In place, so that the directory looks as before.
  const changed = { ...asked, justification: "Another." };
  Deno.writeTextFileSync(dir.at("p1.proposal.json"), encodeProposal(changed));
  assertEquals(await queue.proposal("p1", key), undefined);
  assertEquals(await queue.proposal("p1"), changed);
  const keys = async () => {
    let found: string[] = [];
    await queue.propose(proposal("p2"), (_, { pending }) => {
      found = [...pending.values()].map(({ key }) => key);
      return {};
    });
    return found;
  };
  assertEquals(await keys(), [askedOf(changed).key]);
  Deno.writeTextFileSync(dir.at("p1.proposal.json"), "{");
  assertEquals(await queue.proposal("p1"), undefined);
  assertEquals(await keys(), []);
  for (const id of ["none", "../x", ""]) assertEquals(await queue.proposal(id), undefined);
});

Deno.test("a file that another writer had not finished is read once it changes", async () => {
  await using dir = await tempDir();
  using _ = holdTimers();
  using queue = openQueue(dir.path);
  await propose(queue, proposal("p1"));
  const [half, late] = [dir.at("p1.response.json"), dir.at("p2.proposal.json")];
  await elsewhere(dir.path, () => {
    for (const path of [half, late]) Deno.writeTextFileSync(path, "{");
  });
  assertEquals(await lately(queue), { pending: [], answered: [] });
  using lists = countLists(dir.path);
  const json = { proposal_id: "p1", status: "approved", notes: "done", final_file: "x" };
  Deno.writeTextFileSync(half, JSON.stringify(json));
  Deno.writeTextFileSync(late, encodeProposal(proposal("p2")));
  assertEquals(await lately(queue), { pending: ["p2"], answered: ["p1: done"] });
  assertEquals(lists.take(), 0);
});

Deno.test("a change within one tick of the directory's clock is found without a call", async () => {
  await using dir = await tempDir();
  using timers = holdTimers();
  const now = performance.now;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  try {
    using queue = openQueue(dir.path);
    await propose(queue, proposal("p1"));
    while (true) {
      const before = stampOfFile(dir.path);
      const { mtime } = Deno.statSync(dir.path);
      Deno.writeTextFileSync(dir.at("p2.proposal.json"), encodeProposal(proposal("p2")));
      Deno.utimeSync(dir.path, mtime!, mtime!);
      if (stampOfFile(dir.path) === before) break;
      // A new second began, and that shows: once more.
      await Deno.remove(dir.at("p2.proposal.json"));
      await lately(queue);
    }
    assertEquals((await lately(queue)).pending, ["p1"], "it looks as if nothing had come");
    assertEquals(timers.held.length, 1);
    timers.held.pop()!();
    assertEquals((await lately(queue)).pending, ["p1", "p2"]);
    // Until the stamp is old enough that nothing can hide behind it.
    assertEquals(timers.held.length, 1);
    aheadMs = 3_000;
    timers.held.pop()!();
    assertEquals(timers.held, []);
  } finally {
    performance.now = now;
  }
});

Deno.test("ahead() counts in the operator's order", async () => {
  await using dir = await tempDir();
  using queue = openQueue(dir.path);
  const at = (arrivalTimestamp: string) => ({ arrivalTimestamp });
  await propose(queue, proposal("late", at("2026-11-22T10:49:36.925Z")));
  await propose(queue, proposal("b-same", at("2026-11-22T10:49:36.924880+00:00")));
  await propose(queue, proposal("a-same", at("2026-11-22T11:49:36.924880+01:00")));
  await propose(queue, proposal("nonsense", at("soon")));
  const ids = ["a-same", "b-same", "late", "nonsense", "none"];
  assertEquals(ids.map(queue.ahead), [0, 1, 2, 3, 0]);
  await elsewhere(dir.path, () => writeResponse(dir.path, response("a-same")));
  assertEquals(ids.map(queue.ahead), [0, 0, 1, 2, 0]);
});

Deno.test("a link in the place of processed/ is not followed, and hides nothing in the queue", async () => {
  await using dir = await tempDir();
  const queueDir = dir.at("queue");
  await writeProposal(dir.at("outside"), proposal("hidden"));
  await writeResponse(dir.at("outside"), response("hidden"));
  await writeProposal(queueDir, proposal("p1"));
  await Deno.symlink(dir.at("outside"), `${queueDir}/processed`);
  using queue = openQueue(queueDir);
  assertEquals(await lately(queue), { pending: ["p1"], answered: [] });
  assertEquals(await queue.proposal("hidden"), undefined);
  assertEquals(await queue.response("hidden"), undefined);
});

Deno.test("a link in the place of the queue directory is an error for every call", async () => {
  await using dir = await tempDir();
  using queue = openQueue(dir.at("queue"));
  await propose(queue, proposal("p1"));
  await Deno.rename(dir.at("queue"), dir.at("outside"));
  await Deno.symlink(dir.at("outside"), dir.at("queue"));
  for (const id of ["p2", "p3"]) {
    await assertRejects(() => propose(queue, proposal(id)), UnsafeFileError, "it is a link");
  }
  assertEquals([...Deno.readDirSync(dir.at("outside"))].length, 1);
});

// Threat: B5
Deno.test("an asking queue reads 20,000 proposals and no more, be they broken", async () => {
  await using dir = await tempDir();
  flood(dir.path, 11_000, SLUG);
  for (let n = 0; n < 11_000; n++) Deno.writeTextFileSync(dir.at(`x${n}.proposal.json`), "{");
  using queue = openQueue(dir.path);
  const { pending } = await lately(queue);
  assert(pending.length > 0 && pending.length < 11_000, `${pending.length} of 11,000`);
});
