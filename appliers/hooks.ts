/**
 * Makes files in force take effect by the operator's own programs, as `apply.json` names them.
 *
 * @module
 */

import {
  type ApplyConfig,
  applyConfigPath,
  type ComponentSettings,
  type HookProgram,
  readApplyConfig,
} from "./config.ts";
import { type Plan, planForHosts, planForRoutes, probe } from "./probe.ts";
import {
  patternsOf,
  renderForPipelock,
  renderForSquid,
  renderForTinyproxy,
} from "./render_hosts.ts";
import { renderForNginx, routesOf, type Tokens } from "./render_routes.ts";
import { mustRun } from "./run.ts";
import {
  COMPONENT_REBUILD,
  componentOf,
  listBottles,
  MAX_CONFIG_FILE_BYTES,
  ownFileStamp,
  privateDir,
  readOwnFile,
  removeFile,
  replaceFileAlone,
  TEXT_OF_NO_FILE,
} from "../internal_mod.ts";
import {
  type Applier,
  ApplyError,
  type ApplyOptions,
  type ConfigChange,
  type Effect,
  sha256Hex,
} from "../mod.ts";

/** An image as builders write its id. */
const IMAGE = /^(?:sha256:)?[0-9a-f]{64}\s*$/;

/** A rendered file can have a line for each of the file in force. */
const MAX_RENDERED_BYTES = 16 * MAX_CONFIG_FILE_BYTES;

function readText(path: string, maxBytes = MAX_RENDERED_BYTES): string | undefined {
  const bytes = readOwnFile(path, maxBytes);
  try {
    return bytes && new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApplyError("render", `${path} is not UTF-8 text`);
  }
}

/** The tokens of routes. Nobody else may read them. */
function readTokens(path: string): Tokens {
  const refuse = (reason: string) => new ApplyError("render", `cannot use ${path}: ${reason}`);
  const stamp = ownFileStamp(path);
  if (stamp === undefined) throw refuse("it is not there");
  if ((stamp.mode & 0o077) !== 0) throw refuse("others may read it; run chmod 600 on it");
  let tokens: unknown;
  try {
    tokens = JSON.parse(readText(path)!);
  } catch {
    throw refuse("it is not JSON"); // The parser's words would quote a token.
  }
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const isNamed = ([field, named]: [string, unknown]) =>
    ["token_ref", "token_env"].includes(field) && isObject(named) &&
    Object.values(named).every((token) => typeof token === "string" && token !== "");
  if (isObject(tokens) && Object.entries(tokens).every(isNamed)) return tokens;
  throw refuse('expected {"token_env": {NAME: TOKEN}, "token_ref": {NAME: TOKEN}}');
}

/** The steps by which one change takes effect. */
interface Hooks {
  readonly settings: ComponentSettings;
  readonly to: string;
  /** What the probe is to see; nothing if there is none. */
  readonly plan: () => Plan | undefined;
  /** Makes what the enforcing program will read. */
  readonly render: () => Promise<string>;
  /** Has it checked, before anything changes. */
  readonly check: (rendered: string) => Promise<string>;
  readonly install: (rendered: string) => string;
  readonly run: (stage: "reload" | "start") => Promise<string>;
  /** What is known once all of it has worked. */
  readonly effect: Effect;
  readonly afterAnswer: () => Promise<void>;
  readonly probe: () => Promise<string>;
  /** Ends open connections if the change took something away. */
  readonly stopConnections: () => Promise<string | undefined>;
}

