/**
 * Several proposals decided together: first each of them on the screen, then a table of what will happen,
 * then one key, then a result for each.
 *
 * @module
 */

import { obstaclesTo } from "../../mod.ts";
import { type Question, questionOf, sentenceOf } from "../operate/confirm.ts";
import type { Block } from "../render/wrap.ts";
import { askWhy, confirmWord, hold } from "./decide_actions.ts";
import type { Row } from "./list.ts";
import { lookAt } from "./open_proposal.ts";
import type { Batch, BatchItem, Look, State, View } from "./state.ts";
import { countSeen, openViewport, seenInWords } from "./viewport.ts";

/** A proposal that Enter decides. */
type Meant = BatchItem & { readonly look: Look };

/**
 * In a table a person confirms the high marks of a bottle, and nothing else: what has another obstacle
 * is left out, and decided by itself.
 */
async function itemOf(
  state: State,
  row: Row,
  { status, notes }: Pick<Batch, "status" | "notes">,
): Promise<BatchItem> {
  const { key } = row;
  const look = await lookAt(state, row);
  if (look === undefined) return { key, leftOut: "it cannot be read" };
  const { inspection, currentSha256 } = look;
  // Between the x and the table it may have become another one, which nobody chose.
  const proposalSha256 = state.list.selectedSha256(key) ?? "";
  const draft = { verdict: { status }, notes, proposalSha256, currentSha256 };
  const obstacles = obstaclesTo(inspection, draft);
  const other = obstacles.find(({ code }) => code !== "unconfirmed");
  if (other !== undefined) {
    return { key, look, leftOut: `${sentenceOf(other, inspection.proposal.tool)} Decide it alone` };
  }
  const unconfirmed = obstacles.find((obstacle) => obstacle.code === "unconfirmed");
  return { key, look, ...(unconfirmed !== undefined && { unconfirmed }) };
}

/** Shows the selected proposals, one after the other, and then a table of what would happen to them. */
export async function openBatch(
  state: State,
  status: Batch["status"],
  written: string,
): Promise<void> {
  const rows = state.list.selected();
  const notes = status === "rejected" ? await askWhy(state, rows, written) : written;
  if (notes === undefined) return;
  const items: BatchItem[] = [];
  for (const row of rows) items.push(await itemOf(state, row, { status, notes }));
  const batch = { status, notes, items };
  // A rejection lets nothing in.
  const unseen = status === "rejected"
    ? []
    : items.flatMap((item) =>
      item.look !== undefined && item.leftOut === undefined && hasUnseen(item.look) ? item.look : []
    );
  if (unseen.length === 0) return openTable(state, batch);
  const pages = unseen.flatMap(({ page }, n): Block[] => {
    const title = `── ${n + 1} of ${unseen.length} `;
    return [(columns, style) => [style.bold(title.padEnd(columns - 1, "─"))], ...page, () => [""]];
  });
  state.show({ place: "pages", ...batch, viewport: openViewport(pages, state.style) });
  state.tell(
    "Space shows all of them; Enter leaves out what you did not see.",
  );
}

function hasUnseen({ page }: Look): boolean {
  const { counted, seen } = countSeen(page);
  return seen < counted;
}

/** Shows the table. What was not on the screen is left out. */
export function openTable(state: State, { status, notes, items }: Batch): void {
  const judged = items.map((item): BatchItem => {
    const { look, leftOut } = item;
    if (status === "rejected" || look === undefined || leftOut !== undefined) return item;
    return hasUnseen(look)
      ? { ...item, leftOut: `${seenInWords(look.page)}. Decide it alone` }
      : item;
  });
  state.show({ place: "batch", status, notes, items: judged, step: "asked" });
}

/** Whether Enter decides a proposal: not if it is left out, or is no longer as the table shows it. */
export function isMeant(state: State, { key, look, leftOut }: BatchItem): boolean {
  const row = state.list.row(key);
  // A look is forgotten once the file in force is another one.
  return leftOut === undefined && row?.stage.kind === "open" && state.looks.get(key) === look &&
    row.entry.proposalSha256 === look?.inspection.proposalSha256;
}

/** Holds what the table says, once the high marks of each bottle were confirmed. */
export async function confirmBatch(
  state: State,
  view: Extract<View, { place: "batch" }>,
): Promise<void> {
  const { status, notes, items, step } = view;
  if (step === "decided") return state.show({ place: "list" });
  const unseen = items.length - state.seen;
  if (unseen > 0) {
    state.offset = state.seen;
    const was = unseen === 1 ? "was" : "were";
    return state.tell(`${unseen} ${was} not on the screen: Enter shows them, then decides.`);
  }
  const meant = items.flatMap((item) => {
    const { look } = item;
    return look !== undefined && isMeant(state, item) ? [{ ...item, look }] : [];
  });
  if (meant.length === 0) return state.tell("There is nothing left to decide here.");
  const keys = meant.map(({ key }) => key);
  const confirmed = new Map<string, Question["gives"]>();
  for (const { sentence, request, word, gives } of questionsAbout(meant, status)) {
    if (!await confirmWord(state, `${sentence}\n${request}`, keys, word)) return;
    confirmed.set(word, gives);
  }
  hold(
    state,
    meant.map(({ key, look }) => {
      const gives = confirmed.get(look.inspection.proposal.bottleSlug);
      return { key, seen: look, said: { verdict: { status }, notes, ...gives } };
    }),
  );
  state.list.selectNone();
  const undoBuffer = new Set(keys);
  const told = items.map((item) =>
    undoBuffer.has(item.key) ? item : { leftOut: "it changed", ...item }
  );
  state.show({ ...view, items: told, step: "decided" });
}

/** One question for each bottle with high marks, about all of them. */
function questionsAbout(meant: readonly Meant[], status: Batch["status"]): Question[] {
  const marked = meant.flatMap(({ look, unconfirmed }) =>
    unconfirmed === undefined ? [] : [{ ...look.inspection.proposal, unconfirmed }]
  );
  return [...Map.groupBy(marked, ({ bottleSlug }) => bottleSlug).values()].flatMap((group) => {
    const marks = group.flatMap(({ unconfirmed }) => unconfirmed.marks);
    const [{ unconfirmed, tool }] = group as [typeof group[number]];
    return questionOf({ ...unconfirmed, marks }, tool, status) ?? [];
  });
}
