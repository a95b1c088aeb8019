/**
 * What `dockerfile-utils` finds wrong in one instruction, without what it alone finds wrong. Pure.
 *
 * @module
 */

import { closesQuotes, splitFlags } from "./instructions.ts";
import { validate, ValidationCode, ValidationSeverity } from "dockerfile-utils";

/** Style is not an error, so that all that is left is. */
const SETTINGS = {
  deprecatedMaintainer: ValidationSeverity.IGNORE,
  directiveCasing: ValidationSeverity.IGNORE,
  emptyContinuationLine: ValidationSeverity.IGNORE,
  instructionCasing: ValidationSeverity.IGNORE,
  instructionCmdMultiple: ValidationSeverity.IGNORE,
  instructionEntrypointMultiple: ValidationSeverity.IGNORE,
  instructionHealthcheckMultiple: ValidationSeverity.IGNORE,
  instructionJSONInSingleQuotes: ValidationSeverity.IGNORE,
  instructionWorkdirRelative: ValidationSeverity.IGNORE,
};

/** Errors of the classic builder, or of `dockerfile-utils` alone; BuildKit builds these files. */
const ACCEPTED_BY_BUILDKIT: readonly unknown[] = [
  ValidationCode.FLAG_AT_LEAST_ONE, // --retries=0 means the default
  ValidationCode.FLAG_LESS_THAN_1MS, // --interval=0s means the default
  ValidationCode.INVALID_DESTINATION, // COPY a b /dir works without a slash behind it
  ValidationCode.INVALID_SIGNAL, // STOPSIGNAL TERM is SIGTERM
];

/** Errors that cannot be told while a variable is not replaced by its value. */
const DEPENDENT_ON_VARIABLES: readonly unknown[] = [
  ValidationCode.INVALID_PORT,
  ValidationCode.INVALID_PROTO,
  ValidationCode.INVALID_REFERENCE_FORMAT,
];

/**
 * Stands in for `$` in what `dockerfile-utils` gets, and back again in what it says. It knows fewer
 * modifiers of a variable than BuildKit does, and takes time cubic in their number.
 */
const DOLLAR = "\ue000";

/**
 * What `dockerfile-utils` says of one instruction, which it sees alone: comments cannot mute it.
 *
 * @param keyword The instruction, in upper case.
 * @param args What stands behind it.
 * @param escape The file's escape character.
 * @returns Its errors, in its words.
 */
export function errorsIn(keyword: string, args: string, escape: string): readonly string[] {
  const directive = escape === "`" ? "# escape=`\n" : "";
  const { flags, words } = splitFlags(args);
  const shown = keyword === "FROM" ? [...flags, ...words.slice(0, 1)].join(" ") : args;
  const text = `${directive}FROM scratch\n${keyword} ${shown.replaceAll("$", DOLLAR)}`;
  let diagnostics;
  try {
    diagnostics = validate(text, SETTINGS);
  } catch {
    return ["cannot be read"];
  }
  return diagnostics.filter(({ code, message }) => {
    if (ACCEPTED_BY_BUILDKIT.includes(code)) return false;
    if (DEPENDENT_ON_VARIABLES.includes(code) && args.includes("$")) return false;
    // Newer than the library: Dockerfile 1.17.
    if (code === ValidationCode.UNKNOWN_ADD_FLAG && message === "Unknown flag: unpack") {
      return false;
    }
    // The library takes ENV A="x"y, and ENV A "x" y, for a quote left open.
    const isQuote = code === ValidationCode.SYNTAX_MISSING_DOUBLE_QUOTE ||
      code === ValidationCode.SYNTAX_MISSING_SINGLE_QUOTE;
    return !isQuote || !closesQuotes(args, escape);
  }).map(({ message }) => String(message).replaceAll(DOLLAR, "$"));
}
