/**
 * Asks a person for what clears the obstacles to a decision.
 *
 * @module
 */

import { visibleLine } from "../../internal_mod.ts";
import { type Inspection, type Obstacle, obstaclesTo, type Status, type Tool } from "../../mod.ts";
import { type Flags, UsageError } from "../command/flags.ts";
import { type Terminal, writeAll } from "../command/terminal.ts";
import { fitRow } from "../render/wrap.ts";
import type { Said } from "./decision.ts";

/** How long a question's subject is on the screen before the question can be answered. */
const SETTLE_MS = 250;

/** Asks the operator: prints the question, returns the line, or `undefined` at the end of input. */
export type Ask = (question: string) => Promise<string | undefined>;

/** Asks on this process's terminal. Nothing is asked about what could not be printed. */
export function askOn(terminal: Terminal): Ask {
  return async (question) => {
    const why = terminal.unprinted?.();
    if (why !== undefined) throw new Error("Cannot ask: not all of it could be printed");
    const line = await ask(fitRow(question, terminal.columns).join("\n"));
    if (line === undefined) terminal.print(""); // The cursor stands behind the question.
    return line;
  };
}

/**
 * Asks a question, and waits for a line without its LF; `undefined` at the end of the input. What was
 * typed before the question appeared is dropped: a paste, an Enter too many, or a word whose Enter comes
 * after it, must not answer it.
 */
async function ask(question: string): Promise<string | undefined> {
  while (true) {
    const line = readLine();
    const isEarly = await Promise.race([line.then(() => true), settle()]);
    if (!isEarly) {
      releaseUnfinished();
      print(question);
    }
    const text = await line;
    if (text === undefined) return undefined;
    if (!isEarly && text.endsWith("\n")) return text.replace(/\r?\n$/, "");
    print("(typed too soon, ignored)\n");
  }
}

/**
 * Gives a line that is typed in part, without an LF, to the read that waits: Linux does so when a terminal
 * leaves the mode of whole lines and comes back. The read must have begun before: one that begins outside
 * of that mode takes no Ctrl-D.
 */
function releaseUnfinished(): void {
  Deno.stdin.setRaw(true);
  Deno.stdin.setRaw(false);
}

function print(text: string): void {
  writeAll(Deno.stdout, text);
}

function settle(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), SETTLE_MS));
}

/** A terminal gives one line to each read. */
async function readLine(): Promise<string | undefined> {
  const buffer = new Uint8Array(4096);
  const count = await Deno.stdin.read(buffer);
  return count === null ? undefined : new TextDecoder().decode(buffer.subarray(0, count));
}

/** The flags of a person who looked at the proposal. */
const FOR_PEOPLE = ["confirm", "allow-stale", "override-unrecorded"];

/** Refuses a command line that confirms something, and also says that no person looked. */
export function refuseContradiction({ ifUnmarked, given }: Flags): void {
  const contrary = FOR_PEOPLE.find((name) => given.includes(name));
  if (!ifUnmarked || contrary === undefined) return;
  throw new UsageError(
    `Cannot use --if-unmarked with --${contrary}: the first is for scripts, the second for a person ` +
      "who looked",
  );
}

/** What a person has to type a word for. */
export interface Question {
  /** The obstacle, ready to be shown. */
  readonly sentence: string;
  /** What to type, and what happens then. */
  readonly request: string;
  readonly word: string;
  /** What the decision has in it once the word was typed. */
  readonly gives: Partial<Said>;
}

/** How a surface asks. Each gives `false` or `undefined` if the person leaves the question. */
export interface Asker {
  readonly confirm: (question: Question) => Promise<boolean>;
  readonly notes: () => Promise<string | undefined>;
  /** Says what no answer clears. */
  readonly refuse: (sentence: string, obstacle: Obstacle) => void;
}

/**
 * Asks for what clears the obstacles to a decision, one after the other, until there are none. Returns
 * what the person says, with what they confirmed; `undefined` if an obstacle is left.
 */
export async function clearObstacles(
  inspection: Inspection,
  draft: Said,
  { confirm, notes, refuse }: Asker,
): Promise<Said | undefined> {
  const { tool } = inspection.proposal;
  let said = draft;
  while (true) {
    const [obstacle] = obstaclesTo(inspection, said);
    if (obstacle === undefined) return said;
    const question = questionOf(obstacle, tool, said.verdict.status);
    if (question !== undefined) {
      if (!await confirm(question)) return undefined;
      said = { ...said, ...question.gives };
    } else if (obstacle.clearedBy.how === "notes") {
      const written = await notes();
      if (written === undefined) return undefined;
      said = { ...said, notes: written };
    } else {
      refuse(sentenceOf(obstacle, tool), obstacle);
      return undefined;
    }
  }
}

const ANYWAY: Readonly<Record<Status, string>> = {
  approved: "approve",
  modified: "answer with your version",
  rejected: "reject",
};

/** What to ask a person; `undefined` for an obstacle that no typed word clears. */
export function questionOf(obstacle: Obstacle, tool: Tool, status: Status): Question | undefined {
  const { clearedBy } = obstacle;
  if (clearedBy.how !== "confirm") return undefined;
  const { word, gives } = clearedBy;
  const what = gives.confirmedSlug === undefined ? word : `${word} (the bottle's name)`;
  const request = `Type ${what} to ${ANYWAY[status]} anyway:`;
  return { sentence: sentenceOf(obstacle, tool), request, word, gives };
}

/** An obstacle as a sentence, made visible. Of high marks it names the first, and counts the others. */
export function sentenceOf(obstacle: Obstacle, tool: Tool): string {
  if (obstacle.code !== "unconfirmed") {
    const text = visibleLine(obstacle.message, "code");
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  }
  const [first, ...others] = obstacle.marks;
  const more = others.length === 0
    ? ""
    : `, and ${others.length} more high mark${others.length === 1 ? "" : "s"}`;
  return `${tool}: ${visibleLine(first!.message, "code")}${more}.`;
}
