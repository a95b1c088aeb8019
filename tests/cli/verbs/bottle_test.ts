import { CLIENTS } from "../../../cli/bottle/clients.ts";
import { CLIENT_NAMES } from "../../../cli/command/flags.ts";
import { CLIENT_KINDS } from "../../support/clients.ts";
import { inEnvironment } from "../../support/environment.ts";
import { TextLineStream } from "../../support/lines.ts";
import { proposed, queueSample } from "../../support/records.ts";
import { REPO, run, supervise } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** Every file and directory under a root, with its mode. */
function modesUnder(dir: string, prefix = ""): string[] {
  return [...Deno.readDirSync(dir)].flatMap(({ name, isDirectory }) => {
    const path = join(dir, name);
    const mode = (Deno.statSync(path).mode! & 0o777).toString(8);
    const below = isDirectory ? modesUnder(path, `${prefix}${name}/`) : [];
    return [`${mode} ${prefix}${name}`, ...below];
  }).sort();
}

const ADDED = [
  "600 current-config/dev-1/Dockerfile",
  "600 current-config/dev-1/allowlist",
  "600 current-config/dev-1/routes.json",
  "600 private/bottles/dev-1.json",
  "600 private/bottles/lock",
  "700 current-config",
  "700 current-config/dev-1",
  "700 private",
  "700 private/bottles",
  "700 private/staging",
  "700 private/staging/bottles",
  "700 queue",
  "700 queue/dev-1",
];

const add = (dir: TempDir, ...args: string[]) =>
  supervise(dir.at("root"), ["bottle", "add", "dev-1", ...args]);

Deno.test("bottle add makes what a bottle needs, for the operator alone, and twice the same", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("mine"), "mirror.internal.example\n");
  const first = await add(dir, "--allowlist", dir.at("mine"));
  assertEquals([first.code, first.err], [0, ""]);
  assertMatch(first.out, /^added dev-1\n {2}made {2}\S+\/queue\/dev-1\n/);
  assertEquals(modesUnder(dir.at("root")), ADDED);
  const allowlist = dir.at("root", "current-config", "dev-1", "allowlist");
  assertEquals(await Deno.readTextFile(allowlist), "mirror.internal.example\n");

  await Deno.writeTextFile(dir.at("mine"), "other.example\n");
  const second = await add(dir, "--allowlist", dir.at("mine"));
  assertEquals([second.code, second.err], [0, "! the allowlist in force was kept, not replaced\n"]);
  assertMatch(second.out, /^dev-1 is there already; nothing was changed\n {2}kept {2}\S+\n/);
  assertEquals(await Deno.readTextFile(allowlist), "mirror.internal.example\n");
  assertEquals(modesUnder(dir.at("root")), ADDED);
  // Each starts with nothing that doctor would call broken.
  const { out } = await supervise(dir.at("root"), ["doctor"]);
  assertEquals(out.match(/^bad.*$/m)?.[0], undefined, out);
});

Deno.test.each(ADDED.filter((line) => !/lock|staging/.test(line)).map((line) => [line.slice(4)]))(
  "bottle add makes %s anew after a crash that left it out",
  async (path) => {
    await using dir = await tempDir();
    await add(dir);
    await Deno.remove(dir.at("root", path), { recursive: true });
    const again = await add(dir);
    assertEquals([again.code, again.err], [0, ""]);
    assertEquals(modesUnder(dir.at("root")).filter((line) => line.endsWith(` ${path}`)).length, 1);
    assertEquals((await supervise(dir.at("root"), ["bottle", "list"])).out.includes("9100"), true);
  },
);

Deno.test.each(
  [
    ["allowlist", "bad host!\n", /^Cannot add dev-1: the allowlist is not valid: line 1: /],
    ["routes", "{}", /^Cannot add dev-1: the routes\.json is not valid: \$\.routes: /],
    ["dockerfile", "", /^Cannot add dev-1: the Dockerfile is not valid: /],
    ["allowlist", undefined, /^Cannot read \S+: there is no such file\n/],
  ] as const,
)("bottle add refuses a bad --%s, and makes nothing", async (flag, text, says) => {
  await using dir = await tempDir();
  if (text !== undefined) await Deno.writeTextFile(dir.at("file"), text);
  const { code, err } = await add(dir, `--${flag}`, dir.at("file"));
  assert(code !== 0);
  assertMatch(err, says);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name).includes("root"), false);
});

