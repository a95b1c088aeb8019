/**
 * Cuts the power: a program works on a disk that is an image in a file, and at some moment the image
 * is copied as it is. What the kernel had not yet written out is not in the copy, as after a cut.
 * Everything that the program had been told is done must be on the copy.
 *
 * @module
 */

import { problemsOf } from "./again.ts";
import { readDisk } from "./disk.ts";
import { type Decision, problemsAtAnyTime, problemsAtTheEnd } from "./invariants.ts";
import { problemsOfLoss } from "./loss.ts";
import { makeImage } from "./machine.ts";
import type { Place } from "./place.ts";
import { type Receipt, unsyncedPath } from "./power_program.ts";
import { openReceipts } from "./receipts.ts";
import type { PartResult, Trial } from "./report.ts";
import type { Judgement } from "./subject.ts";
import { kill } from "./target.ts";
import { join } from "@std/path";

/** How often. */
const CUTS = 25;

/** The cut comes at a random moment within this time after the first thing is done. */
const LONGEST_MS = 250;

/**
 * Cuts the power.
 *
 * @param place Where the disk is.
 * @param isPicked Which cuts are wanted, by name.
 * @returns What came of it.
 */
export async function cutPower(
  place: Place,
  isPicked: (name: string) => boolean,
): Promise<PartResult> {
  const begin = performance.now();
  const trials: Trial[] = [];
  const sums = { proposal: 0, decision: 0, line: 0, unsynced: 0, lost: 0, unsyncedLost: 0 };
  const [image, copy] = [place.at("disk.img"), place.at("copy.img")];
  await makeImage(image);
  // The journal is written when a sync asks for it, not when time has passed: nothing may move while
  // the image is copied.
  await using disk = await place.mount("disk", ["-o", "loop,commit=300", image]);
  for (let cut = 1; cut <= CUTS; cut++) {
    const name = `power ${cut}`;
    if (!isPicked(name)) continue;
    const root = `root-${cut}`;
    const receipts = await runAndCut(
      place,
      join(disk.path, root),
      place.at(`done-${cut}`),
      image,
      copy,
    );
    for (const { kind } of receipts) sums[kind]++;
    await using after = await place.mount("copy", ["-o", "loop", copy]);
    const { lost, judgement } = await judgeCut(join(after.path, root), receipts);
    sums.lost += lost;
    sums.unsyncedLost += unsyncedLost(join(after.path, root), receipts);
    trials.push({ name, group: "power cut", ...judgement });
  }
  const { proposal, decision, line, lost } = sums;
  const cuts = trials.length;
  if (trials.length === CUTS) {
    const isCut = sums.unsyncedLost > 0;
    const problems = isCut ? [] : ["nothing is ever lost, so these are no power cuts"];
    trials.push({ name: "power control", group: "control", outcome: "unsynced, lost", problems });
  }
  return {
    headline: `power: ${cuts} cuts; acknowledged before: ${proposal} proposals, ` +
      `${decision} decisions, ${line} lines, ${lost} of them lost; and of ${sums.unsynced} notes ` +
      `that were never synced ${sums.unsyncedLost}`,
    trials,
    ms: performance.now() - begin,
  };
}

/** Lets the program work, stops it, copies the image; returns what it had been told is done by then. */
async function runAndCut(
  place: Place,
  root: string,
  receiptsPath: string,
  image: string,
  copy: string,
): Promise<readonly Receipt[]> {
  const receipts = openReceipts<Receipt>(receiptsPath);
  const program = new URL("power_program.ts", import.meta.url);
  const writer = place.start(program, [root, receiptsPath]);
  try {
    await receipts.until((all) => all.length > 0);
    await passMs(Math.random() * LONGEST_MS);
    writer.kill("SIGSTOP");
    // A thread in the middle of a sync stops when that is done; until then the disk still moves.
    while (!isStopped(writer.pid)) await passMs(1);
    const done = receipts.read();
    await Deno.copyFile(image, copy);
    return done;
  } finally {
    await kill(writer);
  }
}

function isStopped(pid: number): boolean {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].every(({ name }) =>
    /\) T /.test(Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`))
  );
}

/** Lets time pass: the moment of a power cut is nobody's to await. */
function passMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Looks for everything that was done; then the next commands finish what was not. */
async function judgeCut(
  root: string,
  receipts: readonly Receipt[],
): Promise<{ readonly lost: number; readonly judgement: Judgement }> {
  const left = readDisk(root);
  const lost = problemsOfLoss(left, receipts);
  const problems = [...problemsAtAnyTime(left), ...lost];
  const outcome = left.torn.length > 0
    ? "in the middle of a line"
    : left.intents.length > 0
    ? "in the middle of a decision"
    : "between two decisions";

  problems.push(...await problemsOf([["list", "--root", root]]));
  const answered = new Set(readDisk(root).answers.map((answer) => answer.proposal_id));
  const open = [...left.proposals.keys()].filter((id) => !answered.has(id));
  const decisions: Decision[] = open.map((id) => (
    { id, status: "rejected", notes: "Too late.", finalFile: null }
  ));
  problems.push(
    ...await problemsOf([
      ...open.map((id) => ["reject", id, "--notes", "Too late.", "--root", root]),
      ["audit", "verify", "--root", root],
    ]),
  );
  for (const receipt of receipts) {
    if (receipt.kind === "decision") decisions.push(receipt.decision);
  }
  const end = readDisk(root);
  problems.push(...problemsAtTheEnd(end, decisions), ...problemsOfLoss(end, receipts));
  return { lost: lost.length, judgement: { outcome, problems: [...new Set(problems)] } };
}

/** How much is lost of what was never synced. If that were all there, nothing would have been cut. */
function unsyncedLost(root: string, receipts: readonly Receipt[]): number {
  let text = "";
  try {
    text = Deno.readTextFileSync(unsyncedPath(root));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const there = new Set(text.split("\n").map((line) => `${line}\n`));
  return receipts.filter((one) => one.kind === "unsynced" && !there.has(one.text)).length;
}
