/**
 * What is in force for good, and what is in force beside it until a time: the record of a file's open grants.
 *
 * @module
 */

import { hostsOf } from "../config/allowlist/change.ts";
// Few files have open grants: until one has, nothing of it runs.
import defer * as merging from "../config/merge.ts";
import { claudeBottleRoot, privateDir, type RootOptions } from "../disk/layout.ts";
import { readOwnFile } from "../disk/read_own.ts";
import { listNames } from "../disk/read_untrusted.ts";
import { removeFile, replaceFileAlone } from "../disk/write.ts";
import { readFrozen, readNotProven } from "../host/apply_state.ts";
import { type FileInForce, readFileInForce } from "../host/config_files.ts";
import { isTool, parseJsonBytes } from "../records/codec.ts";
import { MalformedRecordError, SuperviseError } from "../records/errors.ts";
import { checkBottleSlug, isBottleSlug } from "../records/names.ts";
import {
  TEXT_OF_NO_FILE,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  TOOLS,
} from "../records/proposal.ts";
import { type Check, type Field, isJsonObject, isText, shapeOf } from "../records/shape.ts";
import { hashOf, sha256Hex } from "../text/hash.ts";
import { asciiJson } from "../text/json.ts";
import { join } from "@std/path";

/** An approval that ends. */
export interface Grant {
  /** The proposal that was approved. */
  readonly proposalId: string;
  /** Who approved it. */
  readonly operator: string;
  /** Since when it is in force, ISO 8601. */
  readonly since: string;
  /** When it ends, ISO 8601. */
  readonly until: string;
  /** The file for good, with this grant's change in it and no other one's. */
  readonly file: string;
  /** Why it could not be ended when that was tried last; missing if it was not tried. */
  readonly problem?: string | undefined;
  /** When that was tried, ISO 8601. */
  readonly triedAt?: string | undefined;
}

/** The open grants of a file in force. The file in force is the one for good, with the change of each in it. */
export interface Granted {
  readonly bottleSlug: string;
  readonly tool: Tool;
  /** The file as it is without them; `null` if there is none then. */
  readonly forGood: string | null;
  /** SHA-256 of the file in force, as this program left it. */
  readonly inForceSha256: string;
  /** At least one, the oldest first. */
  readonly grants: readonly Grant[];
}

const text = (wire: string): Field => ({ wire, check: isText });

const isTime: Check = (value) =>
  isText(value) ?? (Number.isNaN(Date.parse(value as string)) ? "no time" : undefined);

const GRANT = shapeOf<Grant>("grant", {
  proposalId: text("proposal_id"),
  operator: text("operator"),
  since: text("since"),
  until: { wire: "until", check: isTime },
  file: text("file"),
  problem: { ...text("problem"), optional: true },
  triedAt: { wire: "tried_at", check: isTime, optional: true },
});

const GRANTED = shapeOf<Omit<Granted, "grants"> & { readonly grants: unknown }>("grants", {
  bottleSlug: text("bottle_slug"),
  tool: { wire: "tool", check: isTool },
  forGood: { wire: "for_good", check: (value) => value === null ? undefined : isText(value) },
  inForceSha256: text("in_force_sha256"),
  grants: {
    wire: "grants",
    check: (value) => Array.isArray(value) && value.every(isJsonObject) ? undefined : "no list",
  },
});

function grantsDir(root: string): string {
  return join(privateDir(root), "grants");
}

export function grantedPath(root: string, slug: string, tool: Tool): string {
  return join(grantsDir(root), `${checkBottleSlug(slug)}.${tool}.json`);
}

/** The files that have open grants, by the names of their records. Costs one look into a directory. */
export function grantedFiles(root: string): { readonly bottleSlug: string; readonly tool: Tool }[] {
  return listNames(grantsDir(root)).toSorted().flatMap((name) => {
    const tool = TOOLS.find((tool) => name.endsWith(`.${tool}.json`));
    const bottleSlug = tool === undefined ? "" : name.slice(0, -`.${tool}.json`.length);
    return tool === undefined || !isBottleSlug(bottleSlug) ? [] : [{ bottleSlug, tool }];
  });
}

