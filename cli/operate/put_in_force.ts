/**
 * Puts an operator's own version of a file in force: shows it, asks, applies it, says what became of it.
 *
 * @module
 */

import { CONFIG_FILE_FOR_TOOL } from "../../internal_mod.ts";
import {
  editFile,
  type EditInspection,
  type EditPlace,
  type EditRequest,
  inspectEdit,
  obstaclesToEdit,
  SuperviseError,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../../mod.ts";
import { type Context, namedBottle, openApplier, operatorAccount } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { FILE_WORDS, UsageError } from "../command/flags.ts";
import { changeBlocks } from "../render/version.ts";
import { renderBlocks } from "../render/wrap.ts";
import { confirmByName } from "./asking.ts";
import { askOn, sentenceOf } from "./confirm.ts";
import { ensureKey, printApplied, warningOf } from "./decision.ts";

const TOOL_OF: Readonly<Record<(typeof FILE_WORDS)[number], Tool>> = {
  routes: TOOL_CRED_PROXY_BLOCK,
  allowlist: TOOL_PIPELOCK_BLOCK,
  dockerfile: TOOL_CAPABILITY_BLOCK,
};

/** The file in force that the words name, as in `allowlist --bottle dev-1`. */
export function namedFile(context: Context, [word, ...rest]: readonly string[]) {
  const bottleSlug = namedBottle(context);
  const name = FILE_WORDS.find((name) => name === word);
  if (name === undefined || rest.length > 0) {
    throw new UsageError(`Cannot tell which file: write one of ${FILE_WORDS.join(", ")}`);
  }
  return { root: context.root, bottleSlug, tool: TOOL_OF[name] };
}

/** The word for the file of a tool. */
export function wordOf(tool: Tool): string {
  return FILE_WORDS.find((name) => TOOL_OF[name] === tool)!;
}

/** Which file, and which version of it. */
type Place = EditPlace & Pick<EditRequest, "version"> & { readonly root: string };

/**
 * Puts a version in force; on a terminal as it is on the screen then, by a person's word.
 *
 * @param base SHA-256 of the file in force that the version is made from: no other one is replaced.
 */
export async function putInForce(
  context: Context,
  place: Place,
  file: string,
  base?: string,
): Promise<void> {
  const { root, flags, style, columns, print, printJson } = context;
  const { bottleSlug, tool, found, version } = place;
  const asks = context.interactive && !flags.json;
  const seen = inspectEdit(place, file);
  if (seen.currentFile === file) {
    throw new CancelledError("Cancelled: that version is in force already");
  }
  if (base !== undefined && seen.currentSha256 !== base) {
    throw new SuperviseError(
      "stale",
      `Cannot change the ${
        CONFIG_FILE_FOR_TOOL[tool]
      } of ${bottleSlug}: another file is in force than the one that ` +
        "your version is made from; look at it again",
    );
  }
  if (asks) {
    const title = found
      ? "The file that was found in force, against the recorded one:"
      : version === undefined
      ? "Your version, against the file in force:"
      : `Version ${version}, against the file in force:`;
    const blocks = changeBlocks(seen, seen.diff, bottleSlug, title);
    for (const row of renderBlocks(blocks, columns, style)) print(row);
  }
  const confirmedSlug = await confirmed(context, place, seen, asks);
  await ensureKey(context);
  const { notes = "", operator: operatorName } = flags;
  const done = await editFile({
    ...place,
    file,
    currentSha256: seen.currentSha256,
    notes,
    operator: operatorAccount(),
    ...(operatorName !== undefined && { operatorName }),
    ...(confirmedSlug !== undefined && { confirmedSlug }),
    applier: await openApplier({ root }),
  });
  const { auditHead: audit_head, applied, warning } = done;
  if (flags.json) return printJson({ bottle: bottleSlug, tool, applied, warning, audit_head });
  print(
    `${style.green(found ? "recorded" : "changed")} ${CONFIG_FILE_FOR_TOOL[tool]} (${bottleSlug})`,
  );
  printApplied(context, [done]);
  print(style.dim(`recorded in ${done.auditLog}`));
  warningOf(done).forEach(context.complain);
}

/** Asks for what the version needs. What no answer clears, `editFile` refuses. */
async function confirmed(
  context: Context,
  place: Place,
  seen: EditInspection,
  asks: boolean,
): Promise<string | undefined> {
  const { bottleSlug, tool } = place;
  const obstacles = obstaclesToEdit(place, seen);
  const high = obstacles.find(({ code }) => code === "unconfirmed");
  const isRefused = obstacles.some((obstacle) => obstacle !== high);
  if (high !== undefined && !isRefused) {
    const deed = `change the file in force of ${bottleSlug}`;
    await confirmByName(context, bottleSlug, sentenceOf(high, tool), deed);
    return bottleSlug;
  }
  if (!asks || isRefused) return undefined;
  const deed = place.found ? "record this version" : "put this version in force";
  const question = `Type yes to ${deed} (${bottleSlug}): `;
  if ((await askOn(context)(question))?.trim() !== "yes") {
    throw new CancelledError("Cancelled: nothing was changed");
  }
  return undefined;
}
