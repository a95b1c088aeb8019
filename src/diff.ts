/**
 * The door of `text/diff`: the unified diff of two files.
 *
 * @module
 */

export { type DiffOptions, renderDiff } from "./text/diff.ts";
