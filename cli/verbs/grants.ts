/**
 * `grants`, `revoke` and `expire`: lists the approvals that end, and ends them.
 *
 * @module
 */

import { readOpenGrants, visibleLine } from "../../internal_mod.ts";
import { type EndedGrant, listGrants, type OpenGrant, revokeGrant } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, namedBottle, openApplier, operatorAccount } from "../command/context.ts";
import { failureOf, NotFoundError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { onlyOne } from "../command/resolve.ts";
import { ensureKey, printApplied } from "../operate/decision.ts";
import { endOverdue } from "../operate/expiry.ts";
import { overdueJson, overdueLines } from "../render/pending.ts";
import { quoteId } from "../render/quote.ts";
import { localTime } from "../render/time.ts";
import { wrap } from "../render/wrap.ts";

/** `grants`: lists what is open. The exit code is 1 if anything should have ended, or cannot be read. */
export function grants({ where, flags, columns, print, printJson, complain }: Context): number {
  const { grants, unreadable } = listGrants(where);
  const exit = unreadable.length > 0 || grants.some(({ isOverdue }) => isOverdue) ? 1 : 0;
  if (flags.json) {
    printJson({ grants: grants.map(grantJson), unreadable });
    return exit;
  }
  if (grants.length + unreadable.length === 0) print("No grant is open.");
  for (const { proposalId, bottleSlug, tool, operator, since, until, lets } of grants) {
    const end = `until ${localTime(until)}`;
    const head = `${quoteId(proposalId)}  ${bottleSlug}  ${tool}  ${end}`;
    const by = `by ${visibleLine(operator, "code")} since ${localTime(since)}`;
    for (const row of wrap("", head, columns, "prose")) print(row);
    for (const row of wrap("  ", visibleLine(`it ${lets}`, "code"), columns, "prose")) print(row);
    for (const row of wrap("  ", by, columns, "prose")) print(row);
  }
  overdueLines({ grants, unreadable }).forEach(complain);
  return exit;
}

function grantJson(grant: OpenGrant & { readonly lets: string }): object {
  const { proposalId, bottleSlug, tool, operator, since, until, lets, isOverdue, why } = grant;
  const about = { id: proposalId, bottle_slug: bottleSlug, tool, operator, since, until, lets };
  return { ...about, overdue: isOverdue, why: why ?? null };
}

/** `revoke ID`, or `revoke --all --bottle SLUG`: takes grants back before their time. */
export async function revoke(context: Context, words: readonly string[]): Promise<number> {
  const { root, where, flags, print, printJson, complain } = context;
  if (flags.all ? words.length > 0 : words.length !== 1) {
    throw new UsageError("Cannot tell which grant: write one ID, or --all and --bottle SLUG");
  }
  if (flags.all) namedBottle(context);
  const { grants: open, unreadable } = readOpenGrants(where);
  const meant = open.filter(({ proposalId }) => flags.all || proposalId.startsWith(words[0]!));
  const isLeft = unreadable.length > 0 && (flags.all || meant.length === 0);
  if (isLeft) overdueLines({ grants: [], unreadable }).forEach(complain);
  if (meant.length === 0 && !flags.all) {
    if (isLeft) throw new Error(`Cannot look for the grant ${words[0]}: a record cannot be read`);
    throw new NotFoundError(
      `Cannot find an open grant ${words[0]}; ${context.supervise} grants lists them`,
    );
  }
  const whole = meant.filter(({ proposalId }) => proposalId === words[0]);
  const chosen = flags.all
    ? meant
    : [onlyOne(context, words[0]!, whole.length > 0 ? whole : meant)];
  await ensureKey(context);
  const applier = await openApplier(context);
  const ended: EndedGrant[] = [];
  const results: object[] = [];
  let exit = isLeft ? 1 : 0;
  for (const { bottleSlug, proposalId } of chosen) {
    const request = { root, bottleSlug, proposalId, applier, operator: operatorAccount() };
    try {
      const [confirmedSlug] = flags.confirm;
      const one = await revokeGrant({ ...request, notes: flags.notes, confirmedSlug });
      if (one === undefined) continue; // Another program ended it just now.
      ended.push(one);
      results.push(endedJson(one));
      if (!flags.json) {
        print(`revoked ${quoteId(proposalId)} (${bottleSlug})`);
        sayWarning(context, one);
      }
    } catch (error) {
      if (!flags.all) throw error;
      const { exit: failed, code, message } = failureOf(error, context);
      exit = failed;
      results.push({ id: proposalId, bottle_slug: bottleSlug, error: { code, message } });
      complain(message);
    }
  }
  if (flags.json) printJson({ revoked: results });
  else {
    printApplied(context, ended);
    if (ended.some(({ applied }) => applied !== undefined)) print(OPEN_CONNECTIONS);
    else if (chosen.length === 0 && !isLeft) print("No grant is open.");
  }
  return exit;
}

const OPEN_CONNECTIONS =
  "Connections that were open stay open, unless apply.json has stop_connections.";

function sayWarning({ complain, visible }: Context, { warning }: EndedGrant): void {
  if (warning !== undefined) complain(visible(`! it is recorded, but: ${warning}`));
}

function endedJson({ proposalId, bottleSlug, applied, auditHead, warning }: EndedGrant): object {
  return {
    id: proposalId,
    bottle_slug: bottleSlug,
    applied: applied ?? null,
    audit_head: auditHead,
    warning,
  };
}

/** `expire`: ends what is over. The exit code is 1 if anything that is over could not be ended. */
export async function expire(context: Context): Promise<number> {
  const { where, flags, print, printJson, complain } = context;
  const { ended, failed } = await endOverdue(context, flags.bottle);
  const { grants: open, unreadable } = readOpenGrants(where);
  // What failed just now could not be noted where the disk is full.
  const grants = open.map((grant) => {
    const why = failed.find(({ bottleSlug, proposalId }) =>
      bottleSlug === grant.bottleSlug && proposalId === grant.proposalId
    )?.error.message;
    return why === undefined ? grant : { ...grant, why };
  });
  if (flags.json) {
    printJson({ ended: ended.map(endedJson), overdue: overdueJson({ grants }), unreadable });
  } else {
    for (const one of ended) {
      print(`ended ${quoteId(one.proposalId)} (${one.bottleSlug})`);
      sayWarning(context, one);
    }
    printApplied(context, ended);
    overdueLines({ grants, unreadable }).forEach(complain);
  }
  // A frozen bottle is what its operator wants.
  const isStuck = grants.some(({ isOverdue, heldBy }) => isOverdue && heldBy !== "frozen");
  return failed.length + unreadable.length > 0 || isStuck ? 1 : 0;
}

if (import.meta.main) await runAlone({ grants, revoke, expire });
