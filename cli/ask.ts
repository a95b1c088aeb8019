/**
 * Asks a person at a terminal, one line at a time.
 *
 * @module
 */

/** How long a question must stand on the screen before a line can be its answer. */
const SETTLE_MS = 250;

/**
 * Asks a question and waits for a line. What was typed before the question had been on the screen
 * for a moment is dropped, so that a paste, or an Enter too many, never answers what was not read.
 *
 * @param question What to print before the cursor.
 * @returns The line without its LF; `undefined` at the end of the input.
 */
export async function ask(question: string): Promise<string | undefined> {
  await Deno.stdout.write(new TextEncoder().encode(question));
  let line = readLine();
  while (true) {
    const early = await Promise.race([line.then(() => true), settle()]);
    if (!early) return await line;
    if (await line === undefined) return undefined;
    await Deno.stdout.write(new TextEncoder().encode(`(typed too soon, ignored)\n${question}`));
    line = readLine();
  }
}

function settle(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), SETTLE_MS));
}

/** A terminal hands out one line a read. */
async function readLine(): Promise<string | undefined> {
  const buffer = new Uint8Array(4096);
  const count = await Deno.stdin.read(buffer);
  if (count === null) return undefined;
  return new TextDecoder().decode(buffer.subarray(0, count)).replace(/\r?\n$/, "");
}
