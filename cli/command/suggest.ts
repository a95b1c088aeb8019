/**
 * What a mistyped word was meant to be.
 *
 * @module
 */

/** How many letters have to be typed, dropped, changed or swapped to make one word of another. */
function distance(a: string, b: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last![j]! + 1, row[j - 1]! + 1, last![j - 1]! + changed);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) row[j] = Math.min(row[j]!, beforeLast![j - 2]! + 1);
    }
    [beforeLast, last] = [last, row];
  }
  return last![b.length]!;
}

/**
 * The name that a mistyped word probably means.
 *
 * @returns The name; `undefined` if none is near, or the word is too long to be a mistyped name.
 */
export function closest(word: string, names: readonly string[]): string | undefined {
  if (word === "" || word.length > 32) return undefined;
  const begun = names.filter((name) => name.startsWith(word));
  if (begun.length === 1) return begun[0];
  const most = Math.max(1, Math.floor(word.length / 3));
  const [nearest] = names
    .map((name) => ({ name, far: distance(word, name) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far);
  return nearest?.name;
}
