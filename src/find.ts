/**
 * Finds proposals by id, or by the beginning of one, whatever has become of them.
 *
 * @module
 */

import { listBottles } from "./bottles.ts";
import { UnsafeFileError } from "./errors.ts";
import {
  claudeBottleRoot,
  isProposalId,
  processedDir,
  PROPOSAL_SUFFIX,
  queueDirForSlug,
} from "./paths.ts";
import { listNames } from "./untrusted.ts";

/** Where a proposal is, and whether it waits for an answer. */
export interface FoundProposal {
  /** The bottle that asks. */
  readonly bottleSlug: string;
  /** The proposal's whole id. */
  readonly proposalId: string;
  /** Whether it has no response file yet. */
  readonly pending: boolean;
}

/** Where to look. */
export interface FindOptions {
  /** One bottle only. */
  readonly bottleSlug?: string;
  /** The root; {@linkcode claudeBottleRoot} unless given. */
  readonly root?: string;
}

function idsIn(names: readonly string[], prefix: string): string[] {
  return names
    .filter((name) => name.endsWith(PROPOSAL_SUFFIX) && name.startsWith(prefix))
    .map((name) => name.slice(0, -PROPOSAL_SUFFIX.length))
    .filter(isProposalId);
}

/** One bottle's trouble must not keep another's proposals from being found. */
function namesOrNone(dir: string): readonly string[] {
  try {
    return listNames(dir);
  } catch (error) {
    if (!(error instanceof UnsafeFileError)) throw error;
    return [];
  }
}

/**
 * Finds the proposals whose id begins with a text. If one has exactly this id, it alone is found. No
 * file is opened: what is found may be malformed.
 *
 * Needs `--allow-read` for the root.
 *
 * @param prefix The beginning of an id, or a whole one.
 * @param options Where to look.
 * @returns What is found, pending ones first.
 */
export function findProposals(prefix: string, options: FindOptions = {}): FoundProposal[] {
  const { root = claudeBottleRoot(), bottleSlug } = options;
  const found: FoundProposal[] = [];
  for (const slug of listBottles(root).slugs) {
    if (bottleSlug !== undefined && slug !== bottleSlug) continue;
    const queueDir = queueDirForSlug(slug, root);
    const names = namesOrNone(queueDir);
    const present = new Set(names);
    for (const proposalId of idsIn(names, prefix)) {
      const pending = !present.has(`${proposalId}.response.json`);
      found.push({ bottleSlug: slug, proposalId, pending });
    }
    for (const proposalId of idsIn(namesOrNone(processedDir(queueDir)), prefix)) {
      if (present.has(proposalId + PROPOSAL_SUFFIX)) continue;
      found.push({ bottleSlug: slug, proposalId, pending: false });
    }
  }
  const exact = found.filter(({ proposalId }) => proposalId === prefix);
  return (exact.length > 0 ? exact : found).sort((a, b) => Number(b.pending) - Number(a.pending));
}
