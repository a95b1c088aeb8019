/**
 * The commands that are swept, and the roots they start from.
 *
 * @module
 */

import { join } from "@std/path";
import { sha256Hex } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { runHere } from "./again.ts";
import type { Decision } from "./invariants.ts";

/** The proposal that the commands decide. */
export const ID = "aaaa-swept";

/** A proposal that is decided afterwards, to see that nothing is stuck. */
export const NEXT_ID = "bbbb-next";

/** What `modify` puts in the place of the agent's file. */
export const VERSION = "api.example.com\n";

/** A command, and the root that it starts from. */
export interface SweptCommand {
  /** Its name in the report. */
  readonly name: string;
  /** Makes the root. */
  readonly prepare: (root: string) => Promise<void>;
  /** The command line; the last argument is the file with {@linkcode VERSION}. */
  readonly args: (root: string, versionFile: string) => readonly string[];
  /** What it decides. */
  readonly decision: Decision;
}

/** A root that nobody has decided anything in: every directory, key and log is made by the command. */
async function prepareNew(root: string): Promise<void> {
  await queueSample(root, { id: ID });
  await queueSample(root, { id: NEXT_ID });
}

/** A root as it usually is: files in force, decisions in the log, the proposal has been looked at. */
async function prepareUsed(root: string): Promise<void> {
  const inForce = join(root, "current-config", "dev-1");
  await Deno.mkdir(inForce, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(join(inForce, "allowlist"), "api.github.com\n");
  const currentFileHash = sha256Hex("api.github.com\n");
  for (const id of ["0000-before", ID, NEXT_ID]) await queueSample(root, { id, currentFileHash });
  await expectDone(["reject", "0000-before", "--notes", "Not that.", "--root", root]);
  await expectDone(["show", ID, "--root", root]);
}

async function expectDone(args: readonly string[]): Promise<void> {
  const said = await runHere(args);
  if (said === "hung" || said.exit !== 0) {
    throw new Error(
      `Cannot prepare the sweep: ${args.join(" ")} ended with ${JSON.stringify(said)}`,
    );
  }
}

const APPROVED = "api.example.com\napi.github.com\n";
const NOTES = "Read-only, fine.";

function approve(name: string, prepare: SweptCommand["prepare"]): SweptCommand {
  return {
    name,
    prepare,
    args: (root) => ["approve", ID, "--notes", NOTES, "--root", root],
    decision: { id: ID, status: "approved", notes: NOTES, finalFile: APPROVED },
  };
}

/** The commands. */
export const COMMANDS: readonly SweptCommand[] = [
  approve("approve", prepareUsed),
  approve("approve-first", prepareNew),
  {
    name: "modify",
    prepare: prepareUsed,
    args: (root, file) => ["modify", ID, "--file", file, "--notes", NOTES, "--root", root],
    decision: { id: ID, status: "modified", notes: NOTES, finalFile: VERSION },
  },
  {
    name: "reject",
    prepare: prepareUsed,
    args: (root) => ["reject", ID, "--notes", NOTES, "--root", root],
    decision: { id: ID, status: "rejected", notes: NOTES, finalFile: null },
  },
];
