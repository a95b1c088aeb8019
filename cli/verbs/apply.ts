/**
 * `apply init` and `apply check`: sets up the programs that make approved files take effect, and tries them.
 *
 * @module
 */

import {
  type ApplyConfig,
  ApplyConfigError,
  applyConfigPath,
  hookApplier,
  readApplyConfig,
  type TriedStep,
  tryHooks,
} from "../../appliers/mod.ts";
import { presetFiles } from "../../appliers/presets.ts";
import {
  componentOf,
  listBottles,
  readFileInForce,
  readNotProven,
  withBottleLock,
} from "../../internal_mod.ts";
import { TOOLS } from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, lastLines } from "../command/context.ts";
import { NotFoundError } from "../command/exit.ts";
import { PRESET_NAMES, UsageError } from "../command/flags.ts";
import { shellWord } from "../command/split_words.ts";
import { heldInWords } from "../render/pending.ts";
import { alignColumns } from "../render/wrap.ts";
import { resolve } from "@std/path";

/** Prints a file of a set-up: `apply.json`, or another one by its name. */
export function applyInit(context: Context, words: readonly string[]): void {
  const [name = "", file = "apply.json", ...rest] = words;
  const directory = resolve(context.root, "proxy");
  const files = presetFiles(name, directory);
  if (files === undefined || rest.length > 0) {
    const names = PRESET_NAMES.join(", ");
    throw new UsageError(`Cannot tell which set-up: write one of ${names}, then a FILE of it`);
  }
  const names = Object.keys(files);
  if (!Object.hasOwn(files, file)) {
    throw new UsageError(`Cannot print ${file}: ${name} has ${names.join(", ")}`);
  }
  if (context.flags.json) return context.printJson({ directory, files });
  context.printToCopy(files[file]!.trimEnd());
  if (file !== "apply.json") return;
  const init = `${context.supervise} apply init ${name}`;
  context.complain(`Save it as ${applyConfigPath(context.root)}, with mode 600. It also needs:`);
  context.complain(`  mkdir -m 700 ${shellWord(directory)}`);
  for (const other of names.slice(1)) {
    context.complain(`  ${init} ${other} > ${shellWord(`${directory}/${other}`)}`);
  }
  context.complain(`Then: ${context.supervise} apply check --bottle NAME`);
}

interface Tried extends Omit<TriedStep, "step"> {
  readonly component: string;
  /** `state`: what keeps the bottle's files from being changed. */
  readonly step: TriedStep["step"] | "state";
}

/** Tries the steps of one bottle's files, under its lock: no decision may apply meanwhile. */
async function tryBottle(
  root: string,
  bottleSlug: string,
  config: ApplyConfig,
): Promise<readonly Tried[]> {
  return await withBottleLock(root, bottleSlug, async () => {
    const tried: Tried[] = [];
    const notProven = readNotProven(root, bottleSlug);
    for (const tool of TOOLS) {
      const component = componentOf(tool);
      const may = notProven?.tool === tool ? notProven : undefined;
      if (may !== undefined) {
        const [says = ""] = heldInWords({ notProven: may });
        tried.push({ component, step: "state", result: "failed", says, output: "" });
      }
      if (config.settingsFor(bottleSlug, component) === undefined) continue;
      const { currentPath: path, currentFile: text } = readFileInForce(tool, bottleSlug, root);
      // What the file that the enforcer may have instead let in must be seen to be gone.
      const before = may?.mayHave ?? text;
      const change = { root, bottleSlug, tool, path, before, after: text };
      for await (const step of tryHooks(config, change)) tried.push({ component, ...step });
    }
    return tried;
  }, { applier: hookApplier(config) });
}

/** Runs the steps of `apply.json` with the files in force. The exit code is 1 if one of them failed. */
export async function applyCheck(context: Context): Promise<number> {
  const { root, flags } = context;
  const path = applyConfigPath(root);
  const config = readApplyConfig(path);
  if (config === undefined) {
    throw new ApplyConfigError(
      `Cannot check: there is no ${path}; ${context.supervise} apply init prints one`,
    );
  }
  const slugs = flags.bottle === undefined ? listBottles(root).slugs : [flags.bottle];
  if (slugs.length === 0) {
    throw new NotFoundError(
      `Cannot check: there is no bottle in ${root}; name another root with --root`,
    );
  }
  const bottles = [];
  for (const bottle of slugs) {
    bottles.push({ bottle, steps: await tryBottle(root, bottle, config) });
  }
  const failed = bottles.some(({ steps }) => steps.some(({ result }) => result === "failed"));
  if (flags.json) context.printJson({ bottles });
  else for (const { bottle, steps } of bottles) printSteps(context, bottle, steps);
  return failed ? 1 : 0;
}

function printSteps(context: Context, bottle: string, steps: readonly Tried[]): void {
  if (steps.length === 0) context.print(`${bottle}: apply.json names nothing for it`);
  const rows = alignColumns(steps.map(({ component, step, result, says }) => [
    bottle,
    component,
    step,
    result === "none" ? "-" : result,
    context.visible(says),
  ]));
  for (const [n, row] of rows.entries()) {
    context.print(row);
    for (const line of lastLines(steps[n]!.output)) context.print(context.visible(line, "code"));
  }
}

if (import.meta.main) await runAlone({ "apply init": applyInit, "apply check": applyCheck });
