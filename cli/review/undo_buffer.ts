/**
 * Decisions that can still be undone. Nothing of them is written before their time is up.
 *
 * @module
 */

import type { Later } from "./key_guard.ts";

/** How long a decision can be undone. */
export const UNDO_MS = 5_000;

/** Decisions that can still be undone, in groups that are undone together. */
export interface UndoBuffer<T> {
  /** Holds a group until its time is up. */
  readonly hold: (group: readonly T[]) => void;
  /** Gives back the last group, if there is one. */
  readonly undo: () => readonly T[] | undefined;
  /** Takes out what has become pointless. */
  readonly drop: (isPointless: (item: T) => boolean) => readonly T[];
  /** Gives back all groups, in order. */
  readonly takeAll: () => readonly T[];
  /** All decisions, in order. */
  readonly items: () => readonly T[];
  /** How many there are. */
  readonly count: () => number;
}

interface Group<T> {
  items: readonly T[];
  readonly cancel: () => void;
}

/**
 * Makes a place for decisions that can still be undone.
 *
 * @param later Runs something later.
 * @param due Called with a group whose time is up.
 * @returns The place.
 */
export function openUndoBuffer<T>(later: Later, due: (group: readonly T[]) => void): UndoBuffer<T> {
  const groups: Group<T>[] = [];
  const items = () => groups.flatMap((group) => group.items);
  return {
    hold(items) {
      const cancel = later(UNDO_MS, () => {
        groups.splice(groups.indexOf(group), 1);
        if (group.items.length > 0) due(group.items);
      });
      const group: Group<T> = { items, cancel };
      groups.push(group);
    },
    undo() {
      const last = groups.findLastIndex(({ items }) => items.length > 0);
      if (last === -1) return undefined;
      const [group] = groups.splice(last, 1);
      group!.cancel();
      return group!.items;
    },
    drop(isPointless) {
      const dropped = groups.flatMap(({ items }) => items.filter(isPointless));
      for (const group of groups) group.items = group.items.filter((item) => !isPointless(item));
      return dropped;
    },
    takeAll() {
      const all = items();
      for (const { cancel } of groups.splice(0)) cancel();
      return all;
    },
    items,
    count: () => items().length,
  };
}
