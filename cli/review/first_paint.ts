/**
 * The first screen, painted without Ink, which takes longer to load than a thousand proposals to read.
 *
 * @module
 */

import process from "node:process";
import type { Seat } from "./seat.ts";

/**
 * To the alternate screen, without a cursor, at its beginning. Where there is no such screen, what stands
 * on the other one, an agent's words perhaps, is not to stand between our rows.
 */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H";

/** Back, with a cursor; what was to be shown later is shown. */
const LEAVE = "\x1b[?2026l\x1b[?1049l\x1b[?25h";

/**
 * Paints what is on the seat's screen. Keys wait in the terminal until somebody reads them.
 *
 * @param seat The seat.
 * @returns A function that gives the terminal back, for when nobody takes it over.
 */
export function paintFirst(seat: Seat): () => void {
  // Where a terminal does not say how large it is, Ink takes it for one of this size.
  const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  process.stdin.setRawMode(true);
  process.stdout.write(ENTER + seat.frame(size).join("\r\n"));
  return () => {
    process.stdout.write(LEAVE);
    process.stdin.setRawMode(false);
  };
}
