/**
 * The tools as an agent sees them: names, words, schemas. These words decide what an agent does with a
 * tool, so they say when to use it, what to send, and what the answer means.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  CURRENT_CONFIG_DIR_IN_AGENT,
  MAX_CONFIG_FILE_BYTES,
  MAX_JUSTIFICATION_BYTES,
  type Question,
  refusedAtOnce,
  STATUS_APPROVED,
  STATUS_MODIFIED,
  STATUS_REJECTED,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  validateConfigFile,
} from "../sidecar_mod.ts";
import type { Outcome, ProposalState } from "./hold.ts";
import { z } from "zod";

function describe(tool: Tool, when: string, format: string): string {
  const file = CONFIG_FILE_FOR_TOOL[tool];
  return `${when} A human operator reads your proposal as a diff against the file in force, ` +
    `together with your justification, and approves, modifies or rejects it.

How to ask: read the file in force at ${CURRENT_CONFIG_DIR_IN_AGENT}/${file}, change as little as ` +
    `possible, and send the whole new file as proposed_file. ${format} Justify it in two sentences ` +
    `that a human can check: what is blocked, and why this change is the smallest that helps.

The call stays open until the operator has decided, or until just before your client would give up; ` +
    `then it returns "pending", the proposal stays, and proposal-status tells you more. Repeating ` +
    `the same call is safe. The answer: "approved" - ` +
    `the operator accepted your file as it is; "modified" - the operator accepted another version, ` +
    `which you find in final_file; "rejected" - nothing changes, read the notes before you ask ` +
    `again. A file with a syntax error is answered at once with the reasons, and nobody is asked.`;
}

/** Every tool that proposes, as an agent sees it: its name, one for people, and what to read before a call. */
export const TOOL_OFFERS: readonly { name: Tool; title: string; description: string }[] = [
  {
    name: TOOL_CRED_PROXY_BLOCK,
    title: "Ask for a credential route",
    description: describe(
      TOOL_CRED_PROXY_BLOCK,
      "Use this when the credential proxy has no route for a service you need, or refuses your " +
        "request for want of a credential (an unknown path, a 401 or 403 from the proxy).",
      "It is routes.json: an object whose `routes` are objects with `path`, `upstream`, and where " +
        "a credential is needed `auth_scheme` with `token_ref` or `token_env`. Never put a secret " +
        "into it; name one.",
    ),
  },
  {
    name: TOOL_PIPELOCK_BLOCK,
    title: "Ask for a host on the egress allowlist",
    description: describe(
      TOOL_PIPELOCK_BLOCK,
      "Use this when the egress filter blocks a host you need (a refused connection, or a 403 " +
        "that names pipelock).",
      "It is the allowlist: one lower-case host name a line, `#` for comments, `*.` in front for " +
        "all names below; no scheme, port, path or IP address.",
    ),
  },
  {
    name: TOOL_CAPABILITY_BLOCK,
    title: "Ask for a tool in the bottle",
    description: describe(
      TOOL_CAPABILITY_BLOCK,
      "Use this when the bottle lacks a program, a library or a setting that you cannot install " +
        "from inside.",
      "It is the bottle's Dockerfile. The bottle is rebuilt from it, so what is not in it is lost.",
    ),
  },
];

/** What an agent sends. {@linkcode problemsOf} checks lengths and blanks, and answers in words. */
export const INPUT_SCHEMA = z.object({
  proposed_file: z.string().describe(
    `The whole new file, not a diff; at most ${MAX_CONFIG_FILE_BYTES} bytes.`,
  ),
  justification: z.string().describe(
    `Why you need it, for the operator; at most ${MAX_JUSTIFICATION_BYTES} bytes.`,
  ),
  current_file_sha256: z.string().optional().describe(
    "SHA-256 (64 hex digits) of the file in force that you started from. With it the operator is " +
      "warned if the file has changed since.",
  ),
});

/** What an agent sends, as a type. */
export type ToolInput = z.infer<typeof INPUT_SCHEMA>;

/** The status of a proposal without a decision. */
const STATUS_PENDING = "pending";

/** What an agent gets. */
export const OUTPUT_SCHEMA = z.object({
  status: z.enum([STATUS_APPROVED, STATUS_MODIFIED, STATUS_REJECTED, STATUS_PENDING]).describe(
    'What the operator decided; "pending" if nothing yet.',
  ),
  notes: z.string().describe("The operator's words for you; may be empty."),
  proposal_id: z.string().describe("The proposal's id, for proposal-status."),
  final_file: z.string().optional().describe(
    'The operator\'s version of the file; only if the status is "modified".',
  ),
  ahead: z.number().int().optional().describe(
    'How many proposals the operator sees before yours; only if the status is "pending".',
  ),
});

/** The same as the protocol has it. It is made once: the SDK would make it anew for each result. */
export const OUTPUT_JSON_SCHEMA: Record<string, unknown> = z.toJSONSchema(OUTPUT_SCHEMA);

/** What the sidecar asks the operator. */
export function questionOf(tool: Tool, input: ToolInput): Question {
  return {
    tool,
    proposedFile: input.proposed_file,
    justification: input.justification,
    currentFileHash: (input.current_file_sha256 ?? "").toLowerCase(),
  };
}

