/**
 * Builds the image of the Containerfile and asks it everything: what is in it, what it runs with,
 * and whether an agent beside it gets the operator's answer. Takes half a minute, root, podman and
 * buildah, so it is no `_test.ts` that every `deno test` would find:
 *
 * ```sh
 * deno test -A tests/container/image.ts
 * ```
 *
 * Where podman is missing it is skipped, and says so; with `CI=true` it fails.
 *
 * @module
 */

import { QUEUE_DIR_IN_CONTAINER } from "../../mod.ts";
import { sidecarFlags } from "../../sidecar/settings.ts";
import { CLIENT_KINDS } from "../support/clients.ts";
import { REPO, run } from "../support/run.ts";
import { mustSkip } from "../support/skip.ts";
import { buildBase } from "./base.ts";
import { type Container, type Engine, openEngine, whyNoContainers } from "./engine.ts";
import { installCommandLine, type Operator } from "./operator.ts";
import { type ImagePath, pathsIn } from "./paths_in.ts";
import { openWorkplace } from "./workplace.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const SLUG = "dev-1";

const CALL = { proposed_file: "api.github.com\n", justification: "The tests read a gist." };

/** What the sidecar is started with, and nothing more. */
const COMMAND = [
  "deno",
  "run",
  ...sidecarFlags(QUEUE_DIR_IN_CONTAINER, "0.0.0.0:9100"),
  "--cached-only",
  "/supervise/sidecar/main.ts",
];

/** Who runs it, and how. */
const SCENARIOS = [
  {
    name: "as the image's own user, locked down",
    uid: 1993,
    flags: ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"],
    kind: "the SDK 2.x client (2026-07-28)",
  },
  {
    name: "as any other user",
    uid: 12345,
    flags: ["--user=12345:12345"],
    kind: "the SDK 1.x client",
  },
];

const whyNot = whyNoContainers();

const ignore = mustSkip(whyNot && `no container, because ${whyNot}`);

Deno.test({
  name: "Containerfile builds a sidecar that can do one thing",
  ignore,
  async fn(t) {
    await using place = await openWorkplace();
    const engine = openEngine(place);
    const base = await buildBase(engine, place);
    const image = await engine.build(
      "localhost/supervise",
      join(REPO, "Containerfile"),
      REPO,
      [`--build-arg=BASE=${base}`],
    );
    const makeOperator = await installCommandLine(place, place.at("base", "rootfs", "usr", "bin"));

    await t.step("it says how it wants to be run", () => checkConfig(engine, image));
    await t.step("it contains the sidecar alone", () => checkContent(engine, base, image));
    for (const { name, uid, flags, kind } of SCENARIOS) {
      await t.step(`${name} it holds a call until the operator approves`, async () => {
        const operator = await makeOperator(uid, SLUG);
        await using sidecar = await engine.start(image, [
          ...flags,
          `--env=SUPERVISE_BOTTLE_SLUG=${SLUG}`,
          `--volume=${operator.queueDir}:${QUEUE_DIR_IN_CONTAINER}`,
        ]);
        await checkProcess(engine, sidecar, uid);
        assertEquals(await engine.podman(["healthcheck", "run", sidecar.name]), "");
        await checkApproval(sidecar, operator, uid, kind);
        await checkStop(engine, sidecar);
      });
    }
    await t.step("without a bottle it does not start", async () => {
      await assertRejects(() => engine.start(image, []), Error, "SUPERVISE_BOTTLE_SLUG is missing");
    });
    await t.step("without a queue it is unhealthy", async () => {
      await using sidecar = await engine.start(image, [`--env=SUPERVISE_BOTTLE_SLUG=${SLUG}`]);
      const check = () => engine.podman(["healthcheck", "run", sidecar.name]);
      await assertRejects(check, Error, "unhealthy");
    });
  },
});

async function checkConfig(engine: Engine, image: string): Promise<void> {
  const [{ Config: config, HealthCheck, Healthcheck = HealthCheck }] = JSON.parse(
    await engine.podman(["image", "inspect", image]),
  );
  assertEquals(config.Entrypoint, COMMAND);
  assertEquals(config.Cmd ?? [], []);
  assertEquals(config.User, "1993:1993");
  assertEquals(Object.keys(config.ExposedPorts), ["9100/tcp"]);
  assertEquals(config.Volumes ?? {}, {});
  const { Test: test } = Healthcheck;
  assertEquals(test[0], "CMD");
  assertEquals(test.filter((word: string) => word.startsWith("--allow")), [
    "--allow-net=127.0.0.1:9100",
  ]);
}