/** @throws {MalformedRecordError} If the record is damaged: nothing may change the file then. */
export function readGranted(root: string, slug: string, tool: Tool): Granted | undefined {
  const path = grantedPath(root, slug, tool);
  const bytes = readOwnFile(path);
  if (bytes === undefined) return undefined;
  const granted = GRANTED.read(parseJsonBytes(bytes, path), path);
  if (granted.bottleSlug !== slug || granted.tool !== tool) {
    throw new MalformedRecordError(path, undefined, "it is about another file than its name says");
  }
  const grants = (granted.grants as unknown[]).map((grant) => GRANT.read(grant, path));
  return { ...granted, grants };
}

/** The record's bytes; `""` if no grant is open. */
export function formatGranted(granted: Granted): string {
  if (granted.grants.length === 0) return "";
  const grants = granted.grants.map((grant) => GRANT.write(grant));
  return asciiJson(GRANTED.write({ ...granted, grants }), 2) + "\n";
}

/** Writes the record that {@linkcode formatGranted} made, or removes it. The caller holds the bottle's lock. */
export function writeGranted(root: string, slug: string, tool: Tool, record: string): void {
  const path = grantedPath(root, slug, tool);
  if (record === "") removeFile(path);
  else replaceFileAlone(path, new TextEncoder().encode(record));
}

/**
 * Makes in `current` the change that leads from `base` to `changed`.
 *
 * @throws {SuperviseError} `stale`, if it cannot be made there.
 */
export function carry(tool: Tool, base: string, current: string, changed: string): string {
  if (base === changed) return current;
  if (base === current) return changed;
  const result = merging.mergeChange(tool, base, current, changed);
  if ("merged" in result) return result.merged;
  // Comments and the order of hosts allow nothing.
  const isSame = tool === TOOL_PIPELOCK_BLOCK &&
    new Set(hostsOf(base)).symmetricDifference(new Set(hostsOf(changed))).size === 0;
  if (isSame) return current;
  throw new SuperviseError("stale", result.conflict);
}

/** The file with the changes of some grants in it. */
function fileWith({ tool, forGood }: Granted, grants: readonly Grant[]): string {
  const start = forGood ?? TEXT_OF_NO_FILE[tool];
  return grants.reduce((file, grant) => carry(tool, start, file, grant.file), start);
}

/** Makes a change for good: in the file without grants, and in that of each grant. */
export function changeForGood(granted: Granted, from: string, to: string): Granted {
  if (from === to) return granted;
  const { tool, forGood, grants } = granted;
  const move = (file: string) => carry(tool, from, file, to);
  return {
    ...granted,
    forGood: move(forGood ?? TEXT_OF_NO_FILE[tool]),
    grants: grants.map((grant) => ({ ...grant, file: move(grant.file) })),
  };
}

/** Makes an operator's change of the file in force, with all grants in it, one for good. */
export function changeInForce(granted: Granted, to: string | null): Granted {
  const { tool, grants } = granted;
  const [all, file] = [fileWith(granted, grants), to ?? TEXT_OF_NO_FILE[tool]];
  // What an instruction does depends on the others: nobody looked at the file without the grant.
  if (tool === TOOL_CAPABILITY_BLOCK && all !== file) {
    throw new SuperviseError("stale", "two changes of a Dockerfile are no set");
  }
  return changeForGood(granted, all, file);
}

/** A grant, ended: what is left open, and the file in force then. */
export function endIn(
  granted: Granted,
  proposalId: string,
  inForce: string | null,
): { readonly left: Granted; readonly file: string | null } {
  const { tool, forGood, grants, inForceSha256 } = granted;
  const left = { ...granted, grants: grants.filter((grant) => grant.proposalId !== proposalId) };
  // Then the bytes from before it are in force again, whatever they were.
  const isAlone = left.grants.length === 0 && sha256Hex(inForce ?? "") === inForceSha256;
  const [all, rest] = [fileWith(granted, grants), fileWith(left, left.grants)];
  const file = isAlone ? forGood : carry(tool, all, inForce ?? TEXT_OF_NO_FILE[tool], rest);
  return { left: { ...left, inForceSha256: sha256Hex(file ?? "") }, file };
}

/** A config file as it is without the open grants. */
export interface FileForGood extends FileInForce {
  /** The open grants on it; missing if none is open. */
  readonly grants?: readonly Pick<Grant, "proposalId" | "until">[];
  /** The file in force, which has them; missing if none is open. */
  readonly grantedFile?: string;
}

/** What {@linkcode readForGood} reads of a file with open grants, to change it. */
export interface GrantedFile {
  readonly inForce: FileInForce;
  /** The open grants beside the file as it is; missing if none is open. */
  readonly granted?: Granted | undefined;
  /** Why they do not go with the file that is in force. */
  readonly problem?: string;
}

