/**
 * Starts and stops a bottle's sidecar in a container, with podman or docker.
 *
 * @module
 */

import { ENGINES } from "../../internal_mod.ts";
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
  // Without these, a sidecar that prints without end fills the engine's disk. podman and docker know both.
  "--log-driver=json-file",
  "--log-opt=max-size=10m",
];

/** How often, and how long in all, the log of a new container is read for the line that says it listens. */
const LOOK_MS = 200;
const MOST_LOOKS = 300;

export const containerName = ({ slug }: Bottle): string => `${slug}-supervise`;

export const networkName = ({ slug }: Bottle): string => `${slug}-internal`;

/** What marks a container or a network as made by this tool for this bottle of this root. */
const labelsOf = ({ slug, realRoot }: Bottle): Record<string, string> => ({
  "supervise.bottle": slug,
  "supervise.root": realRoot,
});

function labelFlags(bottle: Bottle): string[] {
  return Object.entries(labelsOf(bottle)).map(([name, value]) => `--label=${name}=${value}`);
}

/**
 * The engines that may have a bottle's container: the one that started it, or, if the settings do not say,
 * all that answer here.
 */
export async function enginesOf({ settings: { engine } }: Bottle): Promise<string[]> {
  if (engine !== undefined) return [engine];
  const answering: string[] = [];
  for (const name of ENGINES) {
    if ((await runs(name, ["ps", "--quiet"]))?.code === 0) answering.push(name);
  }
  return answering;
}

/** The engine that has the bottle's container, or else may make it; podman if there are both. */
export async function findEngine(bottle: Bottle): Promise<string> {
  const engines = await enginesOf(bottle);
  for (const engine of engines) {
    if ((await findContainer(engine, bottle))?.isOurs) return engine;
  }
  if (engines[0] !== undefined) return engines[0];
  throw new Error(
    "Cannot run a container: neither podman nor docker answers; install one, or use --systemd",
  );
}

/** A container or a network. What is done to it is done by its id: another one may get its name in between. */
interface Found {
  readonly id: string;
  readonly isOurs: boolean;
  readonly isRunning: boolean;
  readonly restarts: number;
  readonly isInternal: boolean;
}

type Kind = "container" | "network";

/** The container or the network that has a name; `undefined` if none has it. */
async function find(
  engine: string,
  bottle: Bottle,
  kind: Kind,
  name: string,
): Promise<Found | undefined> {
  const filter = `name=^${name.replaceAll(".", "\\.")}$`;
  const all = kind === "container" ? ["--all"] : [];
  const listed = await ask(engine, [
    kind,
    "ls",
    ...all,
    "--quiet",
    "--no-trunc",
    "--filter",
    filter,
  ]);
  return listed === "" ? undefined : await inspect(engine, bottle, kind, listed);
}

export const findContainer = (engine: string, bottle: Bottle): Promise<Found | undefined> =>
  find(engine, bottle, "container", containerName(bottle));

const findNetwork = (engine: string, bottle: Bottle): Promise<Found | undefined> =>
  find(engine, bottle, "network", networkName(bottle));

/** What an engine says of one. podman writes some keys of a network in small letters, docker none. */
async function inspect(
  engine: string,
  bottle: Bottle,
  kind: Kind,
  which: string,
): Promise<Found> {
  const said = await ask(engine, [kind, "inspect", which]);
  try {
    const [found] = JSON.parse(said);
    const id = found.Id ?? found.id;
    const labels = found.Config?.Labels ?? found.labels ?? found.Labels ?? {};
    // An id is a word of later commands: anything else could be a flag of theirs.
    if (!/^[0-9a-f]{12,}$/.test(id)) throw new TypeError("it has no id");
    return {
      id,
      isOurs: Object.entries(labelsOf(bottle)).every(([name, value]) => labels[name] === value),
      isRunning: found.State?.Running === true,
      restarts: Number(found.RestartCount),
      isInternal: (found.internal ?? found.Internal) === true,
    };
  } catch (cause) {
    throw new Error(`Cannot read what ${engine} ${kind} inspect ${which} prints`, { cause });
  }
}

function refuseStrange(bottle: Bottle, found: Found | undefined): void {
  if (found === undefined || found.isOurs) return;
  const name = containerName(bottle);
  throw new Error(
    `Cannot start or stop ${bottle.slug}: the container ${name} was not made by this tool for ` +
      `${bottle.root}; rename it or remove it yourself`,
  );
}

/** Makes the bottle's network unless it is there; gives its id. */
async function ensureNetwork(engine: string, bottle: Bottle): Promise<string> {
  const name = networkName(bottle);
  let network = await findNetwork(engine, bottle);
  if (network === undefined) {
    await ask(engine, ["network", "create", "--internal", ...labelFlags(bottle), name]);
    network = await findNetwork(engine, bottle);
  }
  if (network?.isInternal) return network.id;
  throw new Error(
    `Cannot start ${bottle.slug}: the network ${name} is not internal, so the agent in it would reach ` +
      `the Internet; remove it with ${engine} network rm ${name}, and up makes an internal one`,
  );
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
  const network = await ensureNetwork(engine, bottle);
  if (found?.isRunning) return false;
  // One that was stopped, or that a crash left half made, is made anew.
  if (found !== undefined) await ask(engine, ["rm", "--force", found.id]);
  await ensureImage(engine, bottle);
  const { holdSeconds } = bottle.settings;
  const made = await ask(engine, [
    "run",
    "--detach",
    `--name=${containerName(bottle)}`,
    ...labelFlags(bottle),
    `--network=${network}`,
    `--network-alias=${SUPERVISE_HOSTNAME}`,
    "--restart=unless-stopped",
    ...LIMITS,
    ...await userFlags(engine, bottle),
    `--env=SUPERVISE_BOTTLE_SLUG=${bottle.slug}`,
    ...(holdSeconds === undefined ? [] : [`--env=SUPERVISE_HOLD_SECONDS=${holdSeconds}`]),
    `--volume=${bottle.queueDir}:${QUEUE_DIR_IN_CONTAINER}`,
    IMAGE,
  ]);
  const { id } = await inspect(engine, bottle, "container", made);
  await untilListening(engine, bottle, id);
  return true;
}

async function untilListening(engine: string, bottle: Bottle, id: string): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    const log = await runs(engine, ["logs", id]);
    const said = `${log?.out}${log?.err}`;
    if (said.includes('"event":"listening"')) return;
    const { isRunning, restarts } = await inspect(engine, bottle, "container", id);
    if (!isRunning || restarts > 0) {
      await ask(engine, ["rm", "--force", id]);
      throw new Error(`Cannot start ${bottle.slug}: its sidecar ended: ${said.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(
    `Cannot tell whether ${bottle.slug} started: its log does not say that it listens; ` +
      `see ${engine} logs ${containerName(bottle)}`,
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
    if (found.isRunning) await ask(engine, ["stop", found.id]);
    await ask(engine, ["rm", "--force", found.id]);
  }
  return { container: found !== undefined, network: await removeNetwork(engine, bottle) };
}

async function removeNetwork(engine: string, bottle: Bottle): Promise<Stopped["network"]> {
  const network = await findNetwork(engine, bottle);
  if (network === undefined) return "none";
  if (!network.isOurs) return "not ours";
  // podman looks for containers in a network only if it is given by its name.
  const which = engine === "podman" ? networkName(bottle) : network.id;
  const removed = await runs(engine, ["network", "rm", which]);
  if (removed?.code === 0) return "removed";
  // Both engines refuse while a container is in it, which may be the agent's.
  return "in use";
}
