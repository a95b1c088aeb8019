/**
 * Asks as a sidecar does, without its server.
 *
 * @module
 */

import { openHolder, type Outcome } from "../../sidecar/hold.ts";
import { SLUG } from "../support/operator.ts";

/** The question that is asked. */
export const QUESTION = {
  proposed_file: "api.github.com\n",
  justification: "The tests read a public gist.",
};

/**
 * Asks as a sidecar does that has just been started, but in this process.
 *
 * @param queueDir Its queue directory.
 * @param proposedFile The file that is proposed.
 * @returns What the call comes to, at once.
 */
export function askHere(
  queueDir: string,
  proposedFile: string = QUESTION.proposed_file,
): Promise<Outcome> {
  const holder = openHolder({
    bottleSlug: SLUG,
    queueDir,
    log: () => {},
    limits: {
      holdMs: 0,
      holdWithProgressMs: 0,
      repeatMs: 600_000,
      maxHeld: 256,
      maxPending: 32,
    },
  });
  const call = {
    signal: new AbortController().signal,
    session: undefined,
    requestId: 1,
    characters: 100,
    onHeld: () => {},
    nextTurn: () => Promise.resolve(),
    tell: undefined,
  };
  return holder.ask({
    tool: "pipelock-block",
    proposedFile,
    justification: QUESTION.justification,
    currentFileHash: "",
  }, call);
}
