/**
 * Asks `dockerfile-utils` for the errors in one instruction, and drops those that BuildKit does not have.
 * Pure.
 *
 * @module
 */

import { closesQuotes, splitFlags } from "./instructions.ts";
import { validate, ValidationCode, ValidationSeverity } from "dockerfile-utils";

/** Without the rules of style every diagnostic is an error. */
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

/** Errors of the classic builder, or of `dockerfile-utils` only: BuildKit builds these files. */
const ACCEPTED_BY_BUILDKIT: readonly unknown[] = [
  ValidationCode.FLAG_AT_LEAST_ONE, // --retries=0 means the default
  ValidationCode.FLAG_LESS_THAN_1MS, // --interval=0s means the default
  ValidationCode.INVALID_DESTINATION, // COPY a b /dir works without a slash behind it
  ValidationCode.INVALID_SIGNAL, // STOPSIGNAL TERM is SIGTERM
];

/** Errors that depend on a variable's value, which is not known here. */
const DEPENDENT_ON_VARIABLES: readonly unknown[] = [
  ValidationCode.INVALID_PORT,
  ValidationCode.INVALID_PROTO,
  ValidationCode.INVALID_REFERENCE_FORMAT,
];

/**
 * Replaces `$` in the text for `dockerfile-utils`, which knows fewer modifiers of a variable than BuildKit
 * and takes time cubic in their number.
 */
const DOLLAR = "\ue000";

/** Gives `dockerfile-utils` one instruction alone, so that comments in the file cannot mute it. */
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
    // The library calls the quote in ENV A="x"y and in ENV A "x" y unclosed.
    const isQuote = code === ValidationCode.SYNTAX_MISSING_DOUBLE_QUOTE ||
      code === ValidationCode.SYNTAX_MISSING_SINGLE_QUOTE;
    return !isQuote || !closesQuotes(args, escape);
  }).map(({ message }) => String(message).replaceAll(DOLLAR, "$"));
}
