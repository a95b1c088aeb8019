/**
 * Reads the words of an instruction as BuildKit does: `frontend/dockerfile/shell` and `parser`, as of
 * August 2026. Pure.
 *
 * @module
 */

/** A character that Go's `unicode.IsSpace` calls a space. `\s` has a byte order mark too, and no U+0085. */
const SPACE = /\p{White_Space}/u;

/** What separates a keyword from its arguments, and the words of a list. */
const BLANKS = /[\t\v\f\r ]+/;

/** How deep variables may stand in each other: each level is a call. */
const MAX_DEPTH = 50;

export function trimStart(text: string): string {
  return text.replace(/^\p{White_Space}+/u, "");
}

/** A text without the spaces around it. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1]!)) end--;
  return trimStart(text.slice(0, end));
}

/** The words of a list; of an empty text none. */
export function listWords(text: string): readonly string[] {
  return text === "" ? [] : text.split(BLANKS);
}

/** A keyword and what is behind it, and where that begins. */
export function splitKeyword(line: string): { name: string; args: string; at: number } {
  const whole = trimSpace(line);
  const at = line.length - trimStart(line).length;
  const blanks = BLANKS.exec(whole);
  if (blanks === null) return { name: whole, args: "", at: at + whole.length };
  const begin = blanks.index + blanks[0].length;
  return { name: whole.slice(0, blanks.index), args: whole.slice(begin), at: at + begin };
}

/** A flag without its quotes and escapes, and where it begins. */
export interface PlacedFlag {
  readonly text: string;
  readonly at: number;
}

/**
 * The flags before the arguments, and where what is behind them begins. `undefined` if one has a character
 * beyond ASCII: BuildKit reads each of its bytes as a character.
 */
export function readFlags(
  args: string,
  escape: string,
): { readonly flags: readonly PlacedFlag[]; readonly end: number } | undefined {
  const flags: PlacedFlag[] = [];
  let at = 0;
  while (true) {
    while (at < args.length && /[\t\n\v\f\r ]/.test(args[at]!)) at++;
    if (!args.startsWith("--", at)) return { flags, end: at };
    const begin = at;
    let [text, quote, wasQuoted] = ["", "", false];
    for (; at < args.length; at++) {
      let character = args[at]!;
      if (character > "\x7f") return undefined;
      if (quote === "" && /[\t\n\v\f\r ]/.test(character)) break;
      if (character === quote) {
        quote = "";
        continue;
      }
      if (quote === "" && (character === "'" || character === '"')) {
        [quote, wasQuoted] = [character, true];
        continue;
      }
      if (character === escape) {
        if (at + 1 === args.length) continue;
        character = args[++at]!;
        if (character > "\x7f") return undefined;
      }
      text += character;
    }
    if (text === "--") return { flags, end: at };
    if (text !== "" || wasQuoted) flags.push({ text, at: begin });
  }
}

/** The words of an ARG, ENV or LABEL, with their quotes and escapes. */
export function pairWords(text: string, escape: string): readonly string[] {
  const words: string[] = [];
  const characters = Array.from(text);
  let [word, quote] = ["", ""];
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at]!;
    if (quote === "" && SPACE.test(character)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === escape && quote !== "'") {
      if (at + 1 === characters.length) break;
      word += character;
      character = characters[++at]!;
    }
    word += character;
  }
  if (word !== "") words.push(word);
  return words;
}

/** Arguments in JSON form: `["sh", "-c", "echo"]`. */
export interface JsonForm {
  /** Its strings; `undefined` if something else is in the array, which BuildKit refuses. */
  readonly words: readonly string[] | undefined;
}

/** Reads arguments in JSON form; `undefined` for any other form. */
export function readJson(args: string): JsonForm | undefined {
  if (!args.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(args);
    if (!Array.isArray(value)) return undefined;
    return { words: value.every((each) => typeof each === "string") ? value : undefined };
  } catch {
    return undefined;
  }
}

/** How {@linkcode expand} reads. */
export interface ExpandOptions {
  /** The character that escapes the next one: `\` or a backtick. */
  readonly escape?: string;
  /** Whether quotes stay in the words. */
  readonly rawQuotes?: boolean;
  /** Whether escapes stay in the words. */
  readonly rawEscapes?: boolean;
  /** The value of a variable, if it has one. Without this no variable is replaced. */
  readonly lookUp?: (name: string) => string | undefined;
}

/** What a text says without quotes and escapes, as one text and cut into words. */
export interface Expanded {
  readonly text: string;
  readonly words: readonly string[];
}

/** A quote or a bracket without its end, or a modifier of a variable that there is not. */
const MALFORMED = new Error("malformed");

const isDigit = (character: string) => /\p{Nd}/u.test(character);

const isNamePart = (character: string) => /[\p{L}\p{Nd}_]/u.test(character);

/**
 * Reads quotes, escapes and variables as a shell would. A variable without a value stays as it is written,
 * unless a modifier (`${U:-root}`) says otherwise and there is a `lookUp`.
 *
 * @returns What it says; `undefined` if it is malformed, or a value would have to be matched with a pattern
 * (`${U%%:*}`), which this does not do.
 */