/** The hooks for a change; `undefined` if `apply.json` has none for its file. */
function openHooks(
  config: ApplyConfig,
  change: ConfigChange,
  { onProgress = () => {} }: ApplyOptions = {},
  stopOnSignals = false,
): Hooks | undefined {
  const { root, bottleSlug, tool, before, after } = change;
  const component = componentOf(tool);
  const settings = config.settingsFor(bottleSlug, component);
  if (settings === undefined) return undefined;
  const isImage = component === COMPONENT_REBUILD;
  const own = `${privateDir(root)}/apply/${bottleSlug}.${component}`;
  const { to = `${own}.image` } = settings;
  const next = `${to}.next`;
  /** Which image was built from which text, in one file: a crash leaves both or neither. */
  const built = `${own}.built`;
  const values = { "{bottle}": bottleSlug, "{config}": own };
  const withFile = (file: string, rendered: string) => ({
    ...values,
    "{file}": file,
    ...(isImage ? { "{image}": rendered.trim() } : {}),
  });

  async function render(): Promise<string> {
    const sharer = listBottles(root).slugs.find((slug) =>
      slug !== bottleSlug && config.settingsFor(slug, component) === settings && !isImage
    );
    if (sharer !== undefined) {
      const way = `name another "to" for one of them under "bottles" in ${applyConfigPath(root)}`;
      throw new ApplyError("render", `${to} is also the file of ${sharer}: ${way}`);
    }
    const text = after ?? TEXT_OF_NO_FILE[tool];
    if (isImage && after === null) {
      throw new ApplyError("render", "there is no Dockerfile to build: the image in use stays");
    }
    onProgress(isImage ? "builds the image" : "renders the file");
    switch (settings!.render) {
      case "squid":
        return renderForSquid(text);
      case "tinyproxy":
        return renderForTinyproxy(text);
      case "pipelock":
        return renderForPipelock(text, readText(`${to}.base`) ?? "");
      case "nginx": {
        const { tokens } = settings!;
        return renderForNginx(text, tokens === undefined ? {} : readTokens(`${root}/${tokens}`));
      }
      default:
        return await renderBy(settings!.render, text);
    }
  }
  async function renderBy(program: HookProgram, text: string): Promise<string> {
    const from = `${sha256Hex(text)} `;
    const made = isImage ? readText(built) : undefined;
    // An image that was checked is the one that is used: to build it anew could give another one.
    if (made?.startsWith(from)) return made.slice(from.length);
    replaceFileAlone(own, new TextEncoder().encode(text));
    // Of its own: what an earlier run left behind may write to its file at any time.
    const file = `${privateDir(root)}/staging/${bottleSlug}/${crypto.randomUUID()}`;
    replaceFileAlone(file, new Uint8Array());
    let rendered: string;
    try {
      await mustRun("render", program, { ...values, "{file}": file }, stopOnSignals);
      rendered = readText(file) ?? "";
    } finally {
      removeFile(file);
    }
    if (!isImage) return rendered;
    if (!IMAGE.test(rendered)) {
      throw new ApplyError("render", `${program.argv[0]} left no image's id in {file}`);
    }
    replaceFileAlone(built, new TextEncoder().encode(from + rendered));
    return rendered;
  }

  const planFor = component === "pipelock" ? planForHosts : planForRoutes;
  const plan = () => settings.probe && planFor(before, after, settings.probe);

  return {
    settings,
    to,
    plan,
    render,
    check: async (rendered) => {
      const { check } = settings;
      if (check === undefined) return "nothing checks it";
      onProgress(isImage ? "tries the image" : "has the file checked");
      replaceFileAlone(next, new TextEncoder().encode(rendered));
      try {
        await mustRun("check", check, withFile(next, rendered), stopOnSignals);
      } catch (error) {
        removeFile(built); // The next try builds anew: the image may be gone by then.
        throw error;
      } finally {
        removeFile(next); // It may have secrets in it.
      }
      return `${check.argv[0]} accepted it`;
    },
    install: (rendered) => {
      // What a program of another account reads, unless there are tokens in it.
      const mode = component === "pipelock" ? 0o644 : 0o600;
      replaceFileAlone(to, new TextEncoder().encode(rendered), mode);
      for (const left of [next, own, built]) removeFile(left);
      return `wrote ${to}`;
    },
    effect: imageStays(change)
      ? "file"
      : settings.afterAnswer
      ? "restarts"
      : settings.probe
      ? "probed"
      : settings.reload
      ? "reloaded"
      : "file",
    afterAnswer: async () => {
      onProgress("restarts the bottle");
      await mustRun("after_answer", settings.afterAnswer!, withFile(to, readText(to) ?? ""));
    },
    run: async (stage) => {
      const program = settings[stage];
      if (program === undefined) return `nothing ${stage}s it`;
      onProgress(`${stage}s ${isImage ? "the image" : "the proxy"}`);
      await mustRun(stage, program, withFile(to, readText(to) ?? ""), stopOnSignals);
      return `${program.argv[0]} ended with exit code 0`;
    },
    probe: async () => {
      if (settings.probe === undefined) {
        return "nothing probes it: that it is in force was not seen";
      }
      onProgress("probes the proxy");
      return await probe(plan()!, settings.probe);
    },
    stopConnections: async () => {
      const { stopConnections } = settings;
      if (before === null || !takesAway(component, before, after)) return undefined;
      if (stopConnections === undefined) return "connections that were open stay open";
      try {
        await mustRun("reload", stopConnections, withFile(to, ""));
        return "connections that were open were ended";
      } catch (error) {
        // To undo what was taken away would be worse.
        return `connections that were open may be open still: ${(error as Error).message}`;
      }
    },
  };
}

