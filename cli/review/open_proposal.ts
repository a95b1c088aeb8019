/**
 * Looking at one proposal: what is looked at is what can be decided.
 *
 * @module
 */

import type { Inspection } from "../../mod.ts";
import { proposalBlocks } from "../render/proposal.ts";
import { type Block, wrap } from "../render/wrap.ts";
import { open, type Row } from "./list.ts";
import type { Desk, Look } from "./state.ts";
import { openPages } from "./viewport.ts";

/**
 * Reads a proposal, and keeps what was read as what the operator saw.
 *
 * @param desk The desk.
 * @param row The row.
 * @returns What was read, or `undefined` if it cannot be; the row says why.
 */
export async function lookAt(desk: Desk, row: Row): Promise<Look | undefined> {
  const { ports, table, looks } = desk;
  try {
    const inspection = await ports.inspect(row.entry);
    const stamp = ports.stampOf(inspection.currentPath);
    const look = { inspection, currentSha256: inspection.currentSha256 ?? "", stamp };
    looks.set(row.key, look);
    return look;
  } catch (error) {
    const why = ports.explain(error);
    if (table.row(row.key)?.standing.kind === "open") table.set(row.key, open(why));
    desk.tell(why);
    return undefined;
  }
}

/**
 * Shows one proposal on the whole screen.
 *
 * @param desk The desk.
 * @param row The row.
 * @param because What stands above it, if it is shown anew because something changed.
 */
export async function openProposal(desk: Desk, row: Row, because?: string): Promise<void> {
  const look = await lookAt(desk, row);
  if (look === undefined) {
    if (desk.view.place !== "list") desk.show({ place: "list" });
    return;
  }
  const { table, style } = desk;
  // It was looked at, so what it warned of is known.
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

/**
 * Why a proposal cannot be approved as it is, whoever says so.
 *
 * @param inspection The proposal.
 * @returns A sentence, or `undefined` if it can.
 */
export function obstacle(
  { problems, unrecordedResponse, proposal }: Inspection,
): string | undefined {
  if (unrecordedResponse !== undefined) {
    return `An answer without a record stands there; once you know whose it is: ` +
      `supervise show ${proposal.id}, then decide with --override-foreign`;
  }
  const [problem] = problems;
  if (problem === undefined) return undefined;
  return `It is not a sound file (${problem.where}): m to mend it, r to reject it`;
}
