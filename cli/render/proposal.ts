/**
 * One proposal on the screen: its bottle, the agent's reason, the marks and problems, and the diff.
 *
 * @module
 */

import { CONFIG_FILE_FOR_TOOL, describeReach, type Hints, visibleLine } from "../../read_mod.ts";
import type { Comparison, Inspection, Tool } from "../../mod.ts";
import { diffBlocks, markBlocks } from "./diff.ts";
import { heldInWords, oftenIn } from "./pending.ts";
import { quoteId, renderQuoted } from "./quote.ts";
import type { Style } from "./style.ts";
import { age, localTime } from "./time.ts";
import { type Block, notCounted, renderBlocks, wrap } from "./wrap.ts";

const EMPTY: Block = () => [""];

const line = (text: string): Block => (columns) => wrap("", text, columns, "prose");

/** A warning of this program. Its rows begin with `!`, which no row of an agent's text does. */
function warning(text: string, paint: keyof Style = "magenta"): Block {
  return (columns, style) => wrap("! ", text, columns, "prose").map(style[paint]);
}

/** What a change would let a bottle do. It quotes the agent, so each row has a bar. */
export function reachBlock(comparison: Comparison, bottleSlug: string): Block {
  const words = describeReach(comparison, bottleSlug);
  return warning(`${words[0]!.toUpperCase()}${visibleLine(words.slice(1), "code")}.`, "bold");
}

/** What an approval would do, if the agent started from another file than the one in force. */
function staleBlocks(
  { agentDiff, merged, mergeProblem, proposal }: Inspection,
  file: string,
): Block[] {
  const instead = merged === undefined
    ? `Its change cannot be made there, because ${visibleLine(mergeProblem ?? "", "code")}: ` +
      "an approval would put the agent's whole file in its place."
    : "An approval would make the agent's change there" +
      (merged === proposal.proposedFile ? "." : ', and answer "modified" with that file.');
  return [
    warning(`The agent did not start from the ${file} in force. ${instead}`),
    ...(agentDiff === undefined ? [] : [
      EMPTY,
      line("What the agent changed, in the file it started from:"),
      ...diffBlocks(agentDiff).map(notCounted),
    ]),
    EMPTY,
    line(`What would change, in the ${file} in force:`),
  ];
}

/** What was decided lately on the like of a proposal, in rows. */
export function hintRows(
  hints: Hints,
  tool: Tool,
  columns: number,
  style: Style,
  nowMs: number,
): string[] {
  const { rejected, rejectedBefore, isPartial } = hints;
  const count = oftenIn(hints);
  const file = CONFIG_FILE_FOR_TOOL[tool];
  return [
    ...(rejectedBefore === undefined ? [] : [
      `${
        rejectedBefore.exact ? "The same lines were" : "At least half of these lines were"
      } rejected ` +
      `${age(rejectedBefore.timestamp, nowMs)} ago.`,
    ]),
    ...(rejectedBefore === undefined && isPartial
      ? ["These lines may have been rejected before: not all of 24 hours was compared."]
      : []),
    ...(count === undefined ? [] : [
      `This bottle's ${file} in 24 hours: ${
        isPartial ? "at least " : ""
      }${count} proposals decided, ${rejected} rejected.`,
    ]),
  ].flatMap((text) => wrap("! ", text, columns, "prose").map(style.magenta));
}

/** That what is in force for a time is left out of the comparison. */
function grantsWords(grants: NonNullable<Inspection["grants"]>, file: string): string {
  const ends = grants.map(({ until }) => localTime(until)).join(", ");
  return `Compared with the ${file} as it is without what is granted until ${ends}; that stays in force till then.`;
}

/**
 * A proposal in blocks. `hintsNow` is asked each time the hints are drawn: they may change while the rest
 * stays.
 */
export function proposalBlocks(
  inspection: Inspection,
  now: () => number,
  hintsNow: () => Hints | undefined,
): Block[] {
  const { proposal, proposalSha256, diff, stale, currentFile, problems } = inspection;
  const { unrecordedResponse, marks, merged } = inspection;
  const { bottleSlug, tool, arrivalTimestamp, justification: text } = proposal;
  const id = quoteId(proposal.id);
  const file = CONFIG_FILE_FOR_TOOL[tool];
  const arrival: Block = (columns) => {
    const ago = age(arrivalTimestamp, now());
    return wrap("", `arrived ${localTime(arrivalTimestamp)} (${ago} ago)`, columns);
  };
  const recent: Block = (columns, style) => {
    const hints = hintsNow();
    return hints === undefined ? [] : hintRows(hints, tool, columns, style, now());
  };
  return [
    (columns, style) => {
      const rest = `${bottleSlug}  ${tool}`;
      const fits = id.length + 2 + rest.length < columns;
      return fits
        ? [`${style.bold(id)}  ${rest}`]
        : [...wrap("", id, columns), ...wrap("", rest, columns)];
    },
    Object.assign(arrival, { isLive: true }),
    (columns) => wrap("", `sha256  ${proposalSha256}`, columns),
    EMPTY,
    (columns, style) =>
      renderQuoted({ heading: "The agent says:", text, kind: "prose" }, columns, style),
    EMPTY,
    Object.assign(recent, { isLive: true }),
    ...heldInWords(inspection).map((words) => warning(visibleLine(words, "code"), "red")),
    ...(unrecordedResponse === undefined ? [] : [warning(
      `It is answered without a record: ${visibleLine(unrecordedResponse.says, "code")}. ` +
        "The log has no such decision.",
    )]),
    ...(inspection.grants === undefined ? [] : [warning(grantsWords(inspection.grants, file))]),
    ...(currentFile === null ? [warning(`There is no ${file} in force: all of it is new.`)] : []),
    reachBlock(inspection, bottleSlug),
    ...markBlocks(diff, marks),
    ...(stale ? staleBlocks(inspection, file) : []),
    ...problems.map(({ where, message }) =>
      warning(`Not a sound ${file}: ${visibleLine(`${where}: ${message}`, "code")}`, "red")
    ),
    ...(diff === ""
      ? [
        warning(
          merged === undefined
            ? `The proposed ${file} is the one in force.`
            : `Nothing is left to add: the ${file} in force does what the agent asks for.`,
        ),
      ]
      : diffBlocks(diff, marks)),
  ];
}

export function renderProposal(
  inspection: Inspection,
  nowMs: number,
  columns: number,
  style: Style,
  hints?: Hints,
): string[] {
  return renderBlocks(proposalBlocks(inspection, () => nowMs, () => hints), columns, style);
}
