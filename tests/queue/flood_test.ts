import { clearUnfinished, MAX_PENDING, openQueueView } from "../../internal_mod.ts";
import {
  listPendingProposals,
  queueDirForSlug,
  type QueueListing,
  readOverview,
  type UnreadableFile,
  UnsafeFileError,
  watchEvents,
  watchPending,
  writeResponse,
} from "../../mod.ts";
import { openQueues } from "../../src/decision/overview.ts";
import { MAX_DIRECTORY_BYTES } from "../../src/disk/read_untrusted.ts";
import { encodeProposal } from "../../src/records/codec.ts";
import { flood } from "../support/flood.ts";
import { queueSample, sampleProposal } from "../support/records.ts";
import { supervise } from "../support/run.ts";
import { mustSkip } from "../support/skip.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";

const counts = ({ pending, unlisted }: QueueListing) => [pending.length, unlisted];

const ids = (listing: Pick<QueueListing, "pending">) =>
  listing.pending.map(({ proposal }) => proposal.id);

// Threat: B5
Deno.test("refresh() lists a thousand pending, and counts the others unopened", async () => {
  await using dir = await tempDir();
  flood(dir.path, MAX_PENDING);
  const view = openQueueView(dir.path);
  assertEquals(counts(view.refresh()), [1_000, 0]);
  // If these were opened they would be found broken.
  for (let n = 0; n < 39_000; n++) Deno.writeTextFileSync(dir.at(`x${n}.proposal.json`), "{");
  const listing = view.refresh();
  assertEquals(counts(listing), [1_000, 39_000]);
  assertEquals(listing.unreadable, []);
});

Deno.test("refresh() counts what is pending by its name: a sound id, no response file", async () => {
  await using dir = await tempDir();
  flood(dir.path, 3);
  await Deno.writeTextFile(dir.at("..x.proposal.json"), "{}");
  await Deno.writeTextFile(dir.at("other.json"), "{}");
  await Deno.writeTextFile(dir.at("p0.response.json"), "");
  const { pending, unlisted, unreadable } = openQueueView(dir.path, { maxPending: 1 }).refresh();
  assertEquals([pending.length, unlisted], [1, 1]);
  assertEquals(unreadable.map(({ file }) => file), ["..x.proposal.json", "p0.response.json"]);
});

Deno.test("refresh() keeps listed what is pending, also if it changes, and fills up when it goes", async () => {
  await using dir = await tempDir();
  flood(dir.path, 20);
  const view = openQueueView(dir.path, { maxPending: 5 });
  const first = ids(view.refresh());
  assertEquals(first.length, 5);
  flood(dir.path, 40);
  assertEquals(ids(view.refresh()), first, "all of them were written anew");

  const answer = { status: "rejected", notes: "", finalFile: null } as const;
  await writeResponse(dir.path, { proposalId: first[0]!, ...answer });
  await Deno.remove(dir.at(`${first[1]}.proposal.json`));
  const second = view.refresh();
  assertEquals(counts(second), [5, 33]);
  const kept = new Set(ids(second));
  assert(first.slice(2).every((id) => kept.has(id)));
  assert(!kept.has(first[0]!) && !kept.has(first[1]!));
});

Deno.test("refresh() opens only so many broken proposals, and counts the others", async () => {
  await using dir = await tempDir();
  for (let n = 0; n < 3_000; n++) Deno.writeTextFileSync(dir.at(`p${n}.proposal.json`), "");
  const { unlisted, unreadable } = openQueueView(dir.path).refresh();
  assertEquals(unlisted, 1_000);
  assertEquals(unreadable.at(-1), { file: ".", reason: "1900 more files cannot be read" });
});

// Threat: B5
Deno.test("refresh() reads at most 64 MiB of proposals, be they broken", async () => {
  await using dir = await tempDir();
  for (let n = 0; n < 20; n++) {
    using file = await Deno.create(dir.at(`p${n}.proposal.json`));
    await file.truncate(8 * 1024 * 1024);
  }
  const { unlisted, unreadable } = openQueueView(dir.path).refresh();
  assertEquals([unreadable.length, unlisted], [8, 12]);
});

Deno.test("refresh() opens a proposal that fits behind those that do not, and a broken one of any size", async () => {
  await using dir = await tempDir();
  const small = await queueSample(dir.path, { id: "small" });
  const size = (await Deno.stat(small.path)).size;
  await queueSample(dir.path, { id: "large", justification: "x".repeat(size) });
  using file = await Deno.create(`${small.queueDir}/huge.proposal.json`);
  await file.truncate(9 * 1024 * 1024);
  const view = openQueueView(small.queueDir, { maxBytes: () => size });
  const { pending, unlisted, unreadable } = view.refresh();
  assertEquals([pending.map(({ proposalId }) => proposalId), unlisted], [["small"], 1]);
  assertStringIncludes(unreadable[0]!.reason, "more than the 8388608 allowed");
});

