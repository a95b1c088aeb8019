/**
 * A question that is answered: the sidecar passes the answer on, and puts both files away.
 *
 * @module
 */

import { queueDirForSlug } from "../../mod.ts";
import type { Outcome } from "../../sidecar/hold.ts";
import { SLUG } from "../support/operator.ts";
import {
  askAndDecide,
  askedIn,
  NOTES,
  prepareQueue,
  problemsOfAnswering,
  problemsOfCollecting,
  problemsOfHidden,
} from "./answering.ts";
import { QUESTION } from "./asking.ts";
import { readDisk } from "./disk.ts";
import { problemsAtAnyTime } from "./invariants.ts";
import { startProgram } from "./program.ts";
import type { Judgement, Subject } from "./subject.ts";
import { join } from "@std/path";

const { proposed_file: PROPOSED } = QUESTION;

/** A question that is answered. */
export const COLLECT: Subject<Outcome> = {
  name: "collect",
  async prepare(root) {
    await prepareQueue(root);
    await askAndDecide(root, PROPOSED, "approve");
  },
  start(cpu, root) {
    const queueDir = queueDirForSlug(SLUG, { root });
    const flags = [`--allow-read=${queueDir}`, `--allow-write=${queueDir}`];
    return startProgram(cpu, flags, "asking_program.ts", [queueDir]);
  },
  canRepeat: true,
  isDone: ({ kind }) => kind === "answered",
  // The agent is told what stands in the queue, whether that can be put away or not.
  promised: /(?!)/,
  judge,
};

/** Whatever was hit, the answer is still there, once, and the agent gets it when it asks again. */
async function judge(root: string, said: Outcome | "died"): Promise<Judgement> {
  const left = readDisk(root);
  const problems = [...problemsAtAnyTime(left), ...problemsOfHidden(left, said === "died")];
  const asked = askedIn(left, PROPOSED);
  const answers = left.answers.filter(({ proposal_id }) => asked.includes(String(proposal_id)));
  if (answers.length !== 1) problems.push(`the question has ${answers.length} answers`);
  if (said !== "died" && said.kind === "answered" && said.response.notes !== NOTES) {
    problems.push("the agent was told other notes");
  }
  const answered = String(answers[0]?.proposal_id);
  const words = said === "died" ? `died, ${putAway(root, answered)} of 2 put away` : said.kind;
  const [anew, ...more] = asked.filter((id) => id !== answered);
  if (anew === undefined) {
    problems.push(...await problemsOfCollecting(root, answered, PROPOSED));
    return { outcome: words, problems };
  }
  // It could not see the answer, and asked the operator once more: a nuisance, and nothing is lost.
  if (more.length > 0) problems.push(`it was asked anew ${asked.length - 1} times`);
  problems.push(...await problemsOfAnswering(root, anew, PROPOSED));
  return { outcome: `${words}, asked anew`, problems };
}

/** How many of a proposal's files are archived. */
function putAway(root: string, id: string): number {
  return [...Deno.readDirSync(join(queueDirForSlug(SLUG, { root }), "processed"))]
    .filter(({ name }) => name.startsWith(`${id}.`)).length;
}
