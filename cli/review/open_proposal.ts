/**
 * Opens one proposal: an operator can decide what was opened, and nothing else.
 *
 * @module
 */

import { proposalBlocks } from "../render/proposal.ts";
import { type Block, wrap } from "../render/wrap.ts";
import { open, type Row } from "./list.ts";
import type { Desk, Look } from "./state.ts";
import { openPages } from "./viewport.ts";

/** Reads a proposal, and keeps that as what the operator saw. If it cannot be read, its row says why. */
export async function lookAt(desk: Desk, row: Row): Promise<Look | undefined> {
  const { ports, table, looks } = desk;
  try {
    const inspection = await ports.inspect(row.entry);
    const stamp = ports.stampOf(inspection.currentPath);
    const { proposalSha256, currentSha256 } = inspection;
    const look = { inspection, proposalSha256, currentSha256, stamp };
    looks.set(row.key, look);
    return look;
  } catch (error) {
    const why = ports.explain(error);
    if (table.row(row.key)?.standing.kind === "open") table.set(row.key, open(why));
    desk.tell(why);
    return undefined;
  }
}

/** Shows one proposal on the whole screen; `because` is shown above it, if something changed. */
export async function openProposal(desk: Desk, row: Row, because?: string): Promise<void> {
  const look = await lookAt(desk, row);
  if (look === undefined) {
    if (desk.view.place !== "list") desk.show({ place: "list" });
    return;
  }
  const { table, style } = desk;
  // The operator sees it now, so the notice on its row is no longer needed.
  const { standing } = table.row(row.key) ?? row;
  if (standing.kind === "open" && standing.notice !== undefined) table.set(row.key, open());
  const blocks = proposalBlocks(look.inspection, desk.ports.now());
  const all = because === undefined ? blocks : [...notice(because), ...blocks];
  const pages = openPages(all, style);
  const shown = { ...look, pages };
  desk.looks.set(row.key, shown);
  desk.show({ place: "proposal", key: row.key, look: shown, pages });
}

function notice(text: string): Block[] {
  return [(columns, style) => [...wrap("! ", text, columns, "prose").map(style.magenta), ""]];
}
