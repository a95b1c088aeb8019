/**
 * The operator's screen: how soon it is there, how soon it answers a key, what it costs to leave it open.
 *
 * @module
 */

import { newProposal, queueDirForSlug, writeProposal } from "../mod.ts";
import {
  BOTTLE_SLUG,
  type Directory,
  makeDirectory,
  makeProposalFiles,
  placeProposalFiles,
  sleep,
} from "./fixtures.ts";
import {
  median,
  medianRatio,
  percentile,
  type Row,
  showMs,
  type Subject,
  takeTurns,
} from "./measure.ts";
import { here } from "./processes.ts";
import { startInTerminal, type TerminalProgram } from "./terminal.ts";

const PENDING = 1_000;

const LARGE_LINES = 30_000;

const PAINTS = 7;

const KEYS = 40;

const BOTTLES = 300;

const STILL_MS = 4_000;

const IDLE_MS = 10_000;

const QUIET_MS = 300;

const MAX_PAINT_MS = 200;

const MAX_KEY_MS = 10;

const MAX_IDLE_PERCENT = 2;

function startReview({ path }: Directory): TerminalProgram {
  return startInTerminal(`sh ${here("../cli/supervise.sh")} review`, { CLAUDE_BOTTLE_ROOT: path });
}

function startFloor(): TerminalProgram {
  return startInTerminal(`deno run --quiet --no-prompt ${here("./screen_floor.ts")}`, {});
}

async function firstPaint(program: TerminalProgram, text: string): Promise<number> {
  await using started = program;
  return await started.paints(text);
}

/** Presses keys one by one, as a person does who looks at each screen. */
async function pressKeys(program: TerminalProgram, keys: string): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < KEYS; n++) {
    times.push(await program.answers(keys[n % keys.length]!));
    await sleep(50);
  }
  return times;
}

/** The processor time that a root's review has used, in milliseconds. */
async function cpuMs(root: string): Promise<number> {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (!command.startsWith("deno\0") || !command.includes(root)) continue;
      const fields = (await Deno.readTextFile(`/proc/${name}/stat`)).split(") ")[1]!.split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10; // A tick is a hundredth of a second.
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error("Cannot find the review's process");
}

/** What it costs to leave the screen open, in percent of a core, once the queues have stood still. */
async function idlePercent(dir: Directory, text: string): Promise<number> {
  await using program = startReview(dir);
  await program.paints(text);
  await program.rest(STILL_MS);
  const before = await cpuMs(dir.path);
  await sleep(IDLE_MS);
  return (await cpuMs(dir.path) - before) / IDLE_MS * 100;
}

async function measureBottles(): Promise<Row[]> {
  await using dir = await makeDirectory();
  const files = await makeProposalFiles(BOTTLES);
  for (const [n, { id, text }] of files.entries()) {
    const slug = `bottle-${n}`;
    const file = { id, text: text.replaceAll(BOTTLE_SLUG, slug) };
    placeProposalFiles(queueDirForSlug(slug, { root: dir.path }), [file]);
  }
  const percent = await idlePercent(dir, `${BOTTLES} pending`);
  return [{
    what: `left open, ${BOTTLES} bottles: share of a core`,
    figure: `${percent.toFixed(1)} %`,
  }];
}

async function measureList(): Promise<Row[]> {
  await using dir = await makeDirectory();
  placeProposalFiles(dir.queueDir, await makeProposalFiles(PENDING));
  const answered: number[] = [];
  const paints = await takeTurns(PAINTS, {
    floor: () => firstPaint(startFloor(), "0 pressed, row"),
    review: async () => {
      await using program = startReview(dir);
      const paintMs = await program.paints(`${PENDING} pending`);
      await program.type("?");
      answered.push(await program.paints("In the list"));
      return paintMs;
    },
  });
  const percent = await idlePercent(dir, `${PENDING} pending`);
  const paintMs = median(paints.review);
  return [{
    what: `from the command to the first paint, ${PENDING} pending`,
    figure: showMs(paintMs),
    floor: showMs(median(paints.floor)),
    ratio: `${medianRatio(paints.review, paints.floor).toFixed(1)} x`,
    aim: `< ${MAX_PAINT_MS} ms`,
    met: paintMs < MAX_PAINT_MS,
  }, {
    what: "from the command to the first key answered",
    figure: showMs(median(answered)),
    floor: showMs(median(paints.floor)),
    ratio: `${medianRatio(answered, paints.floor).toFixed(1)} x`,
  }, {
    what: `left open, ${PENDING} pending: share of a core`,
    figure: `${percent.toFixed(1)} %`,
    aim: `< ${MAX_IDLE_PERCENT} %`,
    met: percent < MAX_IDLE_PERCENT,
  }];
}

async function measureLarge(): Promise<Row[]> {
  await using dir = await makeDirectory();
  // Each line another one: a key that changes no row on the screen is answered by nothing.
  const lines = Array.from({ length: LARGE_LINES }, (_, n) => `host-${n}`.padEnd(24, "x"));
  await Deno.mkdir(dir.queueDir, { recursive: true, mode: 0o700 });
  await writeProposal(
    dir.queueDir,
    newProposal({
      bottleSlug: BOTTLE_SLUG,
      tool: "pipelock-block",
      proposedFile: lines.join(".example\n"),
      justification: "All of them.",
      currentFileHash: "",
    }),
  );
  await using floor = startFloor();
  await floor.paints("0 pressed, row");
  await using program = startReview(dir);
  await program.paints("1 pending");
  await program.rest(QUIET_MS);
  const openedMs = await program.answers("\r");
  await program.rest(QUIET_MS);
  const samples = {
    floor: await pressKeys(floor, "j"),
    review: await pressKeys(program, "jjk\x04Gg"),
  };
  const keyMs = percentile(samples.review, 0.95);
  return [{
    what: "opening a proposal of 1 MB, the largest that is valid",
    figure: showMs(openedMs),
  }, {
    what: "a key while it is open, p95",
    figure: showMs(keyMs),
    floor: showMs(percentile(samples.floor, 0.95)),
    ratio: `${(median(samples.review) / median(samples.floor)).toFixed(1)} x`,
    aim: `< ${MAX_KEY_MS} ms`,
    met: keyMs < MAX_KEY_MS,
  }];
}

/** The operator's screen. */
export const review: Subject = {
  title: "The operator's screen",
  about:
    "Floor: a program without modules that paints as many rows; the same program's answer to a key.",
  run: async () => [...await measureList(), ...await measureBottles(), ...await measureLarge()],
};