async function checkContent(engine: Engine, base: string, image: string): Promise<void> {
  const before = await pathsIn(engine, base);
  const after = await pathsIn(engine, image);
  const added = after.filter(({ path }) => /^supervise(\/|$)/.test(path));
  // Everything else is the base as it was: no file of this machine's has got in.
  const shapeOf = ({ path, info }: ImagePath) => [path, info.mode, info.isFile && info.size];
  const others = after.filter((entry) => !added.includes(entry));
  assertEquals(others.map(shapeOf).toSorted(), before.map(shapeOf).toSorted());

  const files = added.filter(({ info }) => info.isFile).map(({ path }) => path);
  const ours = files.filter((path) => !path.startsWith("supervise/.deno/"));
  const tops = new Set(ours.map((path) => path.split("/")[1]));
  assertEquals([...tops].toSorted(), [
    "deno.json",
    "deno.lock",
    "links",
    "sidecar",
    "sidecar_mod.ts",
    "src",
  ]);
  const folders = new Set(
    ours.flatMap((path) => path.match(/^supervise\/src\/([^/]+)/)?.[1] ?? []),
  );
  assertEquals([...folders].toSorted(), ["config", "disk", "policy", "queue", "records", "text"]);
  assertEquals(ours.filter((path) => path.endsWith("/respond.ts")), []);
  assertEquals(ours.filter((path) => /test/.test(path)), []);

  const packages = new Set(
    files.map((path) => path.match(/^supervise\/\.deno\/npm\/[^/]+\/((@[^/]+\/)?[^/]+)\//)?.[1]),
  );
  assert(packages.has("@modelcontextprotocol/server"));
  for (const name of ["@modelcontextprotocol/client", "@modelcontextprotocol/sdk", "fast-check"]) {
    assert(!packages.has(name), `${name} is in the image`);
  }

  for (const { path, info } of added) {
    assert(!info.isSymlink, `${path} is a link`);
    assertEquals([info.uid, info.gid], [0, 0], path);
    // For everybody to read, for nobody but root to write, and no more than that.
    assertEquals(info.mode! & 0o7044, 0o044, path);
    assertEquals(info.mode! & 0o022, 0, path);
  }
}

async function checkProcess(engine: Engine, sidecar: Container, uid: number): Promise<void> {
  const proc = (name: string) => Deno.readTextFile(`/proc/${sidecar.pid}/${name}`);
  assertEquals((await proc("cmdline")).split("\0"), [...COMMAND, ""]);
  const status = await proc("status");
  assertStringIncludes(status, `\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`);
  assertStringIncludes(status, `\nGid:\t${uid}\t${uid}\t${uid}\t${uid}\n`);
  assertStringIncludes(status, "\nCapEff:\t0000000000000000\n");

  const [{ Mounts: mounts }] = JSON.parse(await engine.podman(["inspect", sidecar.name]));
  assertEquals(
    mounts.map(({ Destination }: { Destination: string }) => Destination),
    [QUEUE_DIR_IN_CONTAINER],
  );

  const input = await Deno.readTextFile(fromFileUrl(new URL("probe.ts", import.meta.url)));
  const probe = async (flags: readonly string[]) =>
    (await engine.podman(
      ["exec", "--interactive", sidecar.name, "deno", "run", ...flags, "-"],
      { input },
    )).trim().split("\n");
  assertEquals(await probe(COMMAND.slice(2, -1)), [
    "read /etc/passwd: denied",
    "change the sidecar: denied",
    "add to the sidecar: denied",
    "add to the modules: denied",
    "write in the queue: allowed",
  ]);
  // Should Deno's own fence fall, the file system's still stands.
  assertEquals(await probe(["-A", "--cached-only"]), [
    "read /etc/passwd: allowed",
    "change the sidecar: denied",
    "add to the sidecar: denied",
    "add to the modules: denied",
    "write in the queue: allowed",
  ]);
}

async function checkApproval(
  { pid, log }: Container,
  { root, queueDir, supervise }: Operator,
  uid: number,
  kind: string,
): Promise<void> {
  const { name: clientKind } = CLIENT_KINDS.find(({ name }) => name === kind)!;
  const client = fromFileUrl(new URL("client.ts", import.meta.url));
  const calling = run("nsenter", [
    `--net=/proc/${pid}/ns/net`,
    Deno.execPath(),
    ...["run", "-A", "--quiet", "--cached-only", client],
    // No name: the agent's name for the sidecar is a matter of the network, and here it has none.
    ...[clientKind, "http://127.0.0.1:9100/mcp", "pipelock-block", JSON.stringify(CALL)],
  ]);
  const { proposal_id: id } = await log.until("proposed") as { proposal_id: string };

  const file = await Deno.lstat(join(queueDir, `${id}.proposal.json`));
  assertEquals([file.uid, file.mode! & 0o777], [uid, 0o600]);
  assertEquals((await supervise(["show", id])).code, 0);
  const approval = await supervise(["approve", id, "--notes", "Read-only, fine."]);
  assertEquals(approval.code, 0, approval.err);
  assertMatch(approval.err, /^! created the audit signing key, SHA256:[^\n]*\n$/);

  const { code, out, err } = await calling;
  assertEquals([code, err], [0, ""]);
  const { isError, structured } = JSON.parse(out);
  assertEquals(isError, false);
  assertEquals(structured.status, "approved");
  assertEquals(structured.notes, "Read-only, fine.");
  assertEquals(structured.proposal_id, id);

  const left = [...Deno.readDirSync(queueDir)].map(({ name }) => name);
  // The copy of the file that the approval put in force, for the next change.
  assertEquals(left.toSorted(), ["current.allowlist", "processed"]);
  const archived = [...Deno.readDirSync(join(queueDir, "processed"))].map(({ name }) => name);
  assertEquals(archived.toSorted(), [`${id}.proposal.json`, `${id}.response.json`]);
  const audit = await Deno.readTextFile(join(root, "audit", `pipelock-${SLUG}.log`));
  const [line, ...rest] = audit.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(rest, []);
  assertEquals(line.operator_action, "approved");
  assertEquals(line.justification, CALL.justification);
  assertStringIncludes(line.diff, "+api.github.com");
}

async function checkStop(engine: Engine, { name, log, ended }: Container): Promise<void> {
  const before = performance.now();
  await engine.podman(["stop", "--time", "5", name]);
  assert(performance.now() - before < 3_000, "it was killed, not stopped");
  assertEquals((await log.until("stopping")).signal, "SIGTERM");
  assertEquals((await ended).code, 0);
}
