import { makeLauncher } from "../../../cli/command/launcher.ts";
import config from "../../../deno.json" with { type: "json" };
import { type Registry, startRegistry } from "../../support/jsr.ts";
import { configure, startReceiver } from "../../support/receiver.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview } from "../../support/review.ts";
import { REPO, run, type RunOptions, type RunResult } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";

const { name, version } = config;

/** A release, its launcher, and an operator who works in a directory that an agent filled. */
interface Release {
  readonly launcher: string;
  readonly env: Record<string, string>;
  readonly run: (words: readonly string[], options?: RunOptions) => Promise<RunResult>;
}

/** What an agent would write into a directory in which an operator types `supervise`. */
async function plant(dir: TempDir, registry: Registry): Promise<void> {
  const evil = "console.log('planted'); export default {}; export const main = () => 0;";
  const cli = `jsr:${name}@${version}/cli`;
  const imports = Object.fromEntries(
    [cli, `${registry.url}${name}/${version}/cli/main.ts`, ...Object.values(config.imports)]
      .map((specifier) => [specifier, "./evil.ts"]),
  );
  await Deno.mkdir(dir.at("here/node_modules/diff"), { recursive: true });
  for (
    const [file, content] of Object.entries({
      "evil.ts": evil,
      "deno.json": JSON.stringify({ imports, nodeModulesDir: "manual" }),
      "package.json": JSON.stringify({ dependencies: { diff: "9.0.0" } }),
      ".npmrc": "registry=http://127.0.0.1:9/\n",
      "node_modules/diff/package.json": JSON.stringify({ name: "diff", version: "9.0.0" }),
      "node_modules/diff/index.js": evil,
    })
  ) await Deno.writeTextFile(dir.at("here", file), content);
}

/** Has the launcher printed as an operator does, and keeps it as a script on the PATH. */
async function install(dir: TempDir, registry: Registry): Promise<Release> {
  const { out } = await run(Deno.execPath(), ["info", "--json"]);
  await Deno.mkdir(dir.at("cache"));
  await Deno.symlink((JSON.parse(out) as { npmCache: string }).npmCache, dir.at("cache/npm"));
  await plant(dir, registry);
  const env = {
    JSR_URL: registry.url,
    DENO_DIR: dir.at("cache"),
    CLAUDE_BOTTLE_ROOT: dir.at("root"),
    NO_COLOR: "1",
    EDITOR: "",
    VISUAL: "",
    INIT_CWD: "",
  };
  const deno = ["run", "--quiet", "--no-prompt", "--no-config", `jsr:${name}@${version}/cli`];
  const printed = await run(Deno.execPath(), [...deno, "launcher"], { env, cwd: dir.path });
  assertEquals([printed.code, printed.err], [0, ""]);
  const launcher = dir.at("supervise");
  await Deno.writeTextFile(launcher, printed.out, { mode: 0o755 });
  return {
    launcher,
    env,
    run: (words, options = {}) =>
      run(launcher, words, {
        cwd: dir.at("here"),
        ...options,
        env: { ...env, ...options.env },
      }),
  };
}

