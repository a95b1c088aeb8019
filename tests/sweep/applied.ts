/**
 * The commands that change a file in force while an applier works: it renders, checks, reloads and probes by the
 * programs of an `apply.json`. And an edit without one.
 *
 * @module
 */

import { sha256Hex, TOOL_PIPELOCK_BLOCK } from "../../mod.ts";
import { formatGranted, writeGranted } from "../../src/decision/granted.ts";
import { noteNotProven } from "../../src/host/apply_state.ts";
import { SLUG } from "../support/operator.ts";
import { problemsOf, runHere } from "./again.ts";
import {
  ID,
  IN_FORCE,
  NEXT_ID,
  NOTES,
  permissions,
  prepareUsed,
  PROMISED,
  PROPOSED,
} from "./commands.ts";
import { type Disk, readDisk } from "./disk.ts";
import {
  enforcerGrants,
  leftBehind,
  prepareEnforcer,
  problemsOfEnforcing,
  UNREADABLE,
  untilIdle,
  writeApplyConfig,
} from "./enforcer.ts";
import {
  type Decision,
  decisionsOn,
  problemsAtAnyTime,
  problemsAtTheEnd,
  problemsOfReport,
  type Said,
} from "./invariants.ts";
import { startProgram } from "./program.ts";
import type { Judgement, Subject } from "./subject.ts";
import { join } from "@std/path";

const BEFORE = IN_FORCE.allowlist;

const GRANTED_ID = "granted";

const UNREAD = `${BEFORE}${UNREADABLE}\n`;

/** A command that changes a file in force. */
interface Change {
  readonly name: string;
  readonly args: readonly string[];
  /** What renders; `undefined` without an applier. */
  readonly render?: "squid" | "program";
  /** What the proposals propose. */
  readonly proposed?: string;
  /** What would be in force, if it took effect. */
  readonly after: string;
  /** The code that it ends with, undisturbed; `undefined` if it succeeds. */
  readonly code?: string;
  /** The decision that it makes, if it makes one. */
  readonly decision?: Decision;
  readonly prepare?: (root: string) => void;
  /** The code that it ends with once it is recorded; `cancelled` unless given, or if it decides `already_decided`. */
  readonly codeAgain?: string;
  /** How often what it does is recorded. */
  readonly recordsIn: (disk: Disk) => number;
}

const decision: Decision = { id: ID, status: "approved", notes: NOTES, finalFile: PROPOSED };

const decisions = (disk: Disk) => decisionsOn(disk, ID).length;

const linesOf = (action: string) => (disk: Disk) =>
  disk.lines.filter((line) => line.operator_action === action).length;

/**
 * The commands.
 *
 * @param versionFile A file outside of the root, which is written: the operator's version.
 * @returns The commands, to be swept.
 */
export function applyingCommands(versionFile: string): readonly Subject<Said>[] {
  Deno.writeTextFileSync(versionFile, PROPOSED);
  const edited = {
    args: ["edit", "allowlist", "--bottle", SLUG, "--file", versionFile],
    after: PROPOSED,
    recordsIn: linesOf("operator-edit"),
  };
  const changes: readonly Change[] = [
    {
      name: "approve-applied",
      args: ["approve", ID],
      render: "program",
      after: PROPOSED,
      decision,
      recordsIn: decisions,
    },
    {
      name: "approve-taken-back",
      args: ["approve", ID],
      render: "squid",
      proposed: UNREAD,
      after: UNREAD,
      code: "apply_failed",
      recordsIn: decisions,
    },
    {
      name: "modify-applied",
      args: ["modify", ID, "--file", versionFile],
      render: "squid",
      proposed: `${PROPOSED}other.example.com\n`,
      after: PROPOSED,
      decision: { ...decision, status: "modified" },
      recordsIn: decisions,
    },
    { name: "edit-applied", ...edited, render: "program" },
    { name: "edit", ...edited },
    {
      name: "revoke",
      args: ["revoke", GRANTED_ID],
      render: "program",
      after: PROPOSED,
      codeAgain: "not_found",
      // What is in force is granted; what is proposed elsewhere here is what is in force for good.
      prepare(root) {
        const [since, until] = ["2026-11-22T10:49:36.924Z", "2999-01-01T00:00:00.000Z"];
        const grant = { proposalId: GRANTED_ID, operator: "a@host", since, until, file: BEFORE };
        const open = { forGood: PROPOSED, inForceSha256: sha256Hex(BEFORE), grants: [grant] };
        const record = formatGranted({ bottleSlug: SLUG, tool: TOOL_PIPELOCK_BLOCK, ...open });
        writeGranted(root, SLUG, TOOL_PIPELOCK_BLOCK, record);
      },
      recordsIn: linesOf("grant-revoked"),
    },
    {
      name: "resolve",
      args: ["apply", "resolve", "--bottle", SLUG],
      render: "squid",
      after: BEFORE,
      prepare(root) {
        const since = "2026-11-22T10:49:36.924Z";
        noteNotProven(root, SLUG, {
          tool: "pipelock-block",
          reason: "it was killed",
          since,
          mayHave: PROPOSED,
        });
        for (const name of ["allowed", "enforced"]) {
          Deno.writeTextFileSync(join(root, "proxy", name), PROPOSED);
        }
      },
      recordsIn: linesOf("apply-resolved"),
    },
  ];
  return changes.map((change) => subjectOf(change, versionFile));
}

