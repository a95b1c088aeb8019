/**
 * Decisions that can still be undone. Nothing of them is written before their time is up.
 *
 * @module
 */

import type { Later } from "./key_guard.ts";

/** How long a decision can be undone. */
export const UNDO_MS = 5_000;

/** The end of the time, waited for by itself: to a program that was stopped, its continuation comes first. */
const SETTLE_MS = 50;

/** Later than this the timer did not come on a busy machine alone: the program was stopped. */
const LATE_MS = 1_000;

interface Group<T> {
  items: readonly T[];
  cancel: () => void;
}

/** What a buffer is wired to. */
interface Wiring<T> {
  readonly now: () => number;
  readonly later: Later;
  /** Gets the items whose time begins, and when it is up: `Infinity` while it stands still. It may begin anew. */
  readonly held: (items: readonly T[], untilMs: number) => void;
  /** Gets each group whose time is up. */
  readonly due: (group: readonly T[]) => void;
}

/** Makes an empty buffer of groups that are undone together. */
export function openUndoBuffer<T>({ now, later, held, due }: Wiring<T>) {
  const groups: Group<T>[] = [];
  /** How many reasons there are for the time to stand still. */
  let pauses = 0;
  const items = (): readonly T[] => groups.flatMap((group) => group.items);

  function begin(group: Group<T>): void {
    group.cancel();
    const untilMs = pauses > 0 ? Infinity : now() + UNDO_MS;
    held(group.items, untilMs);
    if (pauses > 0) return;
    group.cancel = later(UNDO_MS - SETTLE_MS, () => {
      group.cancel = later(SETTLE_MS, () => {
        // Nobody saw the time go by.
        if (now() - untilMs > LATE_MS) return begin(group);
        groups.splice(groups.indexOf(group), 1);
        if (group.items.length > 0) due(group.items);
      });
    });
  }

  return {
    /** Holds a group until its time is up. */
    hold(items: readonly T[]): void {
      const group: Group<T> = { items, cancel: () => {} };
      groups.push(group);
      begin(group);
    },
    /** Stops the time of all groups, until {@linkcode resume} was called as often: no key undoes them now. */
    pause(): void {
      pauses++;
      groups.forEach(begin);
    },
    /** Begins the time of all groups anew, if no other pause lasts. */
    resume(): void {
      pauses = Math.max(0, pauses - 1);
      groups.forEach(begin);
    },
    /** Takes out the last group, if there is one. */
    undo(): readonly T[] | undefined {
      const last = groups.findLastIndex(({ items }) => items.length > 0);
      if (last === -1) return undefined;
      const [group] = groups.splice(last, 1);
      group!.cancel();
      return group!.items;
    },
    /** Takes out decisions that are pointless now. */
    drop(isPointless: (item: T) => boolean): readonly T[] {
      const dropped = items().filter(isPointless);
      for (const group of groups) group.items = group.items.filter((item) => !isPointless(item));
      return dropped;
    },
    /** Takes out all decisions, in order. */
    takeAll(): readonly T[] {
      const all = items();
      for (const { cancel } of groups.splice(0)) cancel();
      return all;
    },
    /** All decisions, in order. */
    items,
    count: () => items().length,
    /** How often `undo` would take something out. */
    groupCount: () => groups.filter(({ items }) => items.length > 0).length,
  };
}
