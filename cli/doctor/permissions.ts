/**
 * Who may read and write what lies under the root, by the modes and owners of files. Whether a bottle
 * mounts more than its queue cannot be seen from here.
 *
 * @module
 */

import {
  listBottles,
  type OwnEntry,
  ownEntry,
  ownFileStamp,
  privateDir,
  walkOwn,
} from "../../internal_mod.ts";
import { queueDirForSlug } from "../../mod.ts";
import { type Finding, named, shellWord, type Subject } from "./finding.ts";
import { join, relative } from "@std/path";

/** How many files and directories are looked at; more are nothing that a person keeps by hand. */
const MOST_LOOKED_AT = 20_000;

interface Looked extends OwnEntry {
  /** Whether others may read it without harm. */
  readonly open: boolean;
}

function lookAtAll(root: string): Looked[] {
  const looked: Looked[] = [];
  const add = (path: string) => {
    const entry = ownEntry(path);
    if (entry !== undefined) looked.push({ ...entry, open: false });
  };
  // The root may be a link that the operator laid.
  const { mode, uid } = ownFileStamp(root)!;
  looked.push({ path: root, mode, uid, open: false });
  add(join(root, "queue"));
  // What is in a queue is its sidecar's; that nobody else gets at it is the directory's doing.
  for (const slug of listBottles(root).slugs) {
    add(queueDirForSlug(slug, { root }));
    add(join(queueDirForSlug(slug, { root }), "processed"));
  }
  const addAll = (dir: string, open: boolean) => {
    for (const entry of walkOwn(dir)) {
      if (looked.length >= MOST_LOOKED_AT) return;
      looked.push({ ...entry, open });
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
