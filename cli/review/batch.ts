/**
 * Several proposals decided together: first a table of what will happen, then one key, then a result for
 * each.
 *
 * @module
 */

import { obstaclesTo } from "../../mod.ts";
import { type Question, questionOf, sentenceOf } from "../operate/confirm.ts";
import { askWhy, confirmWord, hold } from "./decide_actions.ts";
import type { Row } from "./list.ts";
import { lookAt } from "./open_proposal.ts";
import type { BatchItem, Desk, Look, View } from "./state.ts";

type Batch = Extract<View, { place: "batch" }>;

/** A proposal that Enter decides. */
type Meant = BatchItem & { readonly look: Look };

/**
 * In a table a person confirms the high marks of a bottle, and nothing else: what has another obstacle
 * is left out, and decided by itself.
 */
async function itemOf(
  desk: Desk,
  row: Row,
  { status, notes }: Pick<Batch, "status" | "notes">,
): Promise<BatchItem> {
  const { key } = row;
  const look = await lookAt(desk, row);
  if (look === undefined) return { key, leftOut: "it cannot be read" };
  const { inspection, currentSha256 } = look;
  // Between the x and the table it may have become another one, which nobody chose.
  const proposalSha256 = desk.table.selectedSha256(key) ?? "";
  const draft = { verdict: { status }, notes, proposalSha256, currentSha256 };
  const obstacles = obstaclesTo(inspection, draft);
  const other = obstacles.find(({ code }) => code !== "unconfirmed");
  if (other !== undefined) {
    return { key, look, leftOut: `${sentenceOf(other, inspection.proposal.tool)} Decide it alone` };
  }
  const unconfirmed = obstacles.find((obstacle) => obstacle.code === "unconfirmed");
  return { key, look, ...(unconfirmed !== undefined && { unconfirmed }) };
}

/** Shows a table of what would happen to the selected proposals. */
export async function openBatch(
  desk: Desk,
  status: Batch["status"],
  written: string,
): Promise<void> {
  const rows = desk.table.selected();
  const notes = status === "rejected" ? await askWhy(desk, rows, written) : written;
  if (notes === undefined) return;
  const items: BatchItem[] = [];
  for (const row of rows) items.push(await itemOf(desk, row, { status, notes }));
  desk.show({ place: "batch", status, notes, items, step: "asked" });
}

/** Whether Enter decides a proposal: not if it is left out, or is no longer as the table shows it. */
export function isMeant(desk: Desk, { key, look, leftOut }: BatchItem): boolean {
  const row = desk.table.row(key);
  // A look is forgotten once the file in force is another one.
  return leftOut === undefined && row?.standing.kind === "open" && desk.looks.get(key) === look &&
    row.entry.proposalSha256 === look?.inspection.proposalSha256;
}

/** Holds what the table says, once the high marks of each bottle were confirmed. */
export async function confirmBatch(desk: Desk, view: Batch): Promise<void> {
  const { status, notes, items, step } = view;
  if (step === "decided") return desk.show({ place: "list" });
  const below = items.length - desk.seen;
  if (below > 0) {
    // Once: an operator who presses it again has read that.
    desk.seen = items.length;
    return desk.tell(`${below} more are below, Space goes on. Enter again does it all the same.`);
  }
  const meant = items.flatMap((item) => {
    const { look } = item;
    return look !== undefined && isMeant(desk, item) ? [{ ...item, look }] : [];
  });
  if (meant.length === 0) return desk.tell("There is nothing left to decide here.");
  const keys = meant.map(({ key }) => key);
  const confirmed = new Map<string, Question["gives"]>();
  for (const { sentence, request, word, gives } of questionsAbout(meant, status)) {
    if (!await confirmWord(desk, `${sentence}\n${request}`, keys, word)) return;
    confirmed.set(word, gives);
  }
  hold(
    desk,
    meant.map(({ key, look }) => {
      const gives = confirmed.get(look.inspection.proposal.bottleSlug);
      return { key, seen: look, said: { verdict: { status }, notes, ...gives } };
    }),
  );
  desk.table.selectNone();
  const held = new Set(keys);
  const told = items.map((item) => held.has(item.key) ? item : { leftOut: "it changed", ...item });
  desk.show({ ...view, items: told, step: "decided" });
}

/** One question for each bottle with high marks, about all of them. */
function questionsAbout(meant: readonly Meant[], status: Batch["status"]): Question[] {
  const marked = meant.flatMap(({ look, unconfirmed }) =>
    unconfirmed === undefined ? [] : [{ ...look.inspection.proposal, unconfirmed }]
  );
  return [...Map.groupBy(marked, ({ bottleSlug }) => bottleSlug).values()].flatMap((group) => {
    const marks = group.flatMap(({ unconfirmed }) => unconfirmed.marks);
    const [{ unconfirmed, tool }] = group as [typeof group[number]];
    return questionOf({ ...unconfirmed, marks }, tool, status) ?? [];
  });
}
