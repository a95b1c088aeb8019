/**
 * Answers a question and looks whether the agent gets the answer, and all is put away.
 *
 * @module
 */

import { queueDirForSlug } from "../../mod.ts";
import { SLUG } from "../support/operator.ts";
import { queueSample } from "../support/records.ts";
import { problemsOf } from "./again.ts";
import { askHere } from "./asking.ts";
import { type Disk, readDisk } from "./disk.ts";
import { type Decision, problemsAtTheEnd } from "./invariants.ts";

/** The operator's words. */
export const NOTES = "Read-only, fine.";

/**
 * Makes a queue as it usually is: something else is pending, something is archived.
 *
 * @param root The root.
 */
export async function prepareQueue(root: string): Promise<void> {
  await queueSample(root, { id: "0000-pending" });
  await askAndDecide(root, "old.example\n", "reject");
  await askHere(queueDirForSlug(SLUG, { root }), "old.example\n");
}

/**
 * Asks, and decides at once; nobody is there to hear it.
 *
 * @param root The root.
 * @param proposedFile What is proposed.
 * @param verb What is decided.
 */
export async function askAndDecide(
  root: string,
  proposedFile: string,
  verb: "approve" | "reject",
): Promise<void> {
  const asked = await askHere(queueDirForSlug(SLUG, { root }), proposedFile);
  const problems = asked.kind === "pending"
    ? await problemsOf([[verb, asked.proposal.id, "--notes", NOTES, "--root", root]])
    : [`the question was ${asked.kind}`];
  if (problems.length > 0) throw new Error(`Cannot prepare the sweep: ${problems.join("; ")}`);
}

/**
 * The proposals that ask for a file.
 *
 * @param disk The root.
 * @param proposedFile The file.
 * @returns Their ids.
 */
export function askedIn(disk: Disk, proposedFile: string): string[] {
  return [...disk.proposals.values()]
    .filter((proposal) => proposal.proposed_file === proposedFile)
    .map(({ id }) => String(id));
}

/**
 * A sidecar that lives removes what it cannot use; one that dies leaves a file, which nothing reads.
 *
 * @param left The root, as it left it.
 * @param hasDied Whether it died.
 * @returns What is wrong.
 */
export function problemsOfHidden(left: Disk, hasDied: boolean): string[] {
  return left.leftoversOfSidecar.slice(hasDied ? 1 : 0).map((path) => `${path} is left behind`);
}

/**
 * Approves a question, and asks it once more.
 *
 * @param root The root.
 * @param id The proposal.
 * @param proposedFile What it proposes.
 * @returns What is wrong.
 */
export async function problemsOfAnswering(
  root: string,
  id: string,
  proposedFile: string,
): Promise<string[]> {
  return [
    ...await problemsOf([
      ["approve", id, "--notes", NOTES, "--root", root],
      ["audit", "verify", "--root", root],
    ]),
    ...await problemsOfCollecting(root, id, proposedFile),
  ];
}

/**
 * Asks a question that is approved: the agent must get the answer, and both files must be put away.
 *
 * @param root The root.
 * @param id The proposal.
 * @param proposedFile What it proposes.
 * @returns What is wrong.
 */
export async function problemsOfCollecting(
  root: string,
  id: string,
  proposedFile: string,
): Promise<string[]> {
  const queueDir = queueDirForSlug(SLUG, { root });
  const told = await askHere(queueDir, proposedFile);
  const isAnswer = told.kind === "answered" && told.proposal.id === id &&
    told.response.status === "approved" && told.response.finalFile === proposedFile;
  const decision: Decision = { id, status: "approved", notes: NOTES, finalFile: proposedFile };
  const inTheWay = [...Deno.readDirSync(queueDir)].filter(({ name }) => name.startsWith(`${id}.`));
  return [
    ...isAnswer ? [] : [`asked after the answer, it was ${told.kind}`],
    ...inTheWay.map(({ name }) => `${name} is not archived`),
    ...problemsAtTheEnd(readDisk(root), [decision]),
  ];
}
