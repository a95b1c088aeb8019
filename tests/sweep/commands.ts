/**
 * The commands that decide, and the roots that they start from.
 *
 * @module
 */

import { sha256Hex } from "../../mod.ts";
import { FOREIGN_LINE } from "../support/audit.ts";
import { queueSample } from "../support/records.ts";
import { problemsOf } from "./again.ts";
import type { Decision, Said } from "./invariants.ts";
import { judgeDecision } from "./judge.ts";
import { startProgram } from "./program.ts";
import type { Subject } from "./subject.ts";
import { join } from "@std/path";

/** The proposal that the commands decide. */
export const ID = "aaaa-swept";

/** A proposal that is decided afterwards. */
export const NEXT_ID = "bbbb-next";

/** What it proposes. */
export const PROPOSED = "api.example.com\napi.github.com\n";

const VERSION = "api.example.com\n";

/** The operator's words. */
export const NOTES = "Read-only, fine.";

/** The files in force of a root in use. */
export const IN_FORCE = {
  "allowlist": "api.github.com\n",
  "routes.json": '{"routes": []}\n',
  "Dockerfile": "FROM scratch\n",
};

/** What a command syncs before it says that it is done. `proxy` is what an enforcer reads. */
export const PROMISED =
  /^(audit|queue|current-config|proxy)(\/|$)|^private\/(intents|staging)\/|^standing\.json$/;

/** What is decided, and with which words of the command line. */
interface Verdict {
  readonly name: string;
  readonly args: readonly string[];
  readonly decision: Decision;
  readonly prepare: (root: string) => Promise<void>;
}

/**
 * The commands: each verb on a root in use, the first decision in a new one, and one with a log so long
 * that its index is made by the command, and brought along by the line that it appends.
 *
 * @param versionFile A file outside of the root, which is written: the operator's version.
 * @returns The commands, to be swept.
 */
export function decidingCommands(versionFile: string): readonly Subject<Said>[] {
  Deno.writeTextFileSync(versionFile, VERSION);
  const approval: Decision = { id: ID, status: "approved", notes: NOTES, finalFile: PROPOSED };
  const verdicts: readonly Verdict[] = [
    { name: "approve", args: ["approve"], decision: approval, prepare: prepareUsed },
    { name: "approve-first", args: ["approve"], decision: approval, prepare: prepareNew },
    { name: "approve-long", args: ["approve"], decision: approval, prepare: prepareLong },
    {
      name: "approve-standing",
      args: ["approve", "--standing", "30d"],
      decision: approval,
      prepare: prepareUsed,
    },
    {
      name: "modify",
      args: ["modify", "--file", versionFile],
      decision: { ...approval, status: "modified", finalFile: VERSION },
      prepare: prepareUsed,
    },
    {
      name: "reject",
      args: ["reject"],
      decision: { ...approval, status: "rejected", finalFile: null },
      prepare: prepareUsed,
    },
  ];
  return verdicts.map(({ name, args: [verb, ...flags], decision, prepare }) => {
    const argsIn = (root: string) => [
      ...[verb!, ID, ...flags, "--notes", NOTES, "--root", root],
    ];
    return {
      name,
      prepare,
      start: (cpu, root) =>
        startProgram(
          cpu,
          permissions(root, versionFile),
          "operator_program.ts",
          argsIn(root),
        ),
      canRepeat: true,
      isDone: ({ exit }) => exit === 0,
      promised: PROMISED,
      judge: (root, said) =>
        judgeDecision(root, { args: argsIn(root), decision, nextId: NEXT_ID }, said),
    };
  });
}

/**
 * What cli/supervise.sh grants.
 *
 * @param root The root.
 * @param file A file that a flag names.
 * @param more The programs and addresses of `apply.json`.
 */
export function permissions(
  root: string,
  file: string,
  { run, net }: { readonly run: readonly string[]; readonly net: readonly string[] } = {
    run: [],
    net: [],
  },
): readonly string[] {
  return [
    `--allow-read=${root},${file}`,
    `--allow-write=${root}`,
    `--allow-run=${["vi", ...run]}`,
    ...(net.length > 0 ? [`--allow-net=${net}`] : []),
    "--allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR",
    "--allow-sys=hostname,uid,gid,userInfo",
  ];
}

/** A root that nobody has decided anything in: every directory, key and log is made by the command. */
async function prepareNew(root: string): Promise<void> {
  for (const id of [ID, NEXT_ID]) await queueSample(root, { id });
}

/**
 * Makes a root as it usually is: files in force, decisions in the log, the proposal has been looked at.
 *
 * @param root The root.
 * @param proposedFile What the proposals propose.
 */
export async function prepareUsed(root: string, proposedFile = PROPOSED): Promise<void> {
  const inForce = join(root, "current-config", "dev-1");
  await Deno.mkdir(inForce, { recursive: true, mode: 0o700 });
  // With all three, a process that did this before makes the same calls, and need not be a new one.
  for (const [name, text] of Object.entries(IN_FORCE)) {
    await Deno.writeTextFile(join(inForce, name), text);
  }
  const currentFileHash = sha256Hex(IN_FORCE.allowlist);
  for (const id of ["0000-before", ID, NEXT_ID]) {
    await queueSample(root, { id, currentFileHash, proposedFile });
  }
  const problems = await problemsOf([
    ["reject", "0000-before", "--notes", "Not that.", "--root", root],
    ["show", ID, "--root", root],
  ]);
  if (problems.length > 0) throw new Error(`Cannot prepare the sweep: ${problems.join("; ")}`);
}

/** A root in use whose log is long. It is put back as another file, so what index there is does not fit. */
async function prepareLong(root: string): Promise<void> {
  await prepareUsed(root);
  const log = join(root, "audit", "pipelock-dev-1.log");
  await Deno.writeTextFile(log, FOREIGN_LINE.repeat(400), { append: true });
  const problems = await problemsOf([["show", NEXT_ID, "--root", root]]);
  if (problems.length > 0) throw new Error(`Cannot prepare the sweep: ${problems.join("; ")}`);
  Deno.statSync(join(root, "private", "index", "pipelock-dev-1"));
}
