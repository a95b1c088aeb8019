/**
 * Refuses tests that measure time: on a busy machine they fail without a fault.
 *
 * @module
 */

import { linted, memberName } from "./syntax.ts";

/** Calls that read a clock in order to subtract: by object, then by name. */
const CLOCKS: Readonly<Record<string, readonly string[]>> = {
  performance: ["now", "measure"],
  process: ["hrtime"],
  console: ["time", "timeEnd"],
};

/** Refuses clocks in test files. What waits patiently for others, and gives up, is in tests/support/. */
export const noTimedTests: Deno.lint.Rule = {
  create(context) {
    const { path } = linted(context);
    if (!path?.endsWith("_test.ts")) return {};
    return {
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== "MemberExpression" || callee.object.type !== "Identifier") return;
        const [clock, name] = [callee.object.name, memberName(callee)];
        if (name === undefined || !CLOCKS[clock]?.includes(name)) return;
        const message = `Cannot use ${clock}.${name}() in ${path}: ` +
          "a busy machine makes such a test fail; wait for an event, or assert what was done, not how fast";
        context.report({ node, message });
      },
    };
  },
};
