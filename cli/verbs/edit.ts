/**
 * `edit`: changes a file in force without a proposal.
 *
 * @module
 */

import { readFileInForce } from "../../internal_mod.ts";
import { inspectEdit, obstaclesToEdit } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { decideEdit } from "../operate/decision.ts";
import { decodeVersion, editText } from "../operate/editor.ts";
import { namedFile, putInForce } from "../operate/put_in_force.ts";

/** `edit FILE`: shows the version, asks on a terminal, then puts it in force and records it. */
export async function edit(context: Context, words: readonly string[]): Promise<void> {
  const { root, flags: { file } } = context;
  const place = namedFile(context, words);
  const { tool, bottleSlug } = place;
  const { currentFile } = readFileInForce(tool, bottleSlug, root);
  if (file !== undefined) {
    const version = decodeVersion(await readNamedFile(context, file), file);
    if (version.trim() === "") throw new CancelledError(`Cancelled: ${file} is empty`);
    await putInForce(context, place, version, false);
    return;
  }
  // Before the operator spends work on it.
  const [held] = obstaclesToEdit(place, inspectEdit(place, currentFile ?? ""))
    .filter(({ code }) => code === "frozen" || code === "enforcer_not_proven");
  if (held !== undefined) throw new CancelledError(`Cancelled: ${held.message}`);
  const start = currentFile ?? "";
  const goOn = `edit ${words[0]} --bottle ${bottleSlug}`;
  const made = await editText(context, { tool, start, unchanged: start, goOn });
  await decideEdit(context, made, async (version) => {
    await putInForce(context, place, version);
    return true;
  });
}

if (import.meta.main) await runAlone({ edit });
