/**
 * Stand-in for the part of `jsr:@std/fs` in use here. It calls `Deno`, not `node:fs`, because the
 * classes of the errors are part of what callers see.
 *
 * @module
 */

/** Stand-in for `ensureDir` of `@std/fs`: needs no write permission when the directory is there. */
export async function ensureDir(dir: string | URL): Promise<void> {
  try {
    return refuseNonDirectory(await Deno.stat(dir));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    // Somebody else made it between the two calls.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    refuseNonDirectory(await Deno.stat(dir));
  }
}

/** Stand-in for `ensureDirSync` of `@std/fs`. */
export function ensureDirSync(dir: string | URL): void {
  try {
    return refuseNonDirectory(Deno.statSync(dir));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    Deno.mkdirSync(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    refuseNonDirectory(Deno.statSync(dir));
  }
}

/** Stand-in for `exists` of `@std/fs`, without its options. */
export async function exists(path: string | URL): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // The file system's own refusal, not Deno's (NotCapable): there is something to refuse.
    const readable = error instanceof Deno.errors.PermissionDenied &&
      (await Deno.permissions.query({ name: "read", path })).state ===
        "granted";
    if (readable) return true;
    throw error;
  }
}

function refuseNonDirectory(info: Deno.FileInfo): void {
  if (info.isDirectory) return;
  const type = info.isFile ? "file" : info.isSymlink ? "symlink" : undefined;
  throw new Error(
    `Failed to ensure directory exists: expected 'dir', got '${type}'`,
  );
}
