/**
 * Judges a root after a command that decides was hit: what is on the disk, what the command said, and
 * what comes of the same command when it is run again.
 *
 * @module
 */

import { problemsOf, runHere } from "./again.ts";
import { readDisk } from "./disk.ts";
import {
  type Decision,
  decisionsOn,
  problemsAtAnyTime,
  problemsAtTheEnd,
  problemsOfReport,
  type Said,
} from "./invariants.ts";
import type { Judgement } from "./subject.ts";

/** What became of a command, and the exit codes that it may have when it is run again. */
const OUTCOMES = {
  /** It went through all the same, and said so. */
  succeeded: [4],
  /** It said that nothing was decided, and nothing was. */
  refused: [0],
  /** It said that the decision is recorded and yet to be answered; the next run answered. */
  recorded: [4],
  /** It said that the decision is answered, and its rule perhaps not written. */
  unwritten: [4],
  /** It died before the record; a line that lacks nothing but its LF may be one. */
  dropped: [0, 4],
  /** It died after the record: the next run answered. */
  completed: [4],
  /** It died after the answer. */
  answered: [4],
} as const;

type Outcome = keyof typeof OUTCOMES;

/** A command that decides. */
export interface DecidingCommand {
  /** The command line. */
  readonly args: readonly string[];
  /** What it decides. */
  readonly decision: Decision;
  /** A proposal that is decided afterwards, to see that nothing is stuck. */
  readonly nextId: string;
}

/**
 * Judges a root, and runs the command again.
 *
 * @param root The root, as the command left it.
 * @param command The command.
 * @param said What it said.
 * @param mend Takes the fault away before the command is run again, where it has not gone by itself.
 * @returns The judgement.
 */
export async function judgeDecision(
  root: string,
  { args, decision, nextId }: DecidingCommand,
  said: Said | "died",
  mend: () => void = () => {},
): Promise<Judgement> {
  const left = readDisk(root);
  const answers = left.answers.filter((answer) => answer.proposal_id === decision.id);
  const outcome = outcomeOf(said, decisionsOn(left, decision.id).length, answers.length);
  const problems = [...problemsAtAnyTime(left), ...problemsOfReport(left, said, decision)];

  mend();
  problems.push(...problemsOfRepeat(await runHere(args), outcome));
  const next: Decision = { id: nextId, status: "rejected", notes: "Next.", finalFile: null };
  problems.push(
    ...await problemsOf([
      ["reject", next.id, "--notes", next.notes, "--root", root],
      ["audit", "verify", "--root", root],
    ]),
  );
  problems.push(...problemsAtTheEnd(readDisk(root), [decision, next]));
  return { outcome, problems: [...new Set(problems)] };
}

function outcomeOf(said: Said | "died", records: number, answers: number): Outcome {
  if (said === "died") return records === 0 ? "dropped" : answers === 0 ? "completed" : "answered";
  if (said.exit === 0) return "succeeded";
  if (said.code === "standing_not_written") return "unwritten";
  return said.code === "recorded" ? "recorded" : "refused";
}

/** What the same command must say: done, if nothing had been decided; else that it is decided. */
function problemsOfRepeat(again: Said | "hung", outcome: Outcome): string[] {
  if (again === "hung") return ["run again, it hung"];
  const expected: readonly number[] = OUTCOMES[outcome];
  if (expected.includes(again.exit)) return [];
  const ended = `${again.exit}${again.code === undefined ? "" : ` (${again.code})`}`;
  return [`run again after "${outcome}", it ended with ${ended}, not ${expected.join(" or ")}`];
}
