/**
 * Asks a person at a terminal, one line at a time.
 *
 * @module
 */

/** How long what a question is about stands on the screen before it can be answered. */
const SETTLE_MS = 250;

/**
 * Asks a question and waits for a line. What was typed before the question appeared is dropped, so
 * that a paste, or an Enter too many, never answers what was not read.
 *
 * @param question What to print before the cursor.
 * @returns The line without its LF; `undefined` at the end of the input.
 */
export async function ask(question: string): Promise<string | undefined> {
  let line = readLine();
  while (await Promise.race([line.then(() => true), settle()])) {
    if (await line === undefined) return undefined;
    await print("(typed too soon, ignored)\n");
    line = readLine();
  }
  await print(question);
  return await line;
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(text));
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
