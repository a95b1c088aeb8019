import { type FlagName, FLAGS, flagsOf, VERB_NAMES } from "../../../cli/command/flags.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const VERBS = [
  ["list"],
  ["show", "p1"],
  ["approve", "p1"],
  ["modify", "p1", "--file", "-"],
  ["reject", "p1", "--notes", "no"],
  ["review", "--plain"],
  ["audit", "show"],
  ["audit", "verify"],
  ["audit", "export"],
  ["audit", "head"],
  ["bottle", "list"],
] as const;

Deno.test("every verb refuses an unknown --bottle, exit 3, and names the one that is meant", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2", bottleSlug: "web" });
  for (const verb of VERBS) {
    const { code, out, err } = await supervise(dir.path, [...verb, "--bottle", "dev-l"]);
    assertEquals({ code, out }, { code: 3, out: "" }, verb.join(" "));
    assertEquals(
      err,
      `Cannot find bottle dev-l: it has no queue, no configuration and no log under ${dir.path}; ` +
        "did you mean dev-1?\n",
    );
  }
  const { err } = await supervise(dir.path, ["list", "--bottle", "nothing-like-it"]);
  assertStringIncludes(err, "; there are dev-1, web\n");
  const json = await supervise(dir.path, ["list", "--bottle", "dev-l", "--json"]);
  assertEquals([json.code, JSON.parse(json.out).error.code], [3, "not_found"]);
});

Deno.test("with many bottles an error names five; with none it says how to make one", async () => {
  await using dir = await tempDir();
  const none = await supervise(dir.path, ["list", "--bottle", "dev-1"]);
  assertEquals(none.code, 3);
  assertStringIncludes(none.err, "; there is no bottle yet; supervise bottle add NAME makes one\n");
  for (let n = 1; n <= 6; n++) await Deno.mkdir(dir.at("queue", `b${n}`), { recursive: true });
  const { err } = await supervise(dir.path, ["list", "--bottle", "something"]);
  assertStringIncludes(err, "; there are b1, b2, b3, b4, b5, and 1 more\n");
});

Deno.test("a bottle is known by a queue, a configuration or a log alone", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("queue", "queued"), { recursive: true });
  await Deno.symlink("/tmp", dir.at("queue", "linked"));
  await Deno.mkdir(dir.at("current-config", "configured"), { recursive: true });
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at("audit", "pipelock-logged.log"), "");
  await Deno.mkdir(dir.at("private", "heads"), { recursive: true });
  await Deno.writeTextFile(dir.at("private", "heads", "rebuild-removed"), "");
  for (const bottle of ["queued", "linked", "configured", "logged", "removed"]) {
    const { code, err } = await supervise(dir.path, ["audit", "show", "--bottle", bottle]);
    assertEquals([code, err], [0, ""], bottle);
  }
});

Deno.test("what is checked against an archive or anchors may be of a bottle that is gone", async () => {
  await using dir = await tempDir();
  const head = `1 ${"0".repeat(64)} pipelock-gone\n`;
  const args = ["audit", "verify", "--bottle", "gone"];
  const anchored = await supervise(dir.path, [...args, "--anchors", "-"], { input: head });
  assertEquals(anchored.code, 1, anchored.err);
  const archived = await supervise(dir.path, [...args, "--archive", "-"], { input: "" });
  assertEquals(archived.code, 1);
});

Deno.test("bottle add takes a name that is new", async () => {
  await using dir = await tempDir();
  const { code, err } = await supervise(dir.path, ["bottle", "add", "fresh"]);
  assertEquals([code, err], [0, ""]);
});

for (
  const [args, flag, choices] of [
    [["list", "--tool"], "tool", "cred-proxy-block, pipelock-block, capability-block"],
    [["audit", "show", "--tool"], "tool", "cred-proxy-block, pipelock-block, capability-block"],
    [["audit", "show", "--component"], "component", "cred-proxy, pipelock, rebuild"],
    [["audit", "verify", "--component"], "component", "cred-proxy, pipelock, rebuild"],
    [["audit", "export", "--component"], "component", "cred-proxy, pipelock, rebuild"],
    [["audit", "head", "--component"], "component", "cred-proxy, pipelock, rebuild"],
  ] as const
) {
  Deno.test(`${args.join(" ")} with an unknown name lists the known ones`, async () => {
    await using dir = await tempDir();
    const { code, out, err } = await supervise(dir.path, [...args, "nope"]);
    assertEquals({ code, out }, { code: 2, out: "" });
    assertEquals(err, `Cannot use nope as --${flag}: expected one of ${choices}\nSee --help\n`);
  });
}

for (
  const [flag, value] of [
    ["confirm", "dev-1"],
    ["if-unmarked"],
    ["sha256", "0".repeat(64)],
    ["allow-stale"],
  ] as const
) {
  Deno.test(`approve --${flag} without an ID says that the ID is missing`, async () => {
    await using dir = await tempDir();
    const args = ["approve", `--${flag}`, ...(value === undefined ? [] : [value])];
    const { code, out, err } = await supervise(dir.path, args);
    assertEquals({ code, out }, { code: 2, out: "" });
    assertEquals(
      err,
      `Cannot use --${flag} without an ID: write approve ID --${flag}; approve alone is review, ` +
        "which asks\nSee --help\n",
    );
  });
}

Deno.test("a flag that a verb does not take is wrong usage", async () => {
  await using dir = await tempDir();
  for (const verb of VERB_NAMES) {
    for (const flag of Object.keys(FLAGS) as FlagName[]) {
      if (flagsOf(verb).includes(flag) || flag === "version") continue;
      const value = FLAGS[flag].value === undefined ? [] : ["x"];
      const args = [...verb.split(" "), `--${flag}`, ...value];
      const { code, err } = await supervise(dir.path, args);
      assertEquals([code, err.startsWith(`Cannot use --${flag} `)], [2, true], args.join(" "));
    }
  }
  for (const verb of ["notify", "doctor", "launcher", "help", "bottle add"] as const) {
    assert(!flagsOf(verb).includes("bottle"));
  }
});
