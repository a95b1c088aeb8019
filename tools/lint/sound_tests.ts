/**
 * Refuses tests that measure time, which fail on a busy machine without a fault; tests that change what
 * belongs to the whole process, which disturb those that run at the same time; and properties that pass
 * over cases without a count of the others, which hold if they pass over all.
 *
 * @module
 */

import { linted, memberName } from "./syntax.ts";

const TIME = "a busy machine makes such a test fail; wait for an event, or assert what was done";

const PROCESS = "other tests run at the same time; pass it in, or start a process of its own";

/** Calls that no test makes, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  "performance.now": TIME,
  "performance.measure": TIME,
  "process.hrtime": TIME,
  "console.time": TIME,
  "Deno.env.set": PROCESS,
  "Deno.env.delete": PROCESS,
  "Deno.chdir": PROCESS,
  "Deno.umask": PROCESS,
  "process.setuid": PROCESS,
  "process.seteuid": PROCESS,
  "process.setgid": PROCESS,
  "process.setegid": PROCESS,
};

const COUNT =
  "it holds if every case returns here; count the cases that go on, and assert the count";

/** A name with its dots; `undefined` for any other expression. */
function dotted(node: Deno.lint.Node): string | undefined {
  if (node.type === "Identifier") return node.name;
  if (node.type === "TSNonNullExpression") return dotted(node.expression);
  if (node.type !== "MemberExpression") return undefined;
  const [object, member] = [dotted(node.object), memberName(node)];
  return object === undefined || member === undefined ? undefined : `${object}.${member}`;
}

/** Refuses them in test files. What waits patiently for others, and gives up, is in tests/support/. */
export const soundTests: Deno.lint.Rule = {
  create(context) {
    const { path } = linted(context);
    if (!path?.endsWith("_test.ts")) return {};
    return {
      CallExpression(node) {
        const name = dotted(node.callee);
        const text = context.sourceCode.getText(node);
        if (/^fc\.(?:async)?[Pp]roperty$/.test(name ?? "") && /\breturn;/.test(text)) {
          if (!/\+\+|\+=/.test(text)) {
            context.report({ node, message: `Cannot pass over cases in ${path}: ${COUNT}` });
          }
        }
        const reason = name === undefined ? undefined : REFUSED[name];
        if (reason === undefined) return;
        context.report({ node, message: `Cannot call ${name}() in ${path}: ${reason}` });
      },
    };
  },
};