Deno.test("refresh() asks of a thousand that do not fit, and counts those behind them by their names", async () => {
  await using dir = await tempDir();
  const { path, queueDir } = await queueSample(dir.path, { id: "small" });
  const { size } = await Deno.stat(path);
  const large = Array.from({ length: 1_000 }, (_, n) => `p${n}.proposal.json`);
  for (const name of large) Deno.writeTextFileSync(`${queueDir}/${name}`, "x".repeat(size + 1));
  const look = (names: readonly string[]) =>
    counts(
      openQueueView(queueDir, { maxBytes: () => size }).refresh([...names, "small.proposal.json"]),
    );
  assertEquals(look(large.slice(1)), [1, 999]);
  assertEquals(look(large), [0, 1_001]);
});

/** Writes sound proposals of 8 MB, of which V8 keeps 16 MB each: one letter takes two bytes, so all do. */
function floodWithLarge(root: string, bottleSlug: string, count: number): void {
  const queueDir = queueDirForSlug(bottleSlug, { root });
  Deno.mkdirSync(queueDir, { recursive: true });
  for (let n = 0; n < count; n++) {
    const proposedFile = "\u0100" + "a".repeat(8_000_000);
    const proposal = sampleProposal({ id: `p${n}`, bottleSlug, proposedFile });
    Deno.writeTextFileSync(`${queueDir}/p${n}.proposal.json`, encodeProposal(proposal));
  }
}

// Threat: B5
Deno.test("list lists an honest bottle beside one that would fill the memory of a small machine", async () => {
  await using dir = await tempDir();
  floodWithLarge(dir.path, "dev-1", 14);
  await queueSample(dir.path, { id: "sound", bottleSlug: "dev-2" });
  const env = { DENO_V8_FLAGS: "--max-old-space-size=192" };
  const { code, out, err } = await supervise(dir.path, ["list", "--json"], { env });
  assertEquals(code, 0, err);
  const { pending, unlisted } = JSON.parse(out);
  const bottles = pending.map((one: { bottle_slug: string }) => one.bottle_slug).toSorted();
  assertEquals(bottles, ["dev-1", "dev-1", "dev-1", "dev-1", "dev-2"]);
  assertEquals(unlisted, [{ bottle_slug: "dev-1", count: 10 }]);
});

// Threat: B5
Deno.test("the bottles share evenly what is kept of proposals, as they come and go", async () => {
  await using dir = await tempDir();
  floodWithLarge(dir.path, "dev-1", 8);
  const queues = openQueues({ root: dir.path });
  const look = () => {
    queues.refreshBottles();
    const { pending, unlisted } = queues.overview();
    return [pending.length, ...unlisted.map(({ bottleSlug, count }) => `${bottleSlug} ${count}`)];
  };
  assertEquals(look(), [8]);
  floodWithLarge(dir.path, "dev-2", 8);
  assertEquals(look(), [8, "dev-1 4", "dev-2 4"]);
  await Deno.remove(dir.at("queue", "dev-1"), { recursive: true });
  assertEquals(look(), [8]);
});

Deno.test("listPendingProposals() lists more than a thousand, and says what it leaves out", async () => {
  await using dir = await tempDir();
  flood(dir.path, 1_200);
  const told: UnreadableFile[] = [];
  const onUnreadable = (file: UnreadableFile) => told.push(file);
  assertEquals((await listPendingProposals(dir.path, { onUnreadable })).length, 1_200);
  assertEquals(told, []);
  await listPendingProposals(dir.path, { onUnreadable, maxPending: 1_199 });
  const reason = "1 more is pending and not listed: somebody floods this queue";
  assertEquals(told, [{ file: ".", reason }]);
});

// Threat: B5
Deno.test("readOverview() says which bottle is flooded, and hides no other bottle's proposals", async () => {
  await using dir = await tempDir();
  flood(dir.at("queue", "dev-1"), 12);
  await queueSample(dir.path, { id: "sound", bottleSlug: "dev-2" });
  const overview = readOverview({ root: dir.path, maxPending: 10 });
  assertEquals(overview.unlisted, [{ bottleSlug: "dev-1", count: 2 }]);
  assertEquals(overview.pending.length, 11);
  assertEquals(overview.pending.at(-1)?.proposal.id, "sound");
});

