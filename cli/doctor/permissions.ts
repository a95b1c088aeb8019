/**
 * Who may read and write what lies under the root, by the modes and owners of files. Whether a bottle
 * mounts more than its queue cannot be seen from here.
 *
 * @module
 */

import { listBottles, privateDir } from "../../internal_mod.ts";
import { queueDirForSlug } from "../../mod.ts";
import { type Finding, named, shellWord, type Subject } from "./finding.ts";
import { join, relative } from "@std/path";

/** How many files and directories are looked at; more are nothing that a person keeps by hand. */
const MOST_LOOKED_AT = 20_000;

/** A file or directory, and who may do what with it. */
interface Looked {
  readonly path: string;
  readonly mode: number;
  readonly uid: number | null;
  /** Whether others may read it without harm. */
  readonly open: boolean;
}

/** The state of something, without following a link; a link's own mode says nothing. */
function look(path: string, open = false): Looked | undefined {
  try {
    const { mode, uid, isSymlink } = Deno.lstatSync(path);
    return isSymlink ? undefined : { path, mode: mode ?? 0, uid, open };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Everything below a directory of the operator's own. */
function* walk(dir: string): Generator<string> {
  yield dir;
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(dir)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  }
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* walk(join(dir, name));
    else yield join(dir, name);
  }
}

function lookAtAll(root: string): Looked[] {
  const looked: Looked[] = [];
  const add = (path: string, open = false) => {
    const found = look(path, open);
    if (found !== undefined) looked.push(found);
  };
  // The root may be a link that the operator laid.
  const { mode, uid } = Deno.statSync(root);
  looked.push({ path: root, mode: mode ?? 0, uid, open: false });
  add(join(root, "queue"));
  // What is in a queue is its sidecar's; that nobody else gets at it is the directory's doing.
  for (const slug of listBottles(root).slugs) {
    add(queueDirForSlug(slug, { root }));
    add(join(queueDirForSlug(slug, { root }), "processed"));
  }
  const addAll = (dir: string, open: boolean) => {
    for (const path of walk(dir)) {
      if (looked.length >= MOST_LOOKED_AT) return;
      add(path, open);
    }
  };
  // The agent reads these, perhaps as another user.
  addAll(join(root, "current-config"), true);
  addAll(join(root, "audit"), false);
  addAll(privateDir(root), false);
  return looked;
}

/** A command for the top-level directories in which something is wrong. */
function command(program: string, change: string, root: string, wrong: readonly Looked[]): string {
  const tops = new Set(wrong.map(({ path }) => relative(root, path).split("/")[0]!));
  const deep = [...tops].filter((top) => top !== "").sort()
    .map((top) => shellWord(join(root, top)));
  const commands: string[] = [];
  if (tops.has("")) commands.push(`${program} ${change} ${shellWord(root)}`);
  if (deep.length > 0) commands.push(`${program} -R ${change} ${deep.join(" ")}`);
  return commands.join(" && ");
}

/**
 * Checks modes and owners of what lies under the root.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export function checkPermissions({ root }: Pick<Subject, "root">): Finding[] {
  const looked = lookAtAll(root);
  const names = (wrong: readonly Looked[]) =>
    named(wrong.map(({ path }) => relative(root, path) || "the root"));
  const found: Finding[] = [];

  const written = looked.filter(({ mode }) => (mode & 0o022) !== 0);
  const read = looked.filter(({ mode, open }) => (mode & 0o077) !== 0 && !open)
    .filter((one) => !written.includes(one));
  if (written.length > 0) {
    found.push({
      check: "permissions",
      state: "bad",
      says: `others may write ${names(written)}`,
      todo: command("chmod", "go-w", root, written),
    });
  }
  if (read.length > 0) {
    found.push({
      check: "permissions",
      state: read.some(({ path }) => path.endsWith("-key.pem")) ? "bad" : "warn",
      says: `others may read ${names(read)}`,
      todo: command("chmod", "go-rwx", root, read),
    });
  }
  if (found.length === 0) {
    const says = `nobody else may read or write it (${looked.length} files and directories)`;
    found.push({ check: "permissions", state: "ok", says });
  }

  const me = Deno.uid();
  const strange = looked.filter(({ uid }) => uid !== null && uid !== me);
  found.push(
    strange.length === 0 ? { check: "owner", state: "ok", says: "all of it is yours" } : {
      check: "owner",
      state: "bad",
      says: `${names(strange)} belongs to user ${strange[0]!.uid}, and you are ${me}`,
      todo: command("sudo chown", String(me), root, strange),
    },
  );
  return found;
}
