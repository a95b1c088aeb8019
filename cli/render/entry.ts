/**
 * Entries of the audit logs: in one line, whole, and as JSON. Other programs can write into a log, so every
 * field is made visible.
 *
 * @module
 */

import {
  type DifferingResponse,
  formatHead,
  isDecision,
  isProposalId,
  makeVisible,
  type RecordedDecision,
  type TextKind,
  visibleLine,
} from "../../internal_mod.ts";
import type { AuditEntry, Confirmation, MadeStanding } from "../../mod.ts";
import { renderMarks } from "./diff.ts";
import { markJson, marksInShort } from "./pending.ts";
import { beginningOf, quoteId, renderQuoted, visibleJson } from "./quote.ts";
import { badge, type Style, trimPlain } from "./style.ts";
import { age, localTime } from "./time.ts";
import { cut, shortNames, wrap } from "./wrap.ts";

export function entryJson(entry: AuditEntry): object {
  return {
    timestamp: entry.timestamp,
    bottle_slug: entry.bottleSlug,
    component: entry.component,
    operator_action: entry.operatorAction,
    operator_notes: entry.operatorNotes,
    justification: entry.justification,
    diff: entry.diff,
    ...visibleJson(
      { operator_notes: entry.operatorNotes, justification: entry.justification },
      "prose",
    ),
    ...visibleJson({ diff: entry.diff }, "code"),
    operator: entry.operator,
    operator_name: entry.operatorName,
    operator_key: entry.operatorKey,
    proposal_id: entry.proposalId,
    proposal_sha256: entry.proposalSha256,
    final_sha256: entry.finalSha256,
    merged_from: entry.mergedFrom,
    foreign_answer: entry.unrecordedResponse,
    marks: entry.marks?.map(markJson),
    confirmed: entry.confirmed,
    applied: entry.applied,
    effect: entry.effect,
    before_sha256: entry.beforeSha256,
    origin: entry.origin,
    reach: entry.reach,
    reach_summary: entry.reachSummary,
    if_unmarked: entry.ifUnmarked,
    policy_sha256: entry.policySha256,
    standing_sha256: entry.standingSha256,
    standing: entry.standing,
    rules: entry.rules,
    until: entry.until,
    grant: entry.grant,
    repair: entry.repair,
    seq: entry.seq,
  };
}

/** How many cells the parts of a line get that are below each other in every line. */
const [TIME_CELLS, ACTION_CELLS, ID_CELLS, MARKS_CELLS, COMPONENT_CELLS] = [16, 8, 8, 10, 10];

/** A word in so many cells. What no word of this program could be is made visible. */
function cell(text: string, cells: number): string {
  return cut(visibleLine(text, "code"), cells).padEnd(cells);
}

function paintOf(action: string, { green, red, bold }: Style): (text: string) => string {
  if (action === "rejected") return red;
  return action === "approved" || action === "modified" ? green : bold;
}

const UNSIGNED = "not signed";

/** The least room that the name of a bottle gets. */
const LEAST_SLUG_CELLS = 9;

/** On a narrower terminal the bottle comes before the marks, which would leave it no room. */
const WIDE = 72;

/** The names of bottles, below each other in the room that a line has for them beside what it always has. */
export function shortSlugs(slugs: Iterable<string>, columns: number): ReadonlyMap<string, string> {
  const before = [TIME_CELLS, ACTION_CELLS, UNSIGNED.length, ID_CELLS, MARKS_CELLS]
    .reduce((sum, cells) => sum + cells + 2, 0);
  const shorts = shortNames(slugs, Math.max(LEAST_SLUG_CELLS, columns - 1 - before));
  const width = Math.max(...[...shorts.values()].map(({ length }) => length));
  return new Map([...shorts].map(([slug, short]) => [slug, short.padEnd(width)]));
}

/** An entry in one line. `slugs` has what `shortSlugs` makes of the names of bottles. */
export function entryLine(
  entry: AuditEntry,
  slugs: ReadonlyMap<string, string>,
  columns: number,
  style: Style,
): string {
  const { operatorAction, grant = "", bottleSlug, component, operator = "" } = entry;
  const { proposalId = grant } = entry;
  const said = beginningOf(entry.operatorNotes);
  const { text, escaped } = makeVisible(said.text, { oneLine: true });
  const time = localTime(entry.timestamp).slice(0, TIME_CELLS).padEnd(TIME_CELLS);
  // Both ends of a grant begin with the same word.
  const action = cell(operatorAction.replace(/^grant-/, ""), ACTION_CELLS);
  const [slug = ""] = slugs.values();
  // Another program may have written any name.
  const bottle = slugs.get(bottleSlug) ?? cell(bottleSlug, slug.length);
  const marks = cell(isDecision(entry) ? marksInShort(entry.marks) : "", MARKS_CELLS);
  const rest = [
    // First, because who wrote the line chose how long the rest is, and a narrow terminal cuts the end.
    entry.operatorKey === undefined ? UNSIGNED : "",
    // Another program may have written any text as an id. Ours are UUIDs, of which a person types the beginning.
    isProposalId(proposalId) ? proposalId.slice(0, ID_CELLS).padEnd(ID_CELLS) : cell(proposalId, 8),
    ...(columns < WIDE ? [bottle, marks] : [marks, bottle]),
    cell(component, COMPONENT_CELLS),
    visibleLine(operator, "code"),
    badge(escaped),
    said.tooLong,
    text === "" ? "" : `│ ${text}`,
  ].filter((word) => word !== "").join("  ");
  const line = cut(`${time}  ${action}  ${rest}`.trimEnd(), columns - 1);
  const [from, to] = [TIME_CELLS + 2, TIME_CELLS + 2 + ACTION_CELLS];
  const paint = paintOf(operatorAction, style);
  return style.dim(line.slice(0, from)) + paint(line.slice(from, to)) + line.slice(to);
}

