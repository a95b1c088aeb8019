/**
 * The list of proposals: its rows, which is current, which are selected or hidden.
 *
 * @module
 */

import type { PendingProposal, QueueEvent, Status } from "../../mod.ts";

/** How far a proposal is. */
export type Stage =
  /** It waits for a decision. The notice is what the operator should know. */
  | { readonly kind: "open"; readonly notice?: string }
  /** It is decided here. Until that instant, `Infinity` while the time stands still, nothing is written. */
  | { readonly kind: "held"; readonly status: Status; readonly untilMs: number }
  /** The decision is being written. */
  | { readonly kind: "writing"; readonly status: Status }
  /** It no longer waits: what became of it, and since when. */
  | { readonly kind: "over"; readonly words: string; readonly sinceMs: number };

/** One proposal on the list. */
export interface Row {
  /** The bottle's slug and the proposal's id. */
  readonly key: string;
  /** The proposal as it was listed last. */
  readonly entry: PendingProposal;
  readonly stage: Stage;
}

/**
 * Brings the rows up to date with what has happened. No row moves: what is new comes last, and what is
 * no longer pending stays in its place, and says so. A row in which nothing has changed is the same
 * object.
 */
function mergeRows(
  rows: readonly Row[],
  events: readonly QueueEvent[],
  nowMs: number,
  overridable: Overridable,
): Row[] {
  const merged = new Map(rows.map((row) => [row.key, row]));
  for (const event of events) {
    if (!("proposalId" in event)) continue;
    const key = `${event.bottleSlug}/${event.proposalId}`;
    const row = merged.get(key);
    const answered = event.event === "unrecorded" ? overridable(event) : undefined;
    const next = "proposal" in event
      ? pendingRow(key, row, event)
      : answered !== undefined
      ? unrecordedRow(key, row, answered)
      : row && overRow(row, event, nowMs);
    if (next) merged.set(key, next);
  }
  return [...merged.values()];
}

/** The stage of a row that waits. */
export function open(notice?: string): Stage {
  return notice === undefined ? { kind: "open" } : { kind: "open", notice };
}

/** Words of a row that left without a decision, and may come back. */
const WITHDRAWN = "withdrawn";

/** Reads the proposal that an unrecorded response is for, if it can be decided. */
export type Overridable = (
  response: { readonly bottleSlug: string; readonly proposalId: string },
) => PendingProposal | undefined;

function pendingRow(key: string, row: Row | undefined, entry: PendingProposal): Row {
  if (row === undefined) return { key, entry, stage: open() };
  if (row.entry.proposalSha256 !== entry.proposalSha256) {
    return { key, entry, stage: open("changed meanwhile: look again") };
  }
  const isBack = row.stage.kind === "over" && row.stage.words === WITHDRAWN;
  return isBack ? { key, entry, stage: open("it was gone, and is back") } : row;
}

/** A response without a record decides nothing: the proposal still waits for an operator. */
function unrecordedRow(key: string, row: Row | undefined, entry: PendingProposal): Row {
  if (row?.stage.kind === "writing") return row;
  return { key, entry, stage: open("answered without a record: look again") };
}

function overRow(row: Row, event: QueueEvent, sinceMs: number): Row {
  // What is being written leaves the queue by that; the result of the write says what became of it.
  if (row.stage.kind === "over" || row.stage.kind === "writing") return row;
  if (event.event !== "decided") {
    return { ...row, stage: { kind: "over", words: WITHDRAWN, sinceMs } };
  }
  const { operatorAction, operator = "somebody" } = event.decision;
  return { ...row, stage: { kind: "over", words: `${operatorAction} by ${operator}`, sinceMs } };
}

const DOING: Readonly<Record<Status, string>> = {
  approved: "approving",
  modified: "answering with your version",
  rejected: "rejecting",
};

/** For how many seconds a decision can still be undone. The last one counts. */
export function secondsLeft(untilMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
}

