import { instantOf, openQueueView } from "../../internal_mod.ts";
import {
  listPendingProposals,
  type QueueListing,
  type UnreadableFile,
  UnsafeFileError,
  watchPending,
  writeProposal,
  writeResponse,
} from "../../mod.ts";
import { encodeProposal } from "../../src/records/codec.ts";
import { sampleProposal } from "../support/records.ts";
import { run } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

const ids = (listing: Pick<QueueListing, "pending">) =>
  listing.pending.map(({ proposal }) => proposal.id);

for (
  const [timestamp, micros] of [
    ["1970-01-01T00:00:01Z", 1_000_000],
    ["1970-01-01T00:00:01.5Z", 1_500_000],
    ["1970-01-01T00:00:01.000002+00:00", 1_000_002],
    ["1970-01-01T02:00:01+02:00", 1_000_000],
    ["1970-01-01T00:00:01", 1_000_000],
    ["1970-01-01 00:00:01", 1_000_000],
    ["yesterday", Infinity],
    ["", Infinity],
    ["2026-99-99T00:00:00Z", Infinity],
  ] as const
) {
  Deno.test(`instantOf() takes ${JSON.stringify(timestamp)} for ${micros} µs`, () => {
    assertEquals(instantOf(timestamp), micros);
  });
}

Deno.test("a view sees a file change, however many others come and go meanwhile", async () => {
  await using dir = await tempDir();
  const put = (id: string, justification: string) =>
    Deno.writeTextFileSync(
      dir.at(`${id}.proposal.json`),
      encodeProposal(sampleProposal({ id, justification })),
    );
  const view = openQueueView(dir.path);
  put("target", "why");
  for (let n = 0; n < 40; n++) put(`still${n}`, "why");
  let count = 0;
  const churn = () => {
    for (let n = 0; n < 60; n++) put(`x${count++}`, "why");
    for (let n = 120; n < 180 && count > 120; n++) {
      Deno.removeSync(dir.at(`x${count - n}.proposal.json`));
    }
  };
  for (let look = 0; look < 5; look++) {
    churn();
    view.refresh();
  }
  put("target", "other words");
  const isSeen = () => {
    churn();
    return view.refresh().pending.some(({ proposal }) => proposal.justification === "other words");
  };
  assert(Array.from({ length: 20 }, isSeen).some((seen) => seen));
});

Deno.test("listPendingProposals() orders by instant, then by id, and nonsense comes last", async () => {
  await using dir = await tempDir();
  const arrivals = [
    ["late", "2026-11-22T10:49:36.925Z"],
    ["b-same", "2026-11-22T10:49:36.924880+00:00"],
    ["a-same", "2026-11-22T11:49:36.924880+01:00"],
    ["earlier", "2026-11-22T10:49:36.924Z"],
    ["nonsense", "soon"],
  ] as const;
  for (const [id, arrivalTimestamp] of arrivals) {
    await writeProposal(dir.path, sampleProposal({ id, arrivalTimestamp }));
  }
  const listed = await listPendingProposals(dir.path);
  assertEquals(listed.map(({ id }) => id), ["earlier", "a-same", "b-same", "late", "nonsense"]);
});

Deno.test("listPendingProposals() leaves out what has a response file, sound or not", async () => {
  await using dir = await tempDir();
  for (const id of ["open", "answered", "garbled"]) {
    await writeProposal(dir.path, sampleProposal({ id }));
  }
  await writeResponse(dir.path, {
    proposalId: "answered",
    status: "rejected",
    notes: "",
    finalFile: null,
  });
  await Deno.writeTextFile(dir.at("garbled.response.json"), "{");
  const unreadable: UnreadableFile[] = [];
  const listed = await listPendingProposals(dir.path, {
    onUnreadable: (file) => unreadable.push(file),
  });
  assertEquals(listed.map(({ id }) => id), ["open"]);
  assertEquals(unreadable, [{ file: "garbled.response.json", reason: "it is not JSON" }]);
});

// Threat: B2
Deno.test("listPendingProposals() passes over what is planted, names it, and follows nothing", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue");
  await writeProposal(queue, sampleProposal({ id: "sound" }));
  await Deno.writeTextFile(dir.at("secret"), "secret");
  const at = (id: string) => `${queue}/${id}.proposal.json`;
  await Deno.symlink(dir.at("secret"), at("link"));
  await Deno.symlink(at("loop"), at("loop"));
  await run("mkfifo", [at("fifo")]);
  await Deno.mkdir(at("directory"));
  await Deno.link(at("sound"), at("hardlink"));
  await Deno.writeTextFile(at("empty"), "");
  await Deno.writeTextFile(at("..dots"), "{}");
  await Deno.truncate(await Deno.makeTempFile({ dir: queue }), 0);
  const big = await Deno.open(at("hole"), { create: true, write: true });
  await big.truncate(10 * 2 ** 40);
  big.close();
  await writeProposal(queue, sampleProposal({ id: "other", bottleSlug: "dev-2" }));
  await Deno.writeTextFile(at("bomb"), "[".repeat(200_000));

  const unreadable: UnreadableFile[] = [];
  const listed = await listPendingProposals(queue, {
    bottleSlug: "dev-1",
    onUnreadable: (file) => unreadable.push(file),
  });
  // The hard link gives the sound one a second name, so both are refused.
  assertEquals(listed, []);
  assertEquals(
    unreadable.map(({ file, reason }) => `${file.replace(".proposal.json", "")}: ${reason}`),
    [
      "..dots: its name is no proposal id",
      "bomb: it is nested deeper than 32 levels",
      "directory: it is a directory",
      "empty: it is empty",
      "fifo: it is not a regular file",
      "hardlink: it has 2 names (hard links)",
      "hole: it has 10995116277760 bytes, more than the 8388608 allowed",
      "link: it is a link",
      "loop: it is a link",
      'other: field "bottle_slug": "dev-2" is not the bottle whose queue this is',
      "sound: it has 2 names (hard links)",
    ],
  );
});

