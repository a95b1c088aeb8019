/**
 * The operator's commands with a log of 250,000 decisions, beside the same commands without a log.
 *
 * @module
 */

import {
  auditLogPath,
  newProposal,
  queueDirForSlug,
  writeAuditEntry,
  writeProposal,
} from "../mod.ts";
import { BOTTLE_SLUG, type Directory, makeDirectory } from "./fixtures.ts";
import {
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";
import { here, run } from "./processes.ts";

const LINES = 250_000;

const ROUNDS = 21;

const MOST_TIMES = 1.2;

const MOST_MB = 90;

/** Prints the most memory that its command had at once, in KiB. */
const TIME = "/usr/bin/time";

const ENTRY = {
  timestamp: "2026-11-22T10:49:36.924Z",
  bottleSlug: BOTTLE_SLUG,
  component: "pipelock",
  operatorAction: "approved",
  operatorNotes: "Read-only, fine.",
  justification: "The tests read a public gist.",
  diff: "--- allowlist\n+++ allowlist\n@@ -1 +1,2 @@\n api.example.com\n+gist.example.com\n",
  operator: "ada@host",
  proposalId: crypto.randomUUID(),
};

/** Makes a log of as many lines as the product writes, each with a proposal of its own. */
async function makeLog(root: string): Promise<void> {
  const line = await Deno.readTextFile(await writeAuditEntry(ENTRY, { root }));
  using file = await Deno.open(auditLogPath("pipelock", BOTTLE_SLUG, { root }), { append: true });
  const writer = file.writable.getWriter();
  for (let written = 1; written < LINES; written += 1_000) {
    const some = Array.from(
      { length: Math.min(1_000, LINES - written) },
      () => line.replace(ENTRY.proposalId, crypto.randomUUID()),
    );
    await writer.write(new TextEncoder().encode(some.join("")));
  }
  writer.releaseLock();
  // Counts in what is there.
  await writeAuditEntry({ ...ENTRY, proposalId: crypto.randomUUID() }, { root });
}

/** Puts a proposal into the bench's bottle; returns its id. */
async function propose(root: string): Promise<string> {
  const proposal = newProposal({
    bottleSlug: BOTTLE_SLUG,
    tool: "pipelock-block",
    proposedFile: "api.example.com\n",
    justification: "The tests read a public gist.",
    currentFileHash: "",
  });
  await writeProposal(queueDirForSlug(BOTTLE_SLUG, { root }), proposal);
  return proposal.id;
}

const LAUNCHER = here("../cli/supervise.sh");

/** Runs a command of the operator's; returns how long it took, in milliseconds. */
const supervise = (root: string, ...args: string[]) =>
  timeMs(() => run("sh", [LAUNCHER, ...args], root));

/** Runs it once more; returns the most memory that it had, in MB. */
async function peakMb(root: string, ...args: string[]): Promise<number> {
  const said = await run(TIME, ["-f", "%M", "sh", LAUNCHER, ...args], root);
  return Number(said.trim().split("\n").at(-1)) * 1024 / 1e6;
}

function hasTime(): boolean {
  try {
    return Deno.statSync(TIME).isFile;
  } catch {
    console.error(`skipped: there is no ${TIME} on this machine`);
    return false;
  }
}

function timesRow(what: string, long: readonly number[], short: readonly number[]): Row {
  const ratio = medianRatio(long, short);
  return {
    what,
    figure: showMs(median(long)),
    floor: showMs(median(short)),
    ratio: `${ratio.toFixed(2)} x`,
    aim: `<= ${MOST_TIMES} x`,
    met: ratio <= MOST_TIMES,
  };
}

function memoryRow(what: string, mb: number): Row {
  return {
    what: `the same, memory: ${what}`,
    figure: `${mb.toFixed(0)} MB`,
    aim: `<= ${MOST_MB} MB`,
    met: mb <= MOST_MB,
  };
}

async function measure(): Promise<readonly Row[]> {
  await using short = await makeDirectory();
  await using long = await makeDirectory();
  await makeLog(long.path);
  // Recorded responses that lie in the queue, which a listing tells from unrecorded ones.
  for (const { path } of [short, long]) {
    for (let n = 0; n < 7; n++) {
      await supervise(path, "reject", await propose(path), "--notes", "No");
    }
    for (let n = 0; n < 7; n++) await propose(path);
  }
  const ids = new Map<Directory, string>();
  for (const dir of [short, long]) ids.set(dir, await propose(dir.path));

  const proposeShown = async (root: string) => {
    const id = await propose(root);
    await supervise(root, "show", id);
    return id;
  };
  const list = (dir: Directory) => supervise(dir.path, "list");
  const show = (dir: Directory) => supervise(dir.path, "show", ids.get(dir)!);
  const approve = async (dir: Directory) =>
    await supervise(dir.path, "approve", await proposeShown(dir.path));
  const rows: Row[] = [];
  for (const [what, act] of Object.entries({ list, show, approve })) {
    const samples = await takeTurns(ROUNDS, { short: () => act(short), long: () => act(long) });
    rows.push(timesRow(what, samples.long, samples.short));
  }
  const index = `${long.path}/private/index`;
  const made = await takeTurns(3, {
    without: async () => {
      await Deno.remove(index, { recursive: true });
      return await list(long);
    },
    with: () => list(long),
  });
  rows.push({
    what: "list that makes the index",
    figure: showMs(median(made.without)),
    floor: showMs(median(made.with)),
  });
  if (!hasTime()) return rows;
  const root = long.path;
  rows.push(
    memoryRow("list", await peakMb(root, "list")),
    memoryRow("show", await peakMb(root, "show", ids.get(long)!)),
    memoryRow("approve", await peakMb(root, "approve", await proposeShown(root))),
  );
  await Deno.remove(index, { recursive: true });
  rows.push(memoryRow("list that makes the index", await peakMb(root, "list")));
  return rows;
}

/** The index of decisions. */
export const index: Subject = {
  title: `The operator's commands with a log of ${LINES} decisions`,
  about: "Floor: the same command, from the shell to its end, in a root whose log has seven lines.",
  run: measure,
};
