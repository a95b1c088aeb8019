/**
 * The operator's command line: from arguments to a verb, and from what it throws to an exit code.
 *
 * It needs to read and write the root, to start the editor, and, if there is a `notify.json`, to reach
 * the hosts that it names. Run it with `cli/supervise.sh`, which grants exactly that. From JSR, `launcher`
 * prints that script; without it:
 *
 * ```sh
 * deno run --no-prompt --allow-read=$ROOT --allow-write=$ROOT --allow-run=vi \
 *   --allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR,COLUMNS,TERM,TERM_PROGRAM \
 *   --allow-sys=hostname,uid,gid,userInfo,statfs jsr:@claude-bottle/supervise/cli list
 * ```
 *
 * On the whole screen, `review` also needs `--allow-run` for `cli/suspend.sh`; without it Ctrl-Z does
 * nothing.
 *
 * @module
 */

import { type Run, runCommand, type VerbWithFile } from "./command/run.ts";
import { processTerminal, type Terminal } from "./command/terminal.ts";

export type { Terminal };

/** Each verb is loaded when it runs, so that no verb waits for the imports of another kind. */
const LOAD: Readonly<Record<VerbWithFile, () => Promise<Run>>> = {
  "list": async () => (await import("./verbs/list.ts")).list,
  "show": async () => (await import("./verbs/show.ts")).show,
  "approve": async () => (await import("./verbs/decide.ts")).approve,
  "modify": async () => (await import("./verbs/decide.ts")).modify,
  "reject": async () => (await import("./verbs/decide.ts")).reject,
  "review": async () => (await import("./verbs/review.ts")).review,
  "watch": async () => (await import("./verbs/watch.ts")).watch,
  "notify": async () => (await import("./verbs/notify.ts")).notify,
  "policy test": async () => (await import("./verbs/policy.ts")).policyTest,
  "policy suggest": async () => (await import("./verbs/suggest.ts")).policySuggest,
  "policy standing": async () => (await import("./verbs/standing.ts")).policyStanding,
  "apply init": async () => (await import("./verbs/apply.ts")).applyInit,
  "apply check": async () => (await import("./verbs/apply.ts")).applyCheck,
  "apply resolve": async () => (await import("./verbs/apply_state.ts")).applyResolve,
  "edit": async () => (await import("./verbs/edit.ts")).edit,
  "versions": async () => (await import("./verbs/versions.ts")).versions,
  "rollback": async () => (await import("./verbs/versions.ts")).rollback,
  "drift": async () => (await import("./verbs/versions.ts")).drift,
  "freeze": async () => (await import("./verbs/apply_state.ts")).freezeBottle,
  "grants": async () => (await import("./verbs/grants.ts")).grants,
  "revoke": async () => (await import("./verbs/grants.ts")).revoke,
  "expire": async () => (await import("./verbs/grants.ts")).expire,
  "audit show": async () => (await import("./verbs/audit_show.ts")).auditShow,
  "audit verify": async () => (await import("./verbs/audit_verify.ts")).auditVerify,
  "audit export": async () => (await import("./verbs/audit.ts")).auditExport,
  "audit head": async () => (await import("./verbs/audit.ts")).auditHead,
  "bottle add": async () => (await import("./verbs/bottle.ts")).bottleAdd,
  "bottle up": async () => (await import("./verbs/bottle.ts")).bottleUp,
  "bottle down": async () => (await import("./verbs/bottle.ts")).bottleDown,
  "bottle status": async () => (await import("./verbs/bottle.ts")).bottleStatus,
  "bottle list": async () => (await import("./verbs/bottle.ts")).bottleList,
  "bottle remove": async () => (await import("./verbs/bottle.ts")).bottleRemove,
  "doctor": async () => (await import("./verbs/doctor.ts")).doctor,
  "completions": async () => (await import("./verbs/completions.ts")).completions,
};

/**
 * Runs a command.
 *
 * @param args The command line, without the program's name.
 * @param terminal Where to print; the process's own unless given.
 * @returns The exit code.
 */
export async function main(
  args: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  return await runCommand(args, terminal, {
    load: (name) => LOAD[name](),
    context: () => import("./command/context.ts"),
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
