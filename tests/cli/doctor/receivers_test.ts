import type { Finding } from "../../../cli/doctor/finding.ts";
import { checkReceivers } from "../../../cli/doctor/machine.ts";
import { openJournal } from "../../../cli/notify/outbox.ts";
import { updateReceiverRecord } from "../../../internal_mod.ts";
import { supervise } from "../../support/command_line.ts";
import { configure } from "../../support/receiver.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals } from "@std/assert";

const WEBHOOK = { webhook: { url: "https://hooks.example/secret-path" } };

const TRY_IT = "fix that, then try it with supervise notify";

/** What is found, with the times and the root taken out. */
function found(dir: TempDir): readonly string[] {
  const settle = (text: string) =>
    text.replaceAll(dir.path, "$ROOT").replaceAll(/\d{4}-[\d-]+T[\d:.]+Z/g, "TIME");
  return checkReceivers({ root: dir.path, supervise: "supervise" }).map((
    { check, state, says, todo },
  ) => settle(`${state} ${check}: ${says}${todo === undefined ? "" : ` -> ${todo}`}`));
}

Deno.test("checkReceivers() says that notifications are off, and changes nothing", async () => {
  await using dir = await tempDir();
  assertEquals(found(dir), ["ok notify: Notifications are off: no notify.json"]);
  await configure(dir, {});
  assertEquals(found(dir), ["ok notify: Notifications are off: notify.json names no receiver"]);
  assertEquals([...Deno.readDirSync(dir.at("private"))].map(({ name }) => name), [
    "webhook-secret",
  ]);
});

Deno.test("checkReceivers() names a file that cannot be used, and what to do", async () => {
  await using dir = await tempDir();
  await configure(dir, "{");
  assertEquals(found(dir), [
    `bad notify: Cannot use $ROOT/notify.json: it is not JSON; docs/notify.md has examples -> ${TRY_IT}`,
  ]);
  await configure(dir, { ...WEBHOOK, terminal: "bell" }, {});
  await Deno.remove(dir.at("private", "webhook-secret"));
  assertEquals(found(dir), [
    "bad notify webhook: Cannot use $ROOT/private/webhook-secret: there is no such file; " +
    `docs/notify.md makes one -> ${TRY_IT}`,
    "ok notify terminal: The terminal of watch and review is notified (bell)",
  ]);
  await configure(dir, WEBHOOK);
  await Deno.chmod(dir.at("private", "webhook-secret"), 0o644);
  assertEquals(found(dir), [
    "bad notify webhook: Cannot use $ROOT/private/webhook-secret: others may read or change it " +
    `(mode 644); run chmod 600 on it -> ${TRY_IT}`,
  ]);
});

Deno.test("checkReceivers() tells a receiver that fails from one that works, was never tried, or lost something", async () => {
  await using dir = await tempDir();
  await configure(dir, WEBHOOK);
  const journal = openJournal("webhook", dir.path);
  const place = "notify webhook: hooks.example:443";
  assertEquals(found(dir), [
    `warn ${place} has not been sent a message yet -> try it with supervise notify`,
  ]);
  await journal.failed("it answered 500");
  assertEquals(found(dir), [
    `bad ${place} has taken no message yet: it answered 500 (1 try, the last at TIME) -> ${TRY_IT}`,
  ]);
  await journal.succeeded();
  assertEquals(found(dir), [`ok ${place} took a message at TIME`]);
  await journal.failed("no answer within 5 s");
  await journal.failed("it answered 500");
  await journal.dropped(3);
  assertEquals(found(dir), [
    `bad ${place} has taken no message since TIME: it answered 500 (2 tries, the last at TIME); ` +
    `3 proposals not sent -> ${TRY_IT}`,
  ]);
  await journal.succeeded();
  await journal.dropped(1);
  assertEquals(found(dir), [
    `warn ${place} took a message at TIME; since then 1 proposal not sent: more came than it ` +
    "took -> look at what is pending with supervise list",
  ]);
});

for (
  const bytes of [
    "",
    "{",
    "null",
    "[]",
    '{"told": 1, "failures": "x", "dropped": -0.5, "last_success": {}}',
    "\u00ff\u0000",
  ]
) {
  Deno.test(`checkReceivers() and whoever tells go on with a record of ${JSON.stringify(bytes)}`, async () => {
    await using dir = await tempDir();
    await configure(dir, WEBHOOK);
    await Deno.mkdir(dir.at("private", "notify"));
    await Deno.writeTextFile(dir.at("private", "notify", "webhook.json"), bytes);
    assertEquals(found(dir).map((line) => line.split(":")[0]), ["warn notify webhook"]);
    const journal = openJournal("webhook", dir.path);
    assertEquals(await journal.claim(["a", "b"]), new Set(["a", "b"]));
    assertEquals(await journal.claim(["b", "c"]), new Set(["c"]));
  });
}

Deno.test("doctor shows a record that somebody wrote without letting it act", async () => {
  await using dir = await tempDir();
  await configure(dir, WEBHOOK);
  await updateReceiverRecord("webhook", (record) => ({
    ...record,
    failures: 1,
    reason: "\x1b[2Jfine\nok all is well",
    lastFailure: "\u202enow",
  }), dir.path);
  const { out } = await supervise(dir.path, ["doctor", "--json"]);
  const { findings } = JSON.parse(out);
  const { says_visible } = findings.find(({ check }: Finding) => check === "notify webhook");
  assertEquals(
    says_visible,
    "hooks.example:443 has taken no message yet: ⟨U+001B⟩[2Jfine\nok all is well " +
      "(1 try, the last at ⟨U+202E⟩now)",
  );
});
