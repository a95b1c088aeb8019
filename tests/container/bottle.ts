/**
 * Runs `supervise bottle` with a real engine: what it starts, with what limits, what it leaves alone, and
 * whether an agent beside the sidecar reaches it with the configuration that was printed. Like
 * `image.ts` it needs root, podman and buildah, and is skipped or fails in the same way.
 *
 * @module
 */

import { CLIENT_KINDS } from "../support/clients.ts";
import { CURRENT_CONFIG_DIR_IN_AGENT, QUEUE_DIR_IN_CONTAINER } from "../../mod.ts";
import { blocksOf } from "../support/documents.ts";
import { proposed, queueSample } from "../support/records.ts";
import { REPO, run, type RunResult, supervise } from "../support/run.ts";
import { mustSkip } from "../support/skip.ts";
import type { TempDir } from "../support/temp.ts";
import { buildBase } from "./base.ts";
import { type Engine, openEngine, whyNoContainers } from "./engine.ts";
import { openWorkplace, storeEnvironment } from "./workplace.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";

const CALL = { proposed_file: "api.github.com\n", justification: "The tests read a gist." };

/** The image that the Containerfile builds on. */
const BASE = "docker.io/denoland/deno:2.9.6";

const whyNot = whyNoContainers();

const ignore = mustSkip(whyNot && `no container, because ${whyNot}`);

interface Host {
  readonly place: TempDir;
  readonly root: string;
  readonly engine: Engine;
  readonly env: Record<string, string>;
  /** Runs the command line as its operator does. */
  readonly bottle: (...args: readonly string[]) => Promise<RunResult>;
}

Deno.test({
  name: "supervise bottle starts and stops a sidecar with podman",
  ignore,
  async fn(t) {
    await using place = await openWorkplace();
    const engine = openEngine(place);
    const root = place.at("home", ".claude-bottle");
    const env = {
      ...storeEnvironment(place.path),
      HOME: place.at("home"),
      PATH: `${place.at("home", ".local", "bin")}:${Deno.env.get("PATH")}`,
      DENO_DIR: JSON.parse((await run(Deno.execPath(), ["info", "--json"])).out).denoDir as string,
    };
    await Deno.mkdir(place.at("home"));
    const host: Host = {
      place,
      root,
      engine,
      env,
      bottle: (...args) => supervise(root, ["bottle", ...args], { env }),
    };
    await engine.podman(["tag", await buildBase(engine, place), BASE]);

    await t.step("up builds the image, makes the network, and bounds the container", async () => {
      const readme = blocksOf("README.md").find(({ text }) => text.includes("bottle up dev-1"))!;
      const up = await run("sh", ["-euc", readme.text], { env, cwd: REPO });
      assertEquals(up.code, 0, up.err);
      assertMatch(up.out, /^added dev-1\n[^]*\ndev-1 {2}started {2}podman dev-1-supervise\n$/);
      assertMatch(up.err, /^Building localhost\/supervise:\S+ from \S+\n$/);
      await checkContainer(host, "0:0");
    });
    await t.step("up again changes nothing", async () => {
      const before = await idOf(host, "dev-1-supervise");
      const again = await host.bottle("up", "dev-1");
      assertEquals([again.code, again.err], [0, ""]);
      assertEquals(again.out, "dev-1  runs already  podman dev-1-supervise\n");
      assertEquals(await idOf(host, "dev-1-supervise"), before);
    });
    await t.step("the sidecar fills no disk but the queue's", () => fillDisk(host));
    await t.step("an agent asks by the printed configuration and is answered", () => ask(host));
    await t.step("an agent of another user than root reads the files in force", async () => {
      const { agent_flags } = JSON.parse((await host.bottle("add", "dev-1", "--json")).out);
      const [, volume] = String(agent_flags[1]).split(" ");
      const read = `console.log(Deno.readTextFileSync("${CURRENT_CONFIG_DIR_IN_AGENT}/allowlist"))`;
      const out = await engine.podman([
        ...["run", "--rm", "--user=1000:1000", "--network=none", "--ulimit=nofile=1024:1024"],
        ...["--env=DENO_DIR=/tmp", `--volume=${volume}`, "--entrypoint=deno", BASE, "eval", read],
      ]);
      // What was approved in the step before.
      assertEquals(out, "api.github.com\n\n");
    });
    await t.step("after a stop that this tool did not make, up starts it anew", async () => {
      await engine.podman(["stop", "--time", "5", "dev-1-supervise"]);
      const status = await host.bottle("status", "dev-1");
      assertEquals([status.code, status.out], [1, "dev-1  does not run\n"]);
      assertEquals((await host.bottle("up", "dev-1")).code, 0);
      assertEquals((await host.bottle("status", "dev-1")).code, 0);
    });
    await t.step("down keeps a network that another container is in, until it left", async () => {
      await startAgent(host);
      const first = await host.bottle("down", "dev-1");
      assertEquals(first.code, 0, first.err);
      assertStringIncludes(first.out, "kept the network dev-1-internal: another container is in");
      await engine.podman(["rm", "--force", "--time", "0", "agent"]);
      assertStringIncludes((await host.bottle("down", "dev-1")).out, "removed the network");
      const third = await host.bottle("down", "dev-1");
      assertEquals([third.code, third.out], [0, "dev-1  does not run\n"]);
      assertEquals((await engine.podman(["ps", "--all", "--quiet"])).trim(), "");
    });
    await t.step("another user's queue is served as that user", async () => {
      await Deno.chown(`${root}/queue/dev-1`, 12345, 12345);
      assertEquals((await host.bottle("up", "dev-1")).code, 0);
      await checkContainer(host, "12345:12345");
      assertEquals((await host.bottle("remove", "dev-1")).code, 0);
      assertEquals(await there(`${root}/queue/dev-1`), false);
      assertEquals(await there(`${root}/audit/pipelock-dev-1.log`), true);
    });
    await t.step("what this tool did not make is never touched", () => leaveAlone(host));
    await t.step("no sidecar is started in a network that is not internal", () => stayInside(host));
    await t.step("a container that takes the name in between is left alone", () => race(host));
    await t.step("two that start it at once start one", () => startTwice(host));
    await t.step(
      "a root is the same by its other names, and without its settings",
      () => find(host),
    );
    await t.step(
      "remove that refuses for what came while it stopped the sidecar says so",
      () => proposeWhileItStops(host),
    );
  },
});