function subjectOf(change: Change, versionFile: string): Subject<Said> {
  const { name, args, render, proposed, code, prepare } = change;
  const argsIn = (root: string) => [...args, "--notes", NOTES, "--root", root];
  return {
    name,
    async prepare(root) {
      await prepareUsed(root, proposed);
      if (render !== undefined) prepareEnforcer(root, BEFORE);
      prepare?.(root);
    },
    settle: (root) => render === undefined ? undefined : writeApplyConfig(root, render),
    start: (cpu, root) =>
      startProgram(
        cpu,
        permissions(root, versionFile, render && enforcerGrants(root)),
        "operator_program.ts",
        argsIn(root),
      ),
    canRepeat: true,
    isDone: (said) => said.code === code,
    promised: code === undefined ? PROMISED : /(?!)/,
    judge: (root, said) => judge(root, change, argsIn(root), said),
  };
}

async function judge(
  root: string,
  change: Change,
  args: readonly string[],
  said: Said | "died",
): Promise<Judgement> {
  if (change.render !== undefined && said === "died") await untilIdle(root);
  const left = readDisk(root);
  const records = change.recordsIn(left);
  const problems = [
    ...problemsNow(root, change, left),
    ...problemsOfSaying(root, change, left, said),
  ];

  // A verb that applies nothing may not take anything back either, nor say that it did.
  problems.push(...await problemsOf([["list", "--root", root]]));
  problems.push(
    ...problemsNow(root, change, readDisk(root)).map((problem) => `after list ${problem}`),
  );
  problems.push(...await problemsOfFinishing(root, change));
  let again = await runHere(args);
  if (isUnproven(readDisk(root))) {
    if (again !== "hung" && again.code !== "enforcer_not_proven") {
      problems.push(`while nothing is proven, it ended with ${again.exit} ${again.code ?? ""}`);
    }
    problems.push(
      ...await problemsOf([
        ["apply", "resolve", "--bottle", SLUG, "--notes", NOTES, "--root", root],
      ]),
    );
    again = await runHere(args);
  }
  problems.push(...problemsOfRepeat(change, again, records));

  const next: Decision = { id: NEXT_ID, status: "rejected", notes: "Next.", finalFile: null };
  problems.push(
    ...await problemsOf([
      ["reject", next.id, "--notes", next.notes, "--root", root],
      ["audit", "verify", "--root", root],
    ]),
  );
  const end = readDisk(root);
  const { decision, after, code, render } = change;
  problems.push(...problemsAtTheEnd(end, decision === undefined ? [next] : [decision, next]));
  problems.push(...leftBehind(end));
  const inForce = code === undefined ? after : BEFORE;
  if (end.inForce.get(ALLOWLIST) !== sha256Hex(inForce)) {
    problems.push("in the end another file is in force");
  }
  if (render !== undefined) problems.push(...problemsOfEnforcing(root, inForce));
  if (code === undefined && change.recordsIn(end) !== 1 && change.decision !== undefined) {
    problems.push(`in the end it is recorded ${change.recordsIn(end)} times`);
  }
  const state = isUnproven(left) ? ", enforcer not proven" : "";
  return { outcome: outcomeOf(said, records) + state, problems: [...new Set(problems)] };
}

const ALLOWLIST = `current-config/${SLUG}/allowlist`;

const isGranted = (disk: Disk) =>
  disk.others.some((path) => /^private\/grants\/.*\.json$/.test(path));

const isUnproven = (disk: Disk) =>
  disk.others.some((path) => path.startsWith("private/not-proven/"));

