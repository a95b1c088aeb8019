import { VERB_NAMES, type VerbName } from "../../cli/command/flags.ts";
import { sha256Hex } from "../../mod.ts";
import { inEnvironment } from "../support/environment.ts";
import { TextLineStream } from "../support/lines.ts";
import { configure, startReceiver } from "../support/receiver.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run, supervise } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { isRoot } from "../support/user.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/**
 * What each verb is run with, through the launcher and with its permissions; how it ends, and what it
 * prints. `watch` is below; `review` on a terminal is tested in `review/`.
 */
const RUNS: Readonly<
  Record<Exclude<VerbName, "watch">, readonly [args: readonly string[], code: number, out: RegExp]>
> = {
  "list": [[], 0, /^ID .*\np1 .*The tests read a public gist\.\n/],
  "show": [["p1"], 0, /^p1 {2}dev-1 {2}pipelock-block\n/],
  "approve": [
    ["p1"],
    0,
    /^approved p1 \(dev-1\)\nin force: the file alone: nothing reloads it\nrecorded in .*\/audit\/pipelock-dev-1\.log\n$/,
  ],
  "modify": [["p1", "--file", "-"], 0, /^modified p1 \(dev-1\)\n/],
  "reject": [["p1", "--notes", "no"], 0, /^rejected p1 \(dev-1\)\n/],
  "review": [[], 2, /^$/],
  "notify": [[], 0, /^\S+ +ntfy .*\n$/],
  "policy test": [[], 0, /^There is no policy\.json: .*\nPending:\np1 .*1 recorded decision: /s],
  "policy suggest": [[], 0, /^There is nothing to suggest, after 1 decision of people\.\n/],
  "policy standing": [[], 0, /^Nothing stands; supervise approve ID --standing 30d makes it\.\n/],
  "apply init": [["squid"], 0, /^\{\n {2}"pipelock": \{/],
  "apply check": [[], 1, /^$/],
  "apply resolve": [["--bottle", "dev-1"], 0, /^dev-1: nothing is to be resolved\.\n$/],
  "edit": [
    [
      "allowlist",
      "--bottle",
      "dev-1",
      "--file",
      "-",
      "--sha256",
      sha256Hex("api.example.com\napi.github.com\n"),
    ],
    0,
    /^changed allowlist \(dev-1\)\n/,
  ],
  "versions": [["allowlist", "--bottle", "dev-1"], 0, / {2}in force\n/],
  "rollback": [["allowlist", "--bottle", "dev-1"], 0, /^changed allowlist \(dev-1\)\n/],
  "drift": [[], 0, /^Each file of which a change is recorded is the one in force\.\n$/],
  "grants": [[], 0, /^No grant is open\.\n$/],
  "revoke": [["--all", "--bottle", "dev-1"], 0, /^No grant is open\.\n$/],
  "expire": [[], 0, /^$/],
  "freeze": [["--bottle", "dev-1", "--end"], 0, /^dev-1 is not frozen\.\n$/],
  "audit show": [[], 0, /^\d{4}-\d\d-\d\d \d\d:\d\d {2}approved {2}p0 /],
  "audit verify": [[], 0, /^ +LINES .*\nok +1 .*pipelock-dev-1\nsigned with SHA256:/],
  "audit export": [[], 0, /^\{"version":1,"kind":"supervise-audit".*\n\{"timestamp":/],
  "audit head": [[], 0, /^# .*, signed with SHA256:.*\npipelock-dev-1 1:[0-9a-f]{64}\n$/],
  "bottle add": [["dev-2"], 0, /^added dev-2\n {2}made {2}\S+\/queue\/dev-2\n/],
  // Started and stopped with a real engine in tests/container/bottle.ts.
  "bottle up": [["dev-9"], 2, /^$/],
  "bottle down": [["dev-9"], 2, /^$/],
  "bottle status": [["dev-9"], 2, /^$/],
  "bottle list": [[], 0, /^dev-1 {2}1 pending {2}no settings: bottle add makes them\n$/],
  "bottle remove": [["dev-9"], 2, /^$/],
  "doctor": [["--json"], 0, /"check":"signing-key","state":"ok"/],
  "completions": [["bash"], 0, /\ncomplete -F _supervise supervise\n$/],
  "launcher": [[], 0, /^#!\/bin\/sh\nexec '?.*\/cli\/supervise\.sh'? "\$@"\n$/],
  "help": [["show"], 0, /^Usage: supervise show ID\n/],
};

/** A root with one decision, one proposal that waits, and a receiver. */
async function prepare(dir: TempDir, receiver: string): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true, mode: 0o755 });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "", { mode: 0o644 });
  await configure(dir, { ntfy: { url: receiver } });
  await queueSample(dir.path, { id: "p0" });
  const shows = async (id: string) =>
    assertEquals((await supervise(dir.path, ["show", id])).code, 0);
  await shows("p0");
  assertEquals((await supervise(dir.path, ["approve", "p0"])).code, 0);
  await queueSample(dir.path, { id: "p1" });
  await shows("p1");
}

Deno.test.each(Object.entries(RUNS))(
  "%s runs through the launcher, with what the launcher grants it",
  async (verb, [args, code, out]) => {
    await using dir = await tempDir();
    await using receiver = startReceiver();
    await prepare(dir, receiver.url("/topic"));
    const words = [...verb.split(" "), ...args];
    const ended = await supervise(dir.path, words, { input: "mine.example\n" });
    assertEquals(ended.code, code, ended.err);
    assertMatch(ended.out, out);
  },
);

Deno.test.each([[["--version"]], [["list", "--version"]]])(
  "%s prints the version that deno.json has",
  async (args) => {
    const { version } = JSON.parse(await Deno.readTextFile(join(REPO, "deno.json")));
    const { code, out, err } = await supervise("/nowhere", args);
    assertEquals([code, out, err], [0, `supervise ${version}\n`, ""]);
  },
);

Deno.test("every verb is run through the launcher", () => {
  assertEquals([...Object.keys(RUNS), "watch"].sort(), VERB_NAMES.toSorted());
});

Deno.test.each([["SIGINT"], ["SIGTERM"]] as const)(
  "watch runs through the launcher until %s, and ends with 0",
  async (signal) => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1", proposedFile: "# a\n" });
    const watch = new Deno.Command("sh", {
      args: [join(REPO, "cli/supervise.sh"), "watch"],
      ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path }),
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = watch.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    assertMatch((await lines.read()).value ?? "", / {2}arrived {5}p1 {2}dev-1 /);
    watch.kill(signal);
    assertEquals([(await lines.read()).done, (await watch.status).code], [true, 0]);
  },
);

Deno.test("Ctrl-C ends the program that makes an approval take effect, and the change is taken back", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config/dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config/dev-1/allowlist"), "a.example.com\n");
  await queueSample(dir.path, { id: "p1", proposedFile: "a.example.com\nb.example.com\n" });
  await run("mkfifo", [dir.at("running")]);
  // It must not go on behind the back of who takes the change back.
  const script = 'grep -q b.example "$1" || exit 0; echo runs > "$2"; sleep 30; echo late > "$3"';
  const reload = {
    argv: ["/bin/sh", "-c", script, "sh", "{file}", dir.at("running"), dir.at("late")],
  };
  const pipelock = { render: "squid", to: dir.at("proxy/allowed"), reload };
  await Deno.mkdir(dir.at("proxy"));
  await Deno.writeTextFile(dir.at("apply.json"), JSON.stringify({ pipelock }), { mode: 0o600 });
  assertEquals((await supervise(dir.path, ["show", "p1"])).code, 0);
  const approve = new Deno.Command("sh", {
    args: [join(REPO, "cli/supervise.sh"), "approve", "p1"],
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path }),
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await Promise.race([Deno.readTextFile(dir.at("running")), approve.status]);
  approve.kill("SIGINT");
  const err = await new Response(approve.stderr).text();
  assertEquals((await approve.status).code, 1, err);
  assertStringIncludes(err, "/bin/sh was interrupted; the file before is in force again");
  const files = ["current-config/dev-1/allowlist", "proxy/allowed"].map((file) => dir.at(file));
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  assertEquals(texts, ["a.example.com\n", "a.example.com\n"]);
  await assertRejects(() => Deno.stat(dir.at("late")), Deno.errors.NotFound);
});

