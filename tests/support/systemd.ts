/**
 * A user's systemd, started for a test, and ports for sidecars that run on this host.
 *
 * @module
 */

import { inEnvironment } from "./environment.ts";
import { run } from "./run.ts";
import type { TempDir } from "./temp.ts";
import { join } from "@std/path";

/** Gives other bottles the ports below one that this machine probably uses for nothing else. */
export async function takePorts(root: string, end: number): Promise<void> {
  await Deno.mkdir(join(root, "private", "bottles"), { recursive: true });
  for (let port = 9100; port < end; port++) {
    const path = join(root, "private", "bottles", `taken-${port}.json`);
    await Deno.writeTextFile(path, JSON.stringify({ version: 1, port }));
  }
}

const MANAGER = "/lib/systemd/systemd";

/** Where systemd has booted, a user's systemd cannot be started beside it. */
export const whyNoManager = [
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
export async function startManager(dir: TempDir) {
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
    systemctl,
    async [Symbol.asyncDispose]() {
      await systemctl("exit");
      await manager.status;
    },
  };
}
