/**
 * Questions on the screen, and what is typed as an answer.
 *
 * @module
 */

import { componentOf, instantOf, readLatestEntries } from "../../internal_mod.ts";
import { type PendingProposal, STATUS_REJECTED } from "../../mod.ts";

/** The most that one line takes, in characters. */
const MOST = 4_000;

/** A line after a key: a character, or a key by its name. */
export function editLine(line: string, key: string): string {
  switch (key) {
    case "backspace":
    case "delete":
      return [...line].slice(0, -1).join("");
    case "ctrl-u":
      return "";
    case "ctrl-w":
      return line.replace(/\S*\s*$/, "");
    default:
      return [...key].length === 1 ? addText(line, key) : line;
  }
}

/** A line after a text was typed at once, or pasted. It stays one line. */
export function addText(line: string, text: string): string {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/[\r\n\t]+/g, " ").replace(/[\x00-\x1f\x7f-\x9f]/g, "");
  return (line + plain).slice(0, MOST);
}

/**
 * The notes with which a bottle's proposals of one tool were rejected lately, the latest first; none if
 * the log cannot be read: doctor and audit verify say what is wrong with it.
 */
export function pastNotes({ proposal }: PendingProposal, root: string): readonly string[] {
  const component = componentOf(proposal.tool);
  try {
    return readLatestEntries(component, proposal.bottleSlug, root).entries
      .filter(({ operatorAction }) => operatorAction === STATUS_REJECTED)
      .toSorted((a, b) => instantOf(b.timestamp) - instantOf(a.timestamp))
      .map(({ operatorNotes }) => operatorNotes)
      .filter((notes) => notes.trim() !== "");
  } catch {
    return [];
  }
}

const BY_HAND = "Type it by hand: a pasted word confirms nothing.";

/** Fast fingers, or a slow line, bring so many characters at once; more of them are a paste. */
const MOST_TYPED_AT_ONCE = 3;

/** What is asked. */
export interface Question {
  /** The question. */
  readonly text: string;
  /** The keys of the rows that it is about: when one of them changes, the question is withdrawn. */
  readonly about: readonly string[];
  /** Answers that are offered, the likeliest first. */
  readonly offers?: readonly string[];
  /** Whether the answer is a decision's confirmation: typed by hand, never pasted. */
  readonly confirms?: boolean;
  /** What stands there to begin with. */
  readonly initial?: string;
  /** Called with what has been typed so far. */
  readonly typing?: (text: string) => void;
}

/** A question on the screen, and what has been typed. */
export type Prompt = ReturnType<typeof openPrompt>;

/** Asks. `refused` gets the reason why something that was typed is not taken. */
export function openPrompt(question: Question, refused: (why: string) => void) {
  const { promise: answered, resolve } = Promise.withResolvers<string | undefined>();
  const { offers = [], confirms = false, typing } = question;
  let text = question.initial ?? "";
  let offer = -1;

  function take(next: string): void {
    text = next;
    typing?.(text);
  }
  function choose(by: number): void {
    if (offers.length === 0) return;
    offer = Math.max(0, Math.min(offers.length - 1, offer + by));
    take(offers[offer]!);
  }

  return {
    question,
    /** What has been typed. */
    text: () => text,
    /** Which offer is taken, from 0; -1 for none. */
    offer: () => offer,
    /** The answer; `undefined` if the operator left the question, or it was withdrawn. */
    answered,
    withdraw: () => resolve(undefined),
    press(key: string): void {
      switch (key) {
        case "return":
          return resolve(text);
        case "escape":
        case "ctrl-c":
          return resolve(undefined);
        case "up":
          return choose(-1);
        case "down":
        case "tab":
          return choose(1);
        case "space":
          return take(addText(text, " "));
        default:
          return take(editLine(text, key));
      }
    },
    /** Takes characters that came at once: typed fast, or pasted without being marked as a paste. */
    burst(typed: string): void {
      if (confirms && [...typed].length > MOST_TYPED_AT_ONCE) refused(BY_HAND);
      else take(addText(text, typed));
    },
    paste(pasted: string): void {
      if (confirms) refused(BY_HAND);
      else take(addText(text, pasted));
    },
  };
}
