/**
 * Decides, and asks, on a disk that is nearly full: with no page free, then one, and so on until all
 * fits. So each write in turn finds no room, or room for a part of what it has to write.
 *
 * @module
 */

import { queueDirForSlug } from "../../mod.ts";
import { SLUG } from "../support/operator.ts";
import { queueSample } from "../support/records.ts";
import { runHere } from "./again.ts";
import { askHere } from "./asking.ts";
import type { Decision } from "./invariants.ts";
import { judgeDecision } from "./judge.ts";
import type { PartResult, Trial } from "./report.ts";
import type { Judgement } from "./subject.ts";
import { judgeSubmitted } from "./submit.ts";
import { orHung } from "./target.ts";
import { readTree, restoreTree } from "./tree.ts";
import { join } from "@std/path";

/** What a tmpfs gives out at a time. */
const PAGE = 4096;

/** How many steps there are at most; each of the commands needs fewer pages than that. */
const MOST_PAGES = 256;

const ID = "aaaa-full";

const NEXT_ID = "bbbb-next";

const NOTES = "Read-only, fine.";

const hosts = (domain: string, count: number) =>
  Array.from({ length: count }, (_, n) => `host-${n}.${domain}.example\n`).join("");

/** Nearly 60 KB, so that every write takes many pages. */
const PROPOSED = hosts("agent", 2400);

const ASKED = hosts("other", 2400);

const VERSION = hosts("operator", 2200);

/** What came of an attempt, and whether there was room for all of it. */
type Tried = Judgement & { readonly done: boolean };

/** What is done on the full disk; `mend` makes room again. */
interface Attempt {
  readonly name: string;
  readonly run: (root: string, mend: () => void) => Promise<Tried>;
}

function deciding(verb: string, flags: readonly string[], verdict: Partial<Decision>): Attempt {
  const decision: Decision = {
    id: ID,
    status: "approved",
    notes: NOTES,
    finalFile: PROPOSED,
    ...verdict,
  };
  return {
    name: verb,
    async run(root, mend) {
      const args = [verb, ID, ...flags, "--notes", NOTES, "--root", root];
      const said = await runHere(args);
      if (said === "hung") return HUNG;
      const command = { args, decision, nextId: NEXT_ID };
      return { ...await judgeDecision(root, command, said, mend), done: said.exit === 0 };
    },
  };
}

const submitting: Attempt = {
  name: "submit",
  async run(root, mend) {
    const asking = askHere(queueDirForSlug(SLUG, { root }), ASKED).catch(() => undefined);
    const outcome = await orHung(asking);
    if (outcome === "hung") return HUNG;
    const done = outcome?.kind === "pending";
    const structured = done ? { proposal_id: outcome.proposal.id } : undefined;
    const said = { isError: !done, text: "", structured };
    return { ...await judgeSubmitted(root, said, ASKED, mend), done };
  },
};

const HUNG: Tried = { outcome: "hung", problems: ["it hung"], done: true };

/**
 * Tries every command with every amount of room.
 *
 * @param disk A small tmpfs, empty.
 * @param versionFile A file outside of it, which is written: the operator's version.
 * @param isPicked Which trials are wanted, by name.
 * @returns What came of it.
 */
export async function fillDisk(
  disk: string,
  versionFile: string,
  isPicked: (name: string) => boolean,
): Promise<PartResult> {
  const begin = performance.now();
  Deno.writeTextFileSync(versionFile, VERSION);
  const root = join(disk, "root");
  restoreTree(root, []);
  await queueSample(root, { id: ID, proposedFile: PROPOSED });
  await queueSample(root, { id: NEXT_ID });
  const tree = readTree(root);
  const attempts = [
    deciding("approve", [], {}),
    deciding("modify", ["--file", versionFile], { status: "modified", finalFile: VERSION }),
    deciding("reject", [], { status: "rejected", finalFile: null }),
    submitting,
  ];
  const trials: Trial[] = [];
  for (const { name: group, run } of attempts) {
    for (let pages = 0, done = false; !done && pages < MOST_PAGES; pages++) {
      const name = `full-disk ${group} ${pages}`;
      if (!isPicked(name)) continue;
      restoreTree(root, tree);
      const mend = leaveFree(join(disk, "filler"), pages);
      const { outcome, problems, ...tried } = await run(root, mend);
      trials.push({ name, group, outcome, problems });
      done = tried.done;
    }
  }
  const steps = trials.length;
  return { headline: `full-disk: ${steps} amounts of room`, trials, ms: performance.now() - begin };
}

/** Fills a disk but for some pages; returns what takes the filling away. */
function leaveFree(filler: string, pages: number): () => void {
  {
    using file = Deno.openSync(filler, { write: true, create: true });
    let size = 0;
    try {
      for (const page = new Uint8Array(PAGE); file.writeSync(page) === PAGE;) size += PAGE;
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
    }
    file.truncateSync(Math.max(0, size - pages * PAGE));
  }
  return () => Deno.removeSync(filler);
}
