/**
 * Which file may import which: the table of the floors, and what follows from it.
 *
 * @module
 */

/**
 * The floors, lowest first: a file imports only from floors below its own, and from its own folder. A
 * name that ends in `/` is a folder; one that ends in `/*` is a folder whose files do not import each
 * other.
 */
export const FLOORS: readonly (readonly string[])[] = [
  // Pure: text and bytes in, text and bytes out.
  ["src/text/"],
  // What is kept and sent, and its form in files.
  ["src/records/"],
  // What a config file may say; the only file calls.
  ["src/config/", "src/disk/"],
  // What the operator decided for all changes: a floor, and rules.
  ["src/policy/"],
  // One bottle's queue; what the host keeps for itself.
  ["src/queue/", "src/host/"],
  ["src/log/"],
  ["src/decision/"],
  ["src/queue.ts", "src/audit.ts", "src/diff.ts"],
  ["start_mod.ts"],
  ["read_mod.ts"],
  ["mod.ts", "internal_mod.ts", "sidecar_mod.ts"],
  // The programs; those of cli/ have floors of their own.
  ["sidecar/", "appliers/", "bench/", "demo/", "cli/render/"],
  ["cli/command/"],
  ["cli/notify/", "cli/operate/"],
  ["cli/bottle/", "cli/doctor/", "cli/review/"],
  ["cli/verbs/*"],
  ["cli/main.ts"],
];

/** What re-exports `src/`, and what each of them may re-export. */
const MODS: Readonly<Record<string, readonly string[]>> = {
  "mod.ts": ["src/"],
  "internal_mod.ts": ["src/", "read_mod.ts"],
  // Nothing that decides, signs or makes a diff: a verb that lists waits for none of it.
  "read_mod.ts": [
    "src/text/",
    "src/records/",
    "src/disk/",
    "src/queue/",
    "src/host/config_files.ts",
    "src/decision/granted.ts",
    "src/decision/hints.ts",
    "src/decision/overview.ts",
    "start_mod.ts",
  ],
  // Names alone: `--help` must wait for no package.
  "start_mod.ts": ["src/records/"],
  // Neither the log, nor its key, nor `decide`: a sidecar cannot name what it must not do. The door
  // `src/queue.ts` is left out, because it exports `writeResponse`.
  "sidecar_mod.ts": [
    "src/text/",
    "src/records/",
    "src/config/",
    "src/policy/floor.ts",
    "src/disk/read_own.ts",
    "src/queue/files.ts",
    "src/queue/recent.ts",
    "src/queue/underway.ts",
    "src/queue/wait.ts",
  ],
};

/** The programs, and what each sees besides its own folder. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "sidecar/": ["sidecar_mod.ts"],
  "cli/": [
    "mod.ts",
    "internal_mod.ts",
    "read_mod.ts",
    "start_mod.ts",
    "appliers/mod.ts",
    "appliers/presets.ts",
  ],
  "appliers/": ["mod.ts", "internal_mod.ts", "examples/"],
  "bench/": ["mod.ts", "internal_mod.ts"],
  "demo/": ["mod.ts", "internal_mod.ts"],
};

/** Single files that may see more than their program does. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // To measure one part, the bench needs that part alone.
  "bench/reads.ts": ["src/disk/read_untrusted.ts"],
  "bench/compare.ts": ["src/config/compare.ts"],
  "bench/apply_sides.ts": ["appliers/mod.ts", "appliers/presets.ts"],
  // The demo starts a sidecar with exactly the permissions that the sidecar asks for.
  "demo/bottle.ts": ["sidecar/settings.ts"],
  // So does a bottle without a container.
  "cli/bottle/unit.ts": ["sidecar/settings.ts"],
};

/** Folders that are not part of any program: they may import whatever they test or replace. */
const UNFENCED: readonly string[] = ["tests/", "tools/", "links/"];

/** Whether an entry of a table means a file: the same name, or a folder it is in. */
export function covers(entry: string, file: string): boolean {
  const folder = entry.replace(/\*$/, "");
  return folder.endsWith("/") ? file.startsWith(folder) : folder === file;
}

interface Place {
  readonly floor: number;
  /** The entry that covers the file. */
  readonly entry: string;
}

function placeOf(file: string): Place | undefined {
  for (const [floor, entries] of FLOORS.entries()) {
    const entry = entries.find((entry) => covers(entry, file));
    if (entry !== undefined) return { floor, entry };
  }
  return undefined;
}

function programOf(file: string): string | undefined {
  return Object.keys(PROGRAMS).find((folder) => file.startsWith(folder));
}

/** Whether the fences hold for a file. */
export function isFenced(file: string): boolean {
  return !UNFENCED.some((folder) => file.startsWith(folder));
}

/** Whether a fenced file is on no floor, and so has no rule that it could keep. */
export function isHomeless(file: string): boolean {
  return isFenced(file) && placeOf(file) === undefined;
}

/** The files among which a circle of imports is possible: any other way round breaks a floor. */
export function circleOf(file: string): string {
  return placeOf(file)?.entry.replace(/\*$/, "") ?? file.slice(0, file.indexOf("/") + 1);
}

/** Why one file may not import another, and what to do instead; `undefined` if it may. */
export function objection(from: string, to: string): string | undefined {
  if (to.startsWith("links/") && !from.startsWith("links/")) {
    return "links/ stands in for packages; import the package by its name, as in @std/path";
  }
  // The rule reports a file on no floor once, at the file itself.
  if (!isFenced(from) || isHomeless(from) || EXCEPTIONS[from]?.includes(to)) return undefined;
  const program = programOf(from);
  if (program !== undefined) return objectionInProgram(program, from, to);
  const seen = MODS[from];
  if (seen !== undefined) {
    if (seen.some((entry) => covers(entry, to))) return undefined;
    return to.startsWith("src/")
      ? `${from} sees ${seen.join(", ")} only`
      : `${from} re-exports src/ alone; export it from there`;
  }
  return to.startsWith("src/")
    ? objectionByFloor(from, to)
    : "src/ imports nothing above it; pass it in as an argument";
}

function objectionInProgram(program: string, from: string, to: string): string | undefined {
  if (to.startsWith(program)) return objectionByFloor(from, to);
  const seen = PROGRAMS[program]!;
  if (seen.some((entry) => covers(entry, to)) || to === "deno.json") return undefined;
  if (to.startsWith("src/") || to in MODS) return `${program} sees ${seen.join(" and ")} only`;
  if (programOf(to) === undefined) {
    return `${program} sees ${seen.join(" and ")} and its own folder; move the file into it`;
  }
  if (from === `${program}main.ts`) return undefined;
  return `only a main.ts wires across; have ${program}main.ts import it and pass it in`;
}

function objectionByFloor(from: string, to: string): string | undefined {
  const [mine, theirs] = [placeOf(from), placeOf(to)];
  if (mine === undefined || theirs === undefined || theirs.floor < mine.floor) return undefined;
  if (theirs.floor > mine.floor) {
    return "it is on a higher floor; move what both need to a lower one, or pass it in";
  }
  if (mine.entry !== theirs.entry) {
    return "it is on the same floor; move what both need to a lower one";
  }
  return mine.entry.endsWith("/*")
    ? `the files of ${mine.entry.slice(0, -1)} do not import each other; ` +
      "move what both need to a lower floor"
    : undefined;
}