Deno.test.each(
  [
    [["add", "../x"], 'Cannot use "../x" as a bottle slug'],
    [["add", "a", "b"], "expected one NAME, found 2"],
    [["up"], "expected one NAME, found 0"],
    [["up", "dev-9"], "Cannot find dev-9: add it with supervise bottle add dev-9"],
    [["add", "dev-1", "--client", "vim"], "Cannot use vim as --client: expected claude-code, "],
    [
      ["add", "dev-1", "--root", "/tmp/a:b"],
      "Cannot hand /tmp/a:b to a sidecar: a colon, a comma",
    ],
    [["add", "dev-1", "--root", "here"], "Cannot use here: write --root as an absolute path"],
  ] as const,
)("bottle %s is wrong usage", async (words, says) => {
  await using dir = await tempDir();
  const { code, err } = await supervise(dir.at("root"), ["bottle", ...words]);
  assertEquals(code, 2);
  assertStringIncludes(err, says);
});

Deno.test("bottles that are added at once get a port each, which they keep", async () => {
  await using dir = await tempDir();
  const root = dir.at("root");
  const slugs = ["a", "b", "c", "d"];
  await Promise.all(slugs.map((slug) => supervise(root, ["bottle", "add", slug])));
  const ports = async () => {
    const { out } = await supervise(root, ["bottle", "list", "--json"]);
    return JSON.parse(out).bottles.map(({ port }: { port: number }) => port) as number[];
  };
  const before = await ports();
  assertEquals(before.toSorted(), [9100, 9101, 9102, 9103]);
  await supervise(root, ["bottle", "remove", "b"]);
  assertEquals(await ports(), before.filter((_, n) => n !== 1));
  await supervise(root, ["bottle", "add", "b"]);
  assertEquals(await ports(), before);
});

Deno.test("bottle remove refuses while a proposal is pending, and keeps what people look for later", async () => {
  await using dir = await tempDir();
  const root = dir.at("root");
  await add(dir);
  await queueSample(root, { id: "p1" });
  const refused = await supervise(root, ["bottle", "remove", "dev-1"]);
  assertEquals([refused.code, refused.out], [1, ""]);
  assertMatch(refused.err, /^Cannot remove dev-1: it has 1 pending; decide that first/);
  await supervise(root, ["reject", "p1", "--notes", "no"]);
  const removed = await supervise(root, ["bottle", "remove", "dev-1"]);
  assertEquals([removed.code, removed.err], [0, ""]);
  assertEquals(
    removed.out,
    "removed dev-1: its queue and its settings\n" +
      `kept ${root}/audit (the audit logs) and ${root}/current-config/dev-1 (the files in force)\n`,
  );
  assertEquals((await supervise(root, ["audit", "verify"])).code, 0);
  assertEquals([...Deno.readDirSync(join(root, "queue"))], []);
  const list = await supervise(root, ["bottle", "list"]);
  assertEquals(list.out, "There is no bottle yet: supervise bottle add NAME\n");
});

