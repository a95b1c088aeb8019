/**
 * The door of `text/diff`: the unified diff of two files.
 *
 * @module
 */

export { renderDiff } from "./text/diff.ts";
