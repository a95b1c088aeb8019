/**
 * `review`: decide what is pending, on the whole screen or line by line.
 *
 * @module
 */

import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { ask } from "../operate/confirm.ts";
import { reviewPlain } from "../review/plain.ts";

/**
 * Shows what is pending on the whole screen; with `--plain`, or on a terminal that can only print, walks
 * through it at a prompt.
 *
 * @param context The context.
 * @returns The exit code.
 */
export async function review(context: Context): Promise<number> {
  if (context.flags.json || !context.interactive) {
    throw new UsageError(
      `Cannot review ${
        context.flags.json ? "as JSON" : "without a terminal"
      }: use list, then show ID, then approve, modify or reject ID`,
    );
  }
  if (!context.flags.plain && context.env("TERM") !== "dumb") {
    // No other verb should wait until this is loaded.
    const { reviewFullScreen } = await import("../review/run.ts");
    return await reviewFullScreen(context);
  }
  await reviewPlain(context, ask);
  return 0;
}
