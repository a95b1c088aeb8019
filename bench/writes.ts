/**
 * Durable proposal writes.
 *
 * @module
 */

import { type Proposal, writeProposal } from "../mod.ts";
import { makeDirectory, makeProposal } from "./fixtures.ts";
import {
  besides,
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";

const ROUNDS = 25;

const WRITES_A_ROUND = 100;

const AT_ONCE = 10;

const MIN_SHARE = 0.8;

/** The least that a write needs whose content survives, though perhaps not its name. */
function writeBare(dir: string, name: string, bytes: Uint8Array): void {
  const staged = `${dir}/.${name}.tmp`;
  const file = Deno.openSync(staged, { write: true, createNew: true, mode: 0o600 });
  file.writeSync(bytes);
  file.syncDataSync();
  file.close();
  Deno.renameSync(staged, `${dir}/${name}`);
}

function syncDirectory(dir: string): void {
  const handle = Deno.openSync(dir, { read: true });
  handle.syncSync();
  handle.close();
}

/** The same with the directory's fsync, and no sync on the main thread, where a sidecar's held calls go on. */
async function writeAside(dir: string, name: string, bytes: Uint8Array): Promise<void> {
  const staged = `${dir}/.${name}.tmp`;
  const file = Deno.openSync(staged, { write: true, createNew: true, mode: 0o600 });
  file.writeSync(bytes);
  await file.syncData();
  file.close();
  Deno.renameSync(staged, `${dir}/${name}`);
  const handle = Deno.openSync(dir, { read: true });
  await handle.sync();
  handle.close();
}

/** Each side gets a directory of its own, and proposals that are ready before the clock starts. */
async function run(): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const bytes = await Deno.readFile(await writeProposal(`${dir.path}/model`, makeProposal()));
  let written = 0;

  const bareRound = (name: string, write: (dir: string, name: string) => unknown) => {
    const target = `${dir.path}/${name}`;
    Deno.mkdirSync(target);
    return async () =>
      await timeMs(async () => {
        for (let n = 0; n < WRITES_A_ROUND; n++) await write(target, `${written++}.proposal.json`);
      }) / WRITES_A_ROUND;
  };
  const round = (name: string, writeAll: (dir: string, proposals: Proposal[]) => Promise<void>) => {
    return async () => {
      const proposals = Array.from({ length: WRITES_A_ROUND }, makeProposal);
      return await timeMs(() => writeAll(`${dir.path}/${name}`, proposals)) / WRITES_A_ROUND;
    };
  };

  const samples = await takeTurns(ROUNDS, {
    bare: bareRound("bare", (target, name) => writeBare(target, name, bytes)),
    one: round("one", async (target, proposals) => {
      for (const proposal of proposals) await writeProposal(target, proposal);
    }),
    synced: bareRound("synced", (target, name) => {
      writeBare(target, name, bytes);
      syncDirectory(target);
    }),
    aside: bareRound("aside", (target, name) => writeAside(target, name, bytes)),
    many: round("many", async (target, proposals) => {
      for (let n = 0; n < proposals.length; n += AT_ONCE) {
        const batch = proposals.slice(n, n + AT_ONCE);
        await Promise.all(batch.map((proposal) => writeProposal(target, proposal)));
      }
    }),
  });

  const row = (what: string, side: readonly number[], floor: readonly number[]): Row => {
    const share = medianRatio(floor, side);
    return {
      what,
      figure: showMs(median(side)),
      floor: showMs(median(floor)),
      ratio: `${share.toFixed(2)} of it`,
      aim: `>= ${MIN_SHARE} of it`,
      met: share >= MIN_SHARE,
    };
  };
  return [
    row("a proposal, one after another", samples.one, samples.bare),
    row(`a proposal, ${AT_ONCE} at once`, samples.many, samples.bare),
    row("one after another, floor with directory fsync", samples.one, samples.synced),
    besides(row("the same, its syncs off the main thread", samples.one, samples.aside)),
    {
      what: "the two floors against each other",
      figure: showMs(median(samples.synced)),
      floor: showMs(median(samples.bare)),
      ratio: `${medianRatio(samples.bare, samples.synced).toFixed(2)} of it`,
    },
  ];
}

/** Durable proposal writes. */
export const writes: Subject = {
  title: "Durable proposal writes",
  about:
    "Floor: create, write, fdatasync, rename of ready bytes, in a loop. It leaves out the fsync of the\n" +
    "directory, without which a power cut can take the file's name, so it promises less than a durable\n" +
    "write; the third line adds that fsync to it. The floor's syncs stop everything else; the fourth\n" +
    "line's do not, as a sidecar's must not. Ratio: speed against the floor's.",
  run,
};
