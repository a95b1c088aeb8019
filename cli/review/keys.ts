/**
 * Decodes the bytes that a terminal sends into keys and pastes.
 *
 * @module
 */

/** A key, or a paste that the terminal marked as one. */
export type Typed =
  | {
    /** The key's name: `a`, `space`, `up`, `ctrl-c`, `alt-x`. */
    readonly key: string;
    /** The character that it types; `""` for keys that count one by one however fast they come. */
    readonly text: string;
  }
  | { readonly paste: string };

const PASTE_START = "\x1b[200~";

const PASTE_END = "\x1b[201~";

/** Matches if what has come so far may be the beginning of a longer sequence. */
const UNFINISHED =
  // deno-lint-ignore no-control-regex
  /^\x1b(?:\x1b?(?:\[(?:\[\d*|M[^]{0,2}|[0-?]*[ -/]*)|O[\d;]*)?|[\]PX^_][^\x00-\x1f]*\x1b?)$/u;

/** A key, a mouse report, or a terminal's reply to another program: OSC, DCS and the like. */
const SEQUENCE =
  // deno-lint-ignore no-control-regex
  /^\x1b(?:\x1b?(\[(?:\[\d*[@-~]|M[^]{3}|[0-?]*[ -/]*[@-~])|O[\d;]*[@-~])|[\]PX^_][^\x00-\x1f]*(?:\x07|\x1b\\))/u;

/** The same, broken off by a character that cannot be in it. */
// deno-lint-ignore no-control-regex
const BROKEN_OFF = /^\x1b(?:\x1b?(?:\[[0-?]*[ -/]*|O[\d;]*)|[\]PX^_][^\x00-\x1f]*)/u;

/** The keys of sequences that end in a letter. Ctrl, Shift and Alt change nothing about them. */
const BY_LETTER: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  Z: "tab",
  // rxvt, with Ctrl or Shift.
  a: "up",
  b: "down",
  c: "right",
  d: "left",
};

/** The keys of sequences that end in `~`. */
const BY_NUMBER: Readonly<Record<string, string>> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
};

const BY_CHARACTER: Readonly<Record<string, string>> = {
  "\r": "return",
  "\t": "tab",
  "\x1b": "escape",
  " ": "space",
  "\x7f": "backspace",
  "\b": "backspace",
};

/** The name of the key that types a character. */
export function nameOf(character: string): string {
  const name = BY_CHARACTER[character];
  if (name !== undefined) return name;
  return character < " "
    ? `ctrl-${String.fromCharCode(character.charCodeAt(0) + 64).toLowerCase()}`
    : character;
}

/** The modifiers that are read of a key that is sent by its code point. */
const BY_MODIFIERS: Readonly<Record<string, string>> = {
  1: "",
  3: "alt-",
  5: "ctrl-",
  7: "ctrl-alt-",
};

