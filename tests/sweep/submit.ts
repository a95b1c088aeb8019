/**
 * A new question, asked of a real sidecar.
 *
 * @module
 */

import { queueDirForSlug } from "../../mod.ts";
import type { CallResult } from "../support/clients.ts";
import { SLUG } from "../support/operator.ts";
import { askedIn, prepareQueue, problemsOfAnswering, problemsOfHidden } from "./answering.ts";
import { askHere, QUESTION } from "./asking.ts";
import { type Disk, readDisk } from "./disk.ts";
import { problemsAtAnyTime } from "./invariants.ts";
import { startAsked } from "./sidecar.ts";
import type { Judgement, Subject } from "./subject.ts";

/** A new question. */
export const SUBMIT: Subject<CallResult> = {
  name: "submit",
  prepare: prepareQueue,
  start: (cpu, root) => startAsked(cpu, queueDirForSlug(SLUG, { root })),
  canRepeat: false,
  isDone: ({ structured }) => structured?.status === "pending",
  promised: /^queue\//,
  judge: judgeSubmitted,
};

/**
 * Judges a queue after a new question: it is there whole or not at all, and if the agent was told
 * that it is pending it is there; asked again it is the same one, and it is answered.
 *
 * @param root The root, as the sidecar left it.
 * @param said What the agent was told.
 * @param proposedFile What was proposed.
 * @param mend Takes the fault away, where it has not gone by itself.
 * @returns The judgement.
 */
export async function judgeSubmitted(
  root: string,
  said: CallResult | "died",
  proposedFile: string = QUESTION.proposed_file,
  mend: () => void = () => {},
): Promise<Judgement> {
  const left = readDisk(root);
  const asked = askedIn(left, proposedFile);
  const problems = problemsAtAnyTime(left);
  if (asked.length > 1) problems.push(`the question is there ${asked.length} times`);
  const told = said === "died" || said.isError ? undefined : said.structured?.proposal_id;
  if (told !== undefined && asked[0] !== told) {
    problems.push(`the agent was told of ${told}, which is not there`);
  }
  problems.push(...problemsOfHidden(left, said === "died"));

  mend();
  const again = await askHere(queueDirForSlug(SLUG, { root }), proposedFile);
  if (again.kind !== "pending") problems.push(`asked again, it was ${again.kind}`);
  else {
    const { id } = again.proposal;
    if (asked.length > 0 && asked[0] !== id) problems.push("asked again, it was another proposal");
    problems.push(...await problemsOfAnswering(root, id, proposedFile));
  }
  return { outcome: outcomeOf(said, left, asked.length > 0), problems };
}

/** What the agent was told, whether the question is there, and what else. */
function outcomeOf(said: CallResult | "died", left: Disk, isThere: boolean): string {
  const hidden = left.leftoversOfSidecar.length > 0 ? " but a hidden file" : "";
  if (said !== "died" && !said.isError) return `pending${hidden}`;
  const words = said === "died" ? "died" : "refused";
  return `${words} ${isThere ? "with" : "without"} a proposal${hidden}`;
}
