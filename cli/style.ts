/**
 * The few colours of the command line. What they say is also said without them.
 *
 * @module
 */

/** Paints text, or leaves it as it is. */
export interface Style {
  /** What matters most in a line. */
  readonly bold: (text: string) => string;
  /** What matters least, and a hunk's header. */
  readonly dim: (text: string) => string;
  /** An added line, an approval. */
  readonly green: (text: string) => string;
  /** A removed line, a rejection, something wrong. */
  readonly red: (text: string) => string;
  /** Something to look at twice. Yellow cannot be read on a light screen. */
  readonly magenta: (text: string) => string;
  /** The row that keys are about. */
  readonly inverse: (text: string) => string;
}

/**
 * Makes a style.
 *
 * @param colour Whether to paint.
 * @returns The style.
 */
export function makeStyle(colour: boolean): Style {
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
