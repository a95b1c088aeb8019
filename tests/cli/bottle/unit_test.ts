import { unitText } from "../../../cli/bottle/unit.ts";
import { CLIENT_KINDS } from "../../support/clients.ts";
import { proposed, queueSample } from "../../support/records.ts";
import { run, supervise } from "../../support/run.ts";
import { startSidecar } from "../../support/sidecar.ts";
import { isMissing } from "../../support/skip.ts";
import { startManager, takePorts, whyNoManager } from "../../support/systemd.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** A name of its own: the processes of a user's systemd are in the same cgroup as those of another one. */
const SLUG = `unit-${crypto.randomUUID().slice(0, 8)}`;

const UNIT = `supervise-${SLUG}.service`;

const withoutSystemd = isMissing("systemd-analyze");

Deno.test({
  name: "the systemd unit is sound and starts the printed command, wherever the root is",
  ignore: withoutSystemd,
  async fn() {
    await using dir = await tempDir();
    const root = dir.at(`a "%h" $HOME \\ 'place'`);
    const { out } = await supervise(root, ["bottle", "add", SLUG, "--systemd", "--json"]);
    const { command } = JSON.parse(out);
    // No systemd runs for this operator, so up says what to do instead, and leaves nothing.
    const env = { XDG_RUNTIME_DIR: dir.at("nowhere") };
    const up = await supervise(root, ["bottle", "up", SLUG, "--systemd"], { env });
    assertEquals(up.code, 1);
    assertMatch(
      up.err,
      /^Cannot start unit-\S+: .* bottle add unit-\S+ --systemd prints the command/,
    );
    const settings = join(root, "private", "bottles");
    assertEquals(namesIn(settings).filter((name) => name.endsWith(".service")), []);

    const queueDir = join(root, "queue", SLUG);
    const bottle = { slug: SLUG, root, realRoot: root, queueDir, uid: 0, gid: 0 };
    const text = unitText({
      ...bottle,
      settings: { port: 9100 },
      supervise: "supervise",
      say() {},
    });
    await Deno.writeTextFile(dir.at(UNIT), text);
    const checked = await run("systemd-analyze", ["verify", dir.at(UNIT)]);
    assertEquals([checked.code, checked.err], [0, ""]);
    // What systemd takes ExecStart for, against what a shell takes the printed command for.
    const exec = /^ExecStart=(.*)$/m.exec(text)![1]!;
    assertEquals(
      unitWords(exec),
      (await run("sh", ["-c", `printf '%s\\n' ${command}`])).out.trimEnd().split("\n"),
    );
  },
});

function namesIn(dir: string): string[] {
  return Array.from(Deno.readDirSync(dir), ({ name }) => name);
}

/** A host whose operator has a systemd. */
async function openHost(dir: TempDir) {
  const manager = await startManager(dir);
  const { env, systemctl } = manager;
  const units = dir.at("home", ".config", "systemd", "user");
  return {
    env,
    units,
    systemctl,
    show: async (property: string) =>
      (await systemctl("show", `--property=${property}`, "--value", UNIT)).out.trim(),
    /** Runs a verb of `bottle` with the bottle of a root. */
    bottle: (root: string, verb: string, ...flags: string[]) =>
      supervise(root, ["bottle", verb, SLUG, ...flags], { env }),
    /** Adds to the unit what `systemctl --user edit` would. */
    async edit(text: string): Promise<void> {
      await Deno.mkdir(join(units, `${UNIT}.d`), { recursive: true });
      await Deno.writeTextFile(join(units, `${UNIT}.d`, "override.conf"), `[Service]\n${text}\n`);
    },
    [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose](),
  };
}

const ignore = whyNoManager !== "";

Deno.test({
  name: "bottle up, status and down run a sidecar with a real systemd, whose agent is answered",
  ignore,
  async fn() {
    await using dir = await tempDir();
    await using host = await openHost(dir);
    const root = dir.at("root");
    const bottle = (verb: string, ...flags: string[]) => host.bottle(root, verb, ...flags);
    await takePorts(root, 9160);
    const added = await bottle("add", "--systemd", "--client", "vscode", "--json");
    const url = new URL(JSON.parse(added.out).url);

    for (const state of ["started", "runs already"]) {
      const up = await bottle("up", "--systemd");
      assertEquals([up.code, up.out, up.err], [0, `${SLUG}  ${state}  a systemd unit\n`, ""]);
      // It was said when it was so: the first request is answered.
      assertEquals(await (await fetch(new URL("/healthz", url))).text(), "ok\n");
    }
    assertEquals((await bottle("status")).code, 0);
    await using agent = await CLIENT_KINDS[1]!.connect(url);
    const asked = agent.call("pipelock-block", {
      proposed_file: "api.github.com\n",
      justification: "The tests read a gist.",
    });
    const id = await proposed(join(root, "queue", SLUG));
    assertEquals((await bottle("remove")).code, 1);
    assertEquals((await supervise(root, ["show", id])).code, 0);
    const approved = await supervise(root, ["approve", id]);
    assertEquals(approved.code, 0, approved.err);
    assertEquals((await asked).structured?.status, "approved");

    // The same root under other names.
    await Deno.symlink("root", dir.at("link"));
    for (const name of [`${root}/`, dir.at("link")]) {
      assertEquals((await host.bottle(name, "up", "--systemd")).out.includes("runs already"), true);
      assertEquals((await host.bottle(name, "status")).code, 0);
    }

    for (const state of ["stopped  stopped its systemd unit", "does not run"]) {
      const down = await bottle("down");
      assertEquals([down.code, down.out, down.err], [0, `${SLUG}  ${state}\n`, ""]);
    }
    assertEquals((await bottle("status")).code, 1);
    const { code } = await bottle("remove");
    assertEquals(code, 0);
    assertEquals(namesIn(host.units), []);
  },
});

