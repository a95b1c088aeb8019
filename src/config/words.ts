/**
 * The arguments of a Dockerfile's instruction, in words. Pure.
 *
 * @module
 */

/**
 * Cuts the flags of an instruction from what follows them.
 *
 * @param args The arguments.
 * @returns The flags, and the words behind them.
 */
export function splitFlags(
  args: string,
): { readonly flags: readonly string[]; readonly words: readonly string[] } {
  const words = args.split(/[\t\v\f\r ]+/);
  const start = words.findIndex((word) => !/^--./.test(word));
  return start < 0
    ? { flags: words, words: [] }
    : { flags: words.slice(0, start), words: words.slice(start) };
}

/**
 * Cuts arguments into words as a shell does, their quotes and escapes left in.
 *
 * @param args The arguments of an instruction.
 * @param escape The Dockerfile's escape character.
 * @returns The words.
 */
export function splitWords(args: string, escape: string): readonly string[] {
  const words: string[] = [];
  let start = 0;
  walkUnquoted(args, escape, (character, at) => {
    if (!/\s/.test(character)) return;
    if (at > start) words.push(args.slice(start, at));
    start = at + 1;
  });
  if (start < args.length) words.push(args.slice(start));
  return words;
}

/**
 * Says whether every quote that arguments open is closed again.
 *
 * @param args The arguments of an instruction.
 * @param escape The Dockerfile's escape character.
 * @returns Whether no quote is left open.
 */
export function closesQuotes(args: string, escape: string): boolean {
  return walkUnquoted(args, escape, () => {});
}

/** Visits what stands outside of quotes and is not escaped; answers whether all quotes close. */
function walkUnquoted(
  args: string,
  escape: string,
  visit: (character: string, at: number) => void,
): boolean {
  let quoted = "";
  for (let at = 0; at < args.length; at++) {
    const character = args[at]!;
    if (character === escape && quoted !== "'") at++;
    else if (character === quoted) quoted = "";
    else if (quoted !== "") continue;
    else if (character === "'" || character === '"') quoted = character;
    else visit(character, at);
  }
  return quoted === "";
}

/**
 * Reads arguments in JSON form, `["sh", "-c", "echo"]`.
 *
 * @param args The arguments of an instruction.
 * @returns The words, or `undefined` if the arguments are in another form.
 */
export function stringArray(args: string): readonly string[] | undefined {
  if (!args.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(args);
    return Array.isArray(value) && value.every((each) => typeof each === "string")
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