/** The name of a sequence's key, from what follows ESC; `undefined` for a sequence without a name. */
function sequenceName(body: string): string | undefined {
  if (body === "OM") return "return"; // The keypad's.
  // xterm: ESC [ 1 ; 5 A, ESC [ 3 ; 5 ~, ESC O A. PuTTY: ESC [ [ 5 ~. rxvt: ESC [ 3 ^, ESC O a.
  const [, intro, number = "", modifiers = "1", final] =
    /^(\[\[?|O)(\d*)(?:;(\d+))?([A-Za-z~^@])$/.exec(body) ?? [];
  if (final === undefined) return undefined;
  if ("~^@".includes(final)) return BY_NUMBER[number];
  // An editor that crashed may leave a terminal so that it sends keys by their code points.
  if (final === "u") return intro === "[" ? nameByCodePoint(Number(number), modifiers) : undefined;
  const isPlain = number === "" || number === "1";
  return intro === "O" || intro === "[" && isPlain ? BY_LETTER[final] : undefined;
}

function nameByCodePoint(codePoint: number, modifiers: string): string | undefined {
  const prefix = BY_MODIFIERS[modifiers];
  if (prefix === undefined || codePoint === 0 || codePoint > 0x10ffff) return undefined;
  return prefix + nameOf(String.fromCodePoint(codePoint));
}

/** Makes a decoder of a stream of bytes. How the stream is split into reads changes no key. */
export function openKeyDecoder() {
  let utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  let paste: string | undefined;
  let typed: Typed[] = [];

  function key(name: string | undefined, text = ""): void {
    if (name !== undefined) typed.push({ key: name, text });
  }

  /** Takes one key, sequence or piece of a paste off the rest. `false`: more has to come first. */
  function step(): boolean {
    if (paste !== undefined) {
      const end = rest.indexOf(PASTE_END);
      const length = end < 0 ? Math.max(0, rest.length - PASTE_END.length + 1) : end;
      paste += rest.slice(0, length);
      rest = rest.slice(end < 0 ? length : end + PASTE_END.length);
      if (end < 0) return false;
      typed.push({ paste });
      paste = undefined;
      return true;
    }
    if (rest === "" || UNFINISHED.test(rest)) return false;
    if (rest.startsWith("\x1b")) escape();
    else {
      const character = String.fromCodePoint(rest.codePointAt(0)!);
      const name = nameOf(character);
      key(name, name === "ctrl-c" || name === "backspace" ? "" : character);
      rest = rest.slice(character.length);
    }
    return true;
  }

  function escape(): void {
    const [whole, body] = SEQUENCE.exec(rest) ?? [];
    if (whole?.endsWith(PASTE_START)) {
      if (whole !== PASTE_START) key("escape"); // It came right before the paste.
      paste = "";
    } else if (whole !== undefined) key(body === undefined ? undefined : sequenceName(body));
    else {
      const [broken] = BROKEN_OFF.exec(rest) ?? [];
      if (broken !== undefined) {
        rest = rest.slice(broken.length);
        return;
      }
      const next = String.fromCodePoint(rest.codePointAt(1)!);
      // ESC and Ctrl-C in one read: the operator wants to get out.
      const isTwo = next === "\x1b" || next === "\x03";
      key(isTwo ? "escape" : `alt-${nameOf(next)}`);
      rest = rest.slice(isTwo ? 1 : 1 + next.length);
      return;
    }
    rest = rest.slice(whole.length);
  }

  function taken(text: string): readonly Typed[] {
    rest += text;
    typed = [];
    while (step());
    return typed;
  }

  return {
    /** Takes the next bytes, and gives what is complete. */
    take: (bytes: Uint8Array) => taken(utf8.decode(bytes, { stream: true })),
    /** Whether an escape sequence has begun and may go on. */
    isUnfinished: () => paste === undefined && rest !== "",
    /** Gives up waiting for the rest: a lone ESC is the Esc key. */
    giveUp(): readonly Typed[] {
      const given = taken(utf8.decode());
      utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
      if (paste !== undefined) return given;
      const [first = "", second = "", ...more] = rest;
      rest = "";
      if (first === "" || more.length > 0) return given;
      const keys = second === "" || second === "\x1b"
        ? [...first + second].map(() => "escape")
        : [`alt-${second}`];
      return [...given, ...keys.map((name) => ({ key: name, text: "" }))];
    },
  };
}

/** What keys go to. */
export interface KeyHandlers {
  /** Takes a key by its name. */
  readonly press: (key: string) => void;
  /** Takes several characters that came at once: keys pressed fast, or a paste that is not marked. */
  readonly burst: (text: string) => void;
  /** Takes a paste. */
  readonly paste: (text: string) => void;
}

/** Hands over what one read brought. Characters side by side are a burst, so that none of them decides. */
export function deliver(typed: readonly Typed[], { press, burst, paste }: KeyHandlers): void {
  let run: { readonly key: string; readonly text: string }[] = [];
  function endRun(): void {
    const [first, second] = run;
    const text = run.map((key) => key.text).join("");
    run = [];
    if (second !== undefined) burst(text);
    else if (first !== undefined) press(first.key);
  }
  for (const item of typed) {
    if ("key" in item && item.text !== "") {
      run.push(item);
      continue;
    }
    endRun();
    if ("key" in item) press(item.key);
    else paste(item.paste);
  }
  endRun();
}