/** Whether something is not allowed any more that was, or is allowed otherwise. */
function takesAway(component: string, before: string, after: string | null): boolean {
  const entriesOf = (text: string) =>
    component === "pipelock" ? patternsOf(text) : routesOf(text).map((one) => JSON.stringify(one));
  if (component === COMPONENT_REBUILD) return false;
  try {
    const left = new Set(after === null ? [] : entriesOf(after));
    return entriesOf(before).some((entry) => !left.has(entry));
  } catch {
    return true; // What a program of the operator's renders may be a file that is not read here.
  }
}

/** Refuses a change that could not be taken back, or not be seen to be, before anything changes. */
async function refuseOneWay(config: ApplyConfig, change: ConfigChange): Promise<void> {
  const { before, after, path, tool } = change;
  if (componentOf(tool) === COMPONENT_REBUILD) return;
  const back = openHooks(config, { ...change, before: after, after: before })!;
  try {
    back.plan();
    await back.render();
  } catch (error) {
    const reason = `the file in force could not be put back: ${(error as Error).message}`;
    throw new ApplyError("render", `${reason}; correct ${path} in an editor first`);
  }
}

/** Whether a Dockerfile goes and none comes: then there is nothing to build. */
function imageStays({ tool, after }: ConfigChange): boolean {
  return after === null && componentOf(tool) === COMPONENT_REBUILD;
}

/** What a step says of such a change. */
const IMAGE_STAYS = "there was no Dockerfile: which image is in use was left as it is";

/** What a step says of a file that `apply.json` does not name. */
const NO_HOOKS = "apply.json names nothing that reloads it";

/** What ends a program before its time. */
export interface HookOptions {
  /**
   * Whether Ctrl-C, SIGTERM or SIGHUP ends the program that runs for a change, and not this process, which takes the
   * change back then; `false` unless given. What runs to take a change back is not ended.
   */
  readonly stopOnSignals?: boolean;
}

/**
 * Makes an applier of the programs that `apply.json` names.
 *
 * Needs to run exactly those programs, to reach the addresses of its probes, and to read and write the root
 * and the directories of what is rendered; `cli/supervise.sh` grants that.
 *
 * @param config What `apply.json` says.
 * @param options What ends a program before its time.
 */
