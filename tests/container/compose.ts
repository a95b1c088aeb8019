/**
 * Starts the three containers of `examples/compose`, on images that are built here, and has a proposal
 * approved: the agent reaches what the allowlist has, through its proxy, and nothing else. Like `image.ts`
 * it needs root, podman and buildah, and podman-compose.
 *
 * @module
 */

import { sha256Hex } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run, supervise } from "../support/run.ts";
import { freePort } from "../support/set_up.ts";
import { isMissing, mustSkip } from "../support/skip.ts";
import type { TempDir } from "../support/temp.ts";
import { buildBase, copyProgram } from "./base.ts";
import { type Engine, openEngine, whyNoContainers } from "./engine.ts";
import { openWorkplace, storeEnvironment } from "./workplace.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const whyNot = whyNoContainers();

const ignore = mustSkip(whyNot && `no container, because ${whyNot}`) ||
  ["podman-compose", "squid", "busybox"].some((program) => isMissing(program, "-v"));

const EXAMPLE = join(REPO, "examples/compose");

/** Another user than the test's, as the operator's containers have another one than a daemon's. */
const OPERATOR = 12345;

/** As few as a machine without CAP_SYS_RESOURCE may give. */
const LIMITS = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"];

/** Builds what stands in for the images that the example names: nothing can be pulled in a test. */
async function buildImages(engine: Engine, place: TempDir): Promise<void> {
  const base = await buildBase(engine, place);
  const arg = [`--build-arg=BASE=${base}`];
  await engine.build("localhost/supervise", join(REPO, "Containerfile"), REPO, arg);
  await copyProgram("/usr/sbin/squid", place.at("squid"));
  await copyProgram("/usr/lib/squid/unlinkd", place.at("squid"));
  for (const dir of ["usr/share/squid", "etc/squid"]) {
    await Deno.mkdir(place.at("squid", dir), { recursive: true });
    await run("cp", ["-RL", `/${dir}/.`, place.at("squid", dir)]);
  }
  await Deno.mkdir(place.at("agent/bin"), { recursive: true });
  await Deno.copyFile("/bin/busybox", place.at("agent/bin/busybox"));
  await Deno.mkdir(place.at("agent/www"));
  await Deno.writeTextFile(place.at("agent/www/index.html"), "origin\n");
  const empty = ["dev", "proc", "run", "sys", "tmp", "etc", "srv/proxy"];
  for (const name of ["squid", "agent"]) {
    for (const dir of empty) await Deno.mkdir(place.at(name, dir), { recursive: true });
    await Deno.chmod(place.at(name, "tmp"), 0o1777);
    for (const file of ["hostname", "hosts", "resolv.conf", "passwd", "group"]) {
      await Deno.writeTextFile(place.at(name, "etc", file), "");
    }
    const lines =
      'FROM scratch\nCOPY . /\nENV PATH=/bin:/usr/sbin\nCMD ["busybox", "sleep", "600"]\n';
    await Deno.writeTextFile(place.at(`${name}.Containerfile`), lines);
    await engine.build(`localhost/${name}`, place.at(`${name}.Containerfile`), place.at(name));
  }
}

