/**
 * Lets an operator change a proposed file in their own editor.
 *
 * @module
 */

import { openEditBuffer } from "../../internal_mod.ts";
import { type Inspection, type Tool, validateConfigFile } from "../../mod.ts";
import { commandIn, type Context } from "../command/context.ts";
import { CancelledError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { shellWord } from "../command/split_words.ts";
import { isAbsolute, resolve } from "@std/path";

/** An editor that ends sooner, and has saved nothing, may have left its window open. */
const AT_ONCE_MS = 5_000;

function editorCommand({ env, interactive }: Context) {
  const named = commandIn(env, ["VISUAL", "EDITOR"], "an editor");
  // An editor that the operator named may need no terminal; vi needs one, and would hang.
  if (named.length === 0 && !interactive) {
    throw new UsageError("Cannot open an editor without a terminal: use --file, or set $EDITOR");
  }
  const [program = "vi", ...args] = named;
  return { program, args };
}

export interface Edit {
  readonly finalFile: string;
  /** Removes the file that was edited, once the version is decided. */
  readonly discard: () => Promise<void>;
  /** A sentence that says where that file is, for when the version is not decided. */
  readonly kept: string;
}

/** What an operator edits. */
interface Text {
  readonly tool: Tool;
  /** What is in the editor at first. */
  readonly start: string;
  /** What is no version of theirs. */
  readonly unchanged: string;
  /** The command that goes on with the version, up to the name of its file. */
  readonly goOn: string;
}

/** Opens what an approval would put in force, or `start`, as {@linkcode editText} does. */
export async function editProposal(
  context: Context,
  { merged, proposal: { id, bottleSlug, tool, proposedFile } }: Inspection,
  start: string = merged ?? proposedFile,
): Promise<Edit> {
  const unchanged = merged ?? proposedFile;
  return await editText(context, {
    tool,
    start,
    unchanged,
    goOn: `modify ${id} --bottle ${bottleSlug}`,
  });
}

/**
 * Opens a text in `$VISUAL`, `$EDITOR` or vi. The operator edits a file in
 * `<root>/private`, mode 0600, which stays there until the version is decided, so that no edit is lost.
 *
 * @throws {CancelledError} If the editor failed, or left the file unchanged, empty or invalid.
 */
export async function editText(
  context: Context,
  { tool, start, unchanged, goOn: verb }: Text,
): Promise<Edit> {
  const { program, args } = editorCommand(context);
  const buffer = openEditBuffer(context.root, tool, start);
  const cancelled = async (why: string) => {
    await buffer.discard();
    return new CancelledError(`Cancelled: ${why}`);
  };
  const keptBecause = (why: string, cause?: unknown) =>
    new CancelledError(`Cancelled: ${why}. What it left is in ${buffer.dir}`, {
      cause,
      isKept: true,
    });
  // An editor can put anything in the file's place.
  const readLeft = () => {
    try {
      return buffer.read();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw keptBecause(`${program} left no file (${why})`, cause);
    }
  };

  /**
   * Whether an editor that failed leaves work behind: one that was killed leaves it in the file, one that
   * lost its terminal in another file beside it. One that ended with an exit code was told to drop it.
   */
  const hasWork = ({ signal }: Deno.CommandStatus): boolean => {
    if (buffer.hasOthers()) return true;
    const bytes = readLeft();
    return signal !== null && bytes !== undefined && new TextDecoder().decode(bytes) !== start;
  };

  // Below a relative root whose name begins with "-" the path alone would look like an option.
  const path = isAbsolute(buffer.path) ? buffer.path : `./${buffer.path}`;
  const startedMs = performance.now();
  const status = await runEditor(program, [...args, path]);
  const atOnce = performance.now() - startedMs < AT_ONCE_MS;
  if (status === undefined) {
    throw await cancelled(`there is no editor called ${program}; set $EDITOR`);
  }
  if (!status.success) {
    const why = `${program} ended with exit code ${status.code}`;
    throw hasWork(status) ? keptBecause(why) : await cancelled(why);
  }
  const bytes = readLeft();
  if (bytes === undefined) {
    const why = `${program} removed the file`;
    throw buffer.hasOthers() ? keptBecause(why) : await cancelled(why);
  }
  const finalFile = decodeVersion(bytes, buffer.path);
  if (finalFile.trim() === "") throw await cancelled("the file was emptied");
  const goOn = `${context.supervise} ${verb} --file ${shellWord(resolve(buffer.path))}`;
  if (finalFile === start && atOnce && !buffer.isSaved()) {
    const why =
      `${program} ended and saved nothing. If its window is still open, save there, then: ` +
      `${goOn}. Many editors wait if $EDITOR has a flag, such as code --wait`;
    throw new CancelledError(`Cancelled: ${why}`, { isKept: true });
  }
  if (finalFile === unchanged) throw await cancelled("the file was left unchanged");

  const kept = `Your version is kept; to go on: ${goOn}`;
  const [problem] = validateConfigFile(tool, finalFile);
  if (problem === undefined) return { finalFile, discard: buffer.discard, kept };
  const why = `${problem.where}: ${problem.message}`;
  throw new CancelledError(`Cancelled: ${why}. ${kept}`, { isKept: true });
}

/** Decodes an operator's version of a file. A byte order mark stays: the agent gets what they wrote. */
export function decodeVersion(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CancelledError(`Cancelled: ${file} is not UTF-8`, { cause, isKept: true });
  }
}

/** Runs the editor to its end. `undefined`: there is no such program. */
async function runEditor(
  program: string,
  args: string[],
): Promise<Deno.CommandStatus | undefined> {
  const stdio = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
  try {
    return await new Deno.Command(program, { args, ...stdio }).spawn().status;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
