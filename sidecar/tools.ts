/**
 * The tools as an agent sees them: names, words, schemas. These words decide what an agent does with a
 * tool, so they say when to use it, what to send, and what the answer means.
 *
 * @module
 */

import {
  type Change,
  CHANGE_FORMS,
  CONFIG_FILE_FOR_TOOL,
  CURRENT_CONFIG_DIR_IN_AGENT,
  type Effect,
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
import { wordsOfProgress } from "./telling.ts";
import { z } from "zod";

function describe(tool: Tool, when: string, change: string, format: string): string {
  const file = CONFIG_FILE_FOR_TOOL[tool];
  return `${when} A human operator reads your proposal as a diff, with your justification, and approves, ` +
    `modifies or rejects it.

How to ask: change as little as possible of the file in force, ` +
    `${CURRENT_CONFIG_DIR_IN_AGENT}/${file}: send ${change}, or the whole new file as ` +
    `proposed_file. ${format} Justify it in two sentences that a human can check: what is blocked, ` +
    `and why this change is the smallest that helps.

The call stays open until the operator has decided, or until your client would give up; ` +
    `then it returns "pending", the proposal stays, and proposal-status tells you more. Repeating ` +
    `the same call is safe. The answer: "approved" - your file as it is; "modified" - another ` +
    `version, which is in final_file: the operator's, or your change in a file that changed since ` +
    `you read it; "rejected" - nothing changes, read the notes before you ask ` +
    `again; "next" says what to do then. A syntax error, or a change that does not fit, is answered at once.`;
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
      "add or remove",
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
      "add or remove",
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
      "a patch",
      "It is the bottle's Dockerfile. The bottle is rebuilt from it, so what is not in it is lost.",
    ),
  },
];

/** What an agent sends to each tool. {@linkcode problemsOf} checks lengths, blanks and forms, in words. */
export const INPUT_SCHEMAS: Readonly<Record<Tool, z.ZodType<ToolInput>>> = {
  [TOOL_CRED_PROXY_BLOCK]: inputSchema({
    add: z.array(z.looseObject({})).optional().describe("Routes to add."),
    remove: z.array(z.string()).optional().describe("Paths of routes to remove."),
  }),
  [TOOL_PIPELOCK_BLOCK]: inputSchema({
    add: z.array(z.string()).optional().describe("Hosts to add."),
    remove: z.array(z.string()).optional().describe("Hosts to remove."),
  }),
  [TOOL_CAPABILITY_BLOCK]: inputSchema({
    patch: z.string().optional().describe("A unified diff of the file in force."),
  }),
};

function inputSchema<T extends z.ZodRawShape>(change: T) {
  return z.object({
    ...change,
    proposed_file: z.string().optional().describe(
      `Instead: the whole new file; at most ${MAX_CONFIG_FILE_BYTES} bytes.`,
    ),
    justification: z.string().describe(
      `Why you need it, for the operator; at most ${MAX_JUSTIFICATION_BYTES} bytes.`,
    ),
    current_file_sha256: z.string().optional().describe(
      "SHA-256 of the file in force that you started from: the operator is warned if " +
        "it has changed.",
    ),
  });
}

/** What an agent sends to any of the tools: the whole file, or a change to the one in force. */
export interface ToolInput {
  proposed_file?: string | undefined;
  add?: unknown[] | undefined;
  remove?: unknown[] | undefined;
  patch?: string | undefined;
  justification: string;
  current_file_sha256?: string | undefined;
}

/** The status of a proposal without a decision. */
const STATUS_PENDING = "pending";

