import { CLIENTS } from "../../../cli/bottle/clients.ts";
import { CLIENT_NAMES } from "../../../cli/command/flags.ts";
import { CLIENT_KINDS } from "../../support/clients.ts";
import { inEnvironment } from "../../support/environment.ts";
import { TextLineStream } from "../../support/lines.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, supervise } from "../../support/run.ts";
import { takePorts } from "../../support/systemd.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** Every file and directory under a root, with its mode. */
function modesUnder(dir: string, prefix = ""): string[] {
  return [...Deno.readDirSync(dir)].flatMap(({ name, isDirectory }) => {
    const path = join(dir, name);
    const mode = (Deno.statSync(path).mode! & 0o777).toString(8);
    const below = isDirectory ? modesUnder(path, `${prefix}${name}/`) : [];
    return [`${mode} ${prefix}${name.replace(/^[0-9a-f]{64}$/, "SHA256")}`, ...below];
  }).sort();
}

const ADDED = [
  "600 private/bottles/dev-1.json",
  "600 private/bottles/lock",
  "600 private/known/dev-1/SHA256",
  "600 private/known/dev-1/SHA256",
  "600 private/known/dev-1/SHA256",
  "600 queue/dev-1/current.Dockerfile",
  "600 queue/dev-1/current.allowlist",
  "600 queue/dev-1/current.routes.json",
  "644 current-config/dev-1/Dockerfile",
  "644 current-config/dev-1/allowlist",
  "644 current-config/dev-1/routes.json",
  "700 current-config",
  "700 private",
  "700 private/bottles",
  "700 private/known",
  "700 private/known/dev-1",
  "700 private/staging",
  "700 private/staging/bottles",
  "700 queue",
  "700 queue/dev-1",
  "755 current-config/dev-1",
];

const add = (dir: TempDir, ...args: string[]) =>
  supervise(dir.at("root"), ["bottle", "add", "dev-1", ...args]);

