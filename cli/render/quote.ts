/**
 * Text that an agent or another person wrote, on the screen and in JSON. On the screen it is behind a
 * bar at the left margin, so that it cannot pass for a line of this program.
 *
 * @module
 */

import { makeVisible, MAX_JUSTIFICATION_BYTES, type TextKind } from "../../read_mod.ts";
import { badge, type Style, trimPlain } from "./style.ts";
import { cut, wrap } from "./wrap.ts";

interface Quotation {
  /** The row above the text. The text is indented as the heading is. */
  readonly heading: string;
  readonly text: string;
  readonly kind: TextKind;
}

/** The digits of a UUID, one of them no letter; or, in eight cells, a digit and no two letters together. */
const PLAIN_ID = /^(?=.*\d)(?:[0-9a-f-]+|(?!.*[a-z]{2}).{1,8})$/i;

/**
 * A proposal's id. The sidecar's owner chooses it, so one that could be a word of this program's is in
 * quotes, with a label.
 */
export function quoteId(id: string): string {
  return PLAIN_ID.test(id) ? id : `id ${inQuotes(id)}`;
}

/** A name in quotes that it cannot leave. `print` makes the rest of it visible. */
function inQuotes(name: string): string {
  return `"${name.replace(/["\\]/g, "\\$&")}"`;
}

/** The name of a file in a queue, in quotes if the id in it could be a word of this program's. */
export function quoteFile(file: string): string {
  const id = file.replace(/\.(?:proposal|response)\.json$/, "");
  return [".", "processed"].includes(file) || PLAIN_ID.test(id) ? file : inQuotes(file);
}

/** The same in a question: its text was shown above, and must not say how to answer. */
export function quoteShort(id: string): string {
  return PLAIN_ID.test(id) && id.length <= 36 ? id : quoteId(cut(id, 10));
}

/**
 * Prose without the blanks around it, and not more of it than a sidecar accepts of a justification: another
 * program can write megabytes, and a person reads none of them. `tooLong` is a badge, or nothing.
 */
export function beginningOf(prose: string): { readonly text: string; readonly tooLong: string } {
  const text = trimPlain(prose);
  if (text.length <= MAX_JUSTIFICATION_BYTES) return { text, tooLong: "" };
  // A character may be two units; half of one is not shown.
  const end = text.codePointAt(MAX_JUSTIFICATION_BYTES - 1)! > 0xffff ? 1 : 0;
  return { text: text.slice(0, MAX_JUSTIFICATION_BYTES - end), tooLong: "[too long]" };
}

/** Begins with `!` on the screen, which no row of the text does. */
const TOO_LONG_ROW = "The text is too long and was cut here; --json has all of it.";

/** A heading with the badge, then the text behind a bar. Prose that is too long is cut, and a row says so. */
export function renderQuoted(
  { heading, text, kind }: Quotation,
  columns: number,
  style: Style,
): string[] {
  const indent = heading.length - heading.trimStart().length;
  const said = kind === "prose"
    ? beginningOf(text)
    : { text: text.replace(/\n$/, ""), tooLong: "" };
  const shown = makeVisible(said.text, { kind });
  const rows = shown.text.split("\n")
    .flatMap((line) => wrap("│ ", line, columns - indent, kind))
    .concat(said.tooLong === "" ? [] : wrap("! ", TOO_LONG_ROW, columns - indent, "prose"))
    .map((row) => " ".repeat(indent) + row);
  const count = badge(shown.escaped);
  if (count === "") return [heading, ...rows];
  // However long the heading is, the badge is on the screen.
  const short = cut(heading, columns - 1 - count.length - 2);
  return [`${short}  ${style.magenta(count)}`, ...rows];
}

/**
 * The twins of raw fields: `justification_visible`, to be shown, and `justification_escaped`, the count
 * for a badge. A field without a text has `null` twice.
 */
export function visibleJson(
  texts: Readonly<Record<string, string | null | undefined>>,
  kind: TextKind,
): Record<string, string | number | null> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => {
      const shown = typeof text === "string" ? makeVisible(text, { kind }) : undefined;
      return [
        [`${name}_visible`, shown?.text ?? null],
        [`${name}_escaped`, shown?.escaped ?? null],
      ];
    }),
  );
}