const CONFIRMED: Readonly<Record<Confirmation, string>> = {
  "high-marks": "the high marks, by typing the bottle's name",
  "stale": "that the file in force was not the one the agent started from",
  "unrecorded-response": "that a response without a record was overridden",
};

const SIGNATURES: Readonly<Record<RecordedDecision["signature"], string>> = {
  good: "the signature of the line is good",
  bad: "! the line is not what was signed; run audit verify",
  unknown: "! the key that signed the line is not here; run audit verify with --public-key",
  none: "! anyone with this account can write such a line",
};

function marksRows({ marks = [] }: AuditEntry, columns: number, style: Style): string[] {
  return renderMarks(marks, columns - 2, style).map((row) => `  ${row}`);
}

/** What the log says of the marks of a decision. */
function marksLine({ marks }: AuditEntry): string {
  if (marks === undefined) return "the log does not keep the marks of this decision";
  return marks.length === 0 ? "it had no marks" : "its marks:";
}

function differingLine({ queueDir, says, isRead }: DifferingResponse): string {
  return `! its response in ${queueDir} ${
    isRead ? "says otherwise" : "cannot be compared"
  }: ${says}`;
}

function standingLine({ name, bottles, until }: MadeStanding): string {
  return `it stands for others like it in ${bottles.join(", ")} until ${until}, as ${name}`;
}

/** A whole entry; of the decision that `show` looks up also what proves it. */
export function renderEntry(
  entry: AuditEntry,
  nowMs: number,
  columns: number,
  style: Style,
  record?: RecordedDecision & { readonly differing: DifferingResponse | undefined },
): string[] {
  const line = (text: string, indent = "  ") =>
    wrap(indent, visibleLine(text, "code"), columns, "prose");
  const quoted = (label: string, text: string, kind: TextKind) =>
    trimPlain(text) === ""
      ? []
      : renderQuoted({ heading: `  ${label}:`, text, kind }, columns, style);
  const { operatorAction, timestamp, component, bottleSlug, operator, operatorName } = entry;
  const {
    operatorKey,
    proposalId,
    finalSha256,
    mergedFrom,
    confirmed,
    unrecordedResponse,
    repair,
  } = entry;
  const diffLabel = mergedFrom !== undefined
    ? "diff, of the agent's change in the file in force"
    : operatorAction === "modified"
    ? "diff to the operator's own version, which it calls (proposed)"
    : "diff";
  const name = operatorName === undefined ? "" : ` (${operatorName})`;
  return [
    ...line(`${operatorAction}  ${timestamp}  ${component}  ${bottleSlug}`, ""),
    ...line(`${localTime(timestamp)}, ${age(timestamp, nowMs)} ago`),
    ...(operator === undefined ? [] : line(`by ${operator}${name}`)),
    ...line(
      operatorKey === undefined
        ? UNSIGNED
        : `key ${operatorKey}${record === undefined ? ", not checked" : ""}`,
    ),
    ...(record === undefined ? [] : line(SIGNATURES[record.signature])),
    ...(record?.differing === undefined ? [] : line(differingLine(record.differing))),
    ...(record?.auditHead === undefined ? [] : line(`head ${formatHead(record.auditHead)}`)),
    ...(proposalId === undefined ? [] : line(`proposal ${quoteId(proposalId)}`)),
    ...(finalSha256 ? line(`final file ${finalSha256}`) : []),
    ...(entry.beforeSha256 ? line(`file before ${entry.beforeSha256}`) : []),
    ...(entry.origin === undefined ? [] : line(`the operator's file: ${entry.origin}`)),
    ...(unrecordedResponse === undefined ? [] : line(`overrode an answer: ${unrecordedResponse}`)),
    ...(repair === undefined ? [] : line(`repair: ${repair}`)),
    ...(isDecision(entry) ? [...line(marksLine(entry)), ...marksRows(entry, columns, style)] : []),
    ...(entry.reachSummary === undefined ? [] : line(`it ${entry.reachSummary}`)),
    ...(confirmed ?? []).flatMap((word) => line(`the operator confirmed ${CONFIRMED[word]}`)),
    ...(entry.ifUnmarked === true
      ? line("approved without a look, by --if-unmarked: no new reach, no mark")
      : []),
    ...(entry.rules === undefined ? [] : line(`decided by rules: ${entry.rules.join(", ")}`)),
    ...(entry.until === undefined ? [] : line(
      operatorAction === "frozen"
        ? `no file of the bottle changes until ${entry.until}`
        : `until ${entry.until}`,
    )),
    ...(entry.grant === undefined
      ? []
      : line(`ends the grant of proposal ${quoteId(entry.grant)}`)),
    ...(entry.applied === undefined ? [] : line(`in force: ${entry.applied}`)),
    ...(entry.policySha256 ? line(`under policy.json ${entry.policySha256}`) : []),
    ...(entry.standingSha256 ? line(`and standing.json ${entry.standingSha256}`) : []),
    ...(entry.standing === undefined ? [] : line(standingLine(entry.standing))),
    ...quoted("notes", entry.operatorNotes, "prose"),
    ...quoted("the agent said", entry.justification, "prose"),
    ...quoted(diffLabel, entry.diff, "code"),
  ];
}