/** What an agent gets. */
export const OUTPUT_SCHEMA = z.object({
  status: z.enum([STATUS_APPROVED, STATUS_MODIFIED, STATUS_REJECTED, STATUS_PENDING]).describe(
    'What the operator decided; "pending" if nothing yet.',
  ),
  notes: z.string().describe("The operator's words for you; may be empty."),
  next: z.string().describe("What to do now."),
  proposal_id: z.string().describe("The proposal's id, for proposal-status."),
  final_file: z.string().optional().describe(
    'The file that was accepted instead of yours; only if the status is "modified".',
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
    proposedFile: input.proposed_file ?? "",
    justification: input.justification,
    currentFileHash: (input.current_file_sha256 ?? "").toLowerCase(),
  };
}

/** The parts of a change. */
const CHANGE_PARTS = ["add", "remove", "patch"] as const;

/** The parts of a change that are sent and not empty. */
export function changeParts(input: ToolInput): readonly (keyof Change)[] {
  return CHANGE_PARTS.filter((name) => {
    const sent = input[name];
    return (typeof sent === "string" ? sent.trim() : sent ?? "").length > 0;
  });
}

/** What is wrong with how an agent asks: as a whole file, or as a change. */
function* formProblems(tool: Tool, input: ToolInput): Generator<string> {
  const forms = CHANGE_FORMS[tool];
  const parts = changeParts(input);
  const isWhole = (input.proposed_file ?? "").trim() !== "";
  const expected = `the whole new file as proposed_file, or instead ${forms.join(" or ")}`;
  for (const part of parts) {
    if (!forms.includes(part)) yield `${part}: ${tool} does not take it, expected ${expected}`;
    else if (isWhole) yield `${part}: found proposed_file beside it, expected one of the two`;
  }
  if (isWhole || parts.length > 0) return;
  const sent = CHANGE_PARTS.find((name) => input[name] !== undefined) ?? "proposed_file";
  yield `${sent}: found nothing, expected ${expected}`;
}

/** What is wrong with an agent's input, a sentence for each problem: first all but the file's syntax. */
export function problemsOf(tool: Tool, input: ToolInput): readonly string[] {
  const problems = [...formProblems(tool, input)];
  if (input.justification.trim() === "") {
    problems.push(
      "justification: found nothing but white space, expected two sentences for the operator",
    );
  }
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
  if (problems.length > 0 || changeParts(input).length > 0) return problems;
  return fileProblems(tool, input.proposed_file ?? "");
}

/** Why nobody is asked about a file: its syntax, or what no approval passes. */
export function fileProblems(tool: Tool, file: string): readonly string[] {
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

const NEXT_PENDING =
  "Go on with other work; then call proposal-status with this id, or make the same call again.";

/** What an agent does about an accepted file, by how far it takes effect; `unknown`: nobody said. */
const NEXT: Readonly<Record<"proxy" | "bottle", Readonly<Record<Effect | "unknown", string>>>> = {
  proxy: {
    probed: "Try again now: the proxy was seen to have it.",
    reloaded:
      "Try again now. The proxy was told to read it, and nobody looked whether it has: if you " +
      "are still blocked in a minute, tell your user; to ask again changes nothing.",
    restarts: "The proxy is restarted with it: try again in a minute.",
    file:
      "It is the file in force, and nothing has the proxy read it: the operator may do that by hand. Try " +
      "again later; until then go on with other work. To ask again changes nothing.",
    unknown:
      "Try again. If you are still blocked, the proxy does not have it yet, and only the operator " +
      "can change that; to ask again changes nothing.",
  },
  bottle: {
    probed:
      "The image is built and tried: the next start of this bottle has it. Until then nothing changes " +
      "in here.",
    reloaded:
      "The image is built: the next start of this bottle has it. Until then nothing changes in here.",
    restarts:
      "The image is built, and this bottle is restarted with it now: what you have not written to " +
      "your workspace is lost.",
    file:
      "It is the Dockerfile in force, and nothing builds an image of it: the operator may do that by " +
      "hand. Until this bottle is started anew nothing changes in here: go on with other work.",
    unknown:
      "A start of this bottle has it once an image is built of it, which only the operator can do. " +
      "Until then nothing changes in here: go on with other work.",
  },
};

function nextOf({ proposal, response }: Extract<ProposalState, { kind: "answered" }>): string {
  const { status, effect = "unknown", until } = response;
  if (status === STATUS_REJECTED) return "Read the notes before you ask again.";
  const next = NEXT[proposal.tool === TOOL_CAPABILITY_BLOCK ? "bottle" : "proxy"][effect];
  // Nobody tells it when that time comes.
  return effect === "restarts" && until !== undefined
    ? `${next} When its time is over, it is restarted again.`
    : next;
}

/** What an agent gets, as data: the structured content of the tool's result. */
function outputOf(outcome: ProposalState): z.infer<typeof OUTPUT_SCHEMA> {
  const { id } = outcome.proposal;
  if (outcome.kind === "pending") {
    const state = wordsOfProgress(outcome.progress);
    const notes = `No response is here yet${state === undefined ? "" : `: ${state}`}.`;
    return {
      status: STATUS_PENDING,
      notes,
      next: NEXT_PENDING,
      proposal_id: id,
      ahead: outcome.ahead,
    };
  }
  const { status, notes, finalFile } = outcome.response;
  const output = { status, notes, next: nextOf(outcome), proposal_id: id };
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
    const state = [wordsOfProgress(outcome.progress), place].filter((word) => word !== undefined);
    return `pending: no response to your ${file} is here yet (${state.join("; ")}). The proposal ` +
      `stays in the queue. ${NEXT_PENDING}${id}`;
  }
  const next = nextOf(outcome);
  const { response } = outcome;
  const notes = response.notes.trim() === "" ? "" : `\nNotes: ${response.notes}`;
  switch (response.status) {
    case STATUS_APPROVED:
      return `approved: the operator accepted your ${file} as it is. ${next}${notes}${id}`;
    case STATUS_MODIFIED:
      return `modified: the operator accepted another version of ${file}, below. ${next}${notes}` +
        `${id}\n\n${response.finalFile ?? ""}`;
    case STATUS_REJECTED:
      return `rejected: ${file} stays as it is. ${next}${notes}${id}`;
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
