/**
 * On which line each value of a JSON text begins, which `JSON.parse` does not tell. Pure.
 *
 * @module
 */

/** An array or object that is not closed yet, and whether a key comes next in it. */
interface Container {
  readonly isObject: boolean;
  expectsKey: boolean;
}

/**
 * Walks through a JSON text and tells of each value where it is. Takes time linear in the text, does
 * not recurse, and checks nothing.
 *
 * @param text A text that `JSON.parse` accepts.
 * @param visit Told of each value, in the order of the text: the keys and positions that lead to it,
 * in an array that is used again, and the line it begins on, counted from 1.
 */
export function walkJson(
  text: string,
  visit: (steps: readonly (string | number)[], line: number) => void,
): void {
  const open: Container[] = [];
  const steps: (string | number)[] = [];
  let line = 1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    const inside = open.at(-1);
    if (character === "\n") line++;
    else if (character === "}" || character === "]") {
      open.pop();
      steps.pop();
    } else if (character === ",") {
      if (inside?.isObject) inside.expectsKey = true;
      else steps.push((steps.pop() as number) + 1);
    } else if (character === '"' && inside?.expectsKey) {
      const end = endOfString(text, at);
      steps[steps.length - 1] = JSON.parse(text.slice(at, end)) as string;
      inside.expectsKey = false;
      at = end - 1;
    } else if (!/[\s:]/.test(character)) {
      // In an empty array or object stands none of these, so each begins a value.
      visit(steps, line);
      if (character === "{" || character === "[") {
        const isObject = character === "{";
        open.push({ isObject, expectsKey: isObject });
        steps.push(isObject ? "" : 0);
      } else if (character === '"') at = endOfString(text, at) - 1;
      else while (/[\w.+-]/.test(text[at + 1] ?? "")) at++;
    }
  }
}

/** Behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
