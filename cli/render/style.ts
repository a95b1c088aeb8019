/**
 * Colours and badges.
 *
 * @module
 */

/** `[3 escaped]`, or nothing. It goes where no agent writes: before the text, or into a heading. */
export function badge(escaped: number): string {
  return escaped === 0 ? "" : `[${escaped} escaped]`;
}

/** Trims spaces and newlines only: any other blank has to be shown as an escape. */
export function trimPlain(text: string): string {
  const isPlain = (at: number) => text[at] === " " || text[at] === "\n";
  let [from, to] = [0, text.length];
  while (from < to && isPlain(from)) from++;
  while (from < to && isPlain(to - 1)) to--;
  return text.slice(from, to);
}

/** Paints text, or leaves it as it is. Magenta means "look twice": yellow is hard to read on white. */
export type Style = ReturnType<typeof makeStyle>;

export function makeStyle(colour: boolean) {
  const paint = (on: number, off: number) => (text: string) =>
    colour ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    green: paint(32, 39),
    red: paint(31, 39),
    magenta: paint(35, 39),
    inverse: paint(7, 27),
  };
}

/** How a high mark is painted: not as a removed line, which is red, and has a sign of its own. */
export function paintHigh(style: Style): (text: string) => string {
  return (text) => style.bold(style.red(text));
}

/** Paints a part of a line, or as much of the part as the line has. */
export function paintPart(
  line: string,
  from: number,
  length: number,
  paint: (text: string) => string,
): string {
  const part = line.slice(from, from + length);
  return part === "" ? line : line.slice(0, from) + paint(part) + line.slice(from + length);
}