async function there(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function inspect({ engine }: Host, kind: string, name: string) {
  return JSON.parse(await engine.podman([kind, "inspect", name]))[0];
}

const idOf = async (host: Host, name: string) => (await inspect(host, "container", name)).Id;

async function checkContainer(host: Host, user: string): Promise<void> {
  const { Config, HostConfig, NetworkSettings, State, EffectiveCaps } = await inspect(
    host,
    "container",
    "dev-1-supervise",
  );
  assertEquals(Config.User, user);
  assertEquals(HostConfig.Memory, 512 * 1024 * 1024);
  assertEquals(HostConfig.PidsLimit, 256);
  assertEquals(HostConfig.ReadonlyRootfs, true);
  assertEquals(EffectiveCaps ?? [], []);
  assertEquals(HostConfig.RestartPolicy.Name, "unless-stopped");
  const [network] = Object.entries<{ Aliases: string[] }>(NetworkSettings.Networks);
  assertEquals(network![0], "dev-1-internal");
  assertStringIncludes(network![1].Aliases.join(), "supervise");
  assertEquals((await inspect(host, "network", "dev-1-internal")).internal, true);
  // What the kernel says of it, whatever the engine was told.
  const status = await Deno.readTextFile(`/proc/${State.Pid}/status`);
  assertMatch(status, /^CapBnd:\t0{16}$/m);
  assertMatch(status, /^NoNewPrivs:\t1$/m);
  const limits = await Deno.readTextFile(`/proc/${State.Pid}/limits`);
  assertMatch(limits, /^Max open files +4096 +4096 /m);
}

/** File systems that take no room on a disk. */
const NO_DISK = /^(tmpfs|proc|sysfs|cgroup2?|devpts|mqueue)$/;

/** Prints 42 MB where process 1 prints, as somebody who controls it would. */
async function fillDisk(host: Host): Promise<void> {
  const { State: { Pid }, HostConfig } = await inspect(host, "container", "dev-1-supervise");
  const mounts = (await Deno.readTextFile(`/proc/${Pid}/mountinfo`)).trimEnd().split("\n");
  const writable = mounts.map((line) => line.split(" ")).filter((words) =>
    words[5]!.startsWith("rw") && !NO_DISK.test(words.at(-3)!)
  );
  assertEquals(writable.map((words) => words[4]), [QUEUE_DIR_IN_CONTAINER]);
  const lines = new TextEncoder().encode(`${"x".repeat(119)}\n`.repeat(500));
  {
    using out = await Deno.open(`/proc/${Pid}/fd/2`, { write: true });
    for (let n = 0; n < 700; n++) out.writeSync(lines);
  }
  const { size } = await Deno.stat(HostConfig.LogConfig.Path);
  assert(size <= 11_000_000, `its log has ${size} bytes`);
}

/** Starts a container in the bottle's network that does nothing. */
async function startIdle({ engine }: Host, name: string): Promise<void> {
  await engine.podman([
    ...["run", "--detach", `--name=${name}`, "--network=dev-1-internal", "--entrypoint=deno"],
    ...["--ulimit=nofile=1024:1024", BASE, "eval", "setInterval(() => {}, 1e6)"],
  ]);
}

/** Starts the agent's container; gives its inspection. */
async function startAgent(host: Host) {
  await startIdle(host, "agent");
  return await inspect(host, "container", "agent");
}

async function ask(host: Host): Promise<void> {
  const { State: { Pid: pid }, ResolvConfPath: resolvConf } = await startAgent(host);
  const { out } = await host.bottle("add", "dev-1", "--client", "claude-code", "--json");
  const { client } = JSON.parse(out);
  const { url } = JSON.parse(client.text).mcpServers.supervise;
  const program = fromFileUrl(new URL("client.ts", import.meta.url));
  // In the agent's network, with the name server that its container has.
  const calling = run("nsenter", [
    `--net=/proc/${pid}/ns/net`,
    ...["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"'],
    ...[resolvConf, Deno.execPath(), "run", "-A", "--quiet", "--cached-only", program],
    ...[CLIENT_KINDS[0]!.name, url, "pipelock-block", JSON.stringify(CALL)],
  ]);
  const id = await Promise.race([proposed(`${host.root}/queue/dev-1`), ended(calling)]);
  const refused = await host.bottle("remove", "dev-1");
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.err, "Cannot remove dev-1: it has 1 pending; decide that first");
  const status = await host.bottle("status", "dev-1");
  assertEquals([status.code, status.out], [0, "dev-1  runs  podman dev-1-supervise\n"]);
  await supervise(host.root, ["show", id]);
  const approved = await supervise(host.root, ["approve", id]);
  assertEquals(approved.code, 0, approved.err);
  const called = await calling;
  assertEquals([called.code, called.err], [0, ""]);
  assertEquals(JSON.parse(called.out).structured.status, "approved");
  await host.engine.podman(["rm", "--force", "--time", "0", "agent"]);
}

async function ended(calling: Promise<RunResult>): Promise<never> {
  const { out, err } = await calling;
  throw new Error(`The client ended before anything was proposed: ${out}${err}`);
}

async function leaveAlone(host: Host): Promise<void> {
  const { engine, bottle } = host;
  assertEquals((await bottle("add", "dev-1", "--client", "codex")).code, 0);
  await engine.podman(["network", "create", "--internal", "dev-1-internal"]);
  await startIdle(host, "dev-1-supervise");
  const before = await idOf(host, "dev-1-supervise");
  for (const verb of ["up", "down", "remove"]) {
    const { code, out, err } = await bottle(verb, "dev-1");
    assertEquals([verb, code, out], [verb, 1, ""]);
    assertStringIncludes(err, "the container dev-1-supervise was not made by this tool");
  }
  const status = await bottle("status", "dev-1");
  assertEquals([status.code, status.out], [1, "dev-1  does not run\n"]);
  const { Id, State } = await inspect(host, "container", "dev-1-supervise");
  assertEquals([Id, State.Running], [before, true]);

  // A network that was there before is used, and stays.
  await engine.podman(["rm", "--force", "--time", "0", "dev-1-supervise"]);
  assertEquals((await bottle("up", "dev-1")).code, 0);
  const { Config } = await inspect(host, "container", "dev-1-supervise");
  assertEquals(Config.Env.includes("SUPERVISE_HOLD_SECONDS=240"), true);
  assertEquals((await bottle("down", "dev-1")).code, 0);
  assertMatch(await engine.podman(["network", "ls"]), /dev-1-internal/);
}

async function stayInside({ engine, root, bottle }: Host): Promise<void> {
  await engine.podman(["network", "rm", "dev-1-internal"]);
  const labels = ["supervise.bottle=dev-1", `supervise.root=${root}`].map((label) =>
    `--label=${label}`
  );
  for (const flags of [[], labels]) {
    await engine.podman(["network", "create", ...flags, "dev-1-internal"]);
    const up = await bottle("up", "dev-1");
    assertEquals([up.code, up.out], [1, ""]);
    assertStringIncludes(up.err, "the network dev-1-internal is not internal, so the agent in it");
    assertEquals((await engine.podman(["ps", "--all", "--quiet"])).trim(), "");
    await engine.podman(["network", "rm", "dev-1-internal"]);
  }
}

/** Runs a verb with a podman that gives the name to another container, once it was asked who has it. */
async function race(host: Host): Promise<void> {
  const { engine, place, root, env } = host;
  await Deno.mkdir(place.at("bin"));
  const real = (await run("sh", ["-c", "command -v podman"])).out.trim();
  const script = `#!/bin/sh
${real} "$@"
code=$?
case $1:$2:$# in container:inspect:3)
  if [ ! -e "$0.done" ] && : > "$0.done"; then
    ${real} rename dev-1-supervise renamed || ${real} rm --force --time 0 dev-1-supervise
    ${real} create --name dev-1-supervise ${BASE}
  fi >&2
esac
exit $code
`;
  await Deno.writeTextFile(place.at("bin", "podman"), script, { mode: 0o755 });
  const racing = { ...env, PATH: `${place.at("bin")}:${env.PATH}` };
  const raced = async (...args: string[]) => {
    const ran = await supervise(root, ["bottle", ...args], { env: racing });
    await Deno.remove(place.at("bin", "podman.done"));
    const { Config } = await inspect(host, "container", "dev-1-supervise");
    assertEquals(Config.Labels?.["supervise.bottle"], undefined);
    const others = await engine.podman(["ps", "--all", "--format", "{{.Names}}"]);
    assertEquals(others.trim(), "dev-1-supervise");
    await engine.podman(["rm", "--force", "--time", "0", "dev-1-supervise"]);
    return ran;
  };
  assertEquals((await host.bottle("up", "dev-1")).code, 0);
  const down = await raced("down", "dev-1");
  assertEquals([down.code, down.err.replace(/^[0-9a-f]+\n/, "")], [0, ""]);
  assertStringIncludes(down.out, "removed the container dev-1-supervise");
  assertEquals((await host.bottle("up", "dev-1")).code, 0);
  await engine.podman(["stop", "--time", "5", "dev-1-supervise"]);
  const up = await raced("up", "dev-1");
  assertEquals(up.code, 1);
  assertMatch(
    up.err,
    /^Cannot run podman run --detach: .*the container name "dev-1-supervise" is already/m,
  );
}

/** Runs remove with a podman that has a proposal in the queue before it stops the sidecar. */
async function proposeWhileItStops(host: Host): Promise<void> {
  const { place, root, env, bottle } = host;
  const other = place.at("other");
  await queueSample(other, { id: "late" });
  await Deno.mkdir(place.at("late"));
  const real = (await run("sh", ["-c", "command -v podman"])).out.trim();
  const script = `#!/bin/sh
[ "$1" != stop ] || mv '${other}/queue/dev-1/late.proposal.json' '${root}/queue/dev-1'
exec ${real} "$@"
`;
  await Deno.writeTextFile(place.at("late", "podman"), script, { mode: 0o755 });
  assertEquals((await bottle("up", "dev-1")).code, 0);
  const racing = { ...env, PATH: `${place.at("late")}:${env.PATH}` };
  const { code, out, err } = await supervise(root, ["bottle", "remove", "dev-1"], { env: racing });
  assertEquals([code, out], [1, ""]);
  assertMatch(
    err,
    /^! removed the container dev-1-supervise, .*; supervise bottle up dev-1 starts it again\nCannot remove dev-1: it has 1 pending/m,
  );
  // It does, with the proposal there.
  assertEquals((await bottle("up", "dev-1")).out, "dev-1  started  podman dev-1-supervise\n");
  assertEquals((await supervise(root, ["list"])).out.includes("late"), true);
}

async function startTwice({ engine, bottle }: Host): Promise<void> {
  const both = await Promise.all([bottle("up", "dev-1"), bottle("up", "dev-1")]);
  assertEquals(both.map(({ code, err }) => [code, err]), [[0, ""], [0, ""]]);
  assertEquals(both.map(({ out }) => out).toSorted(), [
    "dev-1  runs already  podman dev-1-supervise\n",
    "dev-1  started  podman dev-1-supervise\n",
  ]);
  assertEquals((await engine.podman(["ps", "--all", "--quiet"])).trim().split("\n").length, 1);
}

async function find({ place, root, env, bottle }: Host): Promise<void> {
  await Deno.symlink(root, place.at("link"));
  for (const name of [`${root}/`, place.at("link")]) {
    for (const verb of ["status", "up"]) {
      const { code, out } = await supervise(name, ["bottle", verb, "dev-1"], { env });
      assertEquals([code, /runs( already)? {2}podman/.test(out)], [0, true], out);
    }
  }
  await Deno.remove(`${root}/private/bottles`, { recursive: true });
  assertStringIncludes((await bottle("down", "dev-1")).err, "supervise bottle add dev-1");
  assertEquals((await bottle("add", "dev-1")).code, 0);
  assertEquals((await bottle("status", "dev-1")).code, 0);
  assertStringIncludes((await bottle("up", "dev-1")).out, "runs already");
  await Deno.remove(`${root}/private/bottles/dev-1.json`);
  assertEquals((await bottle("add", "dev-1")).code, 0);
  const down = await bottle("down", "dev-1");
  assertEquals([down.code, down.err], [0, ""]);
  assertStringIncludes(down.out, "removed the container dev-1-supervise");
  assertEquals((await bottle("status", "dev-1")).code, 1);
}