// Threat: C8
Deno.test("a release's launcher runs each verb with its permissions, and takes nothing from where it is typed", async () => {
  await using dir = await tempDir();
  await using registry = startRegistry();
  await using receiver = startReceiver();
  const release = await install(dir, registry);
  for (const id of ["p1", "p2", "p3"]) await queueSample(dir.at("root"), { id });
  await configure({ ...dir, at: (...parts) => dir.at("root", ...parts) }, {
    ntfy: { url: receiver.url("/topic") },
  });
  await Deno.writeTextFile(dir.at("an editor"), '#!/bin/sh\necho mine.example > "$1"\n', {
    mode: 0o755,
  });
  for (
    const [words, out, env] of [
      [["--version"], new RegExp(`^supervise ${version}\n$`)],
      [["list"], /^ID .*\np1 /],
      [["show", "p1"], /^p1 {2}dev-1 /],
      [["approve", "p1"], /^approved p1/],
      [["reject", "p2", "--notes", "no"], /^rejected p2/],
      [["modify", "p3"], /^modified p3/, { EDITOR: `'${dir.at("an editor")}'` }],
      [["notify"], /^\S+ +ntfy .*\n$/],
      [["audit", "show"], /^\d{4}-\d\d-\d\d \d\d:\d\d {2}\w+ {2}p\d /],
      [["audit", "verify"], /\nok +3 /],
      [["audit", "head"], /^# /],
      [["doctor", "--json"], /"check":"logs","state":"ok"/],
      [["completions", "bash"], /\ncomplete -F _supervise supervise\n$/],
      [["help", "launcher"], /^Usage: supervise launcher\n/],
    ] as const
  ) {
    const ended = await release.run(words, { env: { ...env } });
    assertEquals(ended.code, 0, `${words}: ${ended.err}`);
    assertMatch(ended.out, out);
    assert(!ended.out.includes("planted"), `${words} ran a planted file`);
  }
  await receiver.next();
  // It prints itself.
  const again = await release.run(["launcher"]);
  assertEquals(again.out, await Deno.readTextFile(release.launcher));
});

Deno.test(
  "a release's launcher opens the full screen, and leaves it",
  { ignore: NO_TMUX },
  async () => {
    await using dir = await tempDir();
    await using registry = startRegistry();
    const release = await install(dir, registry);
    await queueSample(dir.at("root"), { id: "p1" });
    await using review = await openReview(dir, { env: release.env, starter: release.launcher });
    await review.shows(/^ supervise {2}1 pending/m);
    await review.type("C-z");
    await review.shows(/Cannot stop here: only a checkout has the script/);
    await review.type("q");
    await review.shows(/^\$|^#/m);
  },
);

const AT_JSR = `https://jsr.io/${name}/${version}/cli/command/launcher.ts`;

Deno.test("a release's launcher differs from a checkout's in where the programs are, and in nothing else", async () => {
  const checkout = await Deno.readTextFile(join(REPO, "cli/supervise.sh"));
  const release = makeLauncher(AT_JSR);
  const without = (script: string, pattern: RegExp) => {
    const rest = script.replace(pattern, "");
    assert(rest !== script);
    return rest;
  };
  assertEquals(
    without(release, /^# Made by [^]*?^lock=--no-lock\n/m),
    without(checkout, /^# <location>[^]*?^# <\/location>\n/m),
  );
  assertMatch(release, new RegExp(`^here=jsr:${name}@${version.replaceAll(".", "\\.")}/cli$`, "m"));
});

Deno.test("a module that is neither in a checkout nor in this release prints no launcher", () => {
  for (const from of ["https://evil.example/cli/command/launcher.ts", AT_JSR.replace("0", "7")]) {
    assertThrows(() => makeLauncher(from), Error, "neither in a checkout nor at JSR");
  }
});

Deno.test("a checkout's launcher starts the checkout's own script, whatever is in its path", async () => {
  await using dir = await tempDir();
  const checkout = dir.at("it's a $(checkout)\nin `two` lines");
  await Deno.symlink(REPO, checkout);
  const url = new URL(`file://${encodeURI(checkout)}/cli/command/launcher.ts`).href;
  await Deno.writeTextFile(dir.at("supervise"), makeLauncher(url), { mode: 0o755 });
  const env = { CLAUDE_BOTTLE_ROOT: dir.at("root"), INIT_CWD: "" };
  const { code, out, err } = await run(dir.at("supervise"), ["--version"], { env, cwd: dir.path });
  assertEquals([code, out, err], [0, `supervise ${version}\n`, ""]);
});

Deno.test("launcher is run without any permission, and refuses what it does not take", async () => {
  const launcher = (...words: string[]) =>
    run(Deno.execPath(), ["run", "--no-prompt", "cli/main.ts", "launcher", ...words], {
      cwd: REPO,
    });
  assertMatch((await launcher()).out, /^#!\/bin\/sh\nexec '?.*\/cli\/supervise\.sh'? "\$@"\n$/);
  assertEquals((await launcher("more")).code, 2);
  assertEquals((await launcher("--json")).code, 2);
});