/** What holds at any moment: the file in force, and the list that the proxy has, are old or new. */
function problemsNow(root: string, { name, render, after }: Change, disk: Disk): string[] {
  const problems = problemsAtAnyTime(disk);
  const sha256 = disk.inForce.get(ALLOWLIST);
  if (![BEFORE, after].some((list) => sha256Hex(list) === sha256)) {
    problems.push("a third file is in force");
  }
  const isOpen = disk.intents.some((path) => path.endsWith(".json"));
  // It may have ended, as long as somebody is going to take that back.
  if (render !== undefined && (!isOpen || after !== UNREAD) && !isUnproven(disk)) {
    problems.push(...problemsOfEnforcing(root, BEFORE, after));
  }
  if (name === "revoke" && !isGranted(disk) && linesOf("grant-revoked")(disk) === 0) {
    problems.push("what is granted is forgotten without a record");
  }
  if (name === "resolve" && !isUnproven(disk) && linesOf("apply-resolved")(disk) === 0) {
    problems.push("what was not proven is forgotten without a record");
  }
  return problems;
}

/**
 * Lets a verb that applies, and decides nothing itself, finish what is open. Then the file in force is the
 * recorded one, and what the proxy enforces, unless it is noted that nobody knows that.
 */
async function problemsOfFinishing(root: string, change: Change): Promise<string[]> {
  const { name, render, after, recordsIn } = change;
  const said = await runHere(["approve", "nobody", "--notes", NOTES, "--root", root]);
  const problems = said !== "hung" && said.code === "not_found"
    ? []
    : [`what was open was not finished: ${said === "hung" ? said : said.code}`];
  const disk = readDisk(root);
  // What it kept beside an intent that was never written is removed by the next decision.
  const open = disk.intents.filter((path) => path.endsWith(".json"));
  problems.push(...open.map((path) => `finished, ${path} is still there`));
  if (name === "revoke" && isGranted(disk) === recordsIn(disk) > 0) {
    problems.push("finished, the record of what is granted is not what the log says");
  }
  const list = name !== "resolve" && recordsIn(disk) > 0 ? after : BEFORE;
  if (disk.inForce.get(ALLOWLIST) !== sha256Hex(list)) {
    problems.push("finished, the file in force is not the one that is recorded");
  }
  if (render === undefined || isUnproven(disk)) return problems;
  const wrong = problemsOfEnforcing(root, list);
  return [...problems, ...wrong.map((problem) => `finished, ${problem}`)];
}

/** Whether the disk and the proxy bear out what was said. */
function problemsOfSaying(
  root: string,
  { name, render, after, decision, recordsIn }: Change,
  disk: Disk,
  said: Said | "died",
): string[] {
  if (said === "died") return [];
  const problems = decision === undefined ? [] : problemsOfReport(disk, said, decision);
  const way = `it said ${said.code ?? "done"}, but`;
  const list = said.exit === 0 ? after : BEFORE;
  // What is said to be recorded, or to be open, the next run brings to its end.
  const isSettled = disk.intents.length === 0 && !isUnproven(disk) && name !== "resolve";
  if (said.exit === 0 && recordsIn(disk) === 0) problems.push(`${way} no line is there`);
  if (said.exit !== 0 && decision === undefined && isSettled && recordsIn(disk) > 0) {
    problems.push(`${way} the line is there`);
  }
  if (said.code === "enforcer_not_proven" && !isUnproven(disk)) {
    problems.push(`${way} that is not noted`);
  }
  if (said.exit !== 0 && (!isSettled || said.code === "recorded")) return problems;
  if (disk.inForce.get(ALLOWLIST) !== sha256Hex(list)) {
    problems.push(`${way} another file is in force`);
  }
  if (render === undefined) return problems;
  return [...problems, ...problemsOfEnforcing(root, list).map((problem) => `${way} ${problem}`)];
}

/** What the same command must come to without a fault. */
function problemsOfRepeat(
  { code, codeAgain = "cancelled", decision, name }: Change,
  again: Said | "hung",
  records: number,
): string[] {
  if (again === "hung") return ["run again, it hung"];
  const isRecorded = records > 0 && name !== "resolve";
  const expected = code ?? (isRecorded ? decision ? "already_decided" : codeAgain : undefined);
  if (again.code === expected) return [];
  return [`run again, with ${records} records, it ended with ${again.exit} ${again.code ?? ""}`];
}

function outcomeOf(said: Said | "died", records: number): string {
  if (said === "died") return records === 0 ? "dropped" : "completed";
  if (said.exit === 0) return "succeeded";
  return said.code === "recorded" ? "recorded" : "refused";
}
