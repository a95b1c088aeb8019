/**
 * An operator who decides whatever comes.
 *
 * @module
 */

import { decide, type Decision, type Proposal, type Verdict, watchPending } from "../../mod.ts";
import type { TempDir } from "./temp.ts";

/** The bottle that asks in tests of the sidecar. */
export const SLUG = "dev-1";

/**
 * Makes a bottle's queue directory.
 *
 * @param dir The root.
 * @param slug The bottle.
 * @returns The directory's path.
 */
export async function queueOf(dir: TempDir, slug = SLUG): Promise<string> {
  const queueDir = dir.at("queue", slug);
  await Deno.mkdir(queueDir, { recursive: true });
  return queueDir;
}

/**
 * Waits until something is pending, and decides it.
 *
 * @param dir The root.
 * @param verdict What is decided.
 * @param notes The operator's words.
 * @returns The decision, and what it was about.
 */
export async function decideNext(
  dir: TempDir,
  verdict: Verdict,
  notes = "so be it",
): Promise<Decision & { readonly proposal: Proposal }> {
  for await (const { pending: [next] } of watchPending(dir.at("queue", SLUG))) {
    if (next === undefined) continue;
    const { proposal, proposalSha256 } = next;
    const ref = { root: dir.path, bottleSlug: SLUG, proposalId: proposal.id };
    const decision = await decide({ ...ref, proposalSha256, verdict, notes, operator: "ada@host" });
    return { ...decision, proposal };
  }
  throw new Error("unreachable");
}
