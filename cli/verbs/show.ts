/**
 * `show ID`: prints one proposal; of a decided one, its record.
 *
 * @module
 */

import {
  asciiJson,
  checkProposalId,
  componentOf,
  differingResponse,
  findDecided,
  findRecord,
  formatHead,
  hintsOfPending,
  isDevice,
  ProposalNotFoundError,
  proveFinalFile,
  readHistory,
  readOpenGrants,
  type RecordedDecision,
  rememberShown,
  TOOLS,
  visibleLine,
} from "../../internal_mod.ts";
import { describeReach, type Inspection, inspectProposal, type ProposalRef } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, keepForLater } from "../command/context.ts";
import { NoFinalFileError } from "../command/exit.ts";
import { onlyOne, resolveProposal } from "../command/resolve.ts";
import { selectLogs } from "../operate/logs.ts";
import { printFile } from "../operate/pager.ts";
import { entryJson, renderEntry } from "../render/entry.ts";
import { heldJson, hintsJson, markJson, pendingJson } from "../render/pending.ts";
import { renderProposal } from "../render/proposal.ts";
import { visibleJson } from "../render/quote.ts";
import { wrap } from "../render/wrap.ts";

type Ref = Required<ProposalRef>;

/**
 * Shows what an id means: of a decided proposal, in the queue or in the logs alone, its record. A proposal
 * that is not decided is shown next to the file in force; `show` remembers that the operator saw it, once all of it was
 * taken: a pager or `head` that ends before is told so.
 */
export async function show(context: Context, words: readonly string[]): Promise<void> {
  const { root, flags, columns, style } = context;
  const { bottleSlug, proposalId } = findShown(context, words);
  const ref = { root, bottleSlug, proposalId };
  const record = findRecord(ref);
  if (record !== undefined) {
    return flags.final ? printFinal(context, ref, record) : showRecord(context, ref, record);
  }
  if (flags.final) throw new NoFinalFileError(proposalId, "undecided", "it is not decided yet");
  keepForLater(context);
  const inspection = await inspectProposal(ref);
  const nowMs = Date.now();
  const hints = hintsOfPending([inspection], context.root, nowMs).get(inspection)!;
  const text = flags.json
    ? asciiJson(inspectionJson(inspection, hints))
    : renderProposal(inspection, nowMs, columns, style, hints).join("\n");
  if (!printWhole(context, text)) {
    return context.complain("! not all of it was read, so it does not count as shown");
  }
  try {
    rememberShown(ref, inspection);
  } catch (error) {
    // The proposal is on the screen, or in a program that expects one object.
    const reason = error instanceof Error ? error.message : String(error);
    context.complain(
      `! it could not be noted that this was shown (${reason}): approve it with --sha256`,
    );
  }
}

