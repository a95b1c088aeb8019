import { makeContext } from "../../../cli/command/context.ts";
import { readFlags } from "../../../cli/command/flags.ts";
import { openNotifier } from "../../../cli/notify/outbox.ts";
import { readOverview } from "../../../mod.ts";
import { changesBetween } from "../../../src/decision/events.ts";
import { configure, startReceiver } from "../../support/receiver.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview } from "../../support/review.ts";
import { tempDir } from "../../support/temp.ts";
import { assertEquals } from "@std/assert";

const UUID = "6da1c435-41d4-4bcd-9f70-63006c4dbbbf";

Deno.test("the full screen tells a webhook of what arrives, and not of what stood there", {
  ignore: NO_TMUX,
}, async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  await configure(dir, { webhook: { url: receiver.url("/hook") } });
  await queueSample(dir.path, { id: "before" });
  await using review = await openReview(dir);
  await queueSample(dir.path, { id: UUID, justification: "EVIL words." });
  const { body } = await receiver.next();
  assertEquals(JSON.parse(body).data.text, "1 proposal waits in dev-1 (6da1c435). 2 wait in all");
  assertEquals(body.includes("EVIL"), false);
  await review.type("q");
  await review.shows(/^ended 0$/m);
  assertEquals(receiver.left(), 0);
});

Deno.test("what is not listed counts among what waits", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  await configure(dir, { webhook: { url: receiver.url("/hook") } });
  const nothing = () => {};
  const context = makeContext(readFlags(["review", "--root", dir.path, "--plain"]), {
    print: nothing,
    write: nothing,
    complain: nothing,
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: false,
    columns: 80,
  });
  const notifier = openNotifier(context);
  const before = readOverview({ root: dir.path });
  notifier.take(changesBetween(undefined, before, () => new Map()));
  await queueSample(dir.path, { id: UUID });
  const unlisted = [{ bottleSlug: "dev-1", count: 40 }];
  const now = { ...readOverview({ root: dir.path }), unlisted };
  notifier.take(changesBetween(before, now, () => new Map()));
  await notifier.close();
  assertEquals(JSON.parse((await receiver.next()).body).data.waiting, 41);
});
