/**
 * What a sidecar does with a question, and the queues that it starts from.
 *
 * @module
 */

import { queueDirForSlug } from "../../mod.ts";
import type { CallResult } from "../support/clients.ts";
import { SLUG } from "../support/operator.ts";
import { queueSample } from "../support/records.ts";
import { problemsOf } from "./again.ts";
import { type Disk, readDisk } from "./disk.ts";
import { type Decision, problemsAtAnyTime, problemsAtTheEnd } from "./invariants.ts";
import { askHere, QUESTION, startAsked } from "./sidecar.ts";
import type { Judgement, Subject } from "./subject.ts";

const NOTES = "Read-only, fine.";

/** A question that is new; and one that is answered, which the sidecar passes on and puts away. */
export const ASKED: readonly Subject<CallResult>[] = [
  {
    name: "submit",
    prepare: prepareUsed,
    start: (cpu, root) => startAsked(cpu, queueDirForSlug(SLUG, root)),
    canRepeat: false,
    isDone: ({ structured }) => structured?.status === "pending",
    judge: judgeSubmitted,
  },
  {
    name: "collect",
    prepare: prepareAnswered,
    start: (cpu, root) => startAsked(cpu, queueDirForSlug(SLUG, root)),
    canRepeat: false,
    isDone: ({ structured }) => structured?.status === "approved",
    judge: judgeCollected,
  },
];

/** A queue as it usually is: something else is pending, something is archived. */
async function prepareUsed(root: string): Promise<void> {
  const queueDir = queueDirForSlug(SLUG, root);
  await queueSample(root, { id: "0000-pending" });
  const proposalId = idOf(await askHere(queueDir, "old.example\n"));
  await mustSucceed([["reject", proposalId, "--notes", "No.", "--root", root]]);
  await askHere(queueDir, "old.example\n");
}

/** The same, and the question is answered; nobody was there to hear it. */
async function prepareAnswered(root: string): Promise<void> {
  await prepareUsed(root);
  const proposalId = idOf(await askHere(queueDirForSlug(SLUG, root)));
  await mustSucceed([["approve", proposalId, "--notes", NOTES, "--root", root]]);
}

async function mustSucceed(commands: readonly (readonly string[])[]): Promise<void> {
  const problems = await problemsOf(commands);
  if (problems.length > 0) throw new Error(`Cannot prepare the sweep: ${problems.join("; ")}`);
}

function idOf(outcome: Awaited<ReturnType<typeof askHere>>): string {
  if (outcome.kind !== "refused") return outcome.proposal.id;
  throw new Error(`Cannot prepare the sweep: ${outcome.reason}`);
}

/** The ids of the proposals that ask this. */
function askedIn(disk: Disk, proposedFile: string): string[] {
  return [...disk.proposals.values()]
    .filter((proposal) => proposal.proposed_file === proposedFile)
    .map(({ id }) => String(id));
}

/**
 * Judges a queue after a question that was new.
 *
 * @param root The root, as the sidecar left it.
 * @param said What the agent was told.
 * @param proposedFile The file that was proposed.
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
  if (told !== undefined && asked[0] !== told) problems.push(`the agent was told of ${told}`);
  problems.push(...problemsOfHidden(left, said));

  mend();
  const expected = asked[0];
  const again = await askHere(queueDirForSlug(SLUG, root), proposedFile);
  if (again.kind !== "pending" || again.proposal.id !== (expected ?? again.proposal.id)) {
    problems.push(`asked again, it was ${again.kind}, or another one`);
  } else problems.push(...await problemsOfAnswering(root, again.proposal.id, proposedFile));
  const outcome = said === "died" ? "died" : said.isError ? "refused" : "pending";
  return { outcome: outcomeWith(outcome, left, asked.length > 0), problems };
}

/** In words: what the agent was told, whether the question is there, and what else. */
function outcomeWith(told: "died" | "refused" | "pending", left: Disk, isThere: boolean): string {
  const hidden = left.leftoversOfSidecar.length > 0 ? " with a hidden file" : "";
  if (told === "pending") return told + hidden;
  return `${told}, ${isThere ? "asked" : "not asked"}${hidden}`;
}

/** A sidecar that lives removes what it cannot use; one that dies leaves one file, which nothing reads. */
function problemsOfHidden(left: Disk, said: CallResult | "died"): string[] {
  const most = said === "died" ? 1 : 0;
  return left.leftoversOfSidecar.slice(most).map((path) => `${path} is left behind`);
}

/** Approves the question, asks once more, and looks whether all is in its place. */
async function problemsOfAnswering(
  root: string,
  id: string,
  proposedFile: string,
): Promise<string[]> {
  const problems = await problemsOf([
    ["approve", id, "--notes", NOTES, "--root", root],
    ["audit", "verify", "--root", root],
  ]);
  problems.push(...await problemsOfCollecting(root, id, proposedFile));
  return problems;
}

async function problemsOfCollecting(
  root: string,
  id: string,
  proposedFile: string,
): Promise<string[]> {
  const told = await askHere(queueDirForSlug(SLUG, root), proposedFile);
  const isAnswer = told.kind === "answered" && told.proposal.id === id &&
    told.response.status === "approved" && told.response.finalFile === proposedFile;
  const problems = isAnswer ? [] : [`asked after the answer, it was ${told.kind}`];
  const decision: Decision = { id, status: "approved", notes: NOTES, finalFile: proposedFile };
  problems.push(...problemsAtTheEnd(readDisk(root), [decision]));
  for (const { name } of Deno.readDirSync(queueDirForSlug(SLUG, root))) {
    if (name.startsWith(`${id}.`)) problems.push(`${name} is not archived`);
  }
  return problems;
}

/** Judges a queue after a question that had been answered. */
async function judgeCollected(root: string, said: CallResult | "died"): Promise<Judgement> {
  const left = readDisk(root);
  const asked = askedIn(left, QUESTION.proposed_file);
  const problems = problemsAtAnyTime(left);
  const answered = left.answers.filter(({ proposal_id }) => asked.includes(String(proposal_id)));
  if (answered.length !== 1) problems.push(`the question has ${answered.length} answers`);
  const isTold = said !== "died" && said.structured?.status === "approved";
  if (isTold && said.structured?.notes !== NOTES) problems.push("the agent was told other notes");
  problems.push(...problemsOfHidden(left, said));

  const id = String(answered[0]?.proposal_id);
  if (asked.length === 1) {
    problems.push(...await problemsOfCollecting(root, id, QUESTION.proposed_file));
    return { outcome: said === "died" ? "died" : isTold ? "told" : "refused", problems };
  }
  // It could not see the answer and asked the operator once more: a nuisance, and nothing is lost.
  const anew = asked.filter((other) => other !== id);
  if (anew.length > 1) problems.push(`it was asked anew ${anew.length} times`);
  problems.push(...await problemsOfAnswering(root, String(anew[0]), QUESTION.proposed_file));
  return { outcome: said === "died" ? "died, asked anew" : "asked anew", problems };
}