/** Whether a directory's size grows with its names here, as on a disk. */
function namesTakeBytes(): boolean {
  const dir = Deno.makeTempDirSync();
  for (let n = 0; n < 100; n++) Deno.writeTextFileSync(`${dir}/${`${n}`.padStart(250, "x")}`, "");
  const { size } = Deno.statSync(dir);
  Deno.removeSync(dir, { recursive: true });
  return size >= 25_000;
}

/** Writes empty files with long names until the directory has more bytes for names than are listed. */
function floodWithNames(dir: string): void {
  Deno.mkdirSync(dir, { recursive: true });
  for (let n = 0; Deno.statSync(dir).size <= MAX_DIRECTORY_BYTES; n++) {
    assert(n < 200, "this file system has no more bytes for more names");
    for (let m = 0; m < 1_000; m++) {
      Deno.writeTextFileSync(`${dir}/${`${n * 1_000 + m}`.padStart(240, "x")}.proposal.json`, "");
    }
  }
}

// Threat: B5
Deno.test("a directory of too many names is not listed, and hides no other bottle", {
  ignore: mustSkip(namesTakeBytes() ? undefined : "a directory has no size where tests write"),
}, async () => {
  await using dir = await tempDir();
  const queueDir = dir.at("queue", "dev-1");
  await queueSample(dir.path, { id: "sound", bottleSlug: "dev-2", proposedFile: "# a\n" });
  floodWithNames(queueDir);
  const look = () => {
    const { pending, unreadable } = readOverview({ root: dir.path });
    return [
      ...pending.map(({ bottleSlug }) => bottleSlug),
      ...unreadable.map(({ file, reason }) => `${file} ${reason.replace(/\d{7}/, "N")}`),
    ];
  };
  const reason = "it has N bytes of names, more than the 8388608 allowed: too many files are in " +
    "it, or were; move it away, make it anew, and move its files back";
  assertEquals(look(), ["dev-2", `. ${reason}`]);
  // A sidecar does not start there.
  assertThrows(() => clearUnfinished(queueDir), UnsafeFileError, "bytes of names");
  const decided = await supervise(dir.path, ["approve", "sound", "--if-unmarked"]);
  assertEquals(decided.code, 0, decided.err);

  // The way out; and what is the archive then is not listed either.
  await Deno.rename(queueDir, dir.at("away"));
  await queueSample(dir.path, { id: "anew", bottleSlug: "dev-1", proposedFile: "# a\n" });
  assertEquals(look(), ["dev-1"]);
  await Deno.rename(dir.at("away"), `${queueDir}/processed`);
  assertEquals(look(), ["dev-1", `processed ${reason}`]);
  assertEquals((await supervise(dir.path, ["approve", "anew", "--if-unmarked"])).code, 0);
});

Deno.test("watchPending() and watchEvents() tell when only the count changes", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue", "dev-1");
  flood(queue, 2);
  const options = { root: dir.path, maxPending: 1, pollIntervalMs: 20 };
  const listings = watchPending(queue, options);
  const events = watchEvents(options);
  const unlisted = async () => {
    while (true) {
      const { value } = await events.next();
      if (value?.event === "unlisted") return value.count;
    }
  };
  assertEquals(counts((await listings.next()).value!), [1, 1]);
  assertEquals(await unlisted(), 1);
  // One file alone, that no reader can find half done.
  await Deno.writeTextFile(`${queue}/more.proposal.json`, "");
  assertEquals(counts((await listings.next()).value!), [1, 2]);
  assertEquals(await unlisted(), 2);
  await listings.return();
  await events.return();
});

Deno.test("list raises an alarm when more are pending than it lists, in words and in JSON", async () => {
  await using dir = await tempDir();
  flood(dir.at("queue", "dev-1"), 1_003);
  const words = await supervise(dir.path, ["list"]);
  assertEquals(words.code, 0);
  assertEquals(words.out.trim().split("\n").length, 1_001);
  assertEquals(
    words.err,
    "! dev-1: 3 more are pending and not listed: somebody floods this queue\n",
  );
  const json = await supervise(dir.path, ["list", "--json"]);
  const { pending, unlisted } = JSON.parse(json.out);
  assertEquals(pending.length, 1_000);
  assertEquals(unlisted, [{ bottle_slug: "dev-1", count: 3 }]);
  // What is not listed can still be looked at and decided.
  const listed = new Set(pending.map(({ id }: { id: string }) => id));
  const left = Array.from({ length: 1_003 }, (_, n) => `p${n}`).find((id) => !listed.has(id))!;
  assertStringIncludes((await supervise(dir.path, ["show", left])).out, left);
});
