/**
 * Opens one proposal: an operator can decide what was opened, and nothing else.
 *
 * @module
 */

import { seenNow } from "../operate/decision.ts";
import { proposalBlocks } from "../render/proposal.ts";
import { type Block, wrap } from "../render/wrap.ts";
import { open, type Row } from "./list.ts";
import type { Look, State } from "./state.ts";
import { openViewport } from "./viewport.ts";

/** Whether a page says the same now, so that what was seen of it counts. */
export function isSame(before: Look, now: Omit<Look, "page" | "stamp">): boolean {
  return before.proposalSha256 === now.proposalSha256 &&
    before.currentSha256 === now.currentSha256 && before.finalSha256 === now.finalSha256 &&
    JSON.stringify(before.inspection.unrecordedResponse) ===
      JSON.stringify(now.inspection.unrecordedResponse);
}

/** Reads a proposal, and keeps that as what the operator saw. If it cannot be read, its row says why. */
export async function lookAt(state: State, row: Row): Promise<Look | undefined> {
  const { ports, list, looks } = state;
  try {
    const inspection = await ports.inspect(row.entry);
    const stamp = ports.stampOf(inspection.currentPath);
    const seen = { ...seenNow(inspection), stamp };
    const before = looks.get(row.key);
    const page = before !== undefined && isSame(before, seen)
      ? before.page
      : proposalBlocks(inspection, ports.now, () => ports.hintsOf(row.entry));
    const look = { ...seen, page };
    looks.set(row.key, look);
    return look;
  } catch (error) {
    const why = ports.explain(error);
    if (list.row(row.key)?.stage.kind === "open") list.set(row.key, open(why));
    state.tell(why);
    return undefined;
  }
}

/** Shows one proposal on the whole screen; `because` is shown above it, if something changed. */
export async function openProposal(state: State, row: Row, because?: string): Promise<void> {
  const look = await lookAt(state, row);
  if (look === undefined) {
    if (state.view.place !== "list") state.show({ place: "list" });
    return;
  }
  const { list, style } = state;
  // The operator sees it now, so the notice on its row is no longer needed.
  const { stage } = list.row(row.key) ?? row;
  if (stage.kind === "open" && stage.notice !== undefined) list.set(row.key, open());
  const { page } = look;
  const all = because === undefined ? page : [...notice(because), ...page];
  const viewport = openViewport(all, style);
  const shown = { ...look, viewport };
  state.looks.set(row.key, shown);
  state.show({ place: "proposal", key: row.key, look: shown, viewport });
}

function notice(text: string): Block[] {
  return [(columns, style) => [...wrap("! ", text, columns, "prose").map(style.magenta), ""]];
}
