/**
 * Lets an operator change a proposed file in their own editor.
 *
 * @module
 */

import { join } from "@std/path";
import { CONFIG_FILE_FOR_TOOL, type Inspection, privateDir, validateConfigFile } from "../mod.ts";
import type { Context } from "./context.ts";
import { CancelledError } from "./exit.ts";
import { UsageError } from "./flags.ts";

/** The editor where neither `$VISUAL` nor `$EDITOR` names one. */
const DEFAULT_EDITOR = "vi";

function editorCommand(context: Context): { program: string; args: string[] } {
  const named = Deno.env.get("VISUAL") || Deno.env.get("EDITOR");
  // A program that the operator named may well need no terminal; ours does, and would hang.
  if (!named && !context.interactive) {
    throw new UsageError("Cannot open an editor without a terminal: use --file, or set $EDITOR");
  }
  const [program, ...args] = (named || DEFAULT_EDITOR).trim().split(/\s+/);
  return { program: program!, args };
}

/**
 * Opens the proposed file in `$VISUAL`, `$EDITOR` or vi. The buffer lies in `<root>/private`, mode
 * 0600, under the config file's own name; a version that cannot be accepted stays there.
 *
 * Needs `--allow-run` for that editor, and `--allow-read` and `--allow-write` for the root.
 *
 * @param context The context.
 * @param inspection The proposal.
 * @returns The operator's version.
 * @throws {CancelledError} If the editor failed, or left the file unchanged, empty, or unsound.
 */
export async function editProposal(context: Context, inspection: Inspection): Promise<string> {
  const { tool, proposedFile } = inspection.proposal;
  const { program, args } = editorCommand(context);
  const edits = join(privateDir(context.root), "edit");
  await Deno.mkdir(edits, { recursive: true, mode: 0o700 });
  const dir = await Deno.makeTempDir({ dir: edits });
  const buffer = join(dir, CONFIG_FILE_FOR_TOOL[tool]);
  await Deno.writeTextFile(buffer, proposedFile, { mode: 0o600, createNew: true });

  let keep = false;
  try {
    const { success, code } = await runEditor(program, [...args, buffer]);
    if (!success) throw new CancelledError(`Cancelled: ${program} ended with exit code ${code}`);
    const edited = await Deno.readTextFile(buffer);
    if (edited.trim() === "") throw new CancelledError("Cancelled: the file was emptied");
    if (edited === proposedFile) throw new CancelledError("Cancelled: the file was left unchanged");
    const [problem] = validateConfigFile(tool, edited);
    if (problem === undefined) return edited;
    keep = true;
    throw new CancelledError(
      `Cancelled: ${problem.where}: ${problem.message}. ` +
        `Your version is kept: mend it, then modify with --file ${buffer}`,
    );
  } finally {
    if (!keep) await Deno.remove(dir, { recursive: true });
  }
}

async function runEditor(program: string, args: string[]): Promise<Deno.CommandStatus> {
  try {
    const editor = new Deno.Command(program, {
      args,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    });
    return await editor.spawn().status;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new CancelledError(`Cancelled: there is no editor called ${program}; set $EDITOR`, {
        cause,
      });
    }
    throw cause;
  }
}
