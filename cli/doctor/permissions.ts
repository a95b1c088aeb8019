/**
 * Checks modes and owners of what lies under the root. Whether a bottle mounts more than its queue cannot
 * be seen from here.
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
import { type Finding, findingsOf, named, shellWord, type Subject } from "./finding.ts";
import { join, relative } from "@std/path";

/** How many files and directories are checked: more is not kept by hand. */
const MOST_CHECKED = 20_000;

function entriesUnder(root: string): OwnEntry[] {
  // The root may be a link that the operator made.
  const { mode, uid } = ownFileStamp(root)!;
  const entries: OwnEntry[] = [{ path: root, mode, uid }];
  // The files in a queue are the sidecar's own; its directory keeps others out.
  const queues = listBottles(root).slugs.map((slug) => queueDirForSlug(slug, { root }));
  const dirs = queues.flatMap((dir) => [dir, join(dir, "processed")]);
  for (const path of [join(root, "queue"), ...dirs]) {
    const entry = ownEntry(path);
    if (entry !== undefined) entries.push(entry);
  }
  for (const dir of [join(root, OPEN_DIR), join(root, "audit"), privateDir(root)]) {
    for (const entry of walkOwn(dir)) {
      if (entries.length >= MOST_CHECKED) return entries;
      entries.push(entry);
    }
  }
  return entries;
}

/** The agent reads what is in it, perhaps as another user. */
const OPEN_DIR = "current-config";

/** The directory of the root in which an entry is; `""` for the root itself. */
function topOf(root: string, { path }: OwnEntry): string {
  return relative(root, path).split("/")[0]!;
}

/** A command for the top-level directories in which something is wrong. */
function command(
  program: string,
  change: string,
  root: string,
  wrong: readonly OwnEntry[],
): string {
  const tops = new Set(wrong.map((entry) => topOf(root, entry)));
  const deep = [...tops].filter((top) => top !== "").sort()
    .map((top) => shellWord(join(root, top)));
  const commands: string[] = [];
  if (tops.has("")) commands.push(`${program} ${change} ${shellWord(root)}`);
  if (deep.length > 0) commands.push(`${program} -R ${change} ${deep.join(" ")}`);
  return commands.join(" && ");
}

export function checkPermissions({ root }: Pick<Subject, "root">): Finding[] {
  const entries = entriesUnder(root);
  const names = (wrong: readonly OwnEntry[]) =>
    named(wrong.map(({ path }) => relative(root, path) || "the root"));
  const { ok, warn, bad } = findingsOf("permissions");
  const found: Finding[] = [];

  const written = entries.filter(({ mode }) => (mode & 0o022) !== 0);
  const read = entries.filter((entry) =>
    (entry.mode & 0o077) !== 0 && topOf(root, entry) !== OPEN_DIR && !written.includes(entry)
  );
  if (written.length > 0) {
    found.push(bad(`others may write ${names(written)}`, command("chmod", "go-w", root, written)));
  }
  if (read.length > 0) {
    const tell = read.some(({ path }) => path.endsWith("-key.pem")) ? bad : warn;
    found.push(tell(`others may read ${names(read)}`, command("chmod", "go-rwx", root, read)));
  }
  if (found.length === 0) {
    found.push(ok(`nobody else may read or write it (${entries.length} files and directories)`));
  }

  const owner = findingsOf("owner");
  const me = Deno.uid();
  const strange = entries.filter(({ uid }) => uid !== null && uid !== me);
  found.push(
    strange.length === 0 ? owner.ok("all of it is yours") : owner.bad(
      `${names(strange)} belongs to user ${strange[0]!.uid}, and you are ${me}`,
      command("sudo chown", String(me), root, strange),
    ),
  );
  return found;
}
