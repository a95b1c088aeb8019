/**
 * What an agent asks and what it is told: the records, their tools and statuses.
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

/** Every tool, in the order in which they are offered. */
export const TOOLS: readonly Tool[] = [
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  TOOL_CAPABILITY_BLOCK,
];

/** The file is applied as the agent proposed it. */
export const STATUS_APPROVED = "approved";

/** The operator's version of the file is applied. */
export const STATUS_MODIFIED = "modified";

/** Nothing is applied. */
export const STATUS_REJECTED = "rejected";

/** What an operator decided. */
export type Status =
  | typeof STATUS_APPROVED
  | typeof STATUS_MODIFIED
  | typeof STATUS_REJECTED;

/** Every status. */
export const STATUSES: readonly Status[] = [
  STATUS_APPROVED,
  STATUS_MODIFIED,
  STATUS_REJECTED,
];

/**
 * The component whose audit log keeps a tool's decisions. `capability-block` has none: its record is
 * the rebuild record, component `rebuild`.
 */
export const COMPONENT_FOR_TOOL: Readonly<Partial<Record<Tool, string>>> = {
  [TOOL_CRED_PROXY_BLOCK]: "cred-proxy",
  [TOOL_PIPELOCK_BLOCK]: "pipelock",
};

/** The component of the rebuild record, which keeps the decisions on Dockerfiles. */
export const COMPONENT_REBUILD = "rebuild";

/** The name of the config file that each tool proposes, as it stands in `current-config/<slug>/`. */
export const CONFIG_FILE_FOR_TOOL: Readonly<Record<Tool, string>> = {
  [TOOL_CRED_PROXY_BLOCK]: "routes.json",
  [TOOL_PIPELOCK_BLOCK]: "allowlist",
  [TOOL_CAPABILITY_BLOCK]: "Dockerfile",
};

/** The longest justification that a sidecar accepts, in bytes of UTF-8. */
export const MAX_JUSTIFICATION_BYTES = 16 * 1024;

/** What an agent asks for. Everything in it was written by the agent, or by whoever owns its sidecar. */
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
  /** When it arrived, ISO 8601 with an offset. */
  readonly arrivalTimestamp: string;
  /** SHA-256 of the file the agent started from, lower-case hex, or `""` if it did not say. */
  readonly currentFileHash: string;
}

/** Which proposal. */
export interface ProposalRef {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** The proposal's id. */
  readonly proposalId: string;
  /** The root; `claudeBottleRoot()` unless given. */
  readonly root?: string;
}

/** What the agent is told. */
export interface ProposalResponse {
  /** The proposal's id. */
  readonly proposalId: string;
  /** What the operator decided. */
  readonly status: Status;
  /** The operator's words for the agent; may be empty. */
  readonly notes: string;
  /** What is applied: the proposed file, the operator's version, or `null` if rejected. */
  readonly finalFile: string | null;
  /**
   * The head of the audit log that keeps the decision, as it was then: so that a log that was cut
   * shows. Only an answer by {@linkcode decide} has one.
   */
  readonly auditHead?: SignedHead;
}

/** What {@linkcode newProposal} needs. */
export interface NewProposalOptions {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** The tool that was called. */
  readonly tool: Tool;
  /** The whole new file. */
  readonly proposedFile: string;
  /** Why, in the agent's words. */
  readonly justification: string;
  /** SHA-256 of the file the agent started from, or `""`. */
  readonly currentFileHash: string;
  /** When it arrived; now, unless given. */
  readonly now?: Date;
}

/**
 * Makes a proposal with a fresh random id (a version 4 UUID) and the time of arrival.
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
 * @param options What is proposed, by whom.
 * @returns The proposal; nothing is written.
 */
export function newProposal(options: NewProposalOptions): Proposal {
  const {
    now = new Date(),
    bottleSlug,
    tool,
    proposedFile,
    justification,
    currentFileHash,
  } = options;
  return {
    id: crypto.randomUUID(),
    bottleSlug,
    tool,
    proposedFile,
    justification,
    arrivalTimestamp: now.toISOString(),
    currentFileHash,
  };
}