Deno.test("bottle add makes what a bottle needs, for others what an agent reads, and twice the same", async () => {
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

Deno.test.each(
  ADDED.filter((line) => !/lock|staging|known/.test(line)).map((line) => [line.slice(4)]),
)(
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
  const { code, err } = await supervise(dir.path, ["bottle", ...words]);
  assertEquals(code, 2);
  assertStringIncludes(err, says);
});

Deno.test.each(
  [
    ["circle", "its links lead in a circle"],
    ["file", "it is not a directory"],
    ["file/below", "a part of its path is not a directory"],
  ] as const,
)("the root %s is refused in words by every verb of bottle, and by doctor", async (name, why) => {
  await using dir = await tempDir();
  await Deno.symlink("circle", dir.at("circle"));
  await Deno.writeTextFile(dir.at("file"), "");
  const root = dir.at(name);
  for (const verb of ["add", "up", "down", "status", "list", "remove"]) {
    const ran = await supervise(root, ["bottle", verb, ...(verb === "list" ? [] : ["dev-1"])]);
    assertEquals(
      [verb, ran.code, ran.out, ran.err],
      [verb, 1, "", `Cannot use the root ${root}: ${why}; name another one with --root\n`],
    );
  }
  const { out } = await supervise(root, ["doctor"]);
  assertStringIncludes(out, `${root} cannot be used: ${why}`);
});

Deno.test.each(
  [
    ["a file as", "queue", "/queue/dev-1: a part of its path is not a directory"],
    ["a file as", "queue/dev-1", "/queue/dev-1: it is not a directory"],
    ["a file as", "private/bottles", "/private/bottles: it is not a directory"],
    ["a dangling link as", "queue", "/queue: it is a link that leads nowhere"],
    ["a dangling link as", ".", ": it is a link that leads nowhere"],
  ] as const,
)("bottle add says that it found %s %s of the root", async (what, path, says) => {
  await using dir = await tempDir();
  const taken = dir.at("root", path);
  await Deno.mkdir(join(taken, ".."), { recursive: true });
  if (what === "a file as") await Deno.writeTextFile(taken, "");
  else await Deno.symlink(dir.at("nowhere"), taken);
  const { code, err } = await add(dir);
  assertEquals([code, err], [1, `Cannot create the directory ${dir.at("root")}${says}\n`]);
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
  assertEquals([removed.code, removed.err], [
    0,
    "! 1 response in it was never collected, so no agent was told\n",
  ]);
  assertEquals(
    removed.out,
    "removed dev-1: its settings\n" +
      `moved its queue to ${movedQueue(root)}\n` +
      "  show --final and audit verify read it there, until you delete it\n" +
      `kept ${root}/audit (the audit logs) and ${root}/current-config/dev-1 (the files in force)\n`,
  );
  assertEquals((await supervise(root, ["audit", "verify"])).code, 0);
  assertEquals([...Deno.readDirSync(join(root, "queue"))], []);
  const list = await supervise(root, ["bottle", "list"]);
  assertEquals(list.out, "There is no bottle yet: supervise bottle add NAME\n");
});

/** Where `bottle remove` moved the queue of dev-1. */
function movedQueue(root: string): string {
  const dir = join(root, "private", "removed", "dev-1");
  const [first] = Deno.readDirSync(dir);
  return join(dir, first!.name);
}

// Threat: L3
// Threat: L11
Deno.test("bottle remove moves the queue as it is: decided files are printed and a cut log is found", async () => {
  await using dir = await tempDir();
  const root = dir.at("root");
  await add(dir);
  await queueSample(root, { id: "p1" });
  await supervise(root, ["modify", "p1", "--file", "-"], { input: "mine.example\n" });
  const queue = await Deno.stat(join(root, "queue", "dev-1"));
  const { code, out } = await supervise(root, ["bottle", "remove", "dev-1", "--json"]);
  const { moved_to, uncollected } = JSON.parse(out);
  assertEquals([code, moved_to, uncollected], [0, movedQueue(root), 1]);
  // The same directory: nothing in it was opened, so neither its depth nor its modes matter.
  assertEquals((await Deno.stat(moved_to)).ino, queue.ino);

  await add(dir);
  await Deno.remove(join(root, "private", "known"), { recursive: true });
  const final = await supervise(root, ["show", "p1", "--final"]);
  assertEquals([final.code, final.out], [0, "mine.example\n"]);
  await Deno.remove(join(root, "private", "heads"), { recursive: true });
  await Deno.truncate(join(root, "audit", "pipelock-dev-1.log"));
  const cut = await supervise(root, ["audit", "verify"]);
  assertEquals(cut.code, 1);
  assertStringIncludes(cut.out + cut.err, `${moved_to}/p1.response.json`);
});

Deno.test("bottle remove says which mode keeps the queue from being moved", async () => {
  await using dir = await tempDir();
  await add(dir);
  const queue = dir.at("root", "queue", "dev-1");
  const remove = () => supervise(dir.at("root"), ["bottle", "remove", "dev-1"]);
  for (const mode of [0o000, 0o300, 0o500]) {
    await Deno.chmod(queue, mode);
    const shown = mode.toString(8).padStart(3, "0");
    const says = `its queue has mode ${shown}; chmod u+rwx ${queue} first\n`;
    assertEquals((await remove()).err, `Cannot remove dev-1: ${says}`);
  }
  await Deno.chmod(queue, 0o700);
  assertEquals((await remove()).code, 0);
});

// Threat: B8
Deno.test("bottle remove refuses while a response has no record, and moves nothing", async () => {
  await using dir = await tempDir();
  const root = dir.at("root");
  await add(dir);
  const planted = join(root, "queue", "dev-1", "p1.response.json");
  await queueSample(root, { id: "p1" });
  await Deno.writeTextFile(
    planted,
    JSON.stringify({ proposal_id: "p1", status: "approved", notes: "", final_file: "" }),
  );
  const refused = await supervise(root, ["bottle", "remove", "dev-1"]);
  assertEquals([refused.code, refused.out], [1, ""]);
  assertMatch(
    refused.err,
    /^Cannot remove dev-1: "p1" is answered without a record; decide it with --override-unrecorded/,
  );
  await Deno.remove(join(root, "queue", "dev-1", "p1.proposal.json"));
  assertEquals((await supervise(root, ["bottle", "remove", "dev-1"])).code, 1);
  // Where the log cannot be read, no one knows whether it has a record.
  const log = join(root, "audit", "pipelock-dev-1.log");
  await Deno.mkdir(log, { recursive: true });
  const unknown = await supervise(root, ["bottle", "remove", "dev-1"]);
  assertEquals([unknown.code, unknown.out], [1, ""]);
  assertMatch(
    unknown.err,
    /^Cannot remove dev-1: its responses cannot be checked against its logs: /,
  );
  await Deno.remove(log);
  await Deno.remove(planted);
  assertEquals((await supervise(root, ["bottle", "remove", "dev-1"])).code, 0);
});

// Threat: B8
Deno.test("bottle remove names the archived responses that have no record, and refuses an archive that it cannot list", async () => {
  await using dir = await tempDir();
  const root = dir.at("root");
  await add(dir);
  const archive = join(root, "queue", "dev-1", "processed");
  await Deno.symlink("/etc", archive);
  const refused = await supervise(root, ["bottle", "remove", "dev-1"]);
  assertEquals([refused.code, refused.out], [1, ""]);
  assertStringIncludes(refused.err, "processed: it is a link, where a directory belongs");
  await Deno.remove(archive);
  await Deno.mkdir(archive);
  for (const id of ["p1", "p2"]) {
    const planted = { proposal_id: id, status: "approved", notes: "", final_file: "" };
    await Deno.writeTextFile(join(archive, `${id}.response.json`), JSON.stringify(planted));
  }
  const removed = await supervise(root, ["bottle", "remove", "dev-1"]);
  assertEquals(removed.code, 0);
  assertMatch(
    removed.err,
    /^! 2 archived responses in it without a record: p[12], p[12]; supervise /,
  );
  await add(dir);
  const { out } = await supervise(root, ["bottle", "remove", "dev-1", "--json"]);
  assertEquals(JSON.parse(out).unrecorded, []);
});

Deno.test("settings that cannot be read hide no other bottle from bottle list, nor hinder bottle add", async () => {
  await using dir = await tempDir();
  const root = dir.at("root");
  await add(dir);
  const settings = join(root, "private", "bottles", "dev-1.json");
  await Deno.remove(settings);
  await Deno.mkdir(settings);
  assertEquals((await supervise(root, ["bottle", "add", "dev-2"])).code, 0);
  await Deno.remove(settings);
  await Deno.writeTextFile(settings, '{"version":1,"port":"x"}');
  const { code, out, err } = await supervise(root, ["bottle", "list"]);
  assertEquals(code, 1);
  assertMatch(out, /^dev-1 .*its settings cannot be read\ndev-2 .*port \d+ without a container\n$/);
  assertMatch(err, /^! Cannot read \S+dev-1.json, field "port": not a port; supervise /);
  const json = await supervise(root, ["bottle", "list", "--json"]);
  const { bottles } = JSON.parse(json.out);
  assertEquals([json.code, bottles[0].port, bottles[1].bottle], [1, null, "dev-2"]);
  assertStringIncludes(bottles[0].settings_problem, "not a port");
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

Deno.test("a printed command names the root that this one named", async () => {
  await using dir = await tempDir();
  const root = dir.at("its root");
  const named = ["--root", root];
  const { out } = await supervise(dir.at("another"), ["bottle", "add", "dev-1", ...named]);
  assertStringIncludes(out, `  supervise --root '${root}' bottle up dev-1\n`);
  const { err } = await supervise(dir.path, ["bottle", "up", "dev-2", ...named]);
  assertStringIncludes(err, `add it with supervise --root '${root}' bottle add dev-2`);
  const none = await supervise(dir.path, ["list", "--bottle", "x", "--root", dir.at("none")]);
  assertStringIncludes(
    none.err,
    `; supervise --root ${dir.at("none")} bottle add NAME makes it, or name `,
  );
  await queueSample(root, { id: "p1", arrivalTimestamp: "2026-01-01T00:00:00Z" });
  const env = { VISUAL: "true" };
  const { err: kept } = await supervise(dir.path, ["modify", "p1", ...named], { env });
  assertStringIncludes(
    kept,
    `then: supervise --root '${root}' modify p1 --bottle dev-1 --file '${root}/private/edit/`,
  );
  const doctor = await supervise(dir.path, ["doctor", ...named]);
  assertStringIncludes(doctor.out, `-> supervise --root '${root}' show p1 --bottle dev-1;`);
  assertStringIncludes(doctor.out, `-> supervise --root '${root}' modify ID --file '${root}/`);
});
