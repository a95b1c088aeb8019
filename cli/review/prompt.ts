/**
 * A question at the foot of the screen.
 *
 * @module
 */

import { addText, editLine } from "./line_input.ts";

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

/** A question that stands on the screen. */
export interface Prompt {
  /** What is asked. */
  readonly question: Question;
  /** What has been typed. */
  readonly text: () => string;
  /** Which offer is taken, from 0; -1 for none. */
  readonly offer: () => number;
  /** Takes a key. */
  readonly press: (key: string) => void;
  /** Takes several characters that came at once: typed fast, or pasted by a terminal that says not. */
  readonly burst: (text: string) => void;
  /** Takes a paste. */
  readonly paste: (text: string) => void;
  /** Withdraws the question. */
  readonly withdraw: () => void;
  /** What was answered; `undefined` if nobody did. */
  readonly answered: Promise<string | undefined>;
}

/**
 * Asks.
 *
 * @param question What is asked.
 * @param refused Called with the reason if what was typed is not taken.
 * @returns The question on the screen.
 */
export function openPrompt(question: Question, refused: (why: string) => void): Prompt {
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
    text: () => text,
    offer: () => offer,
    answered,
    withdraw: () => resolve(undefined),
    press(key) {
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
    burst(typed) {
      if (confirms && [...typed].length > MOST_TYPED_AT_ONCE) refused(BY_HAND);
      else take(addText(text, typed));
    },
    paste(pasted) {
      if (confirms) refused(BY_HAND);
      else take(addText(text, pasted));
    },
  };
}
