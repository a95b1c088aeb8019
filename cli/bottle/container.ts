/**
 * Starts and stops a bottle's sidecar in a container, with podman or docker.
 *
 * @module
 */

import { QUEUE_DIR_IN_CONTAINER, SUPERVISE_HOSTNAME } from "../../mod.ts";
import { ask, type Bottle, CHECKOUT, runs, VERSION } from "./bottle.ts";

/** The image of this version's sidecar. */
const IMAGE = `localhost/supervise:${VERSION}`;

/** What a sidecar needs at most, with room. It bounds its own connections and calls below these. */
const LIMITS = [
  "--memory=512m",
  "--pids-limit=256",
  "--ulimit=nofile=4096:4096",
  "--read-only",
  "--cap-drop=all",
  "--security-opt=no-new-privileges",
];

/** How often, and how long in all, the log of a new container is read for the line that says it listens. */
const LOOK_MS = 200;
const MOST_LOOKS = 300;

export const containerName = ({ slug }: Bottle): string => `${slug}-supervise`;

export const networkName = ({ slug }: Bottle): string => `${slug}-internal`;

/** What marks a container or a network as made by this tool for this bottle of this root. */
const labelsOf = ({ slug, root }: Bottle): Record<string, string> => ({
  "supervise.bottle": slug,
  "supervise.root": root,
});

function labelFlags(bottle: Bottle): string[] {
  return Object.entries(labelsOf(bottle)).map(([name, value]) => `--label=${name}=${value}`);
}

/** The engine that is on this host; podman if both are. */
export async function findEngine(): Promise<string> {
  for (const engine of ["podman", "docker"]) {
    if (await runs(engine, ["--version"]) !== undefined) return engine;
  }
  throw new Error(
    "Cannot run a container: neither podman nor docker is on the PATH; install one, or use --systemd",
  );
}

interface Found {
  readonly isOurs: boolean;
  readonly isRunning: boolean;
  readonly restarts: number;
}

/** The container that has the sidecar's name; `undefined` if no container has it. */
export async function findContainer(engine: string, bottle: Bottle): Promise<Found | undefined> {
  const filter = `name=^${containerName(bottle).replaceAll(".", "\\.")}$`;
  const id = await ask(engine, ["ps", "--all", "--quiet", "--no-trunc", "--filter", filter]);
  if (id === "") return undefined;
  const [found] = JSON.parse(await ask(engine, ["container", "inspect", id]));
  return {
    isOurs: areOurs(bottle, found.Config.Labels),
    isRunning: found.State.Running === true,
    restarts: Number(found.RestartCount),
  };
}

function areOurs(bottle: Bottle, labels: Readonly<Record<string, string>> | null): boolean {
  return Object.entries(labelsOf(bottle)).every(([name, value]) => labels?.[name] === value);
}

function refuseStrange(bottle: Bottle, found: Found | undefined): void {
  if (found === undefined || found.isOurs) return;
  const name = containerName(bottle);
  throw new Error(
    `Cannot start or stop ${bottle.slug}: the container ${name} was not made by this tool for ` +
      `${bottle.root}; rename it or remove it yourself`,
  );
}

/** Whether the network is there; with `ours` whether it is one that this tool made. */
async function hasNetwork(
  engine: string,
  bottle: Bottle,
): Promise<{ readonly isOurs: boolean } | undefined> {
  const name = networkName(bottle);
  const filter = `name=^${name.replaceAll(".", "\\.")}$`;
  if (await ask(engine, ["network", "ls", "--quiet", "--filter", filter]) === "") return undefined;
  const [found] = JSON.parse(await ask(engine, ["network", "inspect", name]));
  return { isOurs: areOurs(bottle, found.labels ?? found.Labels) };
}

/** Runs the sidecar as the owner of the queue, whose files nobody else may read. */
async function userFlags(engine: string, { uid, gid }: Bottle): Promise<string[]> {
  const user = `--user=${uid}:${gid}`;
  if (engine === "docker") {
    const options = await ask(engine, ["info", "--format", "{{.SecurityOptions}}"]);
    // Docker without root maps its root to the operator.
    return [options.includes("rootless") ? "--user=0:0" : user];
  }
  const rootless = await ask(engine, ["info", "--format", "{{.Host.Security.Rootless}}"]);
  return rootless === "true" ? ["--userns=keep-id", user] : [user];
}

