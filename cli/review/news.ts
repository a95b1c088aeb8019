/**
 * What happens while the operator looks: proposals come and go, somebody else decides, a file in force is
 * another one.
 *
 * @module
 */

import type { Overview } from "../../mod.ts";
import { type Desk, keepEdit } from "./desk.ts";
import { openProposal } from "./look.ts";
import { open } from "./row.ts";

/** A question about a row that changed is withdrawn, and so is a decision that was not written. */
function withdraw(desk: Desk, keys: ReadonlySet<string>, why: string): void {
  if (desk.prompt?.question.about.some((key) => keys.has(key))) {
    desk.prompt.withdraw();
    desk.tell(why);
  }
  for (const { edit } of desk.held.drop(({ key }) => keys.has(key))) {
    if (edit !== undefined) keepEdit(desk, edit);
  }
  for (const key of keys) desk.looks.delete(key);
}

/** Shows anew what is on the screen and is no longer what was shown. */
function refreshView(desk: Desk, keys: ReadonlySet<string>, because: string): void {
  const { view } = desk;
  if (view.place !== "proposal" && view.place !== "edit" || !keys.has(view.key)) return;
  const row = desk.table.row(view.key);
  if (row?.standing.kind !== "open") return;
  if (view.place === "edit") keepEdit(desk, view.edit);
  void openProposal(desk, row, because);
}

/**
 * Takes what is pending now: onto the list, and to whatever was asked or decided about it.
 *
 * @param desk The desk.
 * @param now What is pending now.
 */
export function takeOverview(desk: Desk, now: Overview): void {
  const { table, ports } = desk;
  const before = new Map(table.visible().map((row) => [row.key, row]));
  for (const key of desk.looks.keys()) {
    const row = table.row(key);
    if (row !== undefined) before.set(key, row);
  }
  table.merge(now.pending, ports.becameOf);
  const changedKeys = new Set<string>();
  for (const [key, row] of before) {
    const after = table.row(key);
    if (after === row) continue;
    const isOver = after === undefined ||
      after.standing.kind === "over" && row.standing.kind !== "over";
    if (isOver || after.entry.proposalSha256 !== row.entry.proposalSha256) changedKeys.add(key);
  }
  if (changedKeys.size > 0) {
    withdraw(desk, changedKeys, "Withdrawn: the proposal changed, or somebody else decided.");
    refreshView(desk, changedKeys, "The proposal changed while you looked. This is the new one.");
  }
  desk.changed();
}

/**
 * Looks whether the files in force are still those that were looked at. They are ours, so no event tells
 * of it.
 *
 * @param desk The desk.
 */
export function checkFilesInForce(desk: Desk): void {
  const { table, ports } = desk;
  const stamps = new Map<string, string>();
  const stampOf = (path: string) => {
    const known = stamps.get(path) ?? ports.stampOf(path);
    stamps.set(path, known);
    return known;
  };
  const changedKeys = new Set<string>();
  for (const [key, { inspection, stamp }] of desk.looks) {
    if (stampOf(inspection.currentPath) !== stamp) changedKeys.add(key);
  }
  if (changedKeys.size === 0) return;
  for (const key of changedKeys) {
    const kind = table.row(key)?.standing.kind;
    if (kind === "open" || kind === "held") {
      table.set(key, open("the file in force changed: look again"));
    }
  }
  withdraw(desk, changedKeys, "Withdrawn: the file in force changed.");
  refreshView(
    desk,
    changedKeys,
    "The file in force changed while you looked. This is what would change now.",
  );
}
