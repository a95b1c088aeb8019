/**
 * Reads a root as it lies on the disk, with nothing of the code that wrote it.
 *
 * @module
 */

import { sha256Hex } from "../../mod.ts";
import { basename, join } from "@std/path";

/** A JSON object out of a file. */
export type Fields = Readonly<Record<string, unknown>>;

/** A root. */
export interface Disk {
  /** The proposals, by id, archived or not. */
  readonly proposals: ReadonlyMap<string, Fields>;
  /** The answers, archived or not; there may be two of one id. */
  readonly answers: readonly Fields[];
  /** The whole lines of the logs, in each log's order. */
  readonly lines: readonly Fields[];
  /** The logs that do not end with LF. */
  readonly torn: readonly string[];
  /** The intents' files. */
  readonly intents: readonly string[];
  /** What the intents say of the files in force that they change. */
  readonly changes: readonly Fields[];
  /** SHA-256 of each config file in force, by its path from the root. */
  readonly inForce: ReadonlyMap<string, string>;
  /** The names of the standing decisions. */
  readonly standing: readonly unknown[];
  /** Files of the host's whose name begins with a dot: on their way to a name, and left behind. */
  readonly leftovers: readonly string[];
  /** The same of a sidecar's. */
  readonly leftoversOfSidecar: readonly string[];
  /** What is under its final name and not whole. */
  readonly broken: readonly string[];
  /** Paths of all other files. */
  readonly others: readonly string[];
}

/** What the host's other files look like when they are whole. */
const WHOLE = [
  {
    where: /^private\/heads\//,
    text: /^(?=[^]{256}$)\d+:[0-9a-f]{64} [0-9a-f]{64} \d+ \d+ *\n$/,
  },
  {
    where: /^private\/audit-signing-key\.pem$/,
    text: /^-----BEGIN PRIVATE KEY-----\n[^]+\n-----END PRIVATE KEY-----\n$/,
  },
  { where: /^(?:standing\.json$|private\/policies\/)/, text: /^\{\n[^]+\n\}\n$/ },
  {
    where: /^private\/index\//,
    text: /^index-1 (\d+) (\d+) [0-9a-f]{32} \S+ +[0-9a-f]{32}\n(?:[^]{4096})*$/,
  },
];

/**
 * Reads a root.
 *
 * @param root The root.
 * @returns What is there.
 */
export function readDisk(root: string): Disk {
  const disk = {
    proposals: new Map<string, Fields>(),
    answers: [] as Fields[],
    lines: [] as Fields[],
    torn: [] as string[],
    intents: [] as string[],
    changes: [] as Fields[],
    inForce: new Map<string, string>(),
    standing: [] as unknown[],
    leftovers: [] as string[],
    leftoversOfSidecar: [] as string[],
    broken: [] as string[],
    others: [] as string[],
  };
  const read = (path: string, idKey?: string): Fields | undefined => {
    const value = parseObject(Deno.readFileSync(join(root, path)));
    const named = idKey === undefined || value?.[idKey] === basename(path).split(".")[0];
    if (value !== undefined && named) return value;
    disk.broken.push(`${path} is not whole`);
  };
  for (const path of filesUnder(root)) {
    const name = basename(path);
    if (path.startsWith("private/locks/")) {
      // Locks stay: whoever removed one could let two in.
    } else if (name.startsWith(".")) {
      const isOfSidecar = path.startsWith("queue/") && name.includes(".proposal.json.");
      (isOfSidecar ? disk.leftoversOfSidecar : disk.leftovers).push(path);
    } else if (/^queue\/.*\.proposal\.json$/.test(path)) {
      const proposal = read(path, "id");
      if (proposal !== undefined) disk.proposals.set(String(proposal.id), proposal);
    } else if (/^queue\/.*\.response\.json$/.test(path)) {
      const answer = read(path, "proposal_id");
      if (answer !== undefined) disk.answers.push(answer);
    } else if (/^audit\/[^/]*\.log$/.test(path)) {
      const { lines, tail } = splitLines(Deno.readFileSync(join(root, path)));
      if (tail) disk.torn.push(path);
      for (const [n, bytes] of lines.entries()) {
        const line = parseObject(bytes);
        if (line === undefined) disk.broken.push(`${path}, line ${n + 1} is not whole`);
        else disk.lines.push(line);
      }
    } else if (path.startsWith("private/intents/")) {
      disk.intents.push(path);
      // Beside an intent are the bytes of the file in force, before and after.
      const change = path.endsWith(".json") ? read(path)?.change : undefined;
      if (change) disk.changes.push(change as Fields);
    } else if (path.startsWith("current-config/")) {
      disk.inForce.set(path, sha256Hex(Deno.readFileSync(join(root, path))));
    } else {
      disk.others.push(path);
      const whole = WHOLE.find(({ where }) => where.test(path))?.text;
      if (path === "standing.json") {
        const rules = read(path)?.rules;
        if (Array.isArray(rules)) disk.standing.push(...rules.map(({ name }) => name));
      }
      const text = () => new TextDecoder("latin1").decode(Deno.readFileSync(join(root, path)));
      if (whole?.test(text()) === false) disk.broken.push(`${path} is not whole`);
    }
  }
  return disk;
}

/** The paths of all files, from the root, in the order of their names. */
function filesUnder(root: string, path = ""): string[] {
  const entries = [...Deno.readDirSync(join(root, path))];
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap(({ name, isDirectory }) =>
    isDirectory ? filesUnder(root, join(path, name)) : [join(path, name)]
  );
}

function splitLines(bytes: Uint8Array): { lines: Uint8Array[]; tail: boolean } {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let lf; (lf = bytes.indexOf(0x0a, start)) !== -1; start = lf + 1) {
    lines.push(bytes.subarray(start, lf));
  }
  return { lines, tail: start < bytes.length };
}

function parseObject(bytes: Uint8Array): Fields | undefined {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