Deno.test("audit export writes into a file that the shell opened, and says the key's fingerprint", async () => {
  await using dir = await tempDir();
  await using receiver = startReceiver();
  await prepare(dir, receiver.url("/topic"));
  const line = `sh ${join(REPO, "cli/supervise.sh")} audit export > ${dir.at("archive")}`;
  const { code, err } = await run("sh", ["-c", line], { env: { CLAUDE_BOTTLE_ROOT: dir.path } });
  assertEquals(code, 0, err);
  assertMatch(err, /^! signed with SHA256:\S{43}; tell the reader this fingerprint/);
  const verified = await supervise(dir.path, ["audit", "verify", "--archive", dir.at("archive")]);
  assertEquals(verified.code, 0, verified.err);
});

Deno.test("the launcher says why it does not start: where it was started, or the root's parent", async () => {
  await using dir = await tempDir();
  const launcher = join(REPO, "cli/supervise.sh");
  const cwd = dir.at("private");
  await Deno.mkdir(cwd);
  await Deno.chmod(dir.path, 0o755);
  const user = isRoot ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "";
  const line = `chmod 0 . && exec ${user} sh ${launcher} list`;
  const inside = await run("sh", ["-c", line], { cwd, env: { CLAUDE_BOTTLE_ROOT: dir.path } });
  const says = `Cannot enter ${cwd}, where this was started: start it in another directory\n`;
  assertEquals([inside.code, inside.err], [2, says]);
  await Deno.chmod(cwd, 0o700);
  const env = { CLAUDE_BOTTLE_ROOT: dir.at("none/root") };
  const { code, err } = await run("sh", [launcher, "bottle", "add", "dev-1"], { env });
  assertEquals([code, err], [
    1,
    `Cannot make ${dir.at("none/root")}: make ${dir.at("none")} first\n`,
  ]);
});
