import { sha256Hex } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run, type RunResult } from "../support/run.ts";
import { startSidecar } from "../support/sidecar.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { CLIENT_KINDS } from "../support/clients.ts";
import { decideNext } from "../support/operator.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const LAUNCHER = join(REPO, "cli/supervise.sh");

/** Runs a command through the launcher; the root is what the environment or the words say. */
async function launch(
  words: readonly string[],
  env: Record<string, string>,
  cwd = "/",
  launcher = LAUNCHER,
): Promise<RunResult> {
  const clean = { CLAUDE_BOTTLE_ROOT: "", NO_COLOR: "1", EDITOR: "", VISUAL: "", INIT_CWD: "" };
  return await run("sh", [launcher, ...words], { env: { ...clean, ...env }, cwd });
}

/** A root with three proposals, its directories made where the links lead. */
async function prepare(root: string): Promise<void> {
  for (const id of ["p1", "p2", "p3"]) await queueSample(root, { id });
}

/** Approves, rejects, modifies, and has the log checked twice. */
async function useAll(env: Record<string, string>, words: readonly string[] = [], cwd = "/") {
  for (
    const [verb, out] of [
      [["show", "p1"], /^p1 {2}dev-1 /],
      [["approve", "p1"], /^approved p1/],
      [["reject", "p2", "--notes", "no"], /^rejected p2/],
      [["modify", "p3"], /^modified p3/],
      [["list"], /^Nothing is pending/],
      [["audit", "verify"], /^ +LINES .*\nok +3 /],
      [["doctor", "--json"], /"check":"logs","state":"ok"/],
    ] as const
  ) {
    const ended = await launch([...words, ...verb], { ...env, EDITOR: "sed -i s/^api/mine/" }, cwd);
    assertEquals(ended.code, 0, `${verb}: ${ended.err}`);
    assertMatch(ended.out, out);
  }
}

interface Linked {
  readonly env?: Record<string, string>;
  readonly words?: readonly string[];
  readonly cwd?: string;
}

/** How the root is named, by what is a link in its path. What exists is in `real`, whatever the name. */
const LINKED: Readonly<Record<string, (dir: TempDir, real: string) => Promise<Linked>>> = {
  "HOME": async (dir) => {
    await Deno.mkdir(dir.at("var/home"), { recursive: true });
    await Deno.rename(dir.at("real"), dir.at("var/home/ada"));
    await Deno.symlink("var/home", dir.at("home"));
    return { env: { HOME: dir.at("home/ada"), DENO_DIR: await denoDir() } };
  },
  "the root": async (dir, root) => {
    await Deno.symlink(root, dir.at("link"));
    return { env: { CLAUDE_BOTTLE_ROOT: dir.at("link") } };
  },
  "a link to a link, with a slash behind it": async (dir) => {
    await Deno.symlink("real", dir.at("one"));
    await Deno.symlink("one", dir.at("two"));
    return { words: ["--root", `${dir.at("two/.claude-bottle")}//`] };
  },
  "a name with blanks and newlines": async (dir, root) => {
    await Deno.symlink(root, dir.at("-a link\nin two lines\n"));
    return { words: ["--root", dir.at("-a link\nin two lines\n")] };
  },
  "a target with blanks and newlines": async (dir) => {
    await Deno.rename(dir.at("real"), dir.at(" two\n lines \n\n"));
    await Deno.symlink(" two\n lines \n\n/.claude-bottle", dir.at("link"));
    return { env: { CLAUDE_BOTTLE_ROOT: dir.at("link") } };
  },
  "the directory in which the command is typed": async (dir) => {
    await Deno.symlink("real", dir.at("here"));
    return { words: ["--root=.claude-bottle"], cwd: dir.at("here") };
  },
  "a part before ..": async (dir) => {
    // Deno takes the dots for "link", so the root is in this directory, not beside the link's target.
    await Deno.mkdir(dir.at("elsewhere/deep"), { recursive: true });
    await Deno.mkdir(dir.at("elsewhere/.claude-bottle"));
    await Deno.symlink("real", dir.at("base"));
    await Deno.symlink("../elsewhere/deep", dir.at("real/link"));
    return { words: ["--root", "base/link/../.claude-bottle"], cwd: dir.path };
  },
};

