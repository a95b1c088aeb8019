/**
 * Ends the grants whose time is over.
 *
 * @module
 */

import { dueGrants, ensureSigningKey } from "../../internal_mod.ts";
import { type EndedGrants, endOverdueGrants } from "../../mod.ts";
import { type Context, openApplier, operatorAccount } from "../command/context.ts";
import { failureOf } from "../command/exit.ts";
import { quoteId } from "../render/quote.ts";
import { sayNewKey } from "./decision.ts";

/** Ends the grants whose time is over, of all bottles or of one. */
export async function endOverdue(context: Context, bottleSlug?: string): Promise<EndedGrants> {
  const { root } = context;
  if (dueGrants({ root, bottleSlug }).length === 0) return { ended: [], failed: [] };
  const key = await ensureSigningKey(root);
  if (key.created) sayNewKey(context, key.fingerprint);
  const applier = await openApplier(context);
  return await endOverdueGrants({ root, bottleSlug, applier, operator: operatorAccount() });
}

/** How long nothing is tried in a bottle after apply.json could not be used, or the like. */
const REST_MS = 60_000;

/** Ends what is over while a program runs: each bottle by itself, so that one whose programs hang holds up no other. */
export function openExpiry(context: Context, say: (words: string) => void) {
  const busy = new Map<string, Promise<void>>();
  const restsUntilMs = new Map<string, number>();
  const end = async (slug: string): Promise<void> => {
    try {
      const { ended, failed } = await endOverdue(context, slug);
      for (const { proposalId } of ended) say(`! ended the grant ${quoteId(proposalId)} (${slug})`);
      for (const { error } of failed) say(`! ${failureOf(error, context).message}`);
    } catch (error) {
      say(`! grants of ${slug}: ${failureOf(error, context).message}`);
      restsUntilMs.set(slug, Date.now() + REST_MS);
    } finally {
      busy.delete(slug);
    }
  };
  return {
    /** Looks whether anything is over. Costs one look into a directory if no grant is open. */
    tick(): void {
      const { root, flags: { bottle } } = context;
      for (const { bottleSlug } of dueGrants({ root, bottleSlug: bottle })) {
        if (busy.has(bottleSlug) || Date.now() < (restsUntilMs.get(bottleSlug) ?? 0)) continue;
        busy.set(bottleSlug, end(bottleSlug));
      }
    },
    /** Resolves once nothing is being ended. */
    ended: async (): Promise<void> => void await Promise.all(busy.values()),
  };
}
