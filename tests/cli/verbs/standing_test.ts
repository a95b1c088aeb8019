import { showAll, startWatch, supervise } from "../../support/command_line.ts";
import { entriesOf } from "../../support/policy.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const IN_FORCE = "a.example\n";

const PROPOSED = `${IN_FORCE}files.example\n`;

async function prepared(): Promise<TempDir> {
  const dir = await tempDir();
  for (const slug of ["dev-1", "dev-2"]) {
    await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config", slug, "allowlist"), IN_FORCE);
  }
  const policy = { version: 1, groups: { web: ["dev-1", "dev-2"] } };
  await Deno.writeTextFile(dir.at("policy.json"), JSON.stringify(policy));
  await queueSample(dir.path, { id: "p1", proposedFile: PROPOSED });
  await showAll(dir.path, "p1");
  return dir;
}

/** Output whose long lines are whole again. */
const unbroken = (out: string) => out.replace(/\n *↪/g, "");

/** What `watch --decide` says to the one proposal that is pending. */
async function ruled(dir: TempDir) {
  const watch = startWatch(dir.path, ["--decide", "--json"]);
  assertEquals(JSON.parse(await watch.next()).event, "arrived");
  const { outcome, rule } = JSON.parse(await watch.next());
  assertEquals(await watch.end(), 0);
  return { outcome, rule };
}

// Threat: L15
Deno.test("approve --standing makes a rule that watch --decide follows, until somebody ends it", async () => {
  await using dir = await prepared();
  const cli = (...args: readonly string[]) => supervise(dir.path, args);
  const approved = await cli("approve", "p1", "--standing", "30d", "--group", "web");
  assertEquals([approved.code, approved.err.split("\n").length], [0, 2]);
  assertMatch(
    approved.out,
    /\nIt stands for group:web until \S+Z, with watch --decide\.\nTo end it: supervise policy standing remove standing-[0-9a-f]{8}\n$/,
  );
  const listed = JSON.parse((await cli("policy", "standing", "--json")).out);
  const [{ name, from, to, ...rest }] = listed.standing;
  assertEquals(Date.parse(to) - Date.parse(from), 30 * 86_400_000);
  assertEquals(rest, {
    tool: "pipelock-block",
    bottles: ["group:web"],
    added: [{ kind: "host", value: "files.example" }],
    removed: [],
    marks: rest.marks,
    ended: false,
  });
  const { out } = await cli("policy", "standing");
  assertMatch(out, /^standing-[0-9a-f]{8} {2}pipelock-block {2}until /);
  assertStringIncludes(out, "would let group:web reach files.example; nothing else is new");
  const shown = unbroken((await cli("audit", "show", "--full")).out);
  assertStringIncludes(
    shown,
    `it stands for others like it in group:web until ${to}, as ${name}\n`,
  );

  await queueSample(dir.path, { id: "p2", bottleSlug: "dev-2", proposedFile: PROPOSED });
  assertEquals(await ruled(dir), { outcome: "approve", rule: name });
  assertEquals((await entriesOf(dir, "dev-2"))[0]?.operator, `rule:${name}`);
  assertStringIncludes(unbroken((await cli("doctor")).out), "0 rules, 1 standing decision");

  assertEquals((await cli("policy", "standing", "remove", name)).out, `${name} has ended\n`);
  assertStringIncludes((await cli("policy", "standing")).out, "Nothing stands; supervise approve");
  assertStringIncludes(
    unbroken((await cli("doctor")).out),
    "standing.json is not as the last decision",
  );
  await queueSample(dir.path, { id: "p3", bottleSlug: "dev-2", proposedFile: PROPOSED });
  assertEquals(await ruled(dir), { outcome: "ask", rule: null });
});

Deno.test("approve --standing --json has the rule, and so has the log", async () => {
  await using dir = await prepared();
  const args = ["approve", "p1", "--standing", "12h", "--json"];
  const { standing } = JSON.parse((await supervise(dir.path, args)).out);
  assertEquals(standing.bottles, ["dev-1"]);
  const shown = JSON.parse((await supervise(dir.path, ["audit", "show", "--json"])).out);
  assertEquals(shown.entries[0].standing, standing);
});

Deno.test("what cannot stand, or is no time, is refused in words, and nothing is decided", async () => {
  await using dir = await prepared();
  await queueSample(dir.path, { id: "p2", proposedFile: `${IN_FORCE}# same\n` });
  await showAll(dir.path, "p2");
  const refusals: readonly (readonly [words: string, code: number, says: string])[] = [
    ["approve p1 --standing 91d", 2, "Cannot use 91d as --standing: expected 90m, 12h or 30d"],
    ["approve p1 --standing 0d", 2, "at most 90d"],
    ["approve p1 --standing forever", 2, "at most 90d"],
    ["approve p1 --group web", 2, "Cannot use --group without --standing"],
    ["approve p1 p2 --standing 1d", 2, "Cannot use --standing with several ids"],
    ["approve --standing 1d", 2, "Cannot use --standing without an ID"],
    ["modify p1 --standing 1d", 2, "Cannot use --standing with modify"],
    ["approve p1 --standing 1d --group db", 1, 'policy.json has no group "db"'],
    ["approve p2 --standing 1d", 1, "it cannot stand for others like it: it adds nothing"],
    ["policy standing remove standing-1", 3, "Cannot find a standing decision standing-1"],
    ["policy standing remove", 2, "write policy standing, or policy standing remove NAME"],
    ["policy standing p1", 2, "write policy standing, or policy standing remove NAME"],
  ];
  for (const [words, code, says] of refusals) {
    const ended = await supervise(dir.path, words.split(" "));
    assertEquals([words, ended.code, ended.out], [words, code, ""]);
    assertStringIncludes(ended.err, says);
  }
  assertEquals(await entriesOf(dir), []);
});

// Threat: L15
Deno.test("a standing decision whose rule cannot be written is decided, and says so", async () => {
  await using dir = await prepared();
  const permissions = [
    ...["--allow-read", `--allow-write=${dir.path}`, `--deny-write=${dir.at("standing.json")}`],
    ...["--allow-env", "--allow-sys"],
  ];
  const words = ["approve", "p1", "--standing", "1d", "--json", "--root", dir.path];
  const args = ["run", "--no-prompt", ...permissions, join(REPO, "cli/main.ts"), ...words];
  const { code, out } = await run("deno", args);
  const { error } = JSON.parse(out);
  assertEquals([code, error.code], [1, "standing_not_written"]);
  assertStringIncludes(error.message, "proposal p1 of bottle dev-1 is approved and answered, but");
  const [entry] = await entriesOf(dir);
  assertStringIncludes(error.message, `the rule ${entry?.standing?.name} for others like it`);
  assertEquals(entry?.operatorAction, "approved");
  const { out: found } = await supervise(dir.path, ["doctor"]);
  assertStringIncludes(unbroken(found), "or one could not be written");
});