Deno.test({
  name: "bottle up says why a sidecar does not start, and leaves no unit behind",
  ignore,
  async fn() {
    await using dir = await tempDir();
    await using host = await openHost(dir);
    const root = dir.at("root");
    await takePorts(root, 9165);
    await host.bottle(root, "add");
    // Nobody collects the journal here: what systemctl prints of it is put below what it prints without.
    await Deno.mkdir(dir.at("bin"));
    const { out: real } = await run("sh", ["-c", "command -v systemctl"]);
    const script = `#!/bin/sh\n${real.trim()} "$@"\ncode=$?\n` +
      `case $* in *status*) printf '\\nCannot listen: \\033[31min use\\n' ;; esac\nexit $code\n`;
    await Deno.writeTextFile(dir.at("bin", "systemctl"), script, { mode: 0o755 });
    const env = { ...host.env, PATH: `${dir.at("bin")}:${Deno.env.get("PATH")}` };

    // Another sidecar has the port, and answers.
    await using _ = await startSidecar(join(root, "queue", SLUG), SLUG, 9165);
    const up = await supervise(root, ["bottle", "up", SLUG, "--systemd"], { env });
    assertEquals([up.code, up.out], [1, ""]);
    assertMatch(
      up.err,
      /^Cannot start unit-\S+: its sidecar did not start: Cannot listen: ⟨U\+001B⟩\[31min use; see journalctl --user --unit supervise-unit-\S+; /,
    );
    assertEquals(await host.show("MainPID"), "0");
    assertEquals(namesIn(host.units), []);
    assertEquals(namesIn(join(root, "private/bottles")).includes(UNIT), false);
  },
});

Deno.test({
  name: "bottle up waits for a sidecar that is slow to start",
  ignore,
  async fn() {
    await using dir = await tempDir();
    await using host = await openHost(dir);
    const root = dir.at("root");
    await takePorts(root, 9166);
    await host.bottle(root, "add");
    await run("mkfifo", [dir.at("go")]);
    await host.edit(`ExecStartPre=/bin/sh -c 'read line < ${dir.at("go")}'`);
    const up = host.bottle(root, "up", "--systemd");
    // Opens once the unit reads it.
    await Deno.writeTextFile(dir.at("go"), "go\n");
    assertEquals((await up).out, `${SLUG}  started  a systemd unit\n`);
  },
});

Deno.test({
  name:
    "bottle remove that refuses for what came while it stopped the unit says how to start that again",
  ignore,
  async fn() {
    await using dir = await tempDir();
    await using host = await openHost(dir);
    const root = dir.at("root");
    await takePorts(root, 9172);
    await host.bottle(root, "add");
    await queueSample(dir.at("other"), { id: "late", bottleSlug: SLUG });
    const late = join("queue", SLUG, "late.proposal.json");
    await host.edit(`ExecStopPost=/bin/mv ${dir.at("other", late)} ${join(root, late)}`);
    assertEquals((await host.bottle(root, "up", "--systemd")).code, 0);
    const { code, out, err } = await host.bottle(root, "remove");
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(
      err.replaceAll(/\n ?↪/g, ""),
      `! stopped its systemd unit; supervise bottle up ${SLUG} --systemd starts it again\n` +
        `Cannot remove ${SLUG}: it has 1 pending`,
    );
    assertEquals(await host.show("ActiveState"), "inactive");
  },
});

Deno.test({
  name: "a unit's token is in no command line and in no unit, and the check needs none",
  ignore,
  async fn() {
    await using dir = await tempDir();
    await using host = await openHost(dir);
    const root = dir.at("root");
    await takePorts(root, 9167);
    const { url } = JSON.parse((await host.bottle(root, "add", "--systemd", "--json")).out);
    await Deno.writeTextFile(dir.at("token"), "SUPERVISE_TOKEN=of-nobody\n", { mode: 0o600 });
    await host.edit(`EnvironmentFile=${dir.at("token")}`);
    const up = await host.bottle(root, "up", "--systemd");
    assertEquals([up.code, up.err], [0, ""]);
    const refused = await fetch(url, { method: "POST" });
    await refused.body?.cancel();
    assertEquals(refused.status, 401);
    const { out } = await host.systemctl("show", UNIT);
    assertEquals(out.includes("of-nobody"), false);
    assertEquals((await host.bottle(root, "down")).code, 0);
  },
});

for (
  const [whose, settle] of [
    ["another root's", async (host, dir) => {
      await takePorts(dir.at("other"), 9168);
      await host.bottle(dir.at("other"), "add");
      assertEquals((await host.bottle(dir.at("other"), "up", "--systemd")).code, 0);
    }],
    ["the operator's own", async (host) => {
      await Deno.mkdir(host.units, { recursive: true });
      const text = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=default.target\n";
      await Deno.writeTextFile(join(host.units, UNIT), text);
      await host.systemctl("daemon-reload");
      await host.systemctl("enable", "--now", UNIT);
    }],
  ] as readonly [
    string,
    (host: Awaited<ReturnType<typeof openHost>>, dir: TempDir) => Promise<void>,
  ][]
) {
  Deno.test({
    name: `bottle touches and reports no unit that is ${whose}`,
    ignore,
    async fn() {
      await using dir = await tempDir();
      await using host = await openHost(dir);
      const root = dir.at("root");
      await settle(host, dir);
      const before = [await host.show("MainPID"), namesIn(host.units)];
      await takePorts(root, 9169);
      await host.bottle(root, "add");
      const up = await host.bottle(root, "up", "--systemd");
      assertEquals([up.code, up.out], [1, ""]);
      assertStringIncludes(up.err, `/${UNIT} was not made by this tool for ${root}; remove it`);
      for (const [verb, code] of [["status", 1], ["down", 0]] as const) {
        const ran = await host.bottle(root, verb);
        assertEquals([ran.code, ran.out, ran.err], [code, `${SLUG}  does not run\n`, ""]);
      }
      assertEquals((await host.bottle(root, "remove")).code, 0);
      assertEquals([await host.show("MainPID"), namesIn(host.units)], before);
      assertEquals(await host.show("ActiveState"), "active");
    },
  });
}

Deno.test({
  name: "bottle up forgets the unit that it wrote if the name is taken after all",
  ignore,
  async fn() {
    await using dir = await tempDir();
    await using host = await openHost(dir);
    const root = dir.at("root");
    await host.bottle(root, "add");
    await Deno.mkdir(host.units, { recursive: true });
    // systemd finds no unit behind it, and lets nobody else have the name.
    await Deno.symlink("/nowhere/else.service", join(host.units, UNIT));
    const up = await host.bottle(root, "up", "--systemd");
    assertEquals([up.code, up.out], [1, ""]);
    assertStringIncludes(up.err, 'already exists and is a symlink to "/nowhere/else.service";');
    assertEquals(namesIn(join(root, "private/bottles")).includes(UNIT), false);
    assertEquals(namesIn(host.units), [UNIT]);
  },
});

Deno.test({
  name: "bottle down stops the sidecar of a bottle whose settings were lost, or says how",
  ignore,
  async fn() {
    await using dir = await tempDir();
    await using host = await openHost(dir);
    const root = dir.at("root");
    await takePorts(root, 9170);
    const lose = async () => {
      await Deno.remove(join(root, "private/bottles"), { recursive: true });
      const down = await host.bottle(root, "down");
      assertEquals([down.code, down.out], [2, ""]);
      assertStringIncludes(down.err, `add it with supervise bottle add ${SLUG}, which keeps what`);
      assertEquals((await host.bottle(root, "add")).code, 0);
    };
    await host.bottle(root, "add");
    assertEquals((await host.bottle(root, "up", "--systemd")).code, 0);
    await lose();
    assertEquals((await host.bottle(root, "status")).code, 0);
    const down = await host.bottle(root, "down");
    assertEquals([down.code, down.out], [0, `${SLUG}  stopped  stopped its systemd unit\n`]);
    assertEquals([await host.show("ActiveState"), namesIn(host.units)], ["inactive", []]);

    // Once systemd was told to look again, it does not know whose unit it runs.
    assertEquals((await host.bottle(root, "up", "--systemd")).code, 0);
    await lose();
    await host.systemctl("daemon-reload");
    for (const verb of ["up", "status", "down", "remove"]) {
      const flags = verb === "up" ? ["--systemd"] : [];
      const { code, out, err } = await host.bottle(root, verb, ...flags);
      assertEquals([verb, code, out], [verb, 1, ""]);
      assertStringIncludes(err, `stop it with systemctl --user stop ${UNIT}`);
    }
    await host.systemctl("stop", UNIT);
    assertEquals((await host.bottle(root, "up", "--systemd")).code, 0);
    assertEquals((await host.bottle(root, "remove")).code, 0);
    assertEquals(namesIn(host.units), []);
  },
});

/** The words of an `ExecStart=`, by the rules of systemd.service(5). */
function unitWords(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    (quoted ?? plain!).replaceAll(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$")
  );
}
