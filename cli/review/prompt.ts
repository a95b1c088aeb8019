/**
 * Questions on the screen, and what is typed as an answer.
 *
 * @module
 */

import { COMPONENT_REBUILD, instantOf } from "../../internal_mod.ts";
import {
  type AuditEntry,
  COMPONENT_FOR_TOOL,
  type PendingProposal,
  readAuditEntries,
  STATUS_REJECTED,
} from "../../mod.ts";

/** The most that one line takes, in characters. */
const MOST = 4_000;

/**
 * What a line is after a key.
 *
 * @param line The line before.
 * @param key A key by its name, or a character.
 * @returns The line after.
 */
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

/**
 * What a line is after a text was typed at once, or pasted: it stays one line.
 *
 * @param line The line before.
 * @param text The text.
 * @returns The line after.
 */
export function addText(line: string, text: string): string {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/[\r\n\t]+/g, " ").replace(/[\x00-\x1f\x7f-\x9f]/g, "");
  return (line + plain).slice(0, MOST);
}

/**
 * The notes with which a bottle's proposals of one tool were rejected, the latest first.
 *
 * Needs `--allow-read` for the root.
 *
 * @param entry A proposal of that bottle and tool.
 * @param root The root.
 * @returns The notes; none if the log cannot be read.
 */
export async function pastNotes(
  { proposal: { tool, bottleSlug } }: PendingProposal,
  root: string,
): Promise<readonly string[]> {
  const component = COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD;
  let entries: readonly AuditEntry[];
  try {
    entries = await readAuditEntries(component, bottleSlug, { root });
  } catch {
    // Whatever is wrong with the log, doctor and audit verify say it; here only notes are missing.
    return [];
  }
  return entries
    .filter(({ operatorAction }) => operatorAction === STATUS_REJECTED)
    .toSorted((a, b) => instantOf(b.timestamp) - instantOf(a.timestamp))
    .map(({ operatorNotes }) => operatorNotes)
    .filter((notes) => notes.trim() !== "");
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