/** What a row says of its stage; `undefined` while it simply waits. */
export function wordsOf(stage: Stage, nowMs: number): string | undefined {
  switch (stage.kind) {
    case "open":
      return stage.notice;
    case "held": {
      if (stage.untilMs === Infinity) return `can be undone: ${DOING[stage.status]}`;
      const seconds = secondsLeft(stage.untilMs, nowMs);
      // The key first: a narrow screen cuts the end.
      return `u to undo (${seconds} s): ${DOING[stage.status]}`;
    }
    case "writing":
      return `${DOING[stage.status]}: being written`;
    case "over":
      return stage.words;
  }
}

/** How long a row stays that no longer waits, and how many such rows there are at most. */
const OVER_MS = 10_000;

const MOST_OVER = 100;

/** How long "not now" hides a proposal, on this screen only. */
export const SNOOZE_MS: number = 15 * 60_000;

/** What a filter is compared with. */
const searched = new WeakMap<PendingProposal, string>();

function searchedText(entry: PendingProposal): string {
  const known = searched.get(entry);
  if (known !== undefined) return known;
  const { id, bottleSlug, tool, justification } = entry.proposal;
  const text = `${id} ${bottleSlug} ${tool} ${justification}`.toLowerCase();
  searched.set(entry, text);
  return text;
}

/** The list of proposals. */
export type List = ReturnType<typeof openList>;

/**
 * Makes an empty list. `shifted` is called if keys are about another row, or the current one moves on the
 * screen, without a key. A row that `isOpened` says has a page on the screen stays, whatever became of it.
 */
