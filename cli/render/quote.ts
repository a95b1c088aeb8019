/**
 * Text that an agent or another person wrote, on the screen and in JSON. On the screen it is behind a
 * bar at the left margin, so that it cannot pass for a line of this program.
 *
 * @module
 */

import { makeVisible, type TextKind } from "../../read_mod.ts";
import { badge, type Style, trimPlain } from "./style.ts";
import { cut, wrap } from "./wrap.ts";

interface Quotation {
  /** The row above the text. The text is indented as the heading is. */
  readonly heading: string;
  readonly text: string;
  readonly kind: TextKind;
}

/** Longer ids are plain only if they have nothing but digits of a UUID; eight cells are no sentence. */
const PLAIN_ID = /^(?:.{1,8}|[0-9a-f-]+)$/;

/** A proposal's id. The sidecar's owner chooses it, so one that could be a sentence is in quotes, with a label. */
export function quoteId(id: string): string {
  return PLAIN_ID.test(id) ? id : `id "${id}"`;
}

/** A heading with the badge, then the text behind a bar. */
export function renderQuoted(
  { heading, text, kind }: Quotation,
  columns: number,
  style: Style,
): string[] {
  const indent = heading.length - heading.trimStart().length;
  const shown = makeVisible(trimPlain(text), { kind });
  const rows = shown.text.split("\n")
    .flatMap((line) => wrap("│ ", line, columns - indent, kind))
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
