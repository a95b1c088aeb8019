/**
 * Brings what changed in the queues onto the screen.
 *
 * @module
 */

import { type Changes, marksOfPending, MAX_CONFIG_FILE_BYTES } from "../../internal_mod.ts";
import type { Mark, PendingProposal } from "../../mod.ts";
import type { Later } from "./key_guard.ts";
import { open } from "./list.ts";
import { openProposal } from "./open_proposal.ts";
import { type Desk, keepEdit } from "./state.ts";

/** How long judging may go on before keys have their turn. */
const SLICE_MS = 8;

/** The marks that the list shows. */
export interface ListMarks {
  /** The marks of a proposal; `undefined` until it was judged, and if it is too large for that. */
  readonly of: (entry: PendingProposal) => readonly Mark[] | undefined;
  /** Judges anew whatever is asked for: a file in force may have changed. */
  readonly forget: () => void;
}

/**
 * Opens the marks of a list.
 *
 * @param root The root.
 * @param later Runs something later.
 * @param changed Called when marks are there that were asked for.
 * @returns The marks.
 */
export function openMarks(root: string, later: Later, changed: () => void): ListMarks {
  type Judged = readonly Mark[] | undefined;
  let known = new WeakMap<PendingProposal, Judged>();
  const latest = new WeakMap<PendingProposal, Judged>();
  const wanted = new Set<PendingProposal>();

  function judge(): void {
    const started = performance.now();
    for (const entry of wanted) {
      wanted.delete(entry);
      // Nothing larger is sound, and whoever opens it sees its marks all the same.
      const isLarge = entry.proposal.proposedFile.length > MAX_CONFIG_FILE_BYTES;
      const marks = isLarge ? undefined : marksOfPending([entry], root).get(entry);
      known.set(entry, marks);
      latest.set(entry, marks);
      if (performance.now() - started > SLICE_MS) break;
    }
    if (wanted.size > 0) later(0, judge);
    changed();
  }

  return {
    of(entry) {
      if (known.has(entry)) return known.get(entry);
      if (wanted.size === 0) later(0, judge);
      wanted.add(entry);
      return latest.get(entry);
    },
    forget() {
      known = new WeakMap();
    },
  };
}

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

/** Brings what has changed in the queues onto the list, and to what was asked or decided about its rows. */
export function takeChanges(desk: Desk, { events }: Changes): void {
  const { table } = desk;
  const named = events.flatMap((event) =>
    "proposalId" in event ? [{ ...event, key: `${event.bottleSlug}/${event.proposalId}` }] : []
  );
  const before = new Map(named.map(({ key }) => [key, table.row(key)]));
  table.merge(events, desk.ports.overridable);
  const changedKeys = new Set<string>();
  for (const { key, event } of named) {
    const [row, after] = [before.get(key), table.row(key)];
    if (row === undefined || after === row) continue;
    const isOver = after === undefined ||
      after.standing.kind === "over" && row.standing.kind !== "over";
    const isAnother = after?.entry.proposalSha256 !== row.entry.proposalSha256;
    if (isOver || isAnother || event === "unrecorded") changedKeys.add(key);
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
