/**
 * Proposals of an agent and responses to it: the records, their tools and statuses.
 *
 * @module
 */

import type { SignedHead } from "./head.ts";

/** The tool that proposes a new `routes.json` for the credential proxy. */
export const TOOL_CRED_PROXY_BLOCK = "cred-proxy-block";

/** The tool that proposes a new egress `allowlist` for pipelock. */
export const TOOL_PIPELOCK_BLOCK = "pipelock-block";

/** The tool that proposes a new `Dockerfile` for the bottle. */
export const TOOL_CAPABILITY_BLOCK = "capability-block";

/** A tool's name. */
export type Tool =
  | typeof TOOL_CRED_PROXY_BLOCK
  | typeof TOOL_PIPELOCK_BLOCK
  | typeof TOOL_CAPABILITY_BLOCK;

/** All tools, in the order in which a sidecar offers them. */
export const TOOLS: readonly Tool[] = [
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  TOOL_CAPABILITY_BLOCK,
];

/** The proposed file is approved as it is. */
export const STATUS_APPROVED = "approved";

/** The operator's version of the file is approved. */
export const STATUS_MODIFIED = "modified";

/** No file is approved. */
export const STATUS_REJECTED = "rejected";

/** An operator's decision. */
export type Status = typeof STATUS_APPROVED | typeof STATUS_MODIFIED | typeof STATUS_REJECTED;

/**
 * How far a file that was put in force takes effect: `file`, nothing reloads it; `reloaded`, what uses it was
 * told; `probed`, it was seen in what uses it; `restarts`, what uses it is started anew once the agent has its
 * answer.
 */
export type Effect = "file" | "reloaded" | "probed" | "restarts";

/** All of them. */
export const EFFECTS: readonly Effect[] = ["file", "reloaded", "probed", "restarts"];

/** All statuses. */
export const STATUSES: readonly Status[] = [STATUS_APPROVED, STATUS_MODIFIED, STATUS_REJECTED];

/**
 * The component whose audit log records the decisions on a tool's proposals. `capability-block` has none
 * here: its decisions are in the rebuild record, component `rebuild`.
 */
export const COMPONENT_FOR_TOOL: Readonly<Partial<Record<Tool, string>>> = {
  [TOOL_CRED_PROXY_BLOCK]: "cred-proxy",
  [TOOL_PIPELOCK_BLOCK]: "pipelock",
};

/** The component of the rebuild record, which has the decisions on Dockerfiles. */
export const COMPONENT_REBUILD = "rebuild";

/** The components that have an audit log. */
export const AUDIT_COMPONENTS: readonly string[] = TOOLS.map(componentOf);

/** The component of a tool. */
export function componentOf(tool: Tool): string {
  return COMPONENT_FOR_TOOL[tool] ?? COMPONENT_REBUILD;
}

/** The config file that each tool proposes, by its name in `current-config/<slug>/`. */
export const CONFIG_FILE_FOR_TOOL: Readonly<Record<Tool, string>> = {
  [TOOL_CRED_PROXY_BLOCK]: "routes.json",
  [TOOL_PIPELOCK_BLOCK]: "allowlist",
  [TOOL_CAPABILITY_BLOCK]: "Dockerfile",
};

/** What having no file means. No Dockerfile means no image, so nothing is built of its text. */
export const TEXT_OF_NO_FILE: Readonly<Record<Tool, string>> = {
  [TOOL_CRED_PROXY_BLOCK]: '{"routes": []}\n',
  [TOOL_PIPELOCK_BLOCK]: "",
  [TOOL_CAPABILITY_BLOCK]: "",
};

/** The longest justification that a sidecar accepts, in bytes of UTF-8. */
export const MAX_JUSTIFICATION_BYTES = 16 * 1024;

/** What an agent asks for. The agent, or a person who controls its sidecar, wrote all of it. */
export interface Proposal {
  /** Matches `^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$`, and equals the file's name. */
  readonly id: string;
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** The tool that was called. */
  readonly tool: Tool;
  /** The whole new file. */
  readonly proposedFile: string;
  /** Why, in the agent's words. */
  readonly justification: string;
  /** The time of its arrival, ISO 8601 with an offset. */
  readonly arrivalTimestamp: string;
  /** SHA-256 of the file the agent started from, lower-case hex, or `""` if it did not say. */
  readonly currentFileHash: string;
}

/** Names one proposal. */
export interface ProposalRef {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly proposalId: string;
  /** The root; `claudeBottleRoot()` unless given. */
  readonly root?: string;
}

/** The answer to an agent. */
export interface ProposalResponse {
  /** The proposal's id. */
  readonly proposalId: string;
  /** What the operator decided. */
  readonly status: Status;
  /** The operator's words for the agent; may be empty. */
  readonly notes: string;
  /** The approved file: the proposed one, the operator's version, or `null` if rejected. */
  readonly finalFile: string | null;
  /** When the approval ends, ISO 8601; missing if it is for good. */
  readonly until?: string;
  /** How far the approved file takes effect; missing if none was, or nobody said. */
  readonly effect?: Effect;
  /**
   * The head of the audit log right after the decision: it shows later whether the log was cut. Only
   * responses by {@linkcode decide} have one.
   */
  readonly auditHead?: SignedHead;
}

/**
 * Makes a proposal with a new random id (a version 4 UUID) and the time of its arrival.
 *
 * @example Make a proposal
 * ```ts
 * import { newProposal, TOOL_PIPELOCK_BLOCK } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const proposal = newProposal({
 *   bottleSlug: "dev-1",
 *   tool: TOOL_PIPELOCK_BLOCK,
 *   proposedFile: "api.github.com\n",
 *   justification: "The tests read a public gist.",
 *   currentFileHash: "",
 * });
 * assertEquals(proposal.id.length, 36);
 * ```
 *
 * @param options The fields that the caller chooses.
 * @returns The proposal. It is not written yet.
 */
export function newProposal(
  options: Omit<Proposal, "id" | "arrivalTimestamp"> & {
    /** The time of its arrival; now unless given. */
    readonly now?: Date;
  },
): Proposal {
  const { bottleSlug, tool, proposedFile, justification, currentFileHash, now } = options;
  return {
    id: crypto.randomUUID(),
    bottleSlug,
    tool,
    proposedFile,
    justification,
    arrivalTimestamp: (now ?? new Date()).toISOString(),
    currentFileHash,
  };
}
