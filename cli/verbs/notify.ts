/**
 * `notify`: sends a test to every receiver in `notify.json`.
 *
 * @module
 */

import { runAlone } from "../command/alone.ts";
import type { Context } from "../command/context.ts";
import { NotifyConfigError, notifyConfigPath } from "../notify/config.ts";
import { testMessage } from "../notify/message.ts";
import { openJournal } from "../notify/outbox.ts";
import { readReceivers, type Receiver, terminalReceiver } from "../notify/receivers.ts";
import { alignColumns } from "../render/wrap.ts";

interface Row {
  readonly receiver: string;
  readonly place?: string;
  readonly result: "told" | "failed" | "skipped";
  readonly says: string;
}

/**
 * Sends a test message to each receiver, once, all at the same time. The exit code is 1 if one of them
 * failed.
 */
export async function notify(context: Context): Promise<number> {
  const receivers = readReceivers(context.root);
  const path = notifyConfigPath(context.root);
  if (!receivers.configured) {
    throw new NotifyConfigError(
      `Cannot notify: there is no ${path}; docs/notify.md says what to write`,
    );
  }
  const rows = await Promise.all([...testsOf(context, receivers)]);
  if (rows.length === 0) {
    throw new NotifyConfigError(
      `Cannot notify: ${path} names no receiver; docs/notify.md says what to write`,
    );
  }
  if (context.flags.json) context.printJson({ receivers: rows });
  else for (const line of alignColumns(rows.map(cellsOf))) context.print(line);
  return rows.some(({ result }) => result === "failed") ? 1 : 0;
}

function* testsOf(
  context: Context,
  { terminal, remote, problems }: ReturnType<typeof readReceivers>,
): Generator<Row | Promise<Row>> {
  for (const { name, says } of problems) {
    if (name === "notify.json") throw new NotifyConfigError(says);
    yield { receiver: name, result: "failed", says };
  }
  if (terminal !== undefined) {
    const own = terminalReceiver(context, terminal);
    const says = "standard output is not a terminal, or is for a program";
    yield own === undefined
      ? { receiver: "terminal", result: "skipped", says }
      : test(own, context.root);
  }
  for (const receiver of remote) yield test(receiver, context.root);
}

async function test(receiver: Receiver, root: string): Promise<Row> {
  const { name, place } = receiver;
  const { told, says } = await receiver.send(testMessage(Date.now()), new AbortController().signal);
  // Doctor checks the receivers on the network, not the terminal.
  if (place !== undefined) {
    const journal = openJournal(name, root);
    await (told ? journal.succeeded() : journal.failed(says));
  }
  const where = place === undefined ? {} : { place };
  return { receiver: name, ...where, result: told ? "told" : "failed", says };
}

function cellsOf({ result, receiver, place, says }: Row): string[] {
  return [result, receiver, [place ?? [], says].flat().join("  ")];
}

if (import.meta.main) await runAlone({ notify });