export function openList(
  now: () => number,
  shifted: () => void,
  isOpened: (key: string) => boolean = () => false,
) {
  let rows: readonly Row[] = [];
  let byKey: ReadonlyMap<string, Row> = new Map();
  let shown: readonly Row[] = [];
  let filter = "";
  let currentKey: string | undefined;
  let top = 0;
  let height = Infinity;
  /** What was selected, by row: the proposal's hash. */
  const selected = new Map<string, string>();
  const asleep = new Map<string, number>();

  const indexOf = (key: string | undefined) => shown.findIndex((row) => row.key === key);
  const isShown = ({ key, entry }: Row) =>
    !asleep.has(key) && (filter === "" || searchedText(entry).includes(filter.toLowerCase()));

  /** Shows other rows, and keeps the current one in its place on the screen. */
  function show(next: readonly Row[]): void {
    const before = shown;
    const keyBefore = currentKey;
    const at = Math.max(0, indexOf(currentKey));
    const placeBefore = at - top;
    rows = next;
    byKey = new Map(rows.map((row) => [row.key, row]));
    shown = rows.filter(isShown);
    if (before.length > 0 && indexOf(currentKey) === -1) {
      // The next row below takes over; at the end, the one above.
      const keys = new Set(shown.map(({ key }) => key));
      const below = before.slice(at).find(({ key }) => keys.has(key));
      currentKey = below?.key ?? shown.at(-1)?.key;
    }
    currentKey ??= shown[0]?.key;
    const index = Math.max(0, indexOf(currentKey));
    top = Math.max(0, top + index - at);
    keepOnScreen(index);
    // Rows that come and go below it do not hold up a key: another bottle could make them do so for ever.
    const isAnother = before.length > 0 && currentKey !== keyBefore;
    if (isAnother || index - top !== placeBefore) shifted();
  }

  /** Moves the first row of the screen so that the screen is full, and has the current row on it. */
  function keepOnScreen(index: number): void {
    top = Math.max(0, Math.min(top, index, shown.length - height));
    top = Math.max(top, index - height + 1);
  }

  return {
    /** The rows that are shown, in order. */
    visible: () => shown,
    /** The row that keys are about, if any is shown. */
    current: (): Row | undefined => shown[indexOf(currentKey)],
    row: (key: string): Row | undefined => byKey.get(key),
    /** How many wait for a decision, those that are hidden included. */
    counts() {
      const waiting = rows.filter(({ stage }) => stage.kind === "open");
      const bottles = new Set(waiting.map(({ entry }) => entry.proposal.bottleSlug)).size;
      return { waiting: waiting.length, bottles, snoozed: asleep.size };
    },
    /** The rows for a screen of some height, with the current one among them. */
    window(rows: number): readonly Row[] {
      height = rows;
      keepOnScreen(Math.max(0, indexOf(currentKey)));
      return shown.slice(top, top + height);
    },
    /** Moves by some rows; by more than there are, to the end. */
    move(by: number): void {
      const to = Math.max(0, Math.min(shown.length - 1, Math.max(0, indexOf(currentKey)) + by));
      currentKey = shown[to]?.key;
    },
    goTo(key: string): void {
      if (indexOf(key) !== -1) currentKey = key;
    },
    /** Brings the rows up to date with what has happened. */
    merge(events: readonly QueueEvent[], overridable: Overridable): void {
      const next = withoutOldest(mergeRows(rows, events, now(), overridable), isOpened);
      let lost = false;
      for (const { key, stage } of next) {
        if (stage.kind === "over") lost = selected.delete(key) || lost;
      }
      show(next);
      // A key that was for all of them may be for one now.
      if (lost) shifted();
    },
    set(key: string, stage: Stage): void {
      if (stage.kind !== "open") selected.delete(key);
      show(rows.map((row) => row.key === key ? { ...row, stage } : row));
    },
    /** Takes away what has been over for a while, shows again what was hidden long enough. */
    sweep(): void {
      const nowMs = now();
      const stays = ({ key, stage }: Row) =>
        stage.kind !== "over" || nowMs - stage.sinceMs < OVER_MS || isOpened(key);
      const awake = [...asleep].filter(([, untilMs]) => untilMs <= nowMs).map(([key]) => key);
      if (rows.every(stays) && awake.length === 0) return;
      for (const key of awake) asleep.delete(key);
      const left = rows.filter(stays);
      for (const key of asleep.keys()) if (!left.some((row) => row.key === key)) asleep.delete(key);
      show(wakeLast(left, awake, "shown again after 15 minutes"));
    },
    /** Selects a row, or takes it out of the selection. */
    toggle(key: string): void {
      const row = byKey.get(key);
      if (!selected.delete(key) && row !== undefined) {
        selected.set(key, row.entry.proposalSha256);
      }
    },
    /** The selected rows, in order: all wait, and a filter may hide some. */
    selected: () => rows.filter((row) => selected.has(row.key)),
    isSelected: (key: string) => selected.has(key),
    /** SHA-256 of the proposal that was selected. The row may show another one by now. */
    selectedSha256: (key: string) => selected.get(key),
    selectNone: () => selected.clear(),
    /** Hides a row for a while. */
    snooze(key: string): void {
      asleep.set(key, now() + SNOOZE_MS);
      selected.delete(key);
      show(rows);
    },
    /** Shows all rows that were hidden. */
    wake(): void {
      const keys = [...asleep.keys()];
      asleep.clear();
      show(wakeLast(rows, keys, "shown again"));
    },
    /** Shows only the rows that contain a text; `""` for all. */
    setFilter(text: string): void {
      filter = text;
      show(rows);
    },
    filter: () => filter,
  };
}

/** An agent that asks and takes back a thousand times makes no list of a thousand rows that are over. */
function withoutOldest(
  rows: readonly Row[],
  isOpened: (key: string) => boolean,
): readonly Row[] {
  const over = rows.flatMap((row) =>
    row.stage.kind === "over" && !isOpened(row.key) ? [{ row, sinceMs: row.stage.sinceMs }] : []
  );
  if (over.length <= MOST_OVER) return rows;
  const oldest = over.sort((a, b) => a.sinceMs - b.sinceMs).slice(0, -MOST_OVER);
  const gone = new Set(oldest.map(({ row }) => row));
  return rows.filter((row) => !gone.has(row));
}

/** What was hidden comes back as if it were new: last. */
function wakeLast(
  rows: readonly Row[],
  keys: readonly string[],
  notice: string,
): readonly Row[] {
  const woken = rows.filter(({ key }) => keys.includes(key));
  return [
    ...rows.filter((row) => !woken.includes(row)),
    ...woken.map((row) => row.stage.kind === "open" ? { ...row, stage: open(notice) } : row),
  ];
}
