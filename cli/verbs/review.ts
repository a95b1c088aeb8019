/**
 * `review`: asks a person to decide each proposal. It is apart from the verbs that decide, whose program
 * need not read the files of the screen.
 *
 * @module
 */

import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { askOn } from "../operate/confirm.ts";

/** `review`: on the full screen; with `--plain`, or on a dumb terminal, at a prompt. */
export async function review(context: Context): Promise<number> {
  const { flags, interactive, env } = context;
  if (flags.json || !interactive) {
    const how = flags.json ? "as JSON" : "without a terminal";
    throw new UsageError(
      `Cannot review ${how}: use list, then show ID, then approve, modify or reject ID`,
    );
  }
  if (!flags.plain && env("TERM") !== "dumb") {
    const { reviewFullScreen } = await import("../review/run.ts");
    return await reviewFullScreen(context);
  }
  const { reviewPlain } = await import("../review/plain.ts");
  await reviewPlain(context, askOn(context));
  return 0;
}

if (import.meta.main) await runAlone({ review });
