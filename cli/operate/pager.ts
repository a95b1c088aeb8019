/**
 * Prints many rows: to a pager on a terminal, else to standard output. Rows are made while they are
 * printed, so that a log of any length needs little memory.
 *
 * @module
 */

import { asciiJson, makeVisible } from "../../read_mod.ts";
import { commandIn, type Context } from "../command/context.ts";
import { visibleJson } from "../render/quote.ts";
import { makeStyle, type Style } from "../render/style.ts";
import { fitRow } from "../render/wrap.ts";
import { basename } from "@std/path";

interface Pager {
  readonly program: string;
  readonly args: readonly string[];
  /** Whether it is less, which shows colours, and no other escape sequence, with `-R`. */
  readonly isLess: boolean;
}

/** `$PAGER`, or less: it leaves what fits on the screen there, and shows our colours. */
function pagerOf({ env, flags, outIsTerminal }: Context): Pager | undefined {
  if (!outIsTerminal || flags.plain || flags.json) return undefined;
  const [program = "less", ...named] = commandIn(env, ["PAGER"], "a pager");
  const isLess = basename(program) === "less";
  const args = isLess ? [...named.length > 0 ? ["-R"] : ["-F", "-R", "-X"], ...named] : named;
  return { program, args, isLess };
}

/** As soon as there are so many characters they are written. */
const CHUNK_CHARS = 4096;

function* chunksOf(parts: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "";
  for (const part of parts) {
    text += part;
    if (text.length < CHUNK_CHARS) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}

function* asLines(rows: Iterable<string>, columns: number): Generator<string> {
  for (const row of rows) yield `${fitRow(row, columns).join("\n")}\n`;
}

/** Writes parts of a text to standard output, until there are no more or the reader has gone. */
function writeParts({ write }: Context, parts: Iterable<string>): void {
  try {
    for (const chunk of chunksOf(parts)) write(chunk);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/**
 * Writes JSON that has a list and perhaps others, an entry at a time: agents choose how long the texts in it
 * are, and all of them may be more than memory or one text can hold.
 */
export function writeJsonList(
  context: Context,
  name: string,
  entries: Iterable<object>,
  others: object = {},
): void {
  function* parts(): Generator<string> {
    yield `{"version":1,"${name}":[`;
    let comma = "";
    for (const entry of entries) {
      yield comma + asciiJson(entry);
      comma = ",";
    }
    const rest = asciiJson(others).slice(1);
    yield rest === "}" ? "]}\n" : `],${rest}\n`;
  }
  writeParts(context, parts());
}

type PagerProcess = Deno.ChildProcess & { readonly stdin: WritableStream<Uint8Array> };

/** Starts the pager; gives the reason if it cannot be started. */
function startPager(context: Context): { pager: Pager; child: PagerProcess } | string | undefined {
  let name = "$PAGER";
  try {
    const pager = pagerOf(context);
    if (pager === undefined) return undefined;
    name = pager.program;
    // Nothing that is typed or configured may make less start a shell or an editor, or write a file.
    const env = { LESSSECURE: "1" };
    const command = new Deno.Command(pager.program, { args: [...pager.args], env, stdin: "piped" });
    return { pager, child: command.spawn() };
  } catch (error) {
    const { NotFound, PermissionDenied, NotCapable } = Deno.errors;
    if (error instanceof NotFound) return `${name} is not there; set $PAGER`;
    if (error instanceof PermissionDenied) return `${name} cannot be started; set $PAGER`;
    if (error instanceof NotCapable) return `this program may not start or read ${name}`;
    throw error;
  }
}

/**
 * Prints rows. Gives the exit code: 0 if the rows were printed, or the operator left the pager before its
 * end; 1 if the pager failed.
 *
 * @param rowsIn Makes the rows, in the style that the reader can show.
 */
export async function printRows(
  context: Context,
  rowsIn: (style: Style) => Iterable<string>,
): Promise<number> {
  const started = startPager(context);
  if (typeof started === "object") {
    const { pager, child } = started;
    const rows = rowsIn(pager.isLess ? context.style : makeStyle(false));
    return await feedPager(context, pager.program, child, rows);
  }
  writeParts(context, asLines(rowsIn(context.style), context.columns));
  // Behind the rows, where it is still on the screen.
  if (started !== undefined) context.complain(`! printed without a pager: ${started}`);
  return 0;
}

async function feedPager(
  context: Context,
  program: string,
  child: PagerProcess,
  rows: Iterable<string>,
): Promise<number> {
  // Ctrl-C is for the pager: without this program it would be left with no one that waits for it. On a busy
  // machine its signal arrives after the end of the pager, so it is ignored to the end of this program.
  Deno.addSignalListener("SIGINT", () => {});
  const input = child.stdin.getWriter();
  try {
    for (const chunk of chunksOf(asLines(rows, context.columns))) await input.write(chunk);
    await input.close();
  } catch (error) {
    // The operator has left the pager before its end.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  const { success, code, signal } = await child.status;
  if (success) return 0;
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  context.complain(`Cannot show it in ${program}: it ended ${how}; use --plain, or set $PAGER`);
  return 1;
}

/**
 * Prints the text of a file as it is, and nothing else; as JSON with what it is about, under its key in `texts`.
 *
 * @param refuse Makes the error if the text could act on the terminal.
 */
export function printFile(
  context: Context,
  about: object,
  texts: Readonly<Record<string, string>>,
  refuse: (reason: string) => Error,
): void {
  if (context.flags.json) {
    return context.printJson({ ...about, ...texts, ...visibleJson(texts, "code") });
  }
  const [file = ""] = Object.values(texts);
  const { escaped } = makeVisible(file, { kind: "code" });
  if (context.outIsTerminal && escaped > 0) {
    throw refuse(`${escaped} of its characters could act on a terminal; write it to a file`);
  }
  context.write(new TextEncoder().encode(file));
}
