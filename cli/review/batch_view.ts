/**
 * The table of proposals that are decided together: what will happen to each, then what happened.
 *
 * @module
 */

import { visible } from "../../mod.ts";
import { shortIds } from "../resolve.ts";
import { cut } from "../wrap.ts";
import type { BatchItem, Desk, View } from "./desk.ts";
import { countMarks } from "./list_view.ts";
import { wordsOf } from "./row.ts";

type Batch = Extract<View, { place: "batch" }>;

/** How many lines a diff adds and removes. */
function countLines(diff: string): string {
  let [added, removed] = [0, 0];
  for (const line of diff.split("\n").slice(2)) {
    if (line.startsWith("+")) added++;
    else if (line.startsWith("-")) removed++;
  }
  return `+${added} -${removed}`;
}

/** What will happen to one, or what happened. */
function fate(desk: Desk, { status }: Batch, { key, leftOut }: BatchItem): string {
  const standing = desk.table.row(key)?.standing;
  if (standing === undefined) return "done, and off the list";
  if (standing.kind === "open" && leftOut !== undefined) return `left out: ${leftOut}`;
  return wordsOf(standing, desk.ports.now()) ??
    (status === "approved" ? "will be approved" : "will be rejected");
}

function idOf({ key }: BatchItem): string {
  return key.slice(key.indexOf("/") + 1);
}

function rowOf(desk: Desk, view: Batch, item: BatchItem, id: string, columns: number): string {
  const [slug = ""] = item.key.split("/");
  const inspection = item.look?.inspection;
  const cells = [
    slug,
    inspection?.proposal.tool ?? "",
    inspection === undefined ? "" : countLines(inspection.diff),
    inspection === undefined ? "" : countMarks(inspection.marks),
  ].filter((cell) => cell !== "");
  // The id first: whatever has no room on a small screen, which one it is stands there.
  return cut(` ${id}  ${visible(fate(desk, view, item))}  │ ${cells.join("  ")}`, columns - 1);
}

/**
 * The table.
 *
 * @param desk The desk.
 * @param view What is decided.
 * @param height How many rows there are.
 * @param columns How wide they are.
 * @returns At most that many rows.
 */
export function batchRows(
  desk: Desk,
  view: Batch,
  height: number,
  columns: number,
): string[] {
  const { items, status, notes, step } = view;
  const left = items.filter(({ leftOut }) => leftOut !== undefined).length;
  const count = items.length - left;
  const verb = status === "approved" ? "approve" : "reject";
  const question = step === "asked"
    ? `Enter will ${verb} ${count}`
    : `${count} ${status}, as below`;
  const above = [
    desk.style.bold(cut(` ${question}${left > 0 ? `, and leave out ${left}` : ""}:`, columns - 1)),
    ...(notes === "" ? [] : [cut(` notes: ${visible(notes)}`, columns - 1)]),
    "",
  ];
  const shorts = shortIds(items.map(idOf));
  const rows = items.slice(desk.offset, desk.offset + Math.max(1, height - above.length))
    .map((item) => rowOf(desk, view, item, shorts.get(idOf(item))!, columns));
  return [...above, ...rows];
}
