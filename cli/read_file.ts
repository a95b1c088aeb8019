/**
 * Reads the files that flags name.
 *
 * @module
 */

import { UsageError } from "./flags.ts";

/**
 * Reads a file that was named on the command line.
 *
 * @param file Its path, or `-` for standard input.
 * @returns Its bytes.
 * @throws {UsageError} If it is not there, or may not be read.
 */
export async function readNamedFile(file: string): Promise<Uint8Array> {
  try {
    return file === "-"
      ? await new Response(Deno.stdin.readable).bytes()
      : await Deno.readFile(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new UsageError(
        `Cannot read ${file}: this tool may read nothing but the root and the files its flags name; ` +
          `hand it over with - < ${file}`,
        { cause },
      );
    }
    if (cause instanceof Deno.errors.NotFound) {
      throw new UsageError(`Cannot read ${file}: there is no such file`, { cause });
    }
    throw cause;
  }
}
