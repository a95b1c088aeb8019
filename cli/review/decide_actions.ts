/**
 * From a key to a decision: what is asked on the way, and what can be undone.
 *
 * @module
 */

import { AlreadyDecidedError, type Verdict } from "../../mod.ts";
import { CancelledError } from "../command/exit.ts";
import { clearObstacles } from "../operate/confirm.ts";
import { seenNow, warningOf } from "../operate/decision.ts";
import type { Edit } from "../operate/editor.ts";
import { quoteId } from "../render/quote.ts";
import { versionBlocks } from "../render/version.ts";
import { open, type Row } from "./list.ts";
import { isSame, openProposal } from "./open_proposal.ts";
import { type HeldDecision, keepEdit, type Look, type State, type View } from "./state.ts";
import { openViewport } from "./viewport.ts";

/** How many notes are offered. */
const MOST_OFFERED = 5;

/** Holds decisions until they can no longer be undone; then they are written. */
export function hold(state: State, group: readonly HeldDecision[]): void {
  const { list, undoBuffer, guard } = state;
  undoBuffer.hold(group.filter(({ key }) => list.row(key)?.stage.kind === "open"));
  guard.shifted();
}

/** Writes one decision, and reports it for when the screen is gone. */
async function writeOne(state: State, { key, seen, said, edit }: HeldDecision): Promise<void> {
  const { list, ports, report, looks } = state;
  const { bottleSlug, id } = seen.inspection.proposal;
  state.changed();
  const sinceMs = () => ports.elapsedMs();
  try {
    const decision = await ports.decide(seen, said);
    const { status, applied } = decision;
    list.set(key, { kind: "over", words: status, sinceMs: sinceMs() });
    report.push(`${status.padEnd(8)} ${quoteId(id)} (${bottleSlug})`);
    // Each way once, however many are decided.
    const did = applied === undefined ? [] : [`  in force: ${applied}`];
    report.push(...did.filter((words) => !report.includes(words)));
    for (const line of warningOf(decision)) {
      report.push(line);
      state.tell(line);
    }
    looks.delete(key);
    // It is decided, even if the file that was edited cannot be removed.
    await edit?.discard().catch(() => {});
  } catch (error) {
    const why = ports.explain(error);
    report.push(`! ${why}`);
    if (edit !== undefined) report.push(`  ${edit.kept}`);
    const isOver = error instanceof AlreadyDecidedError;
    list.set(key, isOver ? { kind: "over", words: why, sinceMs: sinceMs() } : open(why));
    looks.delete(key);
    state.tell(why);
  }
}

/**
 * Writes decisions, one after the other. A failure of one stops no other. When the screen ends, it waits
 * for this, or reports what was not written.
 */
export async function write(state: State, group: readonly HeldDecision[]): Promise<void> {
  const { list, unwritten, writes } = state;
  for (const pending of group) {
    unwritten.add(pending);
    list.set(pending.key, { kind: "writing", status: pending.said.verdict.status });
  }
  if (state.quitAsked && state.undoBuffer.count() === 0) {
    // The decisions that were asked about are being written now.
    state.quitAsked = false;
    state.message = "";
  }
  const all = (async () => {
    for (const pending of group) {
      await writeOne(state, pending);
      unwritten.delete(pending);
    }
  })();
  writes.add(all);
  await Promise.all(writes);
  writes.delete(all);
  state.changed();
}

/** Takes back the last decisions that can be undone. */
export function undo(state: State): void {
  const { undoBuffer, list } = state;
  const group = undoBuffer.undo();
  if (group === undefined) {
    state.tell("Nothing can be undone: a recorded decision stays.");
    return;
  }
  for (const { key } of group) list.set(key, open("taken back"));
  const [first] = group;
  if (first !== undefined) list.goTo(first.key);
  const kept = group.flatMap(({ edit }) => edit === undefined ? [] : [edit.kept]);
  state.report.push(...kept);
  state.tell(["Taken back, nothing was written.", ...kept].join(" "));
}

/** Whether a row can be decided; if not, the foot of the screen says why. */
export function isOpen(state: State, row: Row | undefined): row is Row {
  if (row === undefined) state.tell("No proposal is listed.");
  else if (row.stage.kind === "over") state.tell(`It is no longer pending: ${row.stage.words}.`);
  else if (row.stage.kind !== "open") state.tell("You decided it; u to undo.");
  return row?.stage.kind === "open";
}

/** Asks until the word is typed, or the operator leaves the question. */
export async function confirmWord(
  state: State,
  text: string,
  about: readonly string[],
  word: string,
): Promise<boolean> {
  while (true) {
    const answer = await state.ask({ text, about, confirms: true });
    if (answer?.trim() === word) return true;
    if (answer === undefined) {
      // If the question was withdrawn, the message says why.
      if (state.message === "") state.tell("Not decided.");
      return false;
    }
    state.tell(`That is not ${word}. Type it, or leave with Esc.`);
  }
}

