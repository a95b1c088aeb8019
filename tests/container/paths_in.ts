/**
 * Lists what an image contains.
 *
 * @module
 */

import type { Engine } from "./engine.ts";
import { join } from "@std/path";

/** A file, directory or link of an image. */
export interface ImagePath {
  /** Its path, without the slash in front. */
  readonly path: string;
  /** What it is; links are not followed. */
  readonly info: Deno.FileInfo;
}

/**
 * Lists every path of an image.
 *
 * @param engine Where the image is.
 * @param image Its name.
 * @returns The paths, parents first.
 */
export async function pathsIn(engine: Engine, image: string): Promise<ImagePath[]> {
  const mounted = (await engine.podman(["image", "mount", image])).trim();
  try {
    return [...walk(mounted, "")];
  } finally {
    await engine.podman(["image", "unmount", image]);
  }
}

function* walk(root: string, dir: string): Generator<ImagePath> {
  for (const { name } of Deno.readDirSync(join(root, dir))) {
    const path = join(dir, name);
    const info = Deno.lstatSync(join(root, path));
    yield { path, info };
    if (info.isDirectory) yield* walk(root, path);
  }
}
