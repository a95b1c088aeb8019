/**
 * Makes decided files take effect: the applier that runs an operator's own programs, as `apply.json` names
 * them. See `docs/apply.md`.
 *
 * @module
 */

export {
  type ApplyConfig,
  ApplyConfigError,
  applyConfigPath,
  type BuiltInRender,
  type ComponentSettings,
  type HookComponent,
  type HookProgram,
  parseApplyConfig,
  type ProbeSettings,
  readApplyConfig,
} from "./config.ts";
export {
  hookApplier,
  type HookOptions,
  openHookApplier,
  type TriedStep,
  tryHooks,
} from "./hooks.ts";
export type { Applier, ApplyOptions, ConfigChange, Tool } from "../mod.ts";
