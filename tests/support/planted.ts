/**
 * What an attacker who controls a sidecar can plant in its queue directory.
 *
 * @module
 */

import { MAX_QUEUE_FILE_BYTES } from "../../src/disk/read_untrusted.ts";
import { run } from "./run.ts";

/** One kind of trap. */
export interface Planted {
  /** What it is, as a part of an id. */
  readonly kind: string;
  /**
   * Plants it.
   *
   * @param path Where.
   * @param outside A directory outside of the queue, made by {@linkcode makeOutside}.
   */
  readonly plant: (path: string, outside: string) => Promise<unknown>;
  /** Why it cannot be read. */
  readonly reason: string;
  /** Why it cannot be read as a response, if that is another reason. */
  readonly asResponse?: string;
}

/** What is in the files outside of the queue to which the traps lead. */
export const OUTSIDE_SECRET = "not for your eyes";

/**
 * Makes what the traps lead to: a file `secret`, and a FIFO `fifo`.
 *
 * @param outside The directory; created.
 */
export async function makeOutside(outside: string): Promise<void> {
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/secret`, OUTSIDE_SECRET);
  await must("mkfifo", `${outside}/fifo`);
}

/** Runs a program that has to succeed. */
export async function must(program: string, ...args: string[]): Promise<void> {
  const { code, err } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${err}`);
}

/** A file of that size, nothing of which is on disk. */
async function hole(path: string, bytes: number): Promise<void> {
  using file = await Deno.create(path);
  await file.truncate(bytes);
}

/** To a file of its own, which then has two names and no third. */
async function hardLink(path: string, outside: string): Promise<void> {
  const file = await Deno.makeTempFile({ dir: outside });
  await Deno.writeTextFile(file, OUTSIDE_SECRET);
  await Deno.link(file, path);
}

/** Bound elsewhere, and taken away before it is closed, because closing it removes it by its name. */
async function socket(path: string, outside: string): Promise<void> {
  const bound = `${outside}/s`;
  using _ = Deno.listen({ transport: "unix", path: bound });
  await Deno.rename(bound, path);
}

const text = (content: string) => (path: string) => Deno.writeTextFile(path, content);

const full = (head: string, piece: string) =>
  head + piece.repeat((MAX_QUEUE_FILE_BYTES - head.length) / piece.length);

const LINK = "it is a link";

const SPECIAL = "it is not a regular file";

const DEEP = "it is nested deeper than 32 levels";

const tooLarge = (bytes: number) =>
  `it has ${bytes} bytes, more than the ${MAX_QUEUE_FILE_BYTES} allowed`;

const MB_300 = 300 * 1000 * 1000;

const TB_10 = 10 * 2 ** 40;

const ALL: readonly Planted[] = [
  { kind: "link", reason: LINK, plant: (path, outside) => Deno.symlink(`${outside}/secret`, path) },
  { kind: "loop", reason: LINK, plant: (path) => Deno.symlink(path, path) },
  { kind: "fifo-link", reason: LINK, plant: (path, out) => Deno.symlink(`${out}/fifo`, path) },
  { kind: "fifo", reason: SPECIAL, plant: (path) => must("mkfifo", path) },
  { kind: "socket", reason: SPECIAL, plant: socket },
  // Another /dev/zero, which never ends.
  { kind: "device", reason: SPECIAL, plant: (path) => must("mknod", path, "c", "1", "5") },
  { kind: "directory", reason: "it is a directory", plant: (path) => Deno.mkdir(path) },
  { kind: "300-mb", reason: tooLarge(MB_300), plant: (path) => hole(path, MB_300) },
  { kind: "10-tb", reason: tooLarge(TB_10), plant: (path) => hole(path, TB_10) },
  {
    kind: "hard-link",
    plant: hardLink,
    reason: "it has 2 names (hard links)",
    // A response has two names while it is published, so it is read, and found to be none.
    asResponse: "it is not JSON",
  },
  { kind: "empty", reason: "it is empty", plant: text("") },
  {
    kind: "bad-utf8",
    reason: "it is not UTF-8",
    plant: (path) => Deno.writeFile(path, new Uint8Array([0x22, 0xff, 0x22])),
  },
  { kind: "bomb-arrays", reason: DEEP, plant: text(full("", "[")) },
  { kind: "bomb-objects", reason: DEEP, plant: text(full('{"extra":', '{"a":')) },
  { kind: "bomb-values", reason: "it has more than 10000 values", plant: text(full("[0", ",0")) },
  { kind: "bomb-zeros", reason: "it is not JSON", plant: (p) => hole(p, MAX_QUEUE_FILE_BYTES) },
];

const CAN_MAKE_DEVICES = Deno.uid() === 0;

if (!CAN_MAKE_DEVICES) console.error("skipped: only root can plant a device");

/** The traps whose name is in order. */
export const PLANTED: readonly Planted[] = ALL.filter(({ kind }) =>
  kind !== "device" || CAN_MAKE_DEVICES
);

/** The names that are no UTF-8, as they are listed. */
export const BAD_NAMES: readonly string[] = ["p-\ufffd.proposal.json", "r-\ufffd.response.json"];

/**
 * Plants files whose names are no UTF-8. Deno cannot.
 *
 * @param queueDir The queue directory.
 */
export async function plantBadNames(queueDir: string): Promise<void> {
  const script = `printf '{}' > "$1/$(printf 'p-\\377').proposal.json"
    printf '{}' > "$1/$(printf 'r-\\377').response.json"`;
  await must("sh", "-c", script, "sh", queueDir);
}