/** What is wrong with an agent's input, a sentence for each problem: first all but the file's syntax. */
export function problemsOf(tool: Tool, input: ToolInput): readonly string[] {
  const expected = {
    proposed_file: "the whole new file",
    justification: "two sentences for the operator",
  };
  const problems = (["proposed_file", "justification"] as const)
    .filter((name) => input[name].trim() === "")
    .map((name) => `${name}: found nothing but white space, expected ${expected[name]}`);
  const bytes = new TextEncoder().encode(input.justification).length;
  if (bytes > MAX_JUSTIFICATION_BYTES) {
    problems.push(
      `justification: found ${bytes} bytes, expected at most ${MAX_JUSTIFICATION_BYTES}: shorten it`,
    );
  }
  if (!input.justification.isWellFormed()) {
    problems.push("justification: found half of a UTF-16 surrogate pair, expected Unicode text");
  }
  const hash = input.current_file_sha256 ?? "";
  if (hash !== "" && !/^[0-9a-fA-F]{64}$/.test(hash)) {
    problems.push(
      `current_file_sha256: found ${hash.length} characters, expected 64 hex digits, ` +
        "as `sha256sum` prints them, or leave it out",
    );
  }
  if (problems.length > 0) return problems;
  const { proposed_file: file } = input;
  const invalid = validateConfigFile(tool, file).map(({ where, message }) =>
    `${where}: ${message}`
  );
  return invalid.length > 0 ? invalid : refusedAtOnce(tool, file);
}

/** The longest time that `proposal-status` waits, in seconds. */
const MAX_WAIT_SECONDS = 86_400;

/** What an agent sends to ask about a proposal. */
export const STATUS_INPUT_SCHEMA = z.object({
  proposal_id: z.string().describe("The id that the tool returned."),
  wait_seconds: z.number().min(0).max(MAX_WAIT_SECONDS).optional().describe(
    "How long to wait for the decision; 0, to be told at once, unless given.",
  ),
});

/** The tool that asks about a proposal. */
export const STATUS_OFFER = {
  name: "proposal-status",
  title: "Ask what has become of a proposal",
  description:
    `Use this after one of the other tools returned "pending", or after a call was cut ` +
    `off. It tells whether a response is here, and what the operator decided; "pending" comes with the number of ` +
    `proposals ahead of yours. It changes nothing. Go on with other work between two calls.`,
} as const;

/** What the server says about itself to every client. */
export const INSTRUCTIONS =
  `Ask a human operator for more rights when this sandbox blocks you: a ` +
  `credential route, a host, a tool. Start from the file in force in ` +
  `${CURRENT_CONFIG_DIR_IN_AGENT}, change the least that helps, and justify it in two sentences a ` +
  `human can check. The answer may take hours: if a call returns "pending", go on with other work ` +
  `and ask with proposal-status. Read the notes of a rejection before you ask again. The same ` +
  `question asked again is the same question, so repeating a call that was cut off is safe.`;

/** What an agent gets, as data: the structured content of the tool's result. */
function outputOf(outcome: ProposalState): z.infer<typeof OUTPUT_SCHEMA> {
  const { id } = outcome.proposal;
  if (outcome.kind === "pending") {
    const notes = "No response is here yet.";
    return { status: STATUS_PENDING, notes, proposal_id: id, ahead: outcome.ahead };
  }
  const { status, notes, finalFile } = outcome.response;
  const output = { status, notes, proposal_id: id };
  return status === STATUS_MODIFIED && finalFile !== null
    ? { ...output, final_file: finalFile }
    : output;
}

/** The same in words, for clients that read text. */
function wordsOf(outcome: ProposalState): string {
  const { tool, id: proposalId } = outcome.proposal;
  const file = CONFIG_FILE_FOR_TOOL[tool];
  const id = `\nProposal: ${proposalId}`;
  if (outcome.kind === "pending") {
    const place = outcome.ahead === 0 ? "it is next" : `${outcome.ahead} before it`;
    return `pending: no response to your ${file} is here yet (${place}). The proposal ` +
      "stays in the queue. Go on with other work; then call proposal-status with this id, or make " +
      `the same call again.${id}`;
  }
  const { response } = outcome;
  const notes = response.notes.trim() === "" ? "" : `\nNotes: ${response.notes}`;
  switch (response.status) {
    case STATUS_APPROVED:
      return `approved: the operator accepted your ${file} as it is.${notes}${id}`;
    case STATUS_MODIFIED:
      return `modified: the operator accepted another version of ${file}, below.${notes}${id}\n\n` +
        (response.finalFile ?? "");
    case STATUS_REJECTED:
      return `rejected: ${file} stays as it is. Read the notes before you ask again.${notes}${id}`;
  }
}

/** The result of a call. */
export function resultOf(outcome: Outcome) {
  if (outcome.kind === "refused") return failed(`Cannot ask the operator: ${outcome.reason}`);
  return {
    content: [{ type: "text" as const, text: wordsOf(outcome) }],
    structuredContent: outputOf(outcome),
  };
}

/** The result of a call that failed, or was refused. The text says why, and what to do. */
export function failed(text: string) {
  return { isError: true, content: [{ type: "text" as const, text }] };
}