/** The address in a client's configuration. */
const urlIn = (text: string) => new URL(/https?:[^"]+/.exec(text)![0]);

for (const name of CLIENT_NAMES) {
  Deno.test(`${name} has the same configuration in bottle add and in docs/clients.md`, async () => {
    await using dir = await tempDir();
    const { title, file, text, holdSeconds } = CLIENTS[name];
    const { out } = await add(dir, "--client", name);
    const shown = text("http://supervise:9100/mcp");
    assert(out.endsWith(`\n${title} reads ${file}:\n\n${shown}`), out);
    assertEquals(urlIn(shown).href, "http://supervise:9100/mcp");
    if (shown.startsWith("{")) JSON.parse(shown);

    const page = await Deno.readTextFile(join(REPO, "docs/clients.md"));
    const section = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
    assertStringIncludes(section, `\`${file}\``);
    assertStringIncludes(section.replaceAll(/\s+/g, ""), shown.replaceAll(/\s+/g, ""));
    const row = page.split("\n").find((line) => line.startsWith(`| ${title} `)) ?? "";
    const set = row.split("|").at(-2)!.trim();
    assertEquals(set, holdSeconds === undefined ? "nothing" : `${holdSeconds} s`);
  });
}

/** Runs a line in a shell, until the end of the block; gives the log of the sidecar that it starts. */
function startLine(line: string) {
  const child = new Deno.Command("sh", {
    args: ["-c", `exec ${line}`],
    ...inEnvironment(),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  return {
    async logged(event: string): Promise<Record<string, unknown>> {
      for (let seen = "";;) {
        const { value, done } = await lines.read();
        if (done) throw new Error(`It ended before "${event}": ${seen}`);
        seen += `${value}\n`;
        const fields = value.startsWith("{") ? JSON.parse(value) : {};
        if (fields.event === event) return fields;
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      while (!(await lines.read()).done);
      await child.status;
    },
  };
}

/** Gives other bottles the ports below one that this machine probably uses for nothing else. */
async function takePorts(root: string, end: number): Promise<void> {
  await Deno.mkdir(join(root, "private", "bottles"), { recursive: true });
  for (let port = 9100; port < end; port++) {
    const path = join(root, "private", "bottles", `taken-${port}.json`);
    await Deno.writeTextFile(path, JSON.stringify({ version: 1, port }));
  }
}

Deno.test("the command without a container serves the second bottle at the printed address, also under a link", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("a real place"));
  await Deno.symlink("a real place", dir.at("home"));
  const root = dir.at("home", "root");
  const bottle = async (...args: string[]) => {
    const { code, out, err } = await supervise(root, ["bottle", ...args, "--json"]);
    assertEquals([code, err], [0, ""]);
    return JSON.parse(out);
  };
  await takePorts(root, 9140);
  await bottle("add", "dev-1");
  const { command, client } = await bottle("add", "dev-2", "--systemd", "--client", "gemini");
  const url = urlIn(client.text);
  assertEquals(url.href, "http://127.0.0.1:9141/mcp");
  await using sidecar = startLine(command);
  const { hold_seconds } = await sidecar.logged("listening");
  assertEquals(hold_seconds, 540);
  await using agent = await CLIENT_KINDS[0]!.connect(url);
  const asked = agent.call("pipelock-block", {
    proposed_file: "api.github.com\n",
    justification: "The tests read a gist.",
  });
  const { proposal_id: id } = await sidecar.logged("proposed") as { proposal_id: string };
  assertMatch((await supervise(root, ["show", id])).out, /dev-2 {2}pipelock-block/);
  const approved = await supervise(root, ["approve", id]);
  assertEquals(approved.code, 0, approved.err);
  assertEquals((await asked).structured?.status, "approved");
});

const withoutSystemd = isMissing("systemd-analyze");

Deno.test({
  name: "the systemd unit is sound and starts the printed command, wherever the root is",
  ignore: withoutSystemd,
  async fn() {
    await using dir = await tempDir();
    const root = dir.at(`a "%h" $HOME \\ 'place'`);
    const { out } = await supervise(root, ["bottle", "add", "dev-1", "--systemd", "--json"]);
    const { command } = JSON.parse(out);
    // No systemd runs for this operator, so up says what to do instead, and keeps the unit.
    const env = { XDG_RUNTIME_DIR: dir.at("nowhere") };
    const up = await supervise(root, ["bottle", "up", "dev-1", "--systemd"], { env });
    assertEquals(up.code, 1);
    assertMatch(up.err, /^Cannot start dev-1: .* bottle add dev-1 --systemd prints the command/);
    const unit = join(root, "private", "bottles", "supervise-dev-1.service");
    await Deno.copyFile(unit, dir.at("supervise-dev-1.service"));
    const checked = await run("systemd-analyze", ["verify", dir.at("supervise-dev-1.service")]);
    assertEquals([checked.code, checked.err], [0, ""]);
    // What systemd takes ExecStart for, against what a shell takes the printed command for.
    const exec = /^ExecStart=(.*)$/m.exec(await Deno.readTextFile(unit))![1]!;
    assertEquals(
      unitWords(exec),
      (await run("sh", ["-c", `printf '%s\\n' ${command}`])).out.trimEnd().split("\n"),
    );
  },
});

const MANAGER = "/lib/systemd/systemd";

/** Where systemd has booted, a user's systemd cannot be started beside it. */
const whyNoManager = [
  Deno.uid() === 0 ? [] : "it needs root",
  exists(MANAGER) ? [] : `there is no ${MANAGER}`,
  exists("/run/systemd/system") ? "systemd runs this machine" : [],
].flat().join(", ");

if (whyNoManager !== "") {
  if (Deno.env.get("CI") === "true") throw new Error(`CI needs a user's systemd: ${whyNoManager}`);
  console.error(`SKIPPED: no sidecar is started by systemd, because ${whyNoManager}`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

/** Starts a systemd for one user with a home of its own; ends it at the end of the block. */
async function startManager(dir: TempDir) {
  const denoDir = JSON.parse((await run(Deno.execPath(), ["info", "--json"])).out)
    .denoDir as string;
  const env = { HOME: dir.at("home"), XDG_RUNTIME_DIR: dir.at("run"), DENO_DIR: denoDir };
  await Deno.mkdir(dir.at("home"));
  await Deno.mkdir(dir.at("run"), { mode: 0o700 });
  // It wants a machine that systemd booted, and looks for that directory: in a mount namespace it is there.
  const script = "mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && " +
    `mkdir /run/systemd/system && exec ${MANAGER} --user --log-target=null`;
  const manager = new Deno.Command("unshare", {
    args: ["--mount", "sh", "-c", script],
    ...inEnvironment(env),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const systemctl = (...args: string[]) => run("systemctl", ["--user", ...args], { env });
  while ((await systemctl("show-environment")).code !== 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    env,
    async [Symbol.asyncDispose]() {
      await systemctl("exit");
      await manager.status;
    },
  };
}

Deno.test({
  name: "bottle up, status and down run a sidecar with a real systemd, whose agent is answered",
  ignore: whyNoManager !== "",
  async fn() {
    await using dir = await tempDir();
    await using manager = await startManager(dir);
    const { env } = manager;
    const root = dir.at("root");
    const bottle = (...args: string[]) => supervise(root, ["bottle", ...args], { env });
    await takePorts(root, 9160);
    const added = await bottle("add", "dev-1", "--systemd", "--client", "vscode", "--json");
    const url = urlIn(JSON.parse(added.out).client.text);

    // Another program has the port: the sidecar ends, and up says so.
    const taken = Deno.listen({ hostname: "127.0.0.1", port: Number(url.port) });
    const failed = await bottle("up", "dev-1", "--systemd");
    taken.close();
    assertEquals([failed.code, failed.out], [1, ""]);
    assertStringIncludes(
      failed.err,
      "Cannot start dev-1: its sidecar ended; see journalctl --user",
    );

    for (const state of ["started", "runs already"]) {
      const up = await bottle("up", "dev-1", "--systemd");
      assertEquals([up.code, up.out, up.err], [0, `dev-1  ${state}  a systemd unit\n`, ""]);
    }
    assertEquals((await bottle("status", "dev-1")).code, 0);
    await using agent = await CLIENT_KINDS[1]!.connect(url);
    const asked = agent.call("pipelock-block", {
      proposed_file: "api.github.com\n",
      justification: "The tests read a gist.",
    });
    const id = await proposed(join(root, "queue", "dev-1"));
    assertEquals((await bottle("remove", "dev-1")).code, 1);
    assertEquals((await supervise(root, ["show", id])).code, 0);
    const approved = await supervise(root, ["approve", id]);
    assertEquals(approved.code, 0, approved.err);
    assertEquals((await asked).structured?.status, "approved");

    for (const state of ["stopped  stopped its systemd unit", "does not run"]) {
      const down = await bottle("down", "dev-1");
      assertEquals([down.code, down.out, down.err], [0, `dev-1  ${state}\n`, ""]);
    }
    assertEquals((await bottle("status", "dev-1")).code, 1);
    const { code } = await bottle("remove", "dev-1");
    assertEquals(code, 0);
    assertEquals([...Deno.readDirSync(dir.at("home", ".config", "systemd", "user"))], []);
  },
});

/** The words of an `ExecStart=`, by the rules of systemd.service(5). */
function unitWords(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    (quoted ?? plain!).replaceAll(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$")
  );
}
