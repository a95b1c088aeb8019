/**
 * `review`: walk through what is pending.
 *
 * @module
 */

import { ask } from "../ask.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../flags.ts";
import { reviewPlain } from "../review/plain.ts";

/**
 * Walks through what is pending, at a prompt.
 *
 * @param context The context.
 */
export async function review(context: Context): Promise<void> {
  if (context.flags.json || !context.interactive) {
    throw new UsageError(
      `Cannot review ${
        context.flags.json ? "as JSON" : "without a terminal"
      }: use list, then show ID, then approve, modify or reject ID`,
    );
  }
  await reviewPlain(context, ask);
}
