/**
 * Several proposals decided together: first a table of what will happen, then one key, then a result for
 * each.
 *
 * @module
 */

import { askWhy, confirmMarks, hold, pendingOf } from "./decide_actions.ts";
import type { Row } from "./list.ts";
import { lookAt, obstacle } from "./open_proposal.ts";
import type { BatchItem, Desk, Look, View } from "./state.ts";

function reasonToLeaveOut(status: "approved" | "rejected", { inspection }: Look) {
  if (status === "rejected") return undefined;
  if (inspection.stale) return "the agent did not start from the file in force: decide it alone";
  return obstacle(inspection) === undefined ? undefined : "it cannot be approved as it is";
}

async function itemOf(
  desk: Desk,
  row: Row,
  status: "approved" | "rejected",
): Promise<BatchItem> {
  const { key } = row;
  const look = await lookAt(desk, row);
  if (look === undefined) return { key, leftOut: "it cannot be read" };
  // Between the x and the table it may have become another one, which nobody chose.
  const isChosen = look.inspection.proposalSha256 === desk.table.selectedSha256(key);
  const leftOut = isChosen ? reasonToLeaveOut(status, look) : "it changed: look at it alone";
  return { key, look, ...(leftOut !== undefined && { leftOut }) };
}

/**
 * Shows a table of what would happen to the selected proposals.
 *
 * @param desk The desk.
 * @param status What would be said to them.
 */
export async function openBatch(desk: Desk, status: "approved" | "rejected"): Promise<void> {
  const rows = desk.table.selected();
  const notes = status === "rejected" ? await askWhy(desk, rows) : "";
  if (notes === undefined) return;
  const items: BatchItem[] = [];
  for (const row of rows) items.push(await itemOf(desk, row, status));
  desk.show({ place: "batch", status, notes, items, step: "asked" });
}

/**
 * Whether the table's key is for a proposal: not if it is left out, or is not as the table shows it.
 *
 * @param desk The desk.
 * @param item The proposal.
 * @returns Whether it would be decided.
 */
export function isMeant(desk: Desk, { key, look, leftOut }: BatchItem): boolean {
  const row = desk.table.row(key);
  // A look is forgotten once the file in force is another one.
  return leftOut === undefined && row?.standing.kind === "open" && desk.looks.get(key) === look &&
    row.entry.proposalSha256 === look?.inspection.proposalSha256;
}

/**
 * Holds what the table says, once every bottle with a high mark was confirmed.
 *
 * @param desk The desk.
 * @param view The table.
 */
export async function confirmBatch(
  desk: Desk,
  view: Extract<View, { place: "batch" }>,
): Promise<void> {
  const { status, notes, items, step } = view;
  if (step === "decided") return desk.show({ place: "list" });
  const verdict = { status };
  const below = items.length - desk.seen;
  if (below > 0) {
    // Once: who presses it again has read that.
    desk.seen = items.length;
    return desk.tell(`${below} more are below, Space goes on. Enter again does it all the same.`);
  }
  const about = items.flatMap((item) => {
    const { key, look } = item;
    return look === undefined || !isMeant(desk, item) ? [] : [{ key, look, verdict }];
  });
  if (about.length === 0) return desk.tell("There is nothing left to decide here.");
  const slugs = await confirmMarks(desk, about);
  if (slugs === undefined) return;
  const decided = { verdict, notes, allowStale: false, slugs };
  hold(desk, about.map(({ key, look }) => pendingOf(key, look, decided)));
  desk.table.selectNone();
  const held = new Set(about.map(({ key }) => key));
  const told = items.map((item) => held.has(item.key) ? item : { leftOut: "it changed", ...item });
  desk.show({ ...view, items: told, step: "decided" });
}
