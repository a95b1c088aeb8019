/**
 * The few colours of the command line. What they say is also said without them.
 *
 * @module
 */

/** Paints text, or leaves it as it is. */
export interface Style {
  /** What matters most in a line. */
  readonly bold: (text: string) => string;
  /** What matters least. */
  readonly dim: (text: string) => string;
  /** An added line, an approval. */
  readonly green: (text: string) => string;
  /** A removed line, a rejection, something wrong. */
  readonly red: (text: string) => string;
  /** A hunk's header. */
  readonly cyan: (text: string) => string;
  /** Something to look at twice. */
  readonly yellow: (text: string) => string;
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
    cyan: paint(36, 39),
    yellow: paint(33, 39),
  };
}
