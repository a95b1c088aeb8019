/**
 * Makes each change of the tables in this directory in a copy of the checkout, one at a time, and runs
 * the tests that must notice it. Takes some minutes, so it is a task of its own:
 *
 * ```sh
 * deno task test:mutants                       # every area
 * deno task test:mutants --only disk           # one
 * deno task test:mutants --only disk "never"   # those of it whose file or promise has this text
 * ```
 *
 * Ends with 1 if less than 95 % are noticed, if a change that lives has no reason in its table, or if a
 * table no longer fits the code.
 *
 * @module
 */

import { type Mutant, readTables, whyNot } from "./table.ts";
import { parseArgs } from "@std/cli";
import { basename, dirname, join } from "@std/path";

/** The share of the changes that a test must notice. */
const LEAST_NOTICED = 0.95;

/** How much longer than the unchanged code the changed one may take, until it counts as hanging. */
const PATIENCE = 5;

const LEAST_PATIENCE_S = 20;

/** How many test files run at once: most wait now and then for a process or a timer. */
const WORKERS = navigator.hardwareConcurrency + 1;

interface Tried {
  readonly outcome: "noticed" | "hung" | "lives";
  /** The test that noticed it, or did not end; of one that lives, what the last one printed, if it failed. */
  readonly by: string;
}

const TIMED_OUT = [124, 137];

/** Runs a test file in a copy up to its first failing test. timeout(1) ends what it started, too. */
async function runTest(copy: string, test: string, limitS: number): Promise<Tried> {
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [
      ...["--kill-after=5", String(Math.ceil(limitS)), Deno.execPath()],
      ...["test", "-A", "--no-check", "--fail-fast", test],
    ],
    cwd: copy,
    env: { TMPDIR: tmpOf(copy), NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (code === 0) return { outcome: "lives", by: "" };
  if (TIMED_OUT.includes(code)) return { outcome: "hung", by: test };
  const out = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  const [, by] = /^ FAILURES \n\n(.+)$/m.exec(out) ?? [];
  // Code that cannot even be loaded fails every test, and shows nothing.
  if (by === undefined || !out.includes("running ")) return { outcome: "lives", by: out };
  return { outcome: "noticed", by };
}

/** Where the tests of a copy put their files. Short: rows that name them are compared at 80 columns. */
function tmpOf(copy: string): string {
  return join(dirname(dirname(copy)), `m${Deno.pid}-${basename(copy)}`);
}

/** Copies what git knows or would add, as it is now. */
async function copyCheckout(to: string): Promise<void> {
  const listing = new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
  });
  const { code, stdout } = await listing.output();
  if (code !== 0) throw new Error("Cannot copy the checkout: git ls-files failed");
  for (const name of new TextDecoder().decode(stdout).split("\0")) {
    if (name === "") continue;
    await Deno.mkdir(dirname(join(to, name)), { recursive: true });
    await Deno.copyFile(name, join(to, name)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Removed, and not yet for git.
    });
  }
  // Some tests act as another user, who must be able to get there.
  await Deno.mkdir(tmpOf(to));
  await Deno.chmod(tmpOf(to), 0o1777);
}

/** Takes one after the other from a list, as many at once as there are copies. */
async function inEachCopy<T>(
  copies: readonly string[],
  all: readonly T[],
  act: (copy: string, one: T) => Promise<void>,
): Promise<void> {
  const left = [...all];
  await Promise.all(copies.map(async (copy) => {
    for (let one; (one = left.shift()) !== undefined;) await act(copy, one);
  }));
}