async function denoDir(): Promise<string> {
  const { out } = await run(Deno.execPath(), ["info", "--json"]);
  return (JSON.parse(out) as { denoDir: string }).denoDir;
}

for (const [what, link] of Object.entries(LINKED)) {
  Deno.test(`every verb works where ${what} is a link in the root's path`, async () => {
    await using dir = await tempDir();
    const root = dir.at("real/.claude-bottle");
    await prepare(root);
    const { env = {}, words, cwd } = await link(dir, root);
    await useAll(env, words, cwd);
  });
}

Deno.test("linked files, keys, anchors and archives that flags name are read", async () => {
  await using dir = await tempDir();
  const env = { CLAUDE_BOTTLE_ROOT: dir.at("root") };
  await prepare(dir.at("root"));
  await Deno.mkdir(dir.at("files"));
  await Deno.symlink("files", dir.at("more"));
  const named = async (name: string, text: string) => {
    await Deno.writeTextFile(dir.at("files", `${name} itself`), text);
    await Deno.symlink(`${name} itself`, dir.at("files", name));
    return dir.at("more", name);
  };
  const file = await named("version", "mine.example\n");
  const modified = await launch(["modify", "p1", "--file", file], env);
  assertEquals([modified.code, modified.err.includes("Cannot")], [0, false], modified.err);
  const anchors = await named("anchors", (await launch(["audit", "head"], env)).out);
  const archive = await named("archive", (await launch(["audit", "export"], env)).out);
  const [, key] = /"public_key":("[^"]+")/.exec(await Deno.readTextFile(archive))!;
  const trusted = ["--public-key", await named("key", JSON.parse(key!)), "--anchors", anchors];
  for (const words of [trusted, [...trusted, "--archive", archive]]) {
    const { code, out, err } = await launch(["audit", "verify", ...words], env);
    assertEquals(code, 0, err);
    assertMatch(out, /\nok +1 /);
  }
});

Deno.test("a linked editor, TMPDIR, DENO_DIR and checkout are used", async () => {
  await using dir = await tempDir();
  await prepare(dir.at("root"));
  await Deno.mkdir(dir.at("bin"));
  await Deno.mkdir(dir.at("tmp"));
  const script = '#!/bin/sh\necho mine.example > "$1"\n';
  await Deno.writeTextFile(dir.at("bin/an editor"), script, { mode: 0o755 });
  for (
    const [target, link] of [
      ["an editor", "bin/ed-link"],
      ["bin", "editors"],
      ["tmp", "tmp-link"],
      [await denoDir(), "cache"],
      [REPO, "checkout"],
    ] as const
  ) await Deno.symlink(target, dir.at(link));
  const env = {
    CLAUDE_BOTTLE_ROOT: dir.at("root"),
    TMPDIR: dir.at("tmp-link"),
    DENO_DIR: dir.at("cache"),
  };
  const launcher = dir.at("checkout/cli/supervise.sh");
  const path = `${dir.at("editors")}:${Deno.env.get("PATH")}`;
  for (
    const [id, more] of [
      ["p1", { EDITOR: dir.at("editors/ed-link") }],
      ["p2", { VISUAL: "ed-link", PATH: path }],
    ] as const
  ) {
    const { code, out, err } = await launch(["modify", id], { ...env, ...more }, "/", launcher);
    assertEquals([code, out.split("\n")[0]], [0, `modified ${id} (dev-1)`], err);
  }
});

const sha256Of = (dir: TempDir) =>
  sha256Hex(Deno.readFileSync(dir.at("root/queue/dev-1/p1.proposal.json")));

