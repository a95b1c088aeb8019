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
import { shellWord } from "../command/split_words.ts";
import { type Finding, findingsOf, named, type Subject } from "./finding.ts";
import { dirname, join, relative } from "@std/path";

/** How many files and directories are checked: more is not kept by hand. */
const MOST_CHECKED = 20_000;

/** What came out of a queue is its owner's, any number of files; the directory that it is in keeps others out. */
const OUT_OF_QUEUES = /^private\/(?:removed|foreign\/[^/]+)$/;

function entriesUnder(root: string): OwnEntry[] {
  // The root may be a link that the operator made.
  const { mode, uid } = ownFileStamp(root)!;
  const entries: OwnEntry[] = [{
    path: root,
    mode,
    uid,
    isDirectory: true,
    isFile: false,
    device: NaN,
  }];
  // The files in a queue are the sidecar's own; its directory keeps others out.
  const queues = listBottles(root).slugs.map((slug) => queueDirForSlug(slug, { root }));
  const dirs = queues.flatMap((dir) => [dir, join(dir, "processed")]);
  for (const path of [join(root, "queue"), ...dirs]) {
    const entry = ownEntry(path);
    if (entry !== undefined) entries.push(entry);
  }
  for (const dir of [join(root, OPEN_DIR), join(root, "audit"), privateDir(root)]) {
    for (const entry of walkOwn(dir, (path) => OUT_OF_QUEUES.test(relative(root, path)))) {
      if (entries.length === MOST_CHECKED) return entries;
      entries.push(entry);
    }
  }
  return entries;
}

/** What must be a directory, by its path below the root. */
const DIRECTORY =
  /^(?:queue(?:\/[^/]+)?|audit|current-config(?:\/[^/]+)?|queue\/[^/]+\/processed|private(?:\/(?:bottles|heads|index|intents|locks|notify|edit|removed|policies|(?:staging|foreign|shown|known)(?:\/[^/]+)?))?)$/;

/** What must be a file, by its path below the root. */
const FILE = /^(?:audit\/[^/]+\.log|private\/(?:[^/]+\/)?[^/]+\.(?:lock|json|pem))$/;

/** Where a response is prepared, stands, goes to, and is moved aside to: one file system. */
const MOVED = /^(?:queue|private)\/(?:[^/]+|[^/]+\/processed|(?:staging|foreign)\/[^/]+)$/;

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

/** Whether its owner may do with it what this program has to. An agent's config may be read-only. */
function isOpenToOwner(root: string, entry: OwnEntry): boolean {
  const needed = entry.isDirectory ? 0o700 : 0o600;
  const mode = topOf(root, entry) === OPEN_DIR ? needed & ~0o200 : needed;
  return (entry.mode & mode) === mode;
}

/** Whether every user may read it, if it is mounted into an agent's container. */
function isOpenToAgent(root: string, { path, mode, isDirectory }: OwnEntry): boolean {
  const [top, slug] = relative(root, path).split("/");
  const needed = isDirectory ? 0o005 : 0o004;
  return top !== OPEN_DIR || slug === undefined || (mode & needed) === needed;
}

export function checkPermissions({ root }: Pick<Subject, "root">): Finding[] {
  const entries = entriesUnder(root);
  const names = (wrong: readonly OwnEntry[]) =>
    named(wrong.map(({ path }) => relative(root, path) || "the root"));
  const { ok, warn, bad } = findingsOf("permissions");
  // Its modes are not this program's to change, and it can be any directory: a slip gives `/`.
  if (!entries.some(({ path }) => /^(?:queue|audit)$/.test(relative(root, path)))) {
    return [warn(
      `nothing in ${root} was made by this program`,
      "give the root with --root or CLAUDE_BOTTLE_ROOT; supervise bottle add NAME makes a new one",
    )];
  }
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
  const unread = entries.filter((entry) => !isOpenToAgent(root, entry));
  if (unread.length > 0) {
    found.push(warn(
      `an agent that is not root in its container may not read ${names(unread)}`,
      `chmod -R a+rX ${shellWord(join(root, OPEN_DIR))}/*`,
    ));
  }
  const closed = entries.filter((entry) => !isOpenToOwner(root, entry));
  if (closed.length > 0) {
    const [first] = closed;
    const mode = (first!.mode & 0o777).toString(8).padStart(3, "0");
    found.push(bad(
      `you may not use ${names(closed)} (mode ${mode}), so decisions may fail or hang there`,
      command("chmod", "u+rwX", root, closed),
    ));
  }
  const files = entries.filter((entry) =>
    !entry.isDirectory && DIRECTORY.test(relative(root, entry.path))
  );
  if (files.length > 0) {
    found.push(bad(
      `${names(files)} is a file, where a directory belongs`,
      `ls -la ${shellWord(root)}; find out who put it there, and move it away`,
    ));
  }
  const odd = entries.filter(({ path, isDirectory, isFile }) =>
    isDirectory ? FILE.test(relative(root, path)) : !isFile
  );
  if (odd.length > 0) {
    found.push(bad(
      `${names(odd)} is a FIFO or directory or the like, where a plain file belongs`,
      `ls -la ${shellWord(dirname(odd[0]!.path))}; find out who put it there, and move it away`,
    ));
  }
  const [first, ...others] = entries.filter((entry) => MOVED.test(relative(root, entry.path)));
  const apart = others.filter(({ device }) => device !== first!.device);
  if (apart.length > 0) {
    found.push(bad(
      `${names(apart)} is on another file system than ${
        names([first!])
      }: no response can be written`,
      `df ${shellWord(root)}/queue/* ${shellWord(privateDir(root))}; put both on one`,
    ));
  }
  if (entries.length === MOST_CHECKED) {
    found.push(warn(
      `only the first ${MOST_CHECKED} files and directories were looked at`,
      `du --inodes ${shellWord(privateDir(root))} says what has so many`,
    ));
  } else if (found.length === 0) {
    found.push(ok(`nobody else may read or write it (${entries.length} files and directories)`));
  }

  const owner = findingsOf("owner");
  const me = Deno.uid();
  // A sidecar may run as a user of its own: root decides there, and gives the responses to that user.
  const mayDiffer = me === 0 ? /^queue\/[^/]+(?:\/processed)?$/ : /^$/;
  const strange = entries.filter(({ path, uid }) =>
    uid !== null && uid !== me && !mayDiffer.test(relative(root, path))
  );
  found.push(
    strange.length === 0 ? owner.ok("all of it is yours") : owner.bad(
      `${names(strange)} belongs to user ${strange[0]!.uid}, and you are ${me}`,
      command("sudo chown", String(me), root, strange),
    ),
  );
  return found;
}