/**
 * Asks for all that has to be asked, and holds the decision. The notes of the command line are what a
 * question for notes begins with.
 */
export async function decideOn(
  state: State,
  { row, look, edit }: { readonly row: Row; readonly look: Look; readonly edit?: Edit },
  verdict: Verdict,
  written: string,
): Promise<void> {
  const { key } = row;
  const draft = { verdict, notes: verdict.status === "approved" ? written : "" };
  const cleared = await clearObstacles(look.inspection, draft, {
    confirm: ({ sentence, request, word }) =>
      confirmWord(state, `${sentence}\n${request}`, [key], word),
    notes: () => askWhy(state, [row], written),
    refuse: (sentence, { clearedBy }) => {
      // The way out first: of a long message the screen shows the beginning.
      const way = clearedBy.how === "edit" ? "m changes the file, r rejects it. " : "";
      state.tell(`Not decided. ${way}${sentence}`);
    },
  });
  if (cleared === undefined) return;
  const text = "Notes for the agent (Enter for none):";
  const notes = edit === undefined
    ? cleared.notes
    : await state.ask({ text, about: [key], initial: written });
  if (notes === undefined || !isOpen(state, state.list.row(key))) return;
  hold(state, [{ key, seen: look, said: { ...cleared, notes }, ...(edit && { edit }) }]);
  toNext(state, key);
}

/** Back to the list, on the next row that waits. */
function toNext(state: State, key: string): void {
  const rows = state.list.visible();
  const at = rows.findIndex((row) => row.key === key);
  const next = [...rows.slice(at + 1), ...rows.slice(0, Math.max(0, at))]
    .find(({ stage }) => stage.kind === "open");
  if (next !== undefined) state.list.goTo(next.key);
  state.show({ place: "list" });
}

/** Asks for the note of a rejection. `undefined`: there is none, so nothing is rejected. */
export async function askWhy(
  state: State,
  rows: readonly Row[],
  initial: string,
): Promise<string | undefined> {
  const past = rows[0] === undefined ? [] : await state.ports.pastNotes(rows[0].entry);
  const offers = [...new Set([...state.notes, ...past])].slice(0, MOST_OFFERED);
  const about = rows.map(({ key }) => key);
  const text = rows.length === 1
    ? "Why? The agent reads it:"
    : `Why? One note for all ${rows.length}; the agents read it:`;
  const answer = await state.ask({ text, about, offers, initial });
  if (answer === undefined) {
    if (state.message === "") state.tell("Not rejected.");
    return undefined;
  }
  const notes = answer.trim();
  if (notes === "") {
    state.tell("Not rejected: a rejection needs a note.");
    return undefined;
  }
  state.notes.unshift(notes);
  return notes;
}

/** Whether a proposal, or what it would change, is not what was looked at. */
async function hasChanged({ ports }: State, { entry }: Row, look: Look): Promise<boolean> {
  try {
    return !isSame(look, seenNow(await ports.inspect(entry)));
  } catch {
    return true; // Opened again, it says why it cannot be read.
  }
}

/** Opens the editor, on `before` if it is edited again, and shows the version before it counts. */
export async function modify(
  state: State,
  key: string,
  look: Look,
  before?: HeldDecision["edit"],
): Promise<void> {
  const { ports, style } = state;
  const { merged, proposal } = look.inspection;
  const start = before?.finalFile ?? merged ?? proposal.proposedFile;
  try {
    const edit = await ports.edit(look.inspection, start);
    await before?.discard();
    const row = state.list.row(key);
    if (row?.stage.kind === "open" && await hasChanged(state, row, look)) {
      keepEdit(state, edit);
      const because =
        "The proposal or the file in force changed while you edited. This is how it is now.";
      return await openProposal(state, row, because);
    }
    const viewport = openViewport(versionBlocks(look.inspection, edit.finalFile), style);
    state.show({ place: "edit", key, look, edit, viewport });
  } catch (error) {
    const why = ports.explain(error);
    if (error instanceof CancelledError && error.isKept) state.report.push(`! ${why}`);
    // Keys that were typed for the editor may still come.
    state.guard.shifted();
    state.tell(why);
  }
}

/** Answers with the operator's version that is on the screen. */
export async function answerWithEdit(
  state: State,
  { key, look, edit }: Extract<View, { place: "edit" }>,
  notes: string,
): Promise<void> {
  const row = state.list.row(key);
  if (!isOpen(state, row)) return;
  const verdict: Verdict = { status: "modified", finalFile: edit.finalFile };
  await decideOn(state, { row, look, edit }, verdict, notes);
}