/** Builds the image unless it is there. */
async function ensureImage(engine: string, bottle: Bottle): Promise<void> {
  if (await ask(engine, ["images", "--quiet", IMAGE]) !== "") return;
  if (CHECKOUT === undefined) {
    throw new Error(
      `Cannot start ${bottle.slug}: there is no image ${IMAGE}; in a checkout of this version: ` +
        `${engine} build --file Containerfile --tag ${IMAGE} . Or use --systemd`,
    );
  }
  bottle.say(`Building ${IMAGE} from ${CHECKOUT}`);
  const format = engine === "podman" ? ["--format=docker"] : [];
  const file = `--file=${CHECKOUT}Containerfile`;
  await ask(engine, ["build", ...format, file, `--tag=${IMAGE}`, CHECKOUT]);
}

/** Starts the sidecar's container; gives `false` if it runs already. */
export async function startContainer(engine: string, bottle: Bottle): Promise<boolean> {
  const found = await findContainer(engine, bottle);
  refuseStrange(bottle, found);
  if (found?.isRunning) return false;
  const name = containerName(bottle);
  // One that was stopped, or that a crash left half made, is made anew.
  if (found !== undefined) await ask(engine, ["rm", "--force", name]);
  if (await hasNetwork(engine, bottle) === undefined) {
    const flags = ["--internal", ...labelFlags(bottle)];
    await ask(engine, ["network", "create", ...flags, networkName(bottle)]);
  }
  await ensureImage(engine, bottle);
  const { holdSeconds } = bottle.settings;
  await ask(engine, [
    "run",
    "--detach",
    `--name=${name}`,
    ...labelFlags(bottle),
    `--network=${networkName(bottle)}`,
    `--network-alias=${SUPERVISE_HOSTNAME}`,
    "--restart=unless-stopped",
    ...LIMITS,
    ...await userFlags(engine, bottle),
    `--env=SUPERVISE_BOTTLE_SLUG=${bottle.slug}`,
    ...(holdSeconds === undefined ? [] : [`--env=SUPERVISE_HOLD_SECONDS=${holdSeconds}`]),
    `--volume=${bottle.queueDir}:${QUEUE_DIR_IN_CONTAINER}`,
    IMAGE,
  ]);
  await untilListening(engine, bottle);
  return true;
}

async function untilListening(engine: string, bottle: Bottle): Promise<void> {
  const name = containerName(bottle);
  for (let look = 0; look < MOST_LOOKS; look++) {
    const log = await runs(engine, ["logs", name]);
    const said = `${log?.out}${log?.err}`;
    if (said.includes('"event":"listening"')) return;
    const found = await findContainer(engine, bottle);
    if (found?.isRunning !== true || found.restarts > 0) {
      await ask(engine, ["rm", "--force", name]);
      throw new Error(`Cannot start ${bottle.slug}: its sidecar ended: ${said.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(
    `Cannot tell whether ${bottle.slug} started: its log does not say that it listens; ` +
      `see ${engine} logs ${name}`,
  );
}

/** What of a bottle's was stopped and removed. */
export interface Stopped {
  readonly container: boolean;
  readonly network: "removed" | "in use" | "not ours" | "none";
}

/** Stops and removes the sidecar's container, and the network unless another container is in it. */
export async function stopContainer(engine: string, bottle: Bottle): Promise<Stopped> {
  const found = await findContainer(engine, bottle);
  refuseStrange(bottle, found);
  if (found !== undefined) {
    const name = containerName(bottle);
    if (found.isRunning) await ask(engine, ["stop", name]);
    await ask(engine, ["rm", "--force", name]);
  }
  return { container: found !== undefined, network: await removeNetwork(engine, bottle) };
}

async function removeNetwork(engine: string, bottle: Bottle): Promise<Stopped["network"]> {
  const network = await hasNetwork(engine, bottle);
  if (network === undefined) return "none";
  if (!network.isOurs) return "not ours";
  const removed = await runs(engine, ["network", "rm", networkName(bottle)]);
  if (removed?.code === 0) return "removed";
  // Both engines refuse while a container is in it, which may be the agent's.
  return "in use";
}
