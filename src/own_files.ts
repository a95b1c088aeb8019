/**
 * Reads what only the operator's side can write: audit logs, config files in force, intents.
 *
 * @module
 */

/**
 * Reads a file of the operator's own, following links as the operator laid them.
 *
 * @param path The file.
 * @returns Its bytes, or `undefined` if there is none.
 */
export function readOwnFile(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * How long a file of the operator's own is.
 *
 * @param path The file.
 * @returns Its length in bytes; 0 if there is none.
 */
export function sizeOfOwnFile(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
