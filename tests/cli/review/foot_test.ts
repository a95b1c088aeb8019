import { BINDINGS } from "../../../cli/review/keymap.ts";
import { decide, writeResponse } from "../../../mod.ts";
import { openTestApp, type TestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

/** Which of the keys that decide or open the foot has. */
const keysOf = (app: TestApp) =>
  [...app.screen().split("\n").at(-1)!.matchAll(/ (Enter|a|m|r|s|x) [a-z]/g)].map(([, key]) => key);

Deno.test("the foot has the keys of a proposal while one waits, and no longer", async () => {
  await using dir = await tempDir();
  const app = await openTestApp(dir);
  assertEquals(keysOf(app), []);
  const { proposalId, proposalSha256 } = await queueSample(dir.path, { id: "p1" });
  await app.look();
  assertEquals(keysOf(app), ["Enter", "a", "m", "r", "s", "x"]);
  await app.press("return");
  assertEquals(keysOf(app), ["a", "m", "r", "s"]);
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId, proposalSha256 };
  await decide({ ...ref, verdict: { status: "rejected" }, notes: "no", operator: "bob@there" });
  await app.look();
  assertStringIncludes(app.screen(), "! It is no longer pending: rejected by bob@there");
  assertEquals(keysOf(app), []);
  await app.press("q");
  assertEquals(keysOf(app), []);
  await queueSample(dir.path, { id: "p2" });
  await app.look();
  await app.press("j", "x", "k");
  // They are for what is selected, wherever the cursor is.
  assertEquals(keysOf(app), ["a", "r"]);
});

Deno.test("hiding all that is pending does not say that nothing is", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir);
  await app.decide("s");
  assertStringIncludes(app.screen(), "Nothing else is pending. 1 hidden with s: S shows them.");
});

Deno.test("at forty columns an alarm names the bottle and what it says; an invalid file is called that", async () => {
  await using dir = await tempDir();
  const bottleSlug = "claude-bottle-customer-dev-1";
  const { queueDir } = await queueSample(dir.path, {
    id: "p1",
    bottleSlug,
    proposedFile: "http://x\n",
  });
  const response = { proposalId: "p1", status: "approved", notes: "", finalFile: null } as const;
  const app = await openTestApp(dir, { columns: 40 });
  assertMatch(app.cursor()!, /^> {2}invalid /);
  await writeResponse(queueDir, response);
  await app.look();
  const whole = app.screen().replaceAll("\n!↪", "").replaceAll(" ", "");
  assertStringIncludes(whole, `!answeredwithoutarecord:${bottleSlug}/p1:approved`);
});

Deno.test("at eighty columns the help of every place is whole", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const app = await openTestApp(dir, { rows: 60 });
  for (const [place, keys] of [["list", ["?"]], ["proposal", ["return", "?"]]] as const) {
    await app.press(...keys);
    const help = app.screen().replaceAll(/[\s↪]/g, "");
    for (const binding of BINDINGS[place]) {
      assert(help.includes(binding.help.replaceAll(" ", "")), help);
    }
    await app.press("q");
  }
});