Deno.test("listPendingProposals() gives nothing for a directory that does not exist, and refuses a link", async () => {
  await using dir = await tempDir();
  assertEquals(await listPendingProposals(dir.at("none")), []);
  await Deno.symlink(dir.path, dir.at("link"));
  await assertRejects(() => listPendingProposals(dir.at("link")), UnsafeFileError, "it is a link");
});

Deno.test("refresh() sees what arrives, what is answered, what changes, what goes", async () => {
  await using dir = await tempDir();
  const view = openQueueView(dir.path);
  assertEquals(ids(view.refresh()), []);
  const path = await writeProposal(dir.path, sampleProposal({ id: "p1" }));
  const first = view.refresh();
  assertEquals(ids(first), ["p1"]);
  assert(view.refresh().pending[0] === first.pending[0], "an unchanged file is not read again");

  await writeProposal(dir.path, sampleProposal({ id: "p1", justification: "another" }));
  const changed = view.refresh().pending[0]!;
  assertEquals(changed.proposal.justification, "another");
  assert(changed.proposalSha256 !== first.pending[0]!.proposalSha256);

  await Deno.writeTextFile(path, "{");
  assertEquals(view.refresh().unreadable.length, 1);
  await writeProposal(dir.path, sampleProposal({ id: "p1" }));
  assertEquals(ids(view.refresh()), ["p1"]);

  const answer = { proposalId: "p1", status: "rejected", notes: "", finalFile: null } as const;
  const response = await writeResponse(dir.path, answer);
  assertEquals(ids(view.refresh()), []);
  await Deno.remove(response);
  assertEquals(ids(view.refresh()), ["p1"]);
  await Deno.remove(path);
  assertEquals(view.refresh(), { pending: [], unlisted: 0, unreadable: [] });
});

Deno.test("watchPending() yields what is there, then every change, and ends with the signal", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue", "dev-1");
  const end = new AbortController();
  const listings = watchPending(queue, { signal: end.signal });
  assertEquals(ids((await listings.next()).value as QueueListing), []);
  await writeProposal(queue, sampleProposal({ id: "p1" }));
  assertEquals(ids((await listings.next()).value as QueueListing), ["p1"]);
  await writeProposal(
    queue,
    sampleProposal({ id: "p2", arrivalTimestamp: "9999-01-01T00:00:00Z" }),
  );
  assertEquals(ids((await listings.next()).value as QueueListing), ["p1", "p2"]);
  const pending = listings.next();
  end.abort();
  assertEquals(await pending, { done: true, value: undefined });
});

Deno.test("watchPending() goes on when the directory is made anew", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue");
  await writeProposal(queue, sampleProposal({ id: "p1" }));
  const listings = watchPending(queue, { pollIntervalMs: 20 });
  assertEquals(ids((await listings.next()).value as QueueListing), ["p1"]);
  await Deno.rename(queue, dir.at("gone"));
  await Deno.mkdir(queue);
  await writeProposal(queue, sampleProposal({ id: "p2" }));
  let seen: string[] = [];
  while (seen[0] !== "p2") seen = ids((await listings.next()).value as QueueListing);
  assertEquals(seen, ["p2"]);
  await listings.return();
});

Deno.test("watchPending() throws when a link takes the directory's place", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue");
  await Deno.mkdir(queue);
  const listings = watchPending(queue, { pollIntervalMs: 20 });
  await listings.next();
  await Deno.remove(queue);
  await Deno.symlink(dir.path, queue);
  await assertRejects(() => listings.next(), UnsafeFileError, "it is a link");
});

Deno.test("refresh() counts what is too much to report, in one line", async () => {
  await using dir = await tempDir();
  for (let n = 0; n < 250; n++) await Deno.writeTextFile(dir.at(`x${n}.proposal.json`), "{");
  await writeProposal(dir.path, sampleProposal({ id: "sound" }));
  const { pending, unreadable } = openQueueView(dir.path).refresh();
  assertEquals(pending.length, 1);
  assertEquals(unreadable.length, 101);
  assertEquals(unreadable.at(-1), { file: ".", reason: "150 more files cannot be read" });
});