/** Runs the mutant's tests one after the other, the fastest first, until one notices it. */
async function tryMutant(
  copy: string,
  mutant: Mutant,
  secondsOf: ReadonlyMap<string, number>,
): Promise<Tried> {
  const path = join(copy, mutant.file);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(mutant.is, () => mutant.becomes));
  try {
    const fastestFirst = mutant.tests.map((test) => ({ test, seconds: secondsOf.get(test)! }))
      .sort((a, b) => a.seconds - b.seconds);
    let tried: Tried = { outcome: "lives", by: "" };
    for (const { test, seconds } of fastestFirst) {
      tried = await runTest(copy, test, Math.max(LEAST_PATIENCE_S, PATIENCE * seconds));
      if (tried.outcome !== "lives") break;
    }
    return tried;
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

/** Runs each test file on the unchanged code, which must pass; returns how long each takes. */
async function measureTests(
  copies: readonly string[],
  mutants: readonly Mutant[],
): Promise<ReadonlyMap<string, number>> {
  const secondsOf = new Map<string, number>();
  await inEachCopy(
    copies,
    [...new Set(mutants.flatMap(({ tests }) => tests))],
    async (copy, test) => {
      const begin = performance.now();
      const { outcome, by } = await runTest(copy, test, 600);
      if (outcome !== "lives") throw new Error(`Cannot start without a change: ${outcome}: ${by}`);
      secondsOf.set(test, (performance.now() - begin) / 1000);
    },
  );
  return secondsOf;
}

function printSums(outcomes: ReadonlyMap<Mutant, Tried["outcome"]>): number {
  console.log("\narea        changes  noticed  by a hang  live");
  const row = (name: string, some: readonly Tried["outcome"][]) => {
    const count = (outcome: Tried["outcome"]) => some.filter((one) => one === outcome).length;
    const [lives, hung] = [count("lives"), count("hung")];
    const cells = [String(some.length).padStart(7), String(some.length - lives).padStart(9)];
    console.log(name.padEnd(12), ...cells, String(hung).padStart(9), String(lives).padStart(5));
  };
  for (const [area, some] of Map.groupBy(outcomes, ([{ area }]) => area)) {
    row(area, some.map(([, outcome]) => outcome));
  }
  const all = [...outcomes.values()];
  row("all", all);
  return all.filter((outcome) => outcome !== "lives").length / all.length;
}

async function main(args: readonly string[]): Promise<number> {
  const { only, workers, _: words } = parseArgs([...args], {
    string: ["only", "workers", "_"],
    default: { workers: String(WORKERS) },
    unknown(word, key) {
      if (key === undefined) return;
      console.error(`Cannot use ${word}: expected --only or --workers`);
      Deno.exit(2);
    },
  });
  const mutants = readTables().filter(({ area, file, promise }) =>
    (only === undefined || area === only) &&
    words.every((word) => `${file}: ${promise}`.includes(String(word)))
  );
  const unfit = mutants.flatMap((mutant) => {
    const reason = whyNot(mutant, Deno.readTextFileSync(mutant.file));
    return reason === undefined ? [] : [`${mutant.area}: ${mutant.promise}: ${reason}`];
  });
  if (unfit.length > 0 || mutants.length === 0) {
    console.error(unfit.join("\n") || "Cannot find such a change in the tables");
    return 1;
  }
  const place = await Deno.makeTempDir();
  const copies = Array.from({ length: Number(workers) }, (_, n) => join(place, String(n)));
  try {
    await Deno.chmod(place, 0o755);
    for (const copy of copies) await copyCheckout(copy);
    const secondsOf = await measureTests(copies, mutants);
    const outcomes = new Map<Mutant, Tried["outcome"]>();
    await inEachCopy(copies, mutants, async (copy, mutant) => {
      const begin = performance.now();
      const { outcome, by } = await tryMutant(copy, mutant, secondsOf);
      outcomes.set(mutant, outcome);
      const took = `${((performance.now() - begin) / 1000).toFixed(1)} s`.padStart(7);
      console.log(`${outcome.padEnd(7)} ${took}  ${mutant.area}: ${mutant.promise}\n      ${by}`);
    });
    const share = printSums(outcomes);
    let surprises = 0;
    for (const [{ file, promise, lives }, outcome] of outcomes) {
      if (outcome !== "lives" && lives === undefined) continue;
      if (outcome !== "lives" || lives === undefined) surprises++;
      const reason = outcome === "lives" ? lives ?? "the table has no reason" : "no longer";
      console.log(`lives: ${file}: ${promise}: ${reason}`);
    }
    const minutes = (performance.now() / 60_000).toFixed(1);
    console.log(`${(100 * share).toFixed(1)} % noticed in ${minutes} minutes`);
    return share >= LEAST_NOTICED && surprises === 0 ? 0 : 1;
  } finally {
    for (const made of [place, ...copies.map(tmpOf)]) {
      await Deno.remove(made, { recursive: true }).catch(() => {}); // It may not be made yet.
    }
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
