/**
 * `bottle add`, `up`, `down`, `status`, `list` and `remove`: wires a bottle, and starts and stops its
 * sidecar.
 *
 * @module
 */

import {
  addBottle,
  checkRemovable,
  CONFIG_FILE_FOR_TOOL,
  currentConfigDirForSlug,
  findProposals,
  isBottleSlug,
  listBottles,
  listHeld,
  readBottle,
  type RefusedQueue,
  removeBottle,
  withSidecarLock,
  writeBottle,
} from "../../internal_mod.ts";
import {
  auditDir,
  CURRENT_CONFIG_DIR_IN_AGENT,
  SUPERVISE_HOSTNAME,
  SUPERVISE_PORT,
  SuperviseError,
  type Tool,
  TOOLS,
} from "../../mod.ts";
import { type Bottle, openBottle, slugIn } from "../bottle/bottle.ts";
import { CLIENTS } from "../bottle/clients.ts";
import {
  containerName,
  enginesOf,
  findContainer,
  findEngine,
  networkName,
  startContainer,
  stopContainer,
} from "../bottle/container.ts";
import { isUnitActive, sidecarCommand, startUnit, stopUnit } from "../bottle/unit.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, keepForLater, readNamedFile } from "../command/context.ts";
import { CLIENT_NAMES, type ClientName, UsageError } from "../command/flags.ts";
import { shellWord } from "../command/split_words.ts";
import { counted, named } from "../doctor/finding.ts";
import { heldJson, heldLines, unreadableLine } from "../render/pending.ts";
import { quoteId } from "../render/quote.ts";
import { alignColumns } from "../render/wrap.ts";

function clientIn({ flags: { client } }: Context): ClientName | undefined {
  const known: readonly string[] = CLIENT_NAMES;
  if (client === undefined || known.includes(client)) return client as ClientName | undefined;
  throw new UsageError(`Cannot use ${client} as --client: expected ${CLIENT_NAMES.join(", ")}`);
}

/** The files that the flags name, as text. */
async function filesIn(context: Context): Promise<Partial<Record<Tool, string>>> {
  const { routes, allowlist, dockerfile } = context.flags;
  const named: Readonly<Record<Tool, string | undefined>> = {
    "cred-proxy-block": routes,
    "pipelock-block": allowlist,
    "capability-block": dockerfile,
  };
  const files: Partial<Record<Tool, string>> = {};
  for (const tool of TOOLS) {
    const file = named[tool];
    if (file === undefined) continue;
    try {
      const bytes = await readNamedFile(context, file);
      files[tool] = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new UsageError(`Cannot use ${file}: it is not UTF-8`, { cause });
    }
  }
  return files;
}

/** Makes what a bottle needs, leaves what is there, and prints how to start its sidecar and its agent. */
export async function bottleAdd(context: Context, words: readonly string[]): Promise<void> {
  const slug = slugIn(context, words);
  const { root, print, printToCopy, flags } = context;
  const client = clientIn(context);
  const files = await filesIn(context);
  const hold = client && CLIENTS[client].holdSeconds;
  const { settings, made, kept } = await addBottle(slug, files, hold, root);
  const ignored = TOOLS.filter((tool) =>
    files[tool] !== undefined &&
    kept.some((path) => path.endsWith(`/${CONFIG_FILE_FOR_TOOL[tool]}`))
  );
  const wiring = wiringOf(context, openBottle(context, words), client);
  if (flags.json) return context.printJson({ bottle: slug, made, kept, ...wiring });

  print(made.length === 0 ? `${slug} is there already; nothing was changed` : `added ${slug}`);
  for (const path of made) print(`  made  ${path}`);
  for (const path of kept) print(`  kept  ${path}`);
  for (const tool of ignored) {
    context.complain(`! the ${CONFIG_FILE_FOR_TOOL[tool]} in force was kept, not replaced`);
  }
  if (hold !== undefined && (settings.holdSeconds ?? Infinity) > hold) {
    context.complain(
      `! ${client} needs a sidecar that holds a call for at most ${hold} s, and ${slug} was added ` +
        `without that; to change it: bottle remove ${slug}, then add it again`,
    );
  }
  printToCopy(`\nStart its sidecar:\n\n  ${wiring.start}\n`);
  if (wiring.command !== null) {
    printToCopy(`or, without systemd, run it yourself:\n\n  ${wiring.command}\n`);
  }
  if (wiring.agent_flags !== null) {
    print("Give the agent's container its network, and the files in force to read:\n");
    for (const flag of wiring.agent_flags) printToCopy(`  ${flag}`);
    print("");
  }
  if (wiring.client === null) printToCopy(`Its agent's MCP client connects to ${wiring.url}`);
  else {
    print(`${wiring.client.title} reads ${wiring.client.file}:\n`);
    printToCopy(wiring.client.text.trimEnd());
  }
}