Deno.test({
  name: "examples/compose: the agent reaches what was approved through its proxy, and nothing else",
  ignore,
  async fn() {
    await using place = await openWorkplace();
    const engine = openEngine(place);
    await buildImages(engine, place);
    const root = place.at("root");
    const port = freePort();
    const stores = storeEnvironment(place.path);

    // The files as README.md of the examples puts them, with a port that is free.
    const adapt = (text: string) =>
      text.replace("/srv/proxy:/srv/proxy", `${place.at("proxy")}:/srv/proxy`)
        .replaceAll("127.0.0.1:3128", `127.0.0.1:${port}`);
    await Deno.mkdir(place.at("proxy"));
    for (const file of ["squid/squid.conf", "squid/check.conf", "compose/common.conf"]) {
      const to = place.at("proxy", file.split("/")[1]!);
      await Deno.copyFile(join(REPO, "examples", file), to);
    }
    await Deno.writeTextFile(place.at("proxy/allowed"), "kept.test\n");
    await Deno.writeTextFile(
      place.at("compose.yaml"),
      adapt(await Deno.readTextFile(join(EXAMPLE, "compose.yaml"))),
    );
    await Deno.mkdir(join(root, "current-config/dev-1"), { recursive: true });
    await Deno.writeTextFile(join(root, "current-config/dev-1/allowlist"), "kept.test\n");
    await queueSample(root, { id: "p1", proposedFile: "kept.test\nnew.test\n" });
    await run("chown", ["-R", `${OPERATOR}:${OPERATOR}`, join(root, "queue/dev-1")]);
    // Programs that apply get no environment, and the store is the test's.
    const settings = Object.entries(stores).map(([name, value]) => `${name}=${value}`);
    const apply = JSON.parse(adapt(await Deno.readTextFile(join(EXAMPLE, "apply.json"))));
    apply.pipelock.to = place.at("proxy/allowed");
    for (const program of ["check", "reload", "start", "stop_connections"]) {
      apply.pipelock[program].argv.unshift("/usr/bin/env", ...settings);
    }
    await Deno.writeTextFile(join(root, "apply.json"), JSON.stringify(apply), { mode: 0o600 });

    const env = { ...stores, ROOT: root, OPERATOR: `${OPERATOR}:${OPERATOR}` };
    const compose = async (...args: string[]) => {
      const file = [
        "-p",
        "dev-1",
        "-f",
        place.at("compose.yaml"),
        "--podman-run-args",
        LIMITS.join(" "),
      ];
      const { code, out, err } = await run("podman-compose", [...file, ...args], { env });
      assertEquals(code, 0, out + err);
    };
    await compose("up", "--detach");
    try {
      await engine.podman([
        ...["run", "--detach", "--name", "origin", "--network", "dev-1_outside", ...LIMITS],
        ...["--network-alias", "kept.test", "--network-alias", "new.test", "--pull=never"],
        ...["localhost/agent", "busybox", "httpd", "-f", "-p", "80", "-h", "/www"],
      ]);
      const inAgent = async (...args: string[]) => {
        const wget = ["exec", "dev-1-agent", "busybox", "wget", "-q", "-O", "-"];
        for (let tries = 1;; tries++) {
          const { code, out, err } = await run("podman", [...wget, ...args], { env: stores });
          // For a moment a container that was started again has no name.
          if (err.includes("bad address") && tries < 50) continue;
          return code === 0 ? out.trim() : `failed: ${err.trim()}`;
        }
      };
      assertEquals(await inAgent("-Y", "off", "http://supervise:9100/healthz"), "ok");
      assertEquals(await inAgent("http://kept.test/"), "origin");
      assertStringIncludes(await inAgent("http://new.test/"), "403 Forbidden");
      // Past the proxy it reaches nothing.
      const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
      const address = (await engine.podman(["inspect", "--format", format, "origin"])).trim();
      assertStringIncludes(await inAgent("-Y", "off", "-T", "3", `http://${address}/`), "failed:");

      assertEquals((await supervise(root, ["show", "p1"])).code, 0);
      const approved = await supervise(root, ["approve", "p1"]);
      assertEquals(approved.code, 0, approved.err);
      assertStringIncludes(approved.out, "allowed 2 and denied 3, 5 times in a row");
      assertEquals(await inAgent("http://new.test/"), "origin");

      const inForce = await Deno.readFile(join(root, "current-config/dev-1/allowlist"));
      const base = ["--sha256", sha256Hex(inForce)];
      const args = ["edit", "allowlist", "--bottle", "dev-1", "--file", "-", ...base];
      const revoked = await supervise(root, args, { input: "kept.test\n" });
      assertEquals(revoked.code, 0, revoked.err);
      assertStringIncludes(revoked.out, "connections that were open were ended");
      assertStringIncludes(await inAgent("http://new.test/"), "403 Forbidden");
    } finally {
      await engine.podman(["rm", "--force", "--time", "0", "--ignore", "origin"]);
      await compose("down", "--timeout", "1");
    }
    assertEquals((await engine.podman(["ps", "--all", "--quiet"])).trim(), "");
  },
});
