/**
 * Proposals and answers to measure with. Files are written by the product once and then copied, so
 * that nothing here knows their format, and ten thousand of them need not be synced one by one.
 *
 * @module
 */

import { newProposal, type Proposal, queueDirForSlug, writeProposal } from "../mod.ts";

/** The bottle in whose name the bench asks. */
export const BOTTLE_SLUG = "bench-1";

/**
 * Makes a proposal of about a kilobyte, as an agent would send it.
 *
 * @returns The proposal.
 */
export function makeProposal(): Proposal {
  return newProposal({
    bottleSlug: BOTTLE_SLUG,
    tool: "pipelock-block",
    proposedFile: Array.from({ length: 40 }, (_, n) => `host-${n}.example.com\n`).join(""),
    justification: "The tests read a public gist, and api.github.com is blocked.",
    currentFileHash: "",
  });
}

/** A file of a proposal as it stands in a queue, and what in it is its own. */
export interface ProposalFile {
  /** The proposal's id. */
  readonly id: string;
  /** The file's text. */
  readonly text: string;
}

/**
 * Makes the texts of many proposals' files, each with its own id and instant of arrival.
 *
 * @param count How many.
 * @returns The files; nothing is left on disk.
 */
export async function makeProposalFiles(count: number): Promise<ProposalFile[]> {
  await using dir = await makeDirectory();
  const model = makeProposal();
  const text = await Deno.readTextFile(await writeProposal(dir.path, model));
  const firstMs = Date.parse(model.arrivalTimestamp);
  return Array.from({ length: count }, (_, n) => {
    const id = crypto.randomUUID();
    // Out of order, as directories are: sorting must cost what it costs.
    const arrivedMs = firstMs + (n * 7919) % count;
    const arrived = new Date(arrivedMs).toISOString();
    return {
      id,
      text: text.replaceAll(model.id, id).replaceAll(model.arrivalTimestamp, arrived),
    };
  });
}

/**
 * Writes proposals' files into a queue directory, without syncing them.
 *
 * @param queueDir The queue directory; created if missing.
 * @param files The files.
 */
export function placeProposalFiles(queueDir: string, files: readonly ProposalFile[]): void {
  Deno.mkdirSync(queueDir, { recursive: true, mode: 0o700 });
  for (const { id, text } of files) {
    Deno.writeTextFileSync(`${queueDir}/${id}.proposal.json`, text, { mode: 0o600 });
  }
}

/** A directory that goes away with its scope. */
export interface Directory extends AsyncDisposable {
  /** Its path. */
  readonly path: string;
  /** Where the bench's bottle has its queue in it; nothing is created. */
  readonly queueDir: string;
}

/**
 * Makes a temporary directory.
 *
 * @returns The directory.
 */
export async function makeDirectory(): Promise<Directory> {
  const path = await Deno.makeTempDir({ prefix: "supervise-bench-" });
  return {
    path,
    queueDir: queueDirForSlug(BOTTLE_SLUG, { root: path }),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/**
 * Waits.
 *
 * @param ms How long, in milliseconds.
 */
export async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