/** How a bottle's sidecar is started and its agent is connected. */
function wiringOf(
  { supervise, flags: { systemd } }: Context,
  bottle: Bottle,
  name: ClientName | undefined,
) {
  const { slug, root, settings } = bottle;
  const url = systemd
    ? `http://127.0.0.1:${settings.port}/mcp`
    : `http://${SUPERVISE_HOSTNAME}:${SUPERVISE_PORT}/mcp`;
  const client = name === undefined ? null : CLIENTS[name];
  const config = `${currentConfigDirForSlug(slug, root)}:${CURRENT_CONFIG_DIR_IN_AGENT}:ro`;
  return {
    url,
    start: `${supervise} bottle up ${slug}${systemd ? " --systemd" : ""}`,
    command: systemd ? sidecarCommand(bottle).map(shellWord).join(" ") : null,
    agent_flags: systemd
      ? null
      : [`--network ${networkName(bottle)}`, `--volume ${shellWord(config)}`],
    client: client && { title: client.title, file: client.file, text: client.text(url) },
  };
}

/** Runs a verb that starts or stops the sidecar of a bottle, after any other such verb has ended. */
function alone(run: (context: Context, bottle: Bottle) => Promise<void>) {
  return async (context: Context, words: readonly string[]): Promise<void> => {
    const { slug, root } = openBottle(context, words);
    // Opened anew: the other verb may have removed the bottle, or changed its settings.
    await withSidecarLock(slug, root, () => run(context, openBottle(context, words)));
  };
}

/** Starts a bottle's sidecar; does nothing if it runs. */
export const bottleUp = alone(async (context, bottle) => {
  keepForLater(context);
  const { slug, settings } = bottle;
  if (context.flags.systemd) {
    const started = await startUnit(bottle);
    return say(context, bottle, started ? "started" : "runs already", "a systemd unit");
  }
  const engine = settings.engine ?? await findEngine(bottle);
  // Written first: after a crash, down and status ask the engine that has the container.
  if (settings.engine !== engine) writeBottle(slug, { ...settings, engine }, context.root);
  const started = await startContainer(engine, bottle);
  say(context, bottle, started ? "started" : "runs already", `${engine} ${containerName(bottle)}`);
});

function say(context: Context, { slug }: Bottle, state: string, where: string): void {
  if (context.flags.json) context.printJson({ bottle: slug, state, where });
  else context.print(`${slug}  ${state}  ${where}`.trimEnd());
}

const STOPPED_UNIT = "stopped its systemd unit";

/** Stops what runs of a bottle's sidecar; gives a sentence on each thing. */
async function stop(bottle: Bottle): Promise<string[]> {
  const { settings, slug, root } = bottle;
  const done: string[] = [];
  if (await stopUnit(bottle)) done.push(STOPPED_UNIT);
  const { engine: before, ...others } = settings;
  let asked: string | undefined;
  for (const engine of await enginesOf(bottle)) {
    const { container, network } = await stopContainer(engine, bottle);
    if (container) done.push(`removed the container ${containerName(bottle)}`);
    if (network === "removed") done.push(`removed the network ${networkName(bottle)}`);
    if (network === "in use") {
      done.push(`kept the network ${networkName(bottle)}: another container is in it`);
      // While the network is there, the next down asks this engine.
      asked = engine;
    }
  }
  if (asked !== before) writeBottle(slug, asked ? { ...others, engine: asked } : others, root);
  return done;
}

/** Stops a bottle's sidecar; does nothing if none runs. */
export const bottleDown = alone(async (context, bottle) => {
  const done = await stop(bottle);
  say(context, bottle, done.length > 0 ? "stopped" : "does not run", done.join(", "));
});

/** Says whether a bottle's sidecar runs; ends with 1 if it does not. */
export async function bottleStatus(context: Context, words: readonly string[]): Promise<number> {
  const bottle = openBottle(context, words);
  const running: string[] = [];
  if (await isUnitActive(bottle)) running.push("a systemd unit");
  for (const engine of await enginesOf(bottle)) {
    const found = await findContainer(engine, bottle);
    if (found?.isOurs && found.isRunning) running.push(`${engine} ${containerName(bottle)}`);
  }
  say(context, bottle, running.length > 0 ? "runs" : "does not run", running.join(", "));
  return running.length > 0 ? 0 : 1;
}