/** Reads a file in force and its open grants. What was changed in it by hand counts as changed for good. */
export function readGrantedFile(tool: Tool, slug: string, root: string): GrantedFile {
  const inForce = readFileInForce(tool, slug, root);
  const granted = readGranted(root, slug, tool);
  if (granted === undefined || granted.inForceSha256 === sha256Hex(inForce.currentFile ?? "")) {
    return { inForce, granted };
  }
  try {
    return { inForce, granted: changeInForce(granted, inForce.currentFile) };
  } catch (error) {
    if (!(error instanceof SuperviseError)) throw error;
    const problem = "the file in force was changed by hand, and what was granted cannot be taken " +
      `out of it (${error.message})`;
    return { inForce, granted, problem };
  }
}

/**
 * Reads a config file as it is for good: a proposal is compared with that, so that what is in force for a time
 * alone is not taken for granted. If that cannot be worked out, the file in force is read.
 */
export function readForGood(tool: Tool, slug: string, root: string): FileForGood {
  const { inForce, granted, problem } = readGrantedFile(tool, slug, root);
  if (granted === undefined || problem !== undefined) return inForce;
  const { forGood } = granted;
  return {
    ...inForce,
    currentFile: forGood,
    currentSha256: hashOf(forGood),
    grants: granted.grants.map(({ proposalId, until }) => ({ proposalId, until })),
    grantedFile: inForce.currentFile ?? "",
  };
}

/** An approval that ends, and has not ended yet. */
export interface OpenGrant extends Omit<Grant, "file"> {
  /** The bottle. */
  readonly bottleSlug: string;
  /** The tool whose file it changed. */
  readonly tool: Tool;
  /** Whether its time is over. */
  readonly isOverdue: boolean;
  /** Why it is open all the same, if it is overdue and that is known. It may quote what programs said. */
  readonly why?: string;
  /** Whether that is because no file of its bottle is changed now: frozen, or its enforcer is not proven. */
  readonly isHeld: boolean;
  /** Which of the two: the words in `why` are in part those of others. */
  readonly heldBy?: "not-proven" | "frozen";
}

/** The open grants, and the records of grants that cannot be read. */
export interface OpenGrants {
  /** By bottle; the oldest first. */
  readonly grants: readonly OpenGrant[];
  /** The records that are damaged: what they have stays in force until they are repaired. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/** Which grants, and at what time. */
export interface GrantsOptions extends RootOptions {
  /** That bottle's alone. */
  readonly bottleSlug?: string | undefined;
  /** The time that counts; now unless given. */
  readonly now?: Date;
}

/** Lists the open grants without what they let in. Costs one look into a directory if none is open. */
export function readOpenGrants(
  { root = claudeBottleRoot(), bottleSlug, now = new Date() }: GrantsOptions = {},
): OpenGrants {
  const [grants, unreadable]: [OpenGrant[], { path: string; reason: string }[]] = [[], []];
  for (const { bottleSlug: slug, tool } of grantedFiles(root)) {
    if (bottleSlug !== undefined && slug !== bottleSlug) continue;
    try {
      for (const { file: _, ...grant } of readGranted(root, slug, tool)?.grants ?? []) {
        const isOverdue = Date.parse(grant.until) <= now.getTime();
        const held = isOverdue ? whyHeld(root, slug) : undefined;
        const why = isOverdue ? held?.why ?? grant.problem : undefined;
        const isHeld = held !== undefined;
        const known = { ...(why && { why }), ...held };
        grants.push({ ...grant, bottleSlug: slug, tool, isOverdue, isHeld, ...known });
      }
    } catch (error) {
      if (!(error instanceof SuperviseError)) throw error;
      unreadable.push({ path: grantedPath(root, slug, tool), reason: error.message });
    }
  }
  return { grants, unreadable };
}

/** Why no file of a bottle is changed now. */
function whyHeld(root: string, slug: string): Pick<OpenGrant, "why" | "heldBy"> | undefined {
  const [notProven, frozenUntil] = [readNotProven(root, slug), readFrozen(root, slug)];
  if (notProven !== undefined) {
    const why = `it is not known which file its enforcer has (${notProven.reason})`;
    return { heldBy: "not-proven", why };
  }
  if (frozenUntil === undefined) return undefined;
  return { heldBy: "frozen", why: `its files are frozen until ${frozenUntil}` };
}
