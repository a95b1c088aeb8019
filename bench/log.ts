/**
 * The audit log: signed, chained, synced appends, and checking them again.
 *
 * @module
 */

import { type AuditEntry, verifyAuditLog, writeAuditEntry } from "../mod.ts";
import { BOTTLE_SLUG, makeDirectory } from "./fixtures.ts";
import {
  besides,
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";
import { here } from "./processes.ts";
import { generateKeyPairSync, sign } from "node:crypto";

const APPEND_ROUNDS = 25;

const LINES_A_ROUND = 100;

const MIN_SHARE = 0.7;

const WRITERS = 8;

const WRITER_ROUNDS = 5;

const LINES_A_WRITER = 100;

const VERIFIED_LINES = 4_000;

const VERIFY_ROUNDS = 7;

const LOG = `pipelock-${BOTTLE_SLUG}.log`;

/** An entry whose line has about a kilobyte and a half. */
const ENTRY: AuditEntry = {
  timestamp: "2026-11-22T10:49:36.924Z",
  bottleSlug: BOTTLE_SLUG,
  component: "pipelock",
  operatorAction: "approved",
  operatorNotes: "Read-only, fine.",
  justification: "The tests read a public gist, and api.github.com is blocked.",
  diff: Array.from({ length: 40 }, (_, n) => `+host-${n}.example.com\n`).join(""),
  operator: "ada@host",
  proposalId: "7d1f5c0e-4b1a-4b59-9d4c-6a2f0f7a1c11",
  proposalSha256: "ab".repeat(32),
  finalSha256: "cd".repeat(32),
};

/** The bytes of a line as the product writes it. */
async function readyLine(root: string): Promise<Uint8Array> {
  return await Deno.readFile(await writeAuditEntry(ENTRY, { root }));
}

function share(what: string, figure: readonly number[], floor: readonly number[]): Row {
  const ratio = medianRatio(floor, figure);
  return {
    what,
    figure: showMs(median(figure)),
    floor: showMs(median(floor)),
    ratio: `${ratio.toFixed(2)} of it`,
    aim: `>= ${MIN_SHARE} of it`,
    met: ratio >= MIN_SHARE,
  };
}

async function appendAlone(): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const line = await readyLine(`${dir.path}/model`);
  using bare = Deno.openSync(`${dir.path}/bare`, { append: true, create: true });
  const sealed = `${dir.path}/sealed`;
  Deno.writeFileSync(sealed, line);
  const last = new Uint8Array(line.length);
  const { privateKey } = generateKeyPairSync("ed25519");
  const each = (append: () => void | Promise<unknown>) => async () =>
    await timeMs(async () => {
      for (let n = 0; n < LINES_A_ROUND; n++) await append();
    }) / LINES_A_ROUND;
  const samples = await takeTurns(APPEND_ROUNDS, {
    bare: each(() => {
      bare.writeSync(line);
      bare.syncDataSync();
    }),
    reopened: each(() => {
      using file = Deno.openSync(`${dir.path}/reopened`, { append: true, create: true });
      file.lockSync(true);
      file.writeSync(line);
      file.syncDataSync();
    }),
    sealed: each(() => {
      using file = Deno.openSync(sealed, { append: true, read: true });
      file.lockSync(true);
      file.seekSync(-line.length, Deno.SeekMode.End);
      file.readSync(last);
      file.writeSync(sign(null, new Uint8Array([...last, ...line]), privateKey));
      file.writeSync(line);
      file.syncDataSync();
    }),
    signed: each(() => writeAuditEntry(ENTRY, { root: dir.path })),
  });
  return [
    share("a line, signed, chained, synced", samples.signed, samples.bare),
    besides(share("the same, floor opened and locked for each", samples.signed, samples.reopened)),
    besides(share("the same, floor reads the last line and signs", samples.signed, samples.sealed)),
  ];
}

/** Runs several writers at once, and says what a line of theirs took. */
async function writeTogether(mode: "bare" | "signed", path: string, about: string) {
  const program = here("./log_writer.ts");
  const grants = [`--allow-read=${path},${about}`, `--allow-write=${path}`];
  const args = ["run", "--no-prompt", ...grants, program, mode, path, about];
  const writers = Array.from({ length: WRITERS }, () =>
    new Deno.Command(Deno.execPath(), {
      args: [...args, String(LINES_A_WRITER)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn());
  const outputs = writers.map((writer) => writer.stdout.getReader());
  await Promise.all(outputs.map((output) => output.read())); // Each says that it is ready.
  const ms = await timeMs(async () => {
    await Promise.all(writers.map((writer) => writer.stdin.close()));
    const ended = await Promise.all(writers.map((writer) => writer.status));
    if (!ended.every(({ success }) => success)) throw new Error("Cannot measure: a writer failed");
  });
  await Promise.all(outputs.map((output) => output.cancel()));
  return ms / (WRITERS * LINES_A_WRITER);
}

async function appendTogether(): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const about = `${dir.path}/about`;
  await Deno.writeTextFile(about, JSON.stringify(ENTRY));
  const line = `${dir.path}/line`;
  await Deno.writeFile(line, await readyLine(`${dir.path}/model`));
  await Deno.mkdir(`${dir.path}/bare`);
  await Deno.mkdir(`${dir.path}/signed`);
  const { bare, signed } = await takeTurns(WRITER_ROUNDS, {
    bare: () => writeTogether("bare", `${dir.path}/bare`, line),
    signed: () => writeTogether("signed", `${dir.path}/signed`, about),
  });
  return [{
    what: `a line, ${WRITERS} processes at once on one log`,
    figure: showMs(median(signed)),
    floor: showMs(median(bare)),
    ratio: `${medianRatio(bare, signed).toFixed(2)} of it`,
  }];
}

async function verify(): Promise<readonly Row[]> {
  await using dir = await makeDirectory();
  const root = dir.path;
  for (let n = 0; n < VERIFIED_LINES; n++) await writeAuditEntry(ENTRY, { root });
  const path = `${root}/audit/${LOG}`;
  const megabytes = (await Deno.stat(path)).size / 1e6;
  const check = (chainOnly: boolean) => async () =>
    await timeMs(async () => {
      const { ok } = await verifyAuditLog("pipelock", BOTTLE_SLUG, { root, chainOnly });
      if (!ok) throw new Error("Cannot measure: the log is not sound");
    });
  const { sum, chain, signatures } = await takeTurns(VERIFY_ROUNDS, {
    sum: () => timeMs(() => new Deno.Command("sha256sum", { args: [path] }).output()),
    chain: check(true),
    signatures: check(false),
  });
  const speed = (ms: readonly number[]) => `${(megabytes / (median(ms) / 1000)).toFixed(0)} MB/s`;
  const row = (what: string, ms: readonly number[]): Row => ({
    what,
    figure: speed(ms),
    floor: speed(sum),
    ratio: `${medianRatio(sum, ms).toFixed(2)} of it`,
  });
  return [
    row("verify, chain alone", chain),
    row("verify, every signature too", signatures),
  ];
}

/** The audit log. */
export const log: Subject = {
  title: "The audit log",
  about:
    "Floor of an append: write and fdatasync of ready bytes to a file that stays open; the second line\n" +
    "and the eight writers open and lock it each time, as programs that share a log must; the third line also\n" +
    "reads the last line and signs, as a chain of signatures must. Floor of a check:\n" +
    `sha256sum of the same file (${VERIFIED_LINES} lines). Ratio: speed against the floor's.`,
  run: async () => [...await appendAlone(), ...await appendTogether(), ...await verify()],
};