Deno.test("a link below the root is no way out: nothing is recorded through it, and no log is made", async () => {
  await using dir = await tempDir();
  await prepare(dir.at("root"));
  await Deno.mkdir(dir.at("outside"));
  await Deno.symlink("../outside", dir.at("root/audit"));
  const env = { CLAUDE_BOTTLE_ROOT: dir.at("root") };
  const { code, err } = await launch(["approve", "p1", "--sha256", sha256Of(dir)], env);
  assertEquals(code, 1);
  assertStringIncludes(err, `Requires read access to "${dir.at("outside")}"`);
  assertEquals([...Deno.readDirSync(dir.at("outside"))], []);
  assertMatch((await launch(["list"], env)).out, /\np1 /);
});

Deno.test("a program that may read the linked root by its given path alone records nothing, and leaves no log", async () => {
  await using dir = await tempDir();
  await prepare(dir.at("root"));
  await Deno.symlink("root", dir.at("link"));
  const approve = (read: string) =>
    run(Deno.execPath(), [
      ...["run", "--quiet", "--no-prompt", `--allow-read=${read}`],
      ...[`--allow-write=${dir.at("link")}`, "--allow-sys", "--allow-env"],
      ...[join(REPO, "cli/main.ts"), "approve", "p1", "--root", dir.at("link")],
      ...["--sha256", sha256Of(dir)],
    ], { cwd: REPO });
  const refused = await approve(dir.at("link"));
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.err, `Requires read access to "${dir.at("root/audit")}"`);
  assertEquals([...Deno.readDirSync(dir.at("root/audit"))], []);
  // With both, as docs/library.md tells, it decides.
  const { code, err } = await approve(`${dir.at("link")},${dir.at("root")}`);
  assertEquals(code, 0, err);
});

Deno.test("a root that is missing below a link, or is a dangling link, counts as missing, and nothing is made", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("real"));
  await Deno.symlink("real", dir.at("link"));
  await Deno.symlink("nowhere", dir.at("dangling"));
  for (const root of ["link/not/yet", "dangling", "dangling/root"]) {
    const env = { CLAUDE_BOTTLE_ROOT: dir.at(root) };
    const { code, out, err } = await launch(["list"], env);
    assertEquals([code, out], [3, ""], err);
    assertStringIncludes(
      err,
      `Cannot use the root ${dir.at(root)}: it is not there; supervise bottle`,
    );
    assertEquals((await launch(["approve", "p1"], env)).code, 3);
  }
  assertEquals([...Deno.readDirSync(dir.at("real"))], []);
  // Made by then, it is used.
  await prepare(dir.at("real/not/yet"));
  await useAll({ CLAUDE_BOTTLE_ROOT: dir.at("link/not/yet") });
});

Deno.test("a root whose link leads to a path with a comma is refused in words", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("a,b"));
  await Deno.symlink("a,b", dir.at("link"));
  const { code, err } = await launch(["list"], { CLAUDE_BOTTLE_ROOT: dir.at("link") });
  assertEquals([code, err], [2, `Cannot grant a path with a comma: ${dir.at("a,b")}\n`]);
});

Deno.test("a sidecar asks and answers in a linked queue directory, granted by its given path alone", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("var/queue/dev-1"), { recursive: true });
  await Deno.symlink("var/queue", dir.at("queue"));
  await using sidecar = await startSidecar(dir.at("queue/dev-1"));
  await using client = await CLIENT_KINDS[2]!.connect(sidecar.url);
  const decided = decideNext(dir, { status: "approved" });
  const { structured } = await client.call("pipelock-block", {
    proposed_file: "api.example.com\n",
    justification: "The tests call it.",
  });
  assertEquals(structured?.status, "approved");
  await decided;
  // The last of the waiting calls archives both files.
  assertEquals([...Deno.readDirSync(dir.at("var/queue/dev-1/processed"))].length, 2);
  assertEquals(sidecar.noise, []);
});
