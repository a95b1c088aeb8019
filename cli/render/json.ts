/**
 * What is shown of a text, beside the text itself, in the command line's JSON.
 *
 * @module
 */

import { makeVisible, type TextKind } from "../../read_mod.ts";

/**
 * The twins of raw fields: `justification_visible`, to be shown, and `justification_escaped`, the count
 * for a badge. A field without a text has `null` twice.
 *
 * @param texts The raw fields, by their names.
 * @param kind How the texts are meant to be read.
 * @returns The twins.
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
