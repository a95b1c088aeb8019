/**
 * Judges a root after a fault: what is on the disk, what the command said, and what comes of the same
 * command when it is run again.
 *
 * @module
 */

import { runHere } from "./again.ts";
import { NEXT_ID } from "./commands.ts";
import { readDisk } from "./disk.ts";
import {
  type Decision,
  decisionsOn,
  problemsAtAnyTime,
  problemsAtTheEnd,
  problemsOfReport,
  type Said,
} from "./invariants.ts";

/** What became of a command. */
export const OUTCOMES = [
  // It went through all the same, and said so.
  "succeeded",
  // It said that nothing was decided, and nothing was.
  "refused",
  // It said that the decision is recorded and yet to be answered; the next run answered.
  "recorded",
  // It was killed before the record: the next run decided anew.
  "dropped",
  // It was killed after the record: the next run answered.
  "completed",
  // It was killed after the answer.
  "answered",
] as const;

/** What became of a command. */
export type Outcome = (typeof OUTCOMES)[number];

/** What is wrong, and what became of the command. */
export interface Judgement {
  readonly outcome: Outcome;
  readonly problems: readonly string[];
}

/**
 * Judges a root, and runs the command again.
 *
 * @param root The root, as the command left it.
 * @param args The command line.
 * @param decision What it was to decide.
 * @param said What it said; it is not running any more.
 * @param mend Takes the fault away before the command is run again, where it has not gone by itself.
 * @returns The judgement.
 */
export async function judge(
  root: string,
  args: readonly string[],
  decision: Decision,
  said: Said,
  mend: () => void = () => {},
): Promise<Judgement> {
  const left = readDisk(root);
  const answers = left.answers.filter((answer) => answer.proposal_id === decision.id);
  const outcome = outcomeOf(said, decisionsOn(left, decision.id).length, answers.length);
  const problems = [...problemsAtAnyTime(left), ...problemsOfReport(left, said, decision)];

  mend();
  const again = await runHere(args);
  problems.push(...problemsOfRepeat(again, outcome));
  problems.push(...await problemsOfWhatFollows(root));
  const next: Decision = { id: NEXT_ID, status: "rejected", notes: "Next.", finalFile: null };
  problems.push(...problemsAtTheEnd(readDisk(root), [decision, next]));
  return { outcome, problems: [...new Set(problems)] };
}

/**
 * What is wrong with what comes after: another decision, and the check of the log.
 *
 * @param root The root.
 * @returns What is wrong.
 */
async function problemsOfWhatFollows(root: string): Promise<string[]> {
  const problems: string[] = [];
  for (
    const args of [
      ["reject", NEXT_ID, "--notes", "Next.", "--root", root],
      ["audit", "verify", "--root", root],
    ]
  ) {
    const said = await runHere(args);
    if (said === "hung") problems.push(`then ${args[0]} ${args[1]} hung`);
    else if (said.exit !== 0) {
      problems.push(`then ${args[0]} ${args[1]} failed: ${said.exit} ${said.code ?? ""}`.trimEnd());
    }
  }
  return problems;
}

function outcomeOf(said: Said, records: number, answers: number): Outcome {
  if (said.exit === 0) return "succeeded";
  if (said.exit !== undefined) return said.code === "recorded" ? "recorded" : "refused";
  if (records === 0) return "dropped";
  return answers > 0 ? "answered" : "completed";
}

/** What the same command must say: done, if nothing had been decided; else that it is decided. */
function problemsOfRepeat(again: Said | "hung", outcome: Outcome): string[] {
  if (again === "hung") return ["run again, it hung"];
  const expected = {
    succeeded: [4],
    recorded: [4],
    answered: [4],
    completed: [4],
    refused: [0],
    // A line that lacked nothing but its LF may count as recorded.
    dropped: [0, 4],
  }[outcome];
  if (again.exit !== undefined && expected.includes(again.exit)) return [];
  const ended = `${again.exit}${again.code === undefined ? "" : ` (${again.code})`}`;
  return [`run again after "${outcome}", it ended with ${ended}, not ${expected.join(" or ")}`];
}
