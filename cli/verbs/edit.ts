/**
 * `edit`: changes a file in force without a proposal.
 *
 * @module
 */

import { CONFIG_FILE_FOR_TOOL, readFileInForce } from "../../internal_mod.ts";
import {
  editFile,
  type EditInspection,
  inspectEdit,
  obstaclesToEdit,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import {
  type Context,
  namedBottle,
  openApplier,
  operatorAccount,
  readNamedFile,
} from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { FILE_WORDS, UsageError } from "../command/flags.ts";
import { confirmByName } from "../operate/asking.ts";
import { askOn, sentenceOf } from "../operate/confirm.ts";
import { decideEdit, ensureKey, printApplied, warningOf } from "../operate/decision.ts";
import { decodeVersion, editText } from "../operate/editor.ts";
import { changeBlocks } from "../render/version.ts";
import { renderBlocks } from "../render/wrap.ts";

const TOOL_OF: Readonly<Record<(typeof FILE_WORDS)[number], Tool>> = {
  routes: TOOL_CRED_PROXY_BLOCK,
  allowlist: TOOL_PIPELOCK_BLOCK,
  dockerfile: TOOL_CAPABILITY_BLOCK,
};

/** `edit FILE`: shows the version, asks on a terminal, then puts it in force and records it. */
export async function edit(context: Context, [word, ...rest]: readonly string[]): Promise<void> {
  const { root, flags: { file, json }, interactive } = context;
  const bottleSlug = namedBottle(context);
  const name = FILE_WORDS.find((name) => name === word);
  if (name === undefined || rest.length > 0) {
    throw new UsageError(`Cannot tell which file: write one of ${FILE_WORDS.join(", ")}`);
  }
  const tool = TOOL_OF[name];
  const place = { root, bottleSlug, tool };
  const { currentFile } = readFileInForce(tool, bottleSlug, root);
  if (file !== undefined) {
    const version = decodeVersion(await readNamedFile(context, file), file);
    if (version.trim() === "") throw new CancelledError(`Cancelled: ${file} is empty`);
    await put(context, place, version, false);
    return;
  }
  // Before the operator spends work on it.
  const [held] = obstaclesToEdit(place, inspectEdit(place, currentFile ?? ""))
    .filter(({ code }) => code === "frozen" || code === "enforcer_not_proven");
  if (held !== undefined) throw new CancelledError(`Cancelled: ${held.message}`);
  const start = currentFile ?? "";
  const goOn = `edit ${name} --bottle ${bottleSlug}`;
  const made = await editText(context, { tool, start, unchanged: start, goOn });
  await decideEdit(context, made, async (version) => {
    await put(context, place, version, interactive && !json);
    return true;
  });
}

type Place = Parameters<typeof inspectEdit>[0] & { readonly root: string };

/** Puts a version in force; `asks`: as it is on the screen then, by a person's word. */
async function put(context: Context, place: Place, file: string, asks: boolean): Promise<void> {
  const { root, flags, style, columns, print, printJson } = context;
  const { bottleSlug, tool } = place;
  const seen = inspectEdit(place, file);
  if (seen.currentFile === file) {
    throw new CancelledError("Cancelled: that version is in force already");
  }
  if (asks) {
    const blocks = changeBlocks(seen, seen.diff, bottleSlug);
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
  print(`${style.green("changed")} ${CONFIG_FILE_FOR_TOOL[tool]} (${bottleSlug})`);
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
  const question = `Type yes to put this version in force (${bottleSlug}): `;
  if ((await askOn(context)(question))?.trim() !== "yes") {
    throw new CancelledError("Cancelled: nothing was changed");
  }
  return undefined;
}

if (import.meta.main) await runAlone({ edit });