export function hookApplier(
  config: ApplyConfig,
  { stopOnSignals = false }: HookOptions = {},
): Applier {
  async function install(hooks: Hooks): Promise<string> {
    return hooks.install(await hooks.render());
  }
  async function reloadAndProbe(hooks: Hooks): Promise<string> {
    return `${await hooks.run("reload")}; ${await probeAndStop(hooks)}`;
  }
  /** What a change that failed let in is not let in any more either, once it was taken back. */
  async function probeAndStop(hooks: Hooks): Promise<string> {
    const said = [await hooks.probe()];
    const stopped = await hooks.stopConnections();
    if (stopped !== undefined) said.push(stopped);
    // To end connections may have meant to start the proxy anew.
    if (hooks.settings.stopConnections && stopped) said.push(await hooks.probe());
    return said.join("; ");
  }
  return {
    enforces: (bottleSlug, tool) => config.settingsFor(bottleSlug, componentOf(tool)) !== undefined,
    check: async (change, options) => {
      const hooks = openHooks(config, change, options, stopOnSignals);
      if (hooks === undefined || imageStays(change)) return;
      await refuseOneWay(config, change);
      hooks.plan();
      await hooks.check(await hooks.render());
    },
    apply: async (change, options) => {
      const hooks = openHooks(config, change, options, stopOnSignals);
      if (hooks === undefined) return NO_HOOKS;
      if (imageStays(change)) return IMAGE_STAYS;
      return `${await install(hooks)}; ${await reloadAndProbe(hooks)}`;
    },
    effectOf: (change) => openHooks(config, change)?.effect ?? "file",
    afterAnswer: async (change, options) => await openHooks(config, change, options)?.afterAnswer(),
    restore: async (change, options) => {
      const hooks = openHooks(config, change, options);
      if (hooks === undefined) return NO_HOOKS;
      if (imageStays(change)) return IMAGE_STAYS;
      const wrote = await install(hooks);
      try {
        return `${wrote}; ${await reloadAndProbe(hooks)}`;
      } catch (error) {
        if (!(error instanceof ApplyError) || hooks.settings.start === undefined) throw error;
      }
      let failed: unknown;
      const started = await hooks.run("start").catch((error) => void (failed = error));
      // Something else may have started it meanwhile: then the probe is what counts.
      if (failed !== undefined && hooks.settings.probe === undefined) throw failed;
      try {
        return `${wrote}; started again: ${started ?? "it ran"}; ${await probeAndStop(hooks)}`;
      } catch (error) {
        throw failed ?? error;
      }
    },
  };
}

/**
 * The applier of a root; `undefined` if there is no `apply.json`.
 *
 * @param root The root.
 * @param options As for {@linkcode hookApplier}.
 * @throws {ApplyConfigError} As {@linkcode readApplyConfig} does.
 */
export function openHookApplier(root: string, options: HookOptions = {}): Applier | undefined {
  const config = readApplyConfig(applyConfigPath(root));
  return config && hookApplier(config, options);
}

/** One step of a trial. */
export interface TriedStep {
  /** Which step it was. */
  readonly step: "render" | "check" | "install" | "reload" | "probe";
  /** How it ended; `none` if `apply.json` has nothing for it. */
  readonly result: "works" | "failed" | "none";
  /** What was done, or why it failed. */
  readonly says: string;
  /** What a program printed that failed; bytes of others: escape it before it is shown. */
  readonly output: string;
}

/**
 * Goes through all steps with the file in force, and changes nothing in what is allowed: the first one that
 * fails is the last one.
 *
 * @param config What `apply.json` says.
 * @param change The file in force, as the text after; as the text before, too, or the file that is in use instead.
 */
export async function* tryHooks(
  config: ApplyConfig,
  change: ConfigChange,
): AsyncGenerator<TriedStep> {
  const hooks = openHooks(config, change);
  if (hooks === undefined) {
    yield { step: "render", result: "none", says: NO_HOOKS, output: "" };
    return;
  }
  const { settings, to } = hooks;
  let rendered = "";
  const steps: readonly [TriedStep["step"], boolean, () => Promise<string> | string][] = [
    ["render", true, async () => {
      rendered = await hooks.render();
      const by = typeof settings.render === "string" ? settings.render : settings.render.argv[0];
      return `by ${by}`;
    }],
    ["check", settings.check !== undefined, () => hooks.check(rendered)],
    ["install", true, () => {
      const was = readOwnFile(to, MAX_RENDERED_BYTES);
      const said = hooks.install(rendered);
      if (was && sha256Hex(was) === sha256Hex(rendered)) {
        return `${to} is what the file in force says`;
      }
      return `${said}, which ${was === undefined ? "was not there" : "said something else"}`;
    }],
    ["reload", settings.reload !== undefined, () => hooks.run("reload")],
    ["probe", settings.probe !== undefined, () => hooks.probe()],
  ];
  for (const [step, isConfigured, run] of steps) {
    try {
      const says = await run();
      yield { step, result: isConfigured ? "works" : "none", says, output: "" };
    } catch (error) {
      const { message } = error as Error;
      const output = error instanceof ApplyError ? error.output : "";
      yield { step, result: "failed", says: message, output };
      return;
    }
  }
}
