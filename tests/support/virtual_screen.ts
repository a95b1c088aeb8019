/**
 * A terminal in memory: what the sequences that the full screen writes do to a screen of some size.
 *
 * @module
 */

/** Characters of two cells, as terminals have them. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

// deno-lint-ignore no-control-regex
const CONTROL = /^\x1b\[(\??)([\d;]*)([A-Za-z])/;

/** A screen in memory. */
export interface VirtualScreen {
  /** Takes what a program writes. */
  readonly write: (text: string) => void;
  /** The rows, without spaces at their ends. */
  readonly rows: () => readonly string[];
  /** Each cell that is no plain blank: its place, its character, its colours. */
  readonly cells: () => readonly string[];
  /** The modes that are on, by their numbers. */
  readonly modes: () => readonly number[];
}

/**
 * Makes a screen.
 *
 * @param columns How wide it is.
 * @param rows How many rows it has.
 * @returns The screen. It throws at a sequence that it does not know, and where a row would wrap.
 */
export function openVirtualScreen(columns: number, rows: number): VirtualScreen {
  const cells = new Map<string, { readonly text: string; readonly paint: string }>();
  const modes = new Set([7, 25]);
  let [row, column] = [0, 0];
  let last = "0 0";
  let colours = new Set<number>();

  function clear(isCleared: (row: number) => boolean): void {
    for (const key of [...cells.keys()]) {
      if (isCleared(Number(key.split(" ")[0]))) cells.delete(key);
    }
  }

  function put(character: string): void {
    if (/\p{M}/u.test(character)) {
      const { text = " ", paint = "" } = cells.get(last) ?? {};
      cells.set(last, { text: text + character, paint });
      return;
    }
    const width = WIDE.test(character) ? 2 : 1;
    if (column + width > columns) {
      if (modes.has(7)) throw new Error(`Row ${row} wraps at ${JSON.stringify(character)}`);
      column = columns - width;
    }
    const paint = [...colours].sort((a, b) => a - b).join(";");
    cells.delete(`${row} ${column + 1}`);
    last = `${row} ${column}`;
    cells.set(last, { text: character, paint });
    column += width;
  }

  function paint(code: number): void {
    const OFF: Readonly<Record<number, readonly number[]>> = {
      22: [1, 2],
      27: [7],
      39: [31, 32, 35],
    };
    if (code === 0) colours = new Set();
    else if (OFF[code] !== undefined) { for (const other of OFF[code]) colours.delete(other); }
    else if ([1, 2, 7, 31, 32, 35].includes(code)) colours.add(code);
    else throw new Error(`There is no colour ${code}`);
  }

  function control(sequence: string, isPrivate: boolean, numbers: number[], final: string): void {
    const [first = 0, second = 0] = numbers;
    if (isPrivate && final === "h") { for (const mode of numbers) modes.add(mode); }
    else if (isPrivate && final === "l") { for (const mode of numbers) modes.delete(mode); }
    else if (!isPrivate && final === "H") {
      row = Math.min(rows, Math.max(1, first)) - 1;
      column = Math.min(columns, Math.max(1, second)) - 1;
    } else if (!isPrivate && final === "J" && first === 2) clear(() => true);
    else if (!isPrivate && final === "K" && first === 2) clear((other) => other === row);
    else if (!isPrivate && final === "m") {
      for (const code of numbers.length ? numbers : [0]) paint(code);
    } else throw new Error(`Nobody knows ${JSON.stringify(sequence)}`);
  }

  return {
    write(text) {
      for (let rest = text; rest !== "";) {
        const [sequence, isPrivate, numbers = "", final = ""] = CONTROL.exec(rest) ?? [];
        if (sequence === undefined) {
          const character = String.fromCodePoint(rest.codePointAt(0)!);
          if (/\p{C}/u.test(character)) throw new Error(`Not printable: ${JSON.stringify(rest)}`);
          put(character);
          rest = rest.slice(character.length);
        } else {
          control(
            sequence,
            isPrivate === "?",
            numbers === "" ? [] : numbers.split(";").map(Number),
            final,
          );
          rest = rest.slice(sequence.length);
        }
      }
    },
    rows: () =>
      Array.from({ length: rows }, (_, row) => {
        let text = "";
        for (let column = 0; column < columns; column++) {
          const cell = cells.get(`${row} ${column}`)?.text ?? " ";
          text += cell;
          if (WIDE.test(cell)) column++;
        }
        return text.trimEnd();
      }),
    cells: () =>
      [...cells].map(([key, { text, paint }]) => `${key} ${text} ${paint}`)
        .filter((cell) => !cell.endsWith("  ")).sort(),
    modes: () => [...modes].sort((a, b) => a - b),
  };
}