/** Prints a text; `false` if the reader was gone before the end, or none could ever read it. */
function printWhole(context: Context, text: string): boolean {
  const { outIsTerminal, outFd, print, write, unprinted } = context;
  if (outIsTerminal) print(text);
  try {
    if (!outIsTerminal) write(new TextEncoder().encode(`${text}\n`));
    // A device that is no terminal drops it. A program whose output is closed gets such a one.
    const isDropped = !outIsTerminal && outFd !== undefined && isDevice(outFd);
    return !isDropped && unprinted?.() === undefined;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}

/** How many items of what is new, and of what would go, are in the JSON. */
const MAX_ITEMS = 100;

/** What a change would let the bottle do, as JSON. */
function reachJson(
  inspection: Inspection,
): object {
  const { reach, added, removed, bottleSlug } = inspection;
  return {
    reach,
    reach_summary: describeReach(inspection, bottleSlug),
    added: added.slice(0, MAX_ITEMS),
    removed: removed.slice(0, MAX_ITEMS),
    added_count: added.length,
    removed_count: removed.length,
  };
}

function inspectionJson(inspection: Inspection, hints: Parameters<typeof hintsJson>[0]): object {
  const texts = {
    proposed_file: inspection.proposal.proposedFile,
    current_file: inspection.currentFile,
    diff: inspection.diff,
    agent_diff: inspection.agentDiff ?? null,
    merged_file: inspection.merged ?? null,
    merge_problem: inspection.mergeProblem ?? null,
  };
  return {
    version: 1,
    ...pendingJson(inspection),
    ...texts,
    ...visibleJson(texts, "code"),
    ...hintsJson(hints),
    marks: inspection.marks.map(markJson),
    ...reachJson(inspection),
    foreign_answer: inspection.unrecordedResponse?.says ?? null,
    ...heldJson(inspection),
    open_grants: (inspection.grants ?? []).map(({ proposalId: id, until }) => ({ id, until })),
  };
}

function findShown(context: Context, words: readonly string[]): Omit<Ref, "root"> {
  try {
    return resolveProposal(context, words);
  } catch (error) {
    if (!(error instanceof ProposalNotFoundError)) throw error;
    // A bottle can take its files away. The log keeps the decision.
    const prefix = checkProposalId(words[0]!);
    const decided = findDecided(prefix, selectLogs(context), context.root);
    if (decided.length === 0) throw error;
    return onlyOne(context, prefix, decided);
  }
}

/** What became of an approval that ends; `undefined` of one for good. */
function endOf({ root, bottleSlug, proposalId }: Ref, { entry }: RecordedDecision) {
  if (entry.until === undefined) return undefined;
  const open = readOpenGrants({ root, bottleSlug }).grants
    .find((grant) => grant.proposalId === proposalId);
  if (open !== undefined) {
    const { isOverdue, why = "nothing ended it so far" } = open;
    const says = isOverdue ? `it is over, and still in force: ${why}` : "it is open";
    return { state: isOverdue ? "overdue" : "open", says };
  }
  const logs = [{ component: entry.component, slug: bottleSlug }];
  const end = readHistory(logs, { root, newestFirst: true })
    .find(({ grant }) => grant === proposalId);
  if (end === undefined) return { state: "unknown", says: "no record says whether it ended" };
  const { timestamp, operator = "somebody", operatorAction } = end;
  return { state: "ended", says: `it ended ${timestamp}: ${operatorAction} by ${operator}` };
}

function showRecord(context: Context, ref: Ref, record: RecordedDecision): void {
  const { entry, auditLog, auditHead, signature } = record;
  const differing = differingResponse(ref, record);
  const end = endOf(ref, record);
  if (!context.flags.json) {
    const { columns, style } = context;
    const rows = renderEntry(entry, Date.now(), columns, style, { ...record, differing });
    for (const row of rows) context.print(row);
    if (end === undefined) return;
    const says = visibleLine(`Its grant: ${end.says}`, "code");
    for (const row of wrap("", says, columns, "prose")) context.print(row);
    return;
  }
  context.printJson({
    bottle_slug: ref.bottleSlug,
    id: ref.proposalId,
    tool: TOOLS.find((tool) => componentOf(tool) === entry.component) ?? null,
    decision: {
      ...entryJson(entry),
      audit_log: auditLog,
      audit_head: auditHead === undefined ? null : formatHead(auditHead),
      signature,
    },
    foreign_answer: differing?.says ?? null,
    ...(end && { grant: end }),
  });
}

/** Prints a decided file, if the signed line of the log proves that it is the one. */
function printFinal(context: Context, ref: Ref, record: RecordedDecision): void {
  const { proposalId, bottleSlug } = ref;
  const { finalSha256 } = record.entry;
  const refuse = (reason: string) => new NoFinalFileError(proposalId, "no_final_file", reason);
  if (finalSha256 === "") throw refuse("it was rejected, so there is none");
  const proven = proveFinalFile(ref, record);
  if ("reason" in proven) throw refuse(`${proven.reason}; see show without --final`);
  const about = { bottle_slug: bottleSlug, id: proposalId, final_sha256: finalSha256 };
  printFile(context, about, { final_file: proven.file! }, refuse);
}

if (import.meta.main) await runAlone({ show });
