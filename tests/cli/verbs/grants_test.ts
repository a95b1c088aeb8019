import { readOpenGrants } from "../../../internal_mod.ts";
import { freezeFiles, readAuditEntries } from "../../../mod.ts";
import { noteNotProven } from "../../../src/host/apply_state.ts";
import { showAll, startWatch, supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview } from "../../support/review.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const BEFORE = "api.example.com\n";
const GRANTED = `${BEFORE}api.github.com\n`;

const inForce = (dir: TempDir, slug = "dev-1") =>
  Deno.readTextFileSync(dir.at("current-config", slug, "allowlist"));

/** A root in which each bottle's proposal is approved for a time. */
async function granted(slugs: readonly string[] = ["dev-1"]): Promise<TempDir> {
  const dir = await tempDir();
  for (const [n, slug] of slugs.entries()) {
    await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config", slug, "allowlist"), BEFORE);
    await queueSample(dir.path, { id: `p${n + 1}`, bottleSlug: slug, proposedFile: GRANTED });
    await showAll(dir.path, `p${n + 1}`);
    const { code, err } = await supervise(dir.path, ["approve", `p${n + 1}`, "--for", "2h"]);
    assertEquals(code, 0, err);
  }
  return dir;
}

/** Lets the time of a bottle's grants be over. */
async function letEnd(dir: TempDir, slug = "dev-1"): Promise<void> {
  const path = dir.at("private", "grants", `${slug}.pipelock-block.json`);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(/"until": "20/g, '"until": "19'));
}

const log = async (dir: TempDir, slug = "dev-1") =>
  (await readAuditEntries("pipelock", slug, { root: dir.path })).map((one) => one.operatorAction);

Deno.test("approve --for is listed by grants until revoke ends it, and a proposal meanwhile is compared without it", async () => {
  await using dir = await granted();
  const json = JSON.parse((await supervise(dir.path, ["grants", "--json"])).out);
  const [{ since, until, lets, ...grant }] = json.grants;
  assertEquals(Date.parse(until) - Date.parse(since), 2 * 3_600_000);
  assertStringIncludes(lets, "api.github.com");
  const { operator, ...about } = grant;
  const tool = "pipelock-block";
  assertEquals(about, { id: "p1", bottle_slug: "dev-1", tool, overdue: false, why: null });
  assertMatch(operator, /^.+@.+$/);
  const listed = await supervise(dir.path, ["grants"]);
  assertEquals([listed.code, listed.err], [0, ""]);
  assertMatch(
    listed.out,
    /^p1 {2}dev-1 {2}pipelock-block {2}until .*\n {2}it would let dev-1 reach/,
  );

  await queueSample(dir.path, { id: "p2", proposedFile: GRANTED });
  assertMatch(
    (await supervise(dir.path, ["show", "p2"])).out,
    /Compared with the allowlist as it is without what is granted until /,
  );
  const shown = JSON.parse((await supervise(dir.path, ["show", "p2", "--json"])).out);
  assertEquals([shown.open_grants, shown.reach], [[{ id: "p1", until }], "new-reach"]);

  const revoked = await supervise(dir.path, ["revoke", "p", "--notes", "done"]);
  assertEquals([revoked.code, revoked.err], [0, ""]);
  assertMatch(revoked.out, /^revoked p1 \(dev-1\)\nin force: .*\nConnections that were open stay/);
  assertEquals([inForce(dir), await log(dir)], [BEFORE, ["approved", "grant-revoked"]]);
  const { out } = await supervise(dir.path, ["audit", "show", "--full"]);
  assertStringIncludes(out, "ends the grant of proposal p1");
  assertEquals((await supervise(dir.path, ["grants"])).out, "No grant is open.\n");
  const again = await supervise(dir.path, ["revoke", "p1"]);
  assertEquals(again.code, 3);
  assertStringIncludes(again.err, "Cannot find an open grant p1; supervise grants lists them");
});

Deno.test("show and audit show say what became of a grant: open, overdue, ended, and by what", async () => {
  await using dir = await granted();
  const show = async () => {
    const { grant } = JSON.parse((await supervise(dir.path, ["show", "p1", "--json"])).out);
    const { out } = await supervise(dir.path, ["show", "p1"]);
    assertStringIncludes(out.replaceAll(/\s+/g, " "), `Its grant: ${grant.says}`);
    return [grant.state, grant.says];
  };
  assertEquals(await show(), ["open", "it is open"]);
  await letEnd(dir);
  assertEquals(await show(), [
    "overdue",
    "it is over, and still in force: nothing ended it so far",
  ]);
  await supervise(dir.path, ["revoke", "p1"]);
  const [state, says] = await show();
  assertEquals(state, "ended");
  assertMatch(says, /^it ended 20\S+Z: grant-revoked by \S+@\S+$/);
  const { out } = await supervise(dir.path, ["audit", "show", "p1"]);
  assertMatch(out, /^.* {2}revoked +p1 .*\n.* {2}approved +p1 /);
  const { entries } = JSON.parse((await supervise(dir.path, ["audit", "show", "--json"])).out);
  type Line = Record<"grant" | "effect", string | undefined>;
  assertEquals(entries.map(({ grant, effect }: Line) => [grant, effect]), [
    [undefined, "file"],
    ["p1", "file"],
  ]);
});

Deno.test("modify --until answers with a version for a time", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), BEFORE);
  await queueSample(dir.path, { id: "p1", proposedFile: GRANTED });
  const until = "2999-01-01T00:00:00.000Z";
  const words = ["modify", "p1", "--file", "-", "--until", until, "--json", "--sha256"];
  const shown = JSON.parse((await supervise(dir.path, ["show", "p1", "--json"])).out);
  const input = `${BEFORE}cdn.github.com\n`;
  const { out } = await supervise(dir.path, [...words, shown.proposal_sha256], { input });
  const { status, until: end, notes } = JSON.parse(out);
  assertEquals([status, end], ["modified", until]);
  assertEquals(notes, "In force until 2999-01-01 00:00 UTC; then it is taken back.");
  await supervise(dir.path, ["revoke", "--all", "--bottle", "dev-1"]);
  assertEquals(inForce(dir), BEFORE);
});

