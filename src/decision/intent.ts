/**
 * The intent: what is about to change and to be recorded for a bottle. The next run reads it after a crash.
 *
 * @module
 */

import { intentsDir } from "../disk/layout.ts";
import { ownFileStamp, readOwnFile } from "../disk/read_own.ts";
import { replaceFileAlone } from "../disk/write.ts";
import { isTool, parseAuditEntry, parseJsonBytes, parseResponse } from "../records/codec.ts";
import { MalformedRecordError } from "../records/errors.ts";
import type { Tool } from "../records/proposal.ts";
import { type Check, isCount, isFlag, isJsonObject, isText, shapeOf } from "../records/shape.ts";
import { asciiJson } from "../text/json.ts";
import { join } from "@std/path";

/** Which file in force changes, from which bytes to which. */
export interface ChangeNote {
  readonly tool: Tool;
  /** SHA-256 of the bytes before, `""` if there was no file. {@linkcode keptPath} has them, and those after. */
  readonly beforeSha256: string;
  /** SHA-256 of the bytes after, `""` if there is no file then. */
  readonly afterSha256: string;
  /** Whether an applier makes the change take effect. */
  readonly enforced: boolean;
}

/** What is about to be recorded, with the exact bytes of both files once the line is sealed. */
export interface Intent {
  readonly bottleSlug: string;
  /** The proposal; `""` if the operator changes a file without one. */
  readonly proposalId: string;
  readonly component: string;
  /** The change of the file in force; `null` if there is none. */
  readonly change: ChangeNote | null;
  /** The log's length before: the line, if it is there, begins at this byte or later. */
  readonly logSize: number;
  /** The audit line, the LF included; `""` until it is sealed. */
  readonly line: string;
  /** The response file's text; `""` until the line is sealed, and without a proposal. */
  readonly response: string;
  /** Whether an unrecorded response in its place in the queue is moved away. */
  readonly overrideUnrecorded: boolean;
  /** The record of the file's open grants once the line is there, and before; `null` if it stays as it is. */
  readonly granted: (GrantedNote & { readonly before: string }) | null;
}

/** The record of a file's open grants, "" for none. */
export interface GrantedNote {
  readonly tool: Tool;
  readonly record: string;
}

const isGranted: Check = (value) =>
  value === null ||
    isJsonObject(value) && isTool(value.tool) === undefined &&
      isText(value.record) === undefined && isText(value.before) === undefined
    ? undefined
    : "not a record of grants";

const isHash: Check = (value) =>
  typeof value === "string" && /^(?:[0-9a-f]{64})?$/.test(value) ? undefined : "not a hash";

const CHANGE = shapeOf<ChangeNote>("change", {
  tool: { wire: "tool", check: isTool },
  beforeSha256: { wire: "before_sha256", check: isHash },
  afterSha256: { wire: "after_sha256", check: isHash },
  enforced: { wire: "enforced", check: isFlag },
});

type OnDisk = Omit<Intent, "change"> & { readonly version: number; readonly change: unknown };

const INTENT = shapeOf<OnDisk>("intent", {
  version: { wire: "version", check: (value) => value === 1 ? undefined : "not 1" },
  bottleSlug: { wire: "bottle_slug", check: isText },
  proposalId: { wire: "proposal_id", check: isText },
  component: { wire: "component", check: isText },
  change: { wire: "change", check: () => undefined, missing: null },
  logSize: { wire: "log_size", check: isCount },
  line: { wire: "line", check: isText },
  response: { wire: "response", check: isText },
  overrideUnrecorded: { wire: "override_foreign", check: isFlag, missing: false },
  granted: { wire: "granted", check: isGranted, missing: null },
});

export function intentPath(root: string, slug: string): string {
  return join(intentsDir(root), `${slug}.json`);
}

/** Where the bytes of a file in force are from before, or after, an open change. */
export function keptPath(root: string, slug: string, which: "before" | "after"): string {
  return join(intentsDir(root), `${slug}.${which}`);
}

/** Writes the bottle's intent, durable once this returns. The caller holds the bottle's lock. */
export function writeIntent(root: string, intent: Intent): void {
  const change = intent.change && CHANGE.write(intent.change);
  const text = asciiJson(INTENT.write({ version: 1, ...intent, change }));
  replaceFileAlone(intentPath(root, intent.bottleSlug), new TextEncoder().encode(text + "\n"));
}

/** @throws {MalformedRecordError} If it is not an intent: its operator has to move it away. */
function parseIntent(bytes: Uint8Array, path: string, slug: string): Intent {
  const raw = parseJsonBytes(bytes, path);
  try {
    const { version: _, change, ...read } = INTENT.read(raw, path);
    const intent = { ...read, change: change === null ? null : CHANGE.read(change, path) };
    if (intent.bottleSlug === slug && isSound(intent)) return intent;
  } catch {
    // The error below names the file, which is what the operator has to move.
  }
  const way =
    `move it away to go on, and ${slug}.before, if that is there, with it: that is the file from before a ` +
    "change, and the one in force may be in no record";
  throw new MalformedRecordError(path, undefined, `it is not an intent; ${way}`);
}

/** Whether the line records what the intent is about, and the response is that decision's. */
function isSound({ line, response, proposalId, change }: Intent): boolean {
  if (line === "") return response === "" && change !== null;
  const recorded = parseAuditEntry(JSON.parse(line), "the line");
  if (!line.endsWith("}\n") || (recorded.proposalId ?? "") !== proposalId) return false;
  if (proposalId === "") return response === "";
  const told = parseResponse(JSON.parse(response), "the response");
  return told.proposalId === proposalId && told.status === recorded.operatorAction;
}

/** The bottle's intent; `undefined` if nothing is open. */
export function readIntent(root: string, slug: string): Intent | undefined {
  const path = intentPath(root, slug);
  const bytes = readOwnFile(path);
  return bytes === undefined ? undefined : parseIntent(bytes, path, slug);
}

/** Whether a file, or something else, has the name of a bottle's intent and is not an intent. Waits for no writer. */
export function isBrokenIntent(root: string, slug: string): boolean {
  // It may be gone again by now, or be a FIFO, and reading that would wait for a writer.
  const stamp = ownFileStamp(intentPath(root, slug));
  if (stamp?.isFile !== true) return stamp !== undefined;
  try {
    readIntent(root, slug);
    return false;
  } catch (error) {
    if (error instanceof MalformedRecordError) return true;
    throw error;
  }
}
