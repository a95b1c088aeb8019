/**
 * The files of the checkout.
 *
 * @module
 */

import { REPO } from "./run.ts";
import { dirname, join } from "@std/path";

/** What is made in a checkout, and no part of it. */
const MADE = ["node_modules", "coverage"];

/**
 * Lists the files below a folder of the checkout, hidden ones left out.
 *
 * @param folder The folder, from the root, with a slash at its end; the whole checkout if it is empty.
 * @returns Their paths from the root, in order.
 */
export function filesOf(folder = ""): string[] {
  const entries = [...Deno.readDirSync(join(REPO, folder))]
    .filter(({ name }) => !name.startsWith(".") && !MADE.includes(name));
  return entries.flatMap(({ name, isDirectory }) =>
    isDirectory ? filesOf(`${folder}${name}/`) : [folder + name]
  ).sort();
}

/**
 * Copies files of the checkout.
 *
 * @param files Their paths from the root.
 * @param into Where to, with the same paths.
 */
export function copyFiles(files: readonly string[], into: string): void {
  for (const file of files) {
    Deno.mkdirSync(dirname(join(into, file)), { recursive: true });
    Deno.copyFileSync(join(REPO, file), join(into, file));
  }
}
