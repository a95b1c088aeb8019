/**
 * `policy suggest`: drafts rules from what people approved again and again.
 *
 * @module
 */

import { asciiJson, readPolicy, suggestFor, type Suggestions } from "../../internal_mod.ts";
import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { counted } from "../doctor/finding.ts";
import { selectLogs } from "../operate/logs.ts";

function rowsOf({ suggestions, saved, decided, lost }: Suggestions): string[] {
  const total = `${saved} of ${counted(decided, "decision")} of people`;
  return [
    ...suggestions.flatMap(({ json, saved, bottles }) => [
      `Saves ${counted(saved, "decision")}, in ${bottles.join(", ")}; decides none otherwise:`,
      ...asciiJson(json, 2).split("\n"),
      "",
    ]),
    suggestions.length === 0
      ? `There is nothing to suggest, after ${counted(decided, "decision")} of people.`
      : `All together save ${total}. Put what you want into "rules" of policy.json, then policy test.`,
    ...(lost === 0
      ? []
      : [`${lost} not replayed: the proposal or the file in force is not there any more.`]),
  ];
}

/** Prints drafts of rules, each with an example and what it would have saved. A policy that cannot be used is an error. */
export function policySuggest(context: Context): void {
  const { root, flags, print } = context;
  const inForce = readPolicy(root);
  if (inForce.policy === undefined) throw new Error(`Cannot use policy.json: ${inForce.problem}`);
  const found = suggestFor(selectLogs(context), inForce, root);
  const { suggestions, saved, decided, lost } = found;
  if (!flags.json) return rowsOf(found).forEach(print);
  context.printJson({
    suggestions: suggestions.map(({ json, ...rest }) => ({ rule: json, ...rest, otherwise: 0 })),
    saved,
    decided,
    not_replayed: lost,
  });
}

if (import.meta.main) await runAlone({ "policy suggest": policySuggest });
