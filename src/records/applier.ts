/**
 * What makes a config file in force take effect: the interface that an applier has.
 *
 * @module
 */

import { SuperviseError } from "./errors.ts";
import type { Effect, Tool } from "./proposal.ts";

/** A change of one config file in force, with the whole text before and after. */
export interface ConfigChange {
  /** The root. */
  readonly root: string;
  /** The bottle. */
  readonly bottleSlug: string;
  /** The tool whose file it is. */
  readonly tool: Tool;
  /** The path of the file in force. */
  readonly path: string;
  /** The file's text before, or `null` if there was none. */
  readonly before: string | null;
  /** The file's text after, or `null` if there is none then. */
  readonly after: string | null;
}

/** What an applier may use while it works. */
export interface ApplyOptions {
  /** Says in a few words what is being done, such as `reloads the proxy`: the agent that waits is told. */
  readonly onProgress?: (doing: string) => void;
}

/**
 * Makes whatever enforces a config file read it, and shows that it did. `decide` replaces the file, and
 * puts the old one back if `apply` fails; an applier never writes the file in force itself.
 *
 * The calls for one bottle do not overlap. Each bounds its own time. A process can end in any of them:
 * the next one then calls `restore`, so each must work on whatever an interrupted one left.
 */
export interface Applier {
  /**
   * Whether it makes a bottle's file of a tool take effect; if this is missing, each. The other functions are not
   * called for one that it does not: then the record says that the file alone changed.
   */
  enforces?(bottleSlug: string, tool: Tool): boolean;
  /** Checks the text after, before anything changes. Whatever is in use must stay as it is. */
  check(change: ConfigChange, options?: ApplyOptions): Promise<void>;
  /**
   * Makes the text after take effect, and resolves once it was seen to be in force.
   *
   * @returns What was done and seen, in a few words: the log keeps it.
   */
  apply(change: ConfigChange, options?: ApplyOptions): Promise<string>;
  /** How far a change takes effect that `apply` made: the agent is told. Without this, as far as it can. */
  effectOf?(change: ConfigChange): Effect;
  /**
   * Makes the text after take effect, which was in force before. What enforces it may have been ended by
   * the change that failed: then it is started again.
   */
  restore(change: ConfigChange, options?: ApplyOptions): Promise<string>;
  /**
   * Does what would keep the agent from its answer, such as to end its bottle: called when the answer is there,
   * after a change that has the effect `restarts`.
   */
  afterAnswer?(change: ConfigChange, options?: ApplyOptions): Promise<void>;
}

/** Where an applier stopped. */
export type ApplyStage = "render" | "check" | "reload" | "start" | "probe" | "after_answer";

/** Thrown by an applier if a change cannot be checked or does not take effect. */
export class ApplyError extends SuperviseError {
  /** Where it stopped. */
  readonly stage: ApplyStage;
  /** What the program printed, cut to its last bytes; bytes of others: escape it before it is shown. */
  readonly output: string;
  /** The program's exit code; `undefined` if no program ended with one. */
  readonly exitCode: number | undefined;
  /** Whether a signal to this process ended the program: then the change itself was not found wanting. */
  readonly isInterrupted: boolean;

  /**
   * Makes the error.
   *
   * @param stage Where it stopped.
   * @param reason Why, without a capital letter and a full stop.
   * @param program What the program left.
   */
  constructor(
    stage: ApplyStage,
    reason: string,
    program: {
      readonly output?: string;
      readonly exitCode?: number;
      readonly isInterrupted?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    const { output = "", exitCode, isInterrupted = false, cause } = program;
    super("apply_failed", reason, { cause });
    this.stage = stage;
    this.output = output;
    this.exitCode = exitCode;
    this.isInterrupted = isInterrupted;
  }
}
