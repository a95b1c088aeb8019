/**
 * Brings what changed in the queues onto the screen.
 *
 * @module
 */

import {
  type Changes,
  fileInForcePath,
  type Hints,
  marksOfPending,
  MAX_CONFIG_FILE_BYTES,
  openHintView,
} from "../../internal_mod.ts";
import type { Mark, PendingProposal } from "../../mod.ts";
import type { Later } from "./key_guard.ts";
import { open } from "./list.ts";
import { openProposal } from "./open_proposal.ts";
import { keepEdit, type Ports, type State } from "./state.ts";

/** For how long marks are worked out before keys are read again. */
const SLICE_MS = 8;

/** Opens the marks of a list. They are worked out a few at a time, then `changed` is called. */
function openMarks(root: string, later: Later, changed: () => void) {
  type Judged = readonly Mark[] | undefined;
  let known = new WeakMap<PendingProposal, Judged>();
  const latest = new WeakMap<PendingProposal, Judged>();
  const wanted = new Set<PendingProposal>();

  function judge(): void {
    const started = performance.now();
    for (const entry of wanted) {
      wanted.delete(entry);
      // A larger file is not sound. Its marks are shown when it is opened.
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
    /** The marks of a proposal; `undefined` until they are worked out, or if it is too large for that. */
    of(entry: PendingProposal): Judged {
      if (known.has(entry)) return known.get(entry);
      if (wanted.size === 0) later(0, judge);
      wanted.add(entry);
      return latest.get(entry);
    },
    /** Works out again what is asked for from now on: a file in force may have changed. */
    forget(): void {
      known = new WeakMap();
    },
  };
}

/** Opens the hints of a list. They are worked out when they are first asked for. */
function openHints(root: string, now: () => number) {
  let view = openHintView(root, now());
  return {
    of: (entry: PendingProposal): Hints => view(entry),
    /** Works out again what is asked for from now on: a log or a file in force may have changed. */
    forget(): void {
      view = openHintView(root, now());
    },
  };
}

/** For how many times as long as the look at the files in force took there is no other one. */
const RESTS = 4;

/**
 * Opens the marks and the hints of a list. No event tells of a change to a file in force, so `lookAgain`
 * has to be called now and then: it looks at those files whose rows were on the screen.
 */
export function openJudged(
  root: string,
  { later, now, elapsedMs, stampOf }: Pick<Ports, "later" | "now" | "elapsedMs" | "stampOf">,
  changed: () => void,
) {
  const marks = openMarks(root, later, changed);
  const hints = openHints(root, now);
  const stamps = new Map<string, string>();
  let restsUntilMs = 0;

  /** Keeps the state of the file before it is read: a change after that is seen by the next look. */
  const noted = <T>(of: (entry: PendingProposal) => T) => (entry: PendingProposal): T => {
    const { bottleSlug, tool } = entry.proposal;
    const path = fileInForcePath(bottleSlug, tool, root);
    if (!stamps.has(path)) stamps.set(path, stampOf(path));
    return of(entry);
  };
  function forget(): void {
    marks.forget();
    hints.forget();
    stamps.clear();
  }

  return {
    marksOf: noted(marks.of),
    hintsOf: noted(hints.of),
    /** Works out again what is asked for from now on. */
    forget,
    /** Does so if a file in force has changed. */
    lookAgain(): void {
      const startedMs = elapsedMs();
      if (startedMs < restsUntilMs) return;
      const isSame = [...stamps].every(([path, stamp]) => stampOf(path) === stamp);
      const endedMs = elapsedMs();
      restsUntilMs = endedMs + RESTS * (endedMs - startedMs);
      if (isSame) return;
      forget();
      changed();
    },
  };
}

/** Withdraws a question about a row that changed, and a decision on it that is not written yet. */
function withdraw(state: State, keys: ReadonlySet<string>, why: string): void {
  if (state.prompt?.question.about.some((key) => keys.has(key))) {
    state.prompt.withdraw();
    state.tell(why);
  }
  for (const { edit } of state.undoBuffer.drop(({ key }) => keys.has(key))) {
    if (edit !== undefined) keepEdit(state, edit);
  }
  for (const key of keys) state.looks.delete(key);
}

function isOnScreen({ view }: State, key: string): boolean {
  return (view.place === "proposal" || view.place === "edit") && view.key === key;
}

/** Shows a proposal again if it is on the screen and has changed. */
function refreshView(state: State, keys: ReadonlySet<string>, because: string): void {
  const { view } = state;
  if (view.place !== "proposal" && view.place !== "edit" || !keys.has(view.key)) return;
  const row = state.list.row(view.key);
  if (row?.stage.kind !== "open") return;
  if (view.place === "edit") keepEdit(state, view.edit);
  void openProposal(state, row, because);
}

/** Brings what has changed in the queues onto the list, and to what was asked or decided about its rows. */
export function takeChanges(state: State, { events }: Changes): void {
  const { list } = state;
  const named = events.flatMap((event) =>
    "proposalId" in event ? [{ ...event, key: `${event.bottleSlug}/${event.proposalId}` }] : []
  );
  const before = new Map(named.map(({ key }) => [key, list.row(key)]));
  list.merge(events, state.ports.overridable);
  const changedKeys = new Set<string>();
  for (const { key, event } of named) {
    const [row, after] = [before.get(key), list.row(key)];
    if (row === undefined || after === row) continue;
    const isOver = after === undefined ||
      after.stage.kind === "over" && row.stage.kind !== "over";
    const isAnother = after?.entry.proposalSha256 !== row.entry.proposalSha256;
    if (isOver || isAnother || event === "unrecorded") changedKeys.add(key);
  }
  if (changedKeys.size > 0) {
    withdraw(state, changedKeys, "Withdrawn: the proposal changed, or another operator decided.");
    const isPlanted = named.some(({ key, event }) =>
      event === "unrecorded" && isOnScreen(state, key)
    );
    const because = isPlanted
      ? "Another program answered while you looked, without a record."
      : "The proposal changed while you looked. This is the new one.";
    refreshView(state, changedKeys, because);
  }
  state.changed();
}

/** Checks whether the files in force are still those that the operator saw. No event tells of these. */
export function checkFilesInForce(state: State): void {
  const { list, ports } = state;
  const stamps = new Map<string, string>();
  const stampOf = (path: string) => {
    const known = stamps.get(path) ?? ports.stampOf(path);
    stamps.set(path, known);
    return known;
  };
  const changedKeys = new Set<string>();
  for (const [key, { inspection, stamp }] of state.looks) {
    if (stampOf(inspection.currentPath) !== stamp) changedKeys.add(key);
  }
  if (changedKeys.size === 0) return;
  for (const key of changedKeys) {
    const kind = list.row(key)?.stage.kind;
    if (kind === "open" || kind === "held") {
      list.set(key, open("the file in force changed: look again"));
    }
  }
  withdraw(state, changedKeys, "Withdrawn: the file in force changed.");
  refreshView(
    state,
    changedKeys,
    "The file in force changed while you looked. This is what would change now.",
  );
}
