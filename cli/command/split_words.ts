/**
 * Splits what `$VISUAL`, `$EDITOR` or `$PAGER` says into words, as a shell would, but without one: no
 * variable, no glob and no other command is in it. As a program it prints the first word: the launcher
 * grants that, so what it grants is what a verb starts.
 *
 * @module
 */

/** A word of a shell's command line that means just this text. */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Blanks, a `~` alone or before a `/`, a quoted part, an escaped character, a run of others, or a rest. */
const PART =
  /([ \t\n]+)|(~(?=[/ \t\n]|$))|'([^'\n]*)'|"((?:[^"\\\n]|\\.)*)"|\\(.)|([^'"\\ \t\n]+)|[^]/uy;

/**
 * The words of a command line; `undefined` if a quote has no end in its row, or nothing is after a `\`.
 * Space, TAB and LF separate words. What is between `'` is taken as it is; so is what is between `"`, but
 * there `\` escapes `"`, `\`, `$` and a backquote; elsewhere `\` escapes any character. A `~` that is a
 * whole word, or begins one and is before a `/`, is the home directory.
 */
export function splitWords(line: string, home: string | undefined): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  PART.lastIndex = 0;
  for (let part; (part = PART.exec(line)) !== null;) {
    const [, blank, tilde, single, double, escaped, plain] = part;
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const text = tilde !== undefined
      ? word === undefined && home || tilde
      : single ?? double?.replace(/\\([\\"$`])/g, "$1") ?? escaped ?? plain;
    if (text === undefined) return undefined;
    word = (word ?? "") + text;
  }
  return word === undefined ? words : [...words, word];
}

if (import.meta.main) {
  // Of a line that cannot be split, nothing is granted; the verb says what is wrong with it.
  console.log(splitWords(Deno.args[0] ?? "", Deno.env.get("HOME"))?.[0] ?? "");
}