export function expand(source: string, options: ExpandOptions = {}): Expanded | undefined {
  const { escape = "\\", rawQuotes = false, lookUp } = options;
  const characters = Array.from(source);
  let rawEscapes = options.rawEscapes ?? false;
  let at = characters[0] === "\ufeff" ? 1 : 0;
  let depth = 0;
  // As in BuildKit one buffer serves all levels: what is in a word before a modifier is lost.
  let buffer = "";

  /** Reads to a character, or to the end. */
  function readTo(stop: string | undefined, raw: boolean): Expanded {
    if (++depth > MAX_DEPTH) throw MALFORMED;
    const rawBefore = rawEscapes;
    rawEscapes = raw;
    let text = "";
    const words: string[] = [];
    const addRaw = (part: string) => {
      buffer += part;
      text += part;
    };
    const addWords = (part: string) => {
      for (const character of part) {
        if (!SPACE.test(character)) buffer += character;
        else if (buffer !== "") {
          words.push(buffer);
          buffer = "";
        }
      }
      text += part;
    };
    for (let isOpen = true; isOpen && at < characters.length;) {
      const character = characters[at]!;
      if (character === "$") addWords(readVariable());
      else if (character === stop) isOpen = false;
      else if (character === "<") addRaw(readHeredocSign());
      else if (character === "'") addRaw(readSingleQuoted());
      else if (character === '"') addRaw(readDoubleQuoted());
      else if (character !== escape) addWords(character), at++;
      else {
        if (rawEscapes) addRaw(character);
        if (++at < characters.length) addRaw(characters[at++]!);
      }
    }
    if (stop !== undefined && characters[at++] !== stop) throw MALFORMED;
    if (buffer !== "") words.push(buffer);
    buffer = "";
    rawEscapes = rawBefore;
    depth--;
    return { text, words };
  }

  function readSingleQuoted(): string {
    let end = at + 1;
    while (end < characters.length && characters[end] !== "'") end++;
    if (end === characters.length) throw MALFORMED;
    const inside = characters.slice(at + 1, end).join("");
    at = end + 1;
    return rawQuotes ? `'${inside}'` : inside;
  }

  function readDoubleQuoted(): string {
    let text = rawQuotes ? '"' : "";
    for (at++; characters[at] !== '"';) {
      let character = characters[at];
      if (character === undefined) throw MALFORMED;
      if (character === "$") {
        text += readVariable();
        continue;
      }
      at++;
      if (character === escape) {
        if (rawEscapes) text += character;
        const next = characters[at];
        if (next === undefined) continue;
        if (next === '"' || next === "$" || next === escape) {
          character = next;
          at++;
        }
      }
      text += character;
    }
    at++;
    return rawQuotes ? `${text}"` : text;
  }

  /** A `<`, or `<<` with the blanks behind it, which belong to the word of a heredoc. */
  function readHeredocSign(): string {
    const begin = at++;
    if (characters[at] !== "<") return "<";
    do at++; while (/^[\t\r ]$/.test(characters[at] ?? ""));
    return characters.slice(begin, at).join("");
  }

  function readName(): string {
    const first = characters[at] ?? "";
    const begin = at;
    if (isDigit(first)) { while (isDigit(characters[at] ?? "")) at++; }
    else if (/^[@*#?$!-]$/.test(first)) at++;
    else while (isNamePart(characters[at] ?? "")) at++;
    return characters.slice(begin, at).join("");
  }

  function readVariable(): string {
    if (characters[++at] !== "{") {
      const name = readName();
      return name === "" ? "$" : lookUp?.(name) ?? `$${name}`;
    }
    at++;
    if (/^[{}:]?$/.test(characters[at] ?? "")) throw MALFORMED;
    const name = readName();
    let modifier = characters[at++] ?? "";
    const value = lookUp?.(name);
    if (modifier === "}") return value ?? `\${${name}}`;
    if (modifier === "/") {
      if (characters[at] === "/") at++;
      const [pattern, instead] = [readTo("/", true).text, readTo("}", true).text];
      if (lookUp === undefined) return `\${${name}/${pattern}/${instead}}`;
      throw MALFORMED;
    }
    const isColon = modifier === ":";
    if (isColon) modifier = characters[at++] ?? "";
    else if (!/^[-+?#%]$/.test(modifier)) throw MALFORMED;
    const isPattern = modifier === "#" || modifier === "%";
    if (isColon && isPattern) throw MALFORMED;
    const word = readTo("}", isPattern).text;
    if (lookUp === undefined) return `\${${name}${isColon ? ":" : ""}${modifier}${word}}`;
    const isSet = value !== undefined && !(isColon && value === "");
    if (modifier === "-") return isSet ? value : word;
    if (modifier === "+") return isSet ? word : "";
    if (modifier === "?" && isSet) return value;
    throw MALFORMED;
  }

  try {
    return readTo(undefined, rawEscapes);
  } catch (error) {
    if (error !== MALFORMED) throw error;
    return undefined;
  }
}

/** A heredoc that a word opens. */
export interface HeredocWord {
  readonly name: string;
  /** Whether it is `<<-`: then tabs before its end are skipped. */
  readonly skipsTabs: boolean;
}

/** The heredoc that a word opens, if it does; `"malformed"` if BuildKit refuses it. */
export function heredocIn(word: string): HeredocWord | "malformed" | undefined {
  const [, dash, written = ""] = /^\d*<<(-?)([^<]*)$/.exec(word) ?? [];
  const rest = written.replace(/^[\t\n\f\r ]+/, "");
  if (rest === "") return undefined;
  const plain = expand(rest);
  if (plain === undefined) return "malformed";
  const [name, ...others] = plain.words;
  if (name === undefined || others.length > 0) return undefined;
  return expand(rest, { rawQuotes: true })?.words.length === 1
    ? { name, skipsTabs: dash === "-" }
    : "malformed";
}
