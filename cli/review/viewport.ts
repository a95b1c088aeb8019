/**
 * A long text that is looked at through the screen. Only the rows that are looked at are made, so that
 * a text of five megabytes scrolls like any other.
 *
 * @module
 */

import type { Style } from "../render/style.ts";
import type { Block } from "../render/wrap.ts";

/** How many blocks keep their rows. */
const MOST_KEPT = 2_000;

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
  let bottom = 0;
  let endSeen = false;
  const kept = new Map<number, readonly string[]>();

  function rowsOf(block: number): readonly string[] {
    let rows = kept.get(block);
    if (rows === undefined) {
      rows = blocks[block]!(columns, style);
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(block, rows);
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

  const isAfter = (a: Place, b: Place) => a.block > b.block || a.block === b.block && a.row > b.row;

  /** Keeps the end of the text at the end of the screen, not above it. */
  function settle(): void {
    const last = backward({ block: blocks.length, row: 0 }, height);
    if (isAfter(top, last)) top = last;
  }

  return {
    /** The rows of the screen. */
    rows(newHeight: number, newColumns: number): readonly string[] {
      if (newColumns !== columns) {
        kept.clear();
        top = { block: top.block, row: 0 };
      }
      [height, columns] = [Math.max(1, newHeight), newColumns];
      settle();
      const rows: string[] = [];
      let { block, row } = top;
      for (; block < blocks.length && rows.length < height; block++, row = 0) {
        for (const text of rowsOf(block).slice(row, row + height - rows.length)) rows.push(text);
      }
      bottom = block;
      endSeen ||= forward(top, height).block >= blocks.length;
      return rows;
    },
    /** Moves by rows of the screen; by an infinite number, to the beginning or the end. */
    scroll(by: number): void {
      if (Number.isFinite(by)) top = by > 0 ? forward(top, by) : backward(top, -by);
      else top = { block: by > 0 ? blocks.length : 0, row: 0 };
      settle();
    },
    /** How much of the text is above the end of the screen, from 0 to 1. */
    progress: () => blocks.length === 0 ? 1 : bottom / blocks.length,
    /** Whether the end has been on the screen. */
    endWasSeen: () => endSeen,
  };
}