Deno.test("what is overdue is said by grants, list and doctor, until expire ends it", async () => {
  await using dir = await granted();
  assertEquals((await supervise(dir.path, ["expire"])).out, "");
  await letEnd(dir);
  const says = "! overdue: the grant p1 (dev-1) is still in force: nothing ended it so far\n";
  assertEquals((await supervise(dir.path, ["list"])).err, says);
  const { overdue_grants } = JSON.parse((await supervise(dir.path, ["list", "--json"])).out);
  assertEquals([overdue_grants.length, overdue_grants[0].id], [1, "p1"]);
  const listed = await supervise(dir.path, ["grants"]);
  assertEquals([listed.code, listed.err], [1, says]);
  const { findings } = JSON.parse((await supervise(dir.path, ["doctor", "--json"])).out);
  const of = (check: string) => findings.find((one: { check: string }) => one.check === check);
  assertEquals(of("grants").state, "bad");
  assertStringIncludes(of("grants").says, "dev-1: the grant p1 is over, and still in force");
  const { code, out, err } = await supervise(dir.path, ["expire"]);
  assertEquals([code, err], [0, ""]);
  assertMatch(out, /^ended p1 \(dev-1\)\nin force: /);
  assertEquals([inForce(dir), await log(dir)], [BEFORE, ["approved", "grant-expired"]]);
});

Deno.test("in a frozen bottle an end waits: expire says so, and ends with 0", async () => {
  await using dir = await granted();
  await letEnd(dir);
  const until = new Date(Date.now() + 3_600_000);
  await freezeFiles({ root: dir.path, bottleSlug: "dev-1", until, notes: "", operator: "a@h" });
  const { code, err } = await supervise(dir.path, ["expire"]);
  assertEquals([code, inForce(dir)], [0, GRANTED]);
  assertStringIncludes(err, "is still in force: its files are frozen until");
});

Deno.test("a bottle whose enforcer is not proven is no frozen one, whatever hosts the probe names", async () => {
  await using dir = await granted();
  await letEnd(dir);
  const reason = "probe: still allows frozen.evil.example";
  const since = new Date().toISOString();
  noteNotProven(dir.path, "dev-1", { tool: "pipelock-block", reason, since, mayHave: null });
  const { code, err } = await supervise(dir.path, ["expire"]);
  assertEquals([code, err.includes("frozen.evil.example")], [1, true]);
});

