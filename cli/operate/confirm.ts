/**
 * Asks for a yes, and says what may be approved unseen.
 *
 * @module
 */

import { nameMarks, visibleLine } from "../../internal_mod.ts";
import type { Inspection } from "../../mod.ts";
import { type Flags, UsageError } from "../command/flags.ts";

/** How long what a question is about stands on the screen before it can be answered. */
const SETTLE_MS = 250;

/**
 * Asks a question and waits for a line. What was typed before the question appeared is dropped, so
 * that a paste, or an Enter too many, never answers what was not read.
 *
 * @param question What to print before the cursor.
 * @returns The line without its LF; `undefined` at the end of the input.
 */
export async function ask(question: string): Promise<string | undefined> {
  let line = readLine();
  while (await Promise.race([line.then(() => true), settle()])) {
    if (await line === undefined) return undefined;
    await print("(typed too soon, ignored)\n");
    line = readLine();
  }
  await print(question);
  return await line;
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(text));
}

function settle(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), SETTLE_MS));
}

/** A terminal hands out one line a read. */
async function readLine(): Promise<string | undefined> {
  const buffer = new Uint8Array(4096);
  const count = await Deno.stdin.read(buffer);
  if (count === null) return undefined;
  return new TextDecoder().decode(buffer.subarray(0, count)).replace(/\r?\n$/, "");
}

/** What lets something pass that a person looked at: it contradicts a decision without one. */
const FOR_PEOPLE = ["confirm", "allow-stale", "override-foreign"];

/** Thrown if a person has to look at a proposal that was to be approved only if nobody has to. */
export class MarkedError extends Error {
  override name = "MarkedError";
}

/**
 * Refuses a command line that both asks for a person and does without one.
 *
 * @param flags What was typed.
 * @throws {UsageError} If it does.
 */
export function refuseContradiction({ ifUnmarked, given }: Flags): void {
  const contrary = FOR_PEOPLE.find((name) => given.includes(name));
  if (!ifUnmarked || contrary === undefined) return;
  throw new UsageError(
    `Cannot use --if-unmarked with --${contrary}: one is for scripts, one for who has looked`,
  );
}

/** Why a person has to look, the most telling reason first. */
function reasonsToLook(inspection: Inspection): string[] {
  const { marks, stale, problems: [problem], unrecordedResponse } = inspection;
  const reasons: string[] = [];
  if (marks.length > 0) reasons.push(`it has marks (${nameMarks(marks)})`);
  if (stale) reasons.push("the file in force is not the one the agent started from");
  if (problem !== undefined) {
    reasons.push(`its file is not sound (${visibleLine(problem.where, "code")})`);
  }
  if (unrecordedResponse !== undefined) reasons.push("it is answered without a record");
  return reasons;
}

/**
 * Refuses a proposal that a person has to look at: it has a mark of any severity, is stale, has an
 * unsound file, or an answer that no record backs. That it has none of these proves nothing; a script
 * that approves takes that upon itself.
 *
 * @param inspection The proposal beside the file in force.
 * @throws {MarkedError} If a person has to.
 */
export function refuseIfMarked(inspection: Inspection): void {
  const reasons = reasonsToLook(inspection);
  if (reasons.length === 0) return;
  const { id } = inspection.proposal;
  throw new MarkedError(
    `Cannot approve proposal ${id} unseen: ${
      reasons.join("; ")
    }; show ${id}, then decide it yourself`,
  );
}
