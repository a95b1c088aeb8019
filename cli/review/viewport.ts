/**
 * A long text that is looked at through the screen. Only the rows that are looked at are made, so that
 * a text of five megabytes scrolls like any other. It counts the changed lines that were on the screen.
 *
 * @module
 */

import type { Style } from "../render/style.ts";
import type { Block } from "../render/wrap.ts";

/** How many blocks keep their rows. */
const MOST_KEPT = 2_000;

/** How many rows above a changed line are shown with it. */
const ROWS_BEFORE = 2;

/** The changed lines of which every row was on a screen, in whichever viewport. */
const seen = new WeakSet<Block>();

/** How many lines were added to `seen`. A viewport that knows of all of them need not count again. */
let everSeen = 0;

/** What has to be seen of a text, and how much of it was on the screen. */
export function countSeen(blocks: readonly Block[]): { counted: number; seen: number } {
  const counted = blocks.filter(({ counts }) => counts);
  return { counted: counted.length, seen: counted.filter((block) => seen.has(block)).length };
}

/** What has to be seen, in words. */
export function countedInWords(blocks: readonly Block[]): string {
  const counted = blocks.filter(({ counts }) => counts).length;
  if (blocks.some(({ counts }) => counts === "mark")) return `${counted} changed lines and marks`;
  return `${counted} changed line${counted === 1 ? "" : "s"}`;
}

/** How much of it was on the screen, in words. */
export function seenInWords(blocks: readonly Block[]): string {
  return `${countSeen(blocks).seen} of ${countedInWords(blocks)} seen`;
}

/** A text, and the place in it where the screen begins. */
export type Viewport = ReturnType<typeof openViewport>;

/** A row, by the block it belongs to. */
interface Place {
  readonly block: number;
  readonly row: number;
}

/** Opens a text at its beginning. */
export function openViewport(blocks: readonly Block[], style: Style) {
  let columns = 0;
  let height = 1;
  let top: Place = { block: 0, row: 0 };
  const changes = blocks.filter(({ counts }) => counts);
  const words = countedInWords(changes);
  const kept = new Map<number, readonly string[]>();
  /** Of the changed lines that were on the screen in part: which of their rows. */
  const partly = new Map<number, ReadonlySet<number>>();
  /** Of the changed lines in the last frame: which of their rows were seen, once that frame stood. */
  const framed = new Map<number, ReadonlySet<number>>();

  function rowsOf(block: number): readonly string[] {
    let rows = kept.get(block);
    if (rows === undefined) {
      rows = blocks[block]!(columns, style);
      if (kept.size >= MOST_KEPT) kept.clear();
      if (!blocks[block]!.isLive) kept.set(block, rows);
    }
    return rows;
  }

  /** The place some rows further on, or at the end of the text. */
  function forward(from: Place, by: number): Place {
    let { block, row } = from;
    row += by;
    while (block < blocks.length && row >= rowsOf(block).length) row -= rowsOf(block++).length;
    return block < blocks.length ? { block, row } : { block, row: 0 };
  }

  /** The place some rows further back, or at the beginning. */
  function backward(from: Place, by: number): Place {
    let { block, row } = from;
    row -= by;
    while (row < 0 && block > 0) row += rowsOf(--block).length;
    return row < 0 ? { block: 0, row: 0 } : { block, row };
  }

  let counted = { everSeen: -1, seen: 0 };

  /** How many of the changed lines were on the screen. A text may have a million. */
  function seenSoFar(): number {
    if (counted.everSeen !== everSeen) counted = { everSeen, seen: countSeen(changes).seen };
    return counted.seen;
  }

  const isAfter = (a: Place, b: Place) => a.block > b.block || a.block === b.block && a.row > b.row;

  /** Keeps the end of the text at the end of the screen, not above it. */
  function settle(): void {
    const last = backward({ block: blocks.length, row: 0 }, height);
    if (isAfter(top, last)) top = last;
  }

  const isUnseen = (block: number) =>
    blocks[block]!.counts !== undefined && !seen.has(blocks[block]!);

  /** Notes that some rows of a block are in the frame. */
  function note(block: number, from: number, to: number): void {
    if (!isUnseen(block)) return;
    const noted = new Set(partly.get(block));
    for (let row = from; row < to; row++) noted.add(row);
    framed.set(block, noted);
  }

  const isWhole = ([block, noted]: [number, ReadonlySet<number>]) =>
    noted.size === rowsOf(block).length;

  return {
    /** Begins a frame, in which nothing of the text is until `rows` gives it. */
    begin: () => framed.clear(),
    /** The rows of the screen. All of them must be in the frame. */
    rows(newHeight: number, newColumns: number): readonly string[] {
      framed.clear();
      if (newColumns !== columns) {
        kept.clear();
        // A line in part: its rows are other ones on this screen.
        partly.clear();
        top = { block: top.block, row: 0 };
      }
      [height, columns] = [Math.max(1, newHeight), newColumns];
      settle();
      const rows: string[] = [];
      let { block, row } = top;
      for (; block < blocks.length && rows.length < height; block++, row = 0) {
        const shown = rowsOf(block).slice(row, row + height - rows.length);
        for (const text of shown) rows.push(text);
        note(block, row, row + shown.length);
      }
      return rows;
    },
    /** Counts the changed lines of the frame as seen, once an operator could see it. `false`: there was no other. */
    stood(): boolean {
      const before = seenSoFar();
      let added = 0;
      for (const entry of framed) {
        const [block, noted] = entry;
        if (!isWhole(entry)) partly.set(block, noted);
        else {
          seen.add(blocks[block]!);
          added++;
          partly.delete(block);
        }
      }
      everSeen += added;
      counted = { everSeen, seen: before + added };
      framed.clear();
      return added > 0;
    },
    /** Moves by rows of the screen; by an infinite number, to the beginning or the end. */
    scroll(by: number): void {
      if (Number.isFinite(by)) top = by > 0 ? forward(top, by) : backward(top, -by);
      else top = { block: by > 0 ? blocks.length : 0, row: 0 };
      settle();
    },
    /** Moves to the next changed line that was not seen, or the first; `false` if all were. */
    toUnseen(): boolean {
      const order = [...blocks.keys()];
      const block = order.find((n) => n >= top.block && isUnseen(n)) ?? order.find(isUnseen);
      if (block === undefined) return false;
      const noted = partly.get(block);
      let row = 0;
      while (noted?.has(row)) row++;
      top = backward({ block, row }, Math.min(ROWS_BEFORE, height - 1));
      settle();
      return true;
    },
    /** Whether a changed line was not on the screen. */
    hasUnseen: () => seenSoFar() < changes.length,
    /** How many of its changed lines were on the screen, in words. */
    seenInWords: () => `${seenSoFar()} of ${words} seen`,
    /** Whether there is more below the screen. */
    hasMore: () => forward(top, height).block < blocks.length,
  };
}