Deno.test("expire says why an end failed that could not be noted", async () => {
  await using dir = await granted();
  await letEnd(dir);
  await Deno.remove(dir.at("private", "locks", "dev-1.lock"));
  await Deno.mkdir(dir.at("private", "locks", "dev-1.lock"));
  const { code, err } = await supervise(dir.path, ["expire"]);
  assertEquals([code, err.includes("nothing ended it so far")], [1, false]);
  assertStringIncludes(err, "! overdue: the grant p1 (dev-1) is still in force: ");
  const { overdue } = JSON.parse((await supervise(dir.path, ["expire", "--json"])).out);
  assertStringIncludes(overdue[0].why, "dev-1.lock");
});

Deno.test("an end that fails is said, with exit code 1, and leaves one line in the log however often it is tried", async () => {
  await using dir = await granted();
  await letEnd(dir);
  const reload = { argv: ["/bin/sh", "-c", "echo broken; exit 7"] };
  const config = { pipelock: { render: "squid", to: dir.at("allowed"), reload } };
  await Deno.writeTextFile(dir.at("apply.json"), JSON.stringify(config), { mode: 0o600 });
  for (const _ of [1, 2]) {
    const { code, err } = await supervise(dir.path, ["expire"]);
    assertEquals(code, 1);
    assertStringIncludes(err, "! overdue: the grant p1 (dev-1) is still in force: ");
    assertEquals([inForce(dir), await log(dir)], [GRANTED, ["approved", "apply-failed"]]);
  }
});

Deno.test("revoke --confirm drops a grant whose end is refused, and says that the file stays", async () => {
  await using dir = await granted();
  const check = { argv: ["/bin/sh", "-c", "exit 7"] };
  const config = { pipelock: { render: "squid", to: dir.at("allowed"), check } };
  await Deno.writeTextFile(dir.at("apply.json"), JSON.stringify(config), { mode: 0o600 });
  assertEquals((await supervise(dir.path, ["revoke", "p1"])).code, 1);
  const { code, err } = await supervise(dir.path, ["revoke", "p1", "--confirm", "dev-1"]);
  assertEquals([code, inForce(dir)], [0, GRANTED]);
  assertStringIncludes(err, "! it is recorded, but: the file in force stays as it is, with what");
  assertEquals((await supervise(dir.path, ["grants"])).out, "No grant is open.\n");
});

