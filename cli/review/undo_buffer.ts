/**
 * Decisions that can still be undone. Nothing of them is written before their time is up.
 *
 * @module
 */

import type { Later } from "./key_guard.ts";

/** How long a decision can be undone. */
export const UNDO_MS = 5_000;

interface Group<T> {
  items: readonly T[];
  readonly cancel: () => void;
}

/** Makes an empty buffer of groups that are undone together. `due` gets each group whose time is up. */
export function openUndoBuffer<T>(later: Later, due: (group: readonly T[]) => void) {
  const groups: Group<T>[] = [];
  const items = (): readonly T[] => groups.flatMap((group) => group.items);
  return {
    /** Holds a group until its time is up. */
    hold(items: readonly T[]): void {
      const cancel = later(UNDO_MS, () => {
        groups.splice(groups.indexOf(group), 1);
        if (group.items.length > 0) due(group.items);
      });
      const group: Group<T> = { items, cancel };
      groups.push(group);
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
  };
}
