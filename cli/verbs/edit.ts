/**
 * `edit`: changes a file in force without a proposal.
 *
 * @module
 */

import { CONFIG_FILE_FOR_TOOL, quote, readFileInForce } from "../../internal_mod.ts";
import { type FilePlace, inspectEdit, obstaclesToEdit } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, readNamedFile } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { decideEdit } from "../operate/decision.ts";
import { decodeVersion, editText } from "../operate/editor.ts";
import { namedFile, putInForce } from "../operate/put_in_force.ts";

/**
 * Which file the version is made from. Without a person who sees what it takes away, a script has to say it: what was
 * approved since it was made would go with it.
 */
function baseOf(
  { flags: { sha256, json }, interactive }: Context,
  { bottleSlug, tool }: FilePlace,
  { currentFile, currentSha256 }: ReturnType<typeof readFileInForce>,
  version: string,
): string {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new UsageError(`Cannot use ${sha256} as --sha256: expected 64 lower-case hex digits`);
  }
  if (sha256 !== undefined || interactive && !json) return sha256 ?? currentSha256;
  const left = new Set(version.split("\n"));
  const [gone, ...others] = (currentFile ?? "").split("\n")
    .filter((line) => line.trim() !== "" && !left.has(line));
  if (gone === undefined) return currentSha256;
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  throw new UsageError(
    `Cannot take ${quote(gone)}${more} out of the ${
      CONFIG_FILE_FOR_TOOL[tool]
    } of ${bottleSlug} without a ` +
      "person: name the file in force that your version is made from with --sha256",
  );
}

/** `edit FILE`: shows the version, asks on a terminal, then puts it in force and records it. */
export async function edit(context: Context, words: readonly string[]): Promise<void> {
  const { root, flags: { file } } = context;
  const place = namedFile(context, words);
  const { tool, bottleSlug } = place;
  const inForce = readFileInForce(tool, bottleSlug, root);
  if (file !== undefined) {
    const version = decodeVersion(await readNamedFile(context, file), file);
    if (version.trim() === "") throw new CancelledError(`Cancelled: ${file} is empty`);
    await putInForce(context, place, version, baseOf(context, place, inForce, version));
    return;
  }
  const start = inForce.currentFile ?? "";
  // Before the operator spends work on it.
  const [held] = obstaclesToEdit(place, inspectEdit(place, start))
    .filter(({ code }) => code === "frozen" || code === "enforcer_not_proven");
  if (held !== undefined) throw new CancelledError(`Cancelled: ${held.message}`);
  const goOn = `edit ${words[0]} --bottle ${bottleSlug}`;
  const made = await editText(context, { tool, start, unchanged: start, goOn });
  await decideEdit(context, made, async (version) => {
    await putInForce(context, place, version, inForce.currentSha256);
    return true;
  });
}

if (import.meta.main) await runAlone({ edit });