Deno.test("doctor finds a grant of the log that has no record, and a record that is damaged", async () => {
  await using dir = await granted(["dev-1", "web.2"]);
  const doctor = async () => (await supervise(dir.path, ["doctor"])).out;
  assertMatch(await doctor(), /grants +2 grants open, none overdue/);
  await Deno.remove(dir.at("private", "grants", "dev-1.pipelock-block.json"));
  assertStringIncludes(await doctor(), "dev-1: by the log p1 is granted for a time");
  await Deno.writeTextFile(dir.at("private", "grants", "web.2.pipelock-block.json"), "{");
  assertStringIncludes((await doctor()).replaceAll(/\s+/g, " "), "does not end: ");
  const { code, err } = await supervise(dir.path, ["grants"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "! what was granted by ");
  assertEquals((await supervise(dir.path, ["expire"])).code, 1);
});

Deno.test("a record of grants that lacks what is for good, or has another name, ends nothing, and revoke says so", async () => {
  await using dir = await granted();
  await letEnd(dir);
  const path = dir.at("private", "grants", "dev-1.pipelock-block.json");
  const record = JSON.parse(await Deno.readTextFile(path));
  const { for_good: _, ...without } = record;
  for (
    const wrong of [without, { ...record, bottle_slug: "dev-2" }, {
      ...record,
      tool: "cred-proxy-block",
    }]
  ) {
    await Deno.writeTextFile(path, JSON.stringify(wrong));
    for (const words of [["expire"], ["revoke", "p1"], ["revoke", "--all", "--bottle", "dev-1"]]) {
      const { code, out, err } = await supervise(dir.path, words);
      assertEquals([code, out, inForce(dir)], [1, "", GRANTED], words.join(" "));
      assertStringIncludes(err, "! what was granted by ");
    }
  }
});

Deno.test("approve, revoke and expire say what cannot be", async () => {
  await using dir = await granted(["dev-1", "web.2"]);
  for (
    const [words, says] of [
      [["approve", "p9", "--for", "soon"], "Cannot use soon as --for: expected 90m, 12h or 7d"],
      [["approve", "p9", "--until", "2h"], "Cannot end it at 2h: that is over"],
      [["approve", "p9", "--for", "2h", "--until", "2999-01-01T00:00:00Z"], "give one of"],
      [["revoke"], "write one ID, or --all and --bottle SLUG"],
      [["revoke", "p1", "p2"], "write one ID"],
      [["revoke", "--all"], "add --bottle SLUG"],
      [["revoke", "p"], "Cannot tell which proposal p is"],
    ] as const
  ) {
    const { code, err } = await supervise(dir.path, words);
    assertEquals([code, err.includes(says)], [2, true], `${words.join(" ")}: ${err}`);
  }
  await queueSample(dir.path, { id: "p3", proposedFile: BEFORE });
  await showAll(dir.path, "p3");
  const { code, err } = await supervise(dir.path, ["approve", "p3", "--for", "2h"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "it lets in nothing that could end; approve it for good");
});

Deno.test("watch --decide ends what is over, and a bottle whose program hangs holds up no other", async () => {
  await using dir = await granted(["dev-1", "web.2"]);
  await letEnd(dir);
  await letEnd(dir, "web.2");
  // The one waits until somebody writes into its FIFO.
  const mkfifo = await new Deno.Command("mkfifo", { args: [dir.at("fifo")] }).output();
  assert(mkfifo.success);
  const section = (to: string, reload: string) => ({
    render: "squid",
    to: dir.at(to, "allowed"),
    reload: { argv: ["/bin/sh", "-c", reload] },
  });
  await Deno.mkdir(dir.at("a"));
  await Deno.mkdir(dir.at("b"));
  const config = {
    pipelock: section("a", `read x < '${dir.at("fifo")}'`),
    bottles: { "web.2": { pipelock: section("b", ":") } },
  };
  await Deno.writeTextFile(dir.at("apply.json"), JSON.stringify(config), { mode: 0o600 });
  const watch = startWatch(dir.path, ["--decide"]);
  assertEquals(await watch.next(), "2> ! ended the grant p2 (web.2)");
  assertEquals(inForce(dir, "web.2"), BEFORE);
  assertEquals(readOpenGrants({ root: dir.path }).grants.map((one) => one.proposalId), ["p1"]);
  await Deno.writeTextFile(dir.at("fifo"), "\n");
  assertEquals(await watch.next(), "2> ! ended the grant p1 (dev-1)");
  assertEquals([await watch.end(), inForce(dir)], [0, BEFORE]);
});

Deno.test("watch without --decide ends nothing", async () => {
  await using dir = await granted();
  await letEnd(dir);
  const watch = startWatch(dir.path, []);
  await queueSample(dir.path, { id: "p2" });
  assertStringIncludes(await watch.next(), "arrived");
  assertEquals([await watch.end(), inForce(dir)], [0, GRANTED]);
});

Deno.test("the review screen ends what is over, and says so", { ignore: NO_TMUX }, async () => {
  await using dir = await granted();
  await using review = await openReview(dir);
  // Not before: a key that is pressed meanwhile would take the words away.
  await letEnd(dir);
  await review.shows(/ended the grant p1 \(dev-1\)/);
  assertEquals(inForce(dir), BEFORE);
  await review.type("q");
  await review.sees(/ended 0/);
});

Deno.test("expire and grants end with 1, and say why, while a decision cannot be finished", async () => {
  await using dir = await granted(["dev-1", "dev-2"]);
  await Deno.mkdir(dir.at("private", "intents"), { recursive: true });
  await Deno.writeTextFile(dir.at("private", "intents", "dev-1.json"), "{}");
  for (const [code, ...words] of [[1, "expire"], [1, "grants"], [0, "list"]] as const) {
    const all = await supervise(dir.path, words);
    assertEquals(all.code, code, words.join());
    assertStringIncludes(all.err, "! bottle dev-1: ");
    const one = await supervise(dir.path, [...words, "--bottle", "dev-2"]);
    assertEquals([one.code, one.err], [0, ""], words.join());
  }
});
