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

/** Later than this the end of the time was not seen: the program was stopped, or busy with other things. */
const LATE_MS = 1_000;

/** How much of its time a group has at least when a question is over, the first time. */
const LEAST_MS = 1_000;

interface Group<T> {
  items: readonly T[];
  cancel: () => void;
  /** How much of its time is left, as of when it began or stopped. */
  leftMs: number;
  untilMs: number;
  wasLengthened: boolean;
}

/** What a buffer is wired to. */
interface Wiring<T> {
  readonly now: () => number;
  readonly later: Later;
  /** Gets the items whose time goes on, and when it is up: `Infinity` while it stands still. */
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

  /** Lets the time of a group go on; stops it if there is a reason. */
  function goOn(group: Group<T>): void {
    group.cancel();
    group.untilMs = pauses > 0 ? Infinity : now() + group.leftMs;
    held(group.items, group.untilMs);
    if (pauses > 0) return;
    group.cancel = later(Math.max(0, group.leftMs - SETTLE_MS), () => {
      group.cancel = later(SETTLE_MS, () => {
        const lateMs = now() - group.untilMs;
        group.leftMs = 0;
        if (lateMs > LATE_MS && lengthen(group, UNDO_MS)) return goOn(group);
        groups.splice(groups.indexOf(group), 1);
        if (group.items.length > 0) due(group.items);
      });
    });
  }

  /** Leaves a group at least so much time. Only once, or a busy machine could put off its end for ever. */
  function lengthen(group: Group<T>, leastMs: number): boolean {
    if (group.wasLengthened || group.leftMs >= leastMs) return false;
    group.leftMs = leastMs;
    group.wasLengthened = true;
    return true;
  }

  /** Stops the time of all groups. It goes on once each call's result was called. */
  function stop(beforeGoingOn: (group: Group<T>) => void): () => void {
    if (pauses++ === 0) {
      for (const group of groups) group.leftMs = Math.max(0, group.untilMs - now());
    }
    groups.forEach(goOn);
    return () => {
      pauses--;
      groups.forEach(beforeGoingOn);
      groups.forEach(goOn);
    };
  }

  return {
    /** Holds a group until its time is up. */
    hold(items: readonly T[]): void {
      const fresh = { leftMs: UNDO_MS, untilMs: Infinity, wasLengthened: false };
      const group: Group<T> = { items, cancel: () => {}, ...fresh };
      groups.push(group);
      goOn(group);
    },
    /** Stops the time of all groups, as no key undoes them now. What it returns lets the rest of it go on. */
    pause: () => stop((group) => lengthen(group, LEAST_MS)),
    /** Stops it likewise, as the screen is away. What it returns begins the whole time anew. */
    away: () => stop((group) => void (group.leftMs = UNDO_MS)),
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