/** The port in a bottle's settings, or what is wrong with them: one bottle's must not hide the others. */
function portOf(slug: string, root: string) {
  try {
    return { port: readBottle(slug, root)?.port ?? null };
  } catch (error) {
    if (!(error instanceof SuperviseError)) throw error;
    return { port: null, settings_problem: error.message };
  }
}

/** Lists the bottles, and what is pending in each. The exit code is 1 if that is not known of all. */
export function bottleList(context: Context): number {
  const { root, flags, where } = context;
  const unknown = new Map<string, string>();
  const onRefused = ({ name, reason }: RefusedQueue) => void unknown.set(name, reason);
  const found = findProposals("", { ...where, onRefused }).filter(({ pending }) => pending);
  const { slugs, refused } = listBottles(root);
  const held = listHeld(root, flags.bottle);
  const heldOf = (slug: string) => held.find(({ bottleSlug }) => bottleSlug === slug) ?? {};
  const bottles = [...slugs, ...refused.map(({ name }) => name).filter(isBottleSlug)]
    .filter((slug) => flags.bottle === undefined || slug === flags.bottle)
    .map((slug) => ({
      bottle: slug,
      pending: unknown.has(slug)
        ? null
        : found.filter(({ bottleSlug }) => bottleSlug === slug).length,
      ...portOf(slug, root),
      ...heldJson(heldOf(slug)),
    }));
  const problems = bottles.flatMap(({ settings_problem = [] }) => settings_problem);
  const exit = problems.length > 0 || bottles.some(({ pending }) => pending === null) ? 1 : 0;
  if (flags.json) {
    context.printJson({ bottles });
    return exit;
  }
  if (bottles.length === 0) {
    context.print(`There is no bottle yet: ${context.supervise} bottle add NAME`);
  }
  const rows = bottles.map(({ bottle, pending, port, settings_problem }) => [
    bottle,
    `${pending ?? "?"} pending`,
    settings_problem !== undefined
      ? "its settings cannot be read"
      : port === null
      ? "no settings: bottle add makes them"
      : `port ${port} without a container`,
  ]);
  for (const line of alignColumns(rows)) context.print(line);
  for (const [bottleSlug, reason] of unknown) {
    context.complain(unreadableLine({ bottleSlug, file: ".", reason }));
  }
  heldLines(held).forEach(context.complain);
  for (const problem of problems) {
    context.complain(`! ${problem}; ${context.supervise} doctor says what to do`);
  }
  return exit;
}

/** Stops a bottle's sidecar and moves its queue away; refuses while something is undecided. */
export const bottleRemove = alone(async (context, bottle) => {
  const { slug, root } = bottle;
  // Before the sidecar is stopped, and once more when no other proposal can come.
  checkRemovable(slug, root);
  const done = await stop(bottle);
  const { movedTo = null, uncollected, unrecorded } = await removeBottle(slug, root)
    .catch((error) => {
      const up = `${context.supervise} bottle up ${slug}`;
      const again = done.includes(STOPPED_UNIT) ? `${up} --systemd` : up;
      if (done.length > 0) context.complain(`! ${done.join(", ")}; ${again} starts it again`);
      throw error;
    });
  const kept = [auditDir({ root }), currentConfigDirForSlug(slug, root)];
  if (context.flags.json) {
    const removed = { bottle: slug, state: "removed", kept, moved_to: movedTo };
    return context.printJson({ ...removed, uncollected, unrecorded });
  }
  context.print(`removed ${slug}: its settings`);
  if (movedTo !== null) {
    context.print(`moved its queue to ${movedTo}`);
    context.print("  show --final and audit verify read it there, until you delete it");
  }
  if (uncollected > 0) {
    const responses = counted(uncollected, "response in it was", "responses in it were");
    context.complain(`! ${responses} never collected, so no agent was told`);
  }
  if (unrecorded.length > 0) {
    const responses = counted(unrecorded.length, "archived response", "archived responses");
    context.complain(
      `! ${responses} in it without a record: ${
        named(unrecorded.map(quoteId))
      }; ${context.supervise} doctor says more`,
    );
  }
  context.print(`kept ${kept[0]} (the audit logs) and ${kept[1]} (the files in force)`);
});

if (import.meta.main) {
  await runAlone({
    "bottle add": bottleAdd,
    "bottle up": bottleUp,
    "bottle down": bottleDown,
    "bottle status": bottleStatus,
    "bottle list": bottleList,
    "bottle remove": bottleRemove,
  });
}
