/**
 * Makes each change of the tables in this directory in a copy of the checkout, one at a time, and runs
 * the tests that must notice it. Takes some minutes, so it is a task of its own:
 *
 * ```sh
 * deno task test:mutants                       # every area
 * deno task test:mutants --only disk           # one
 * deno task test:mutants --only disk "never"   # those of it whose promise has this text
 * ```
 *
 * Ends with 1 if less than 95 % are noticed, if a change that lives has no reason in its table, or if a
 * table no longer fits the code.
 *
 * @module
 */

import { type Mutant, readTables, whyNot } from "./table.ts";
import { parseArgs } from "@std/cli";
import { dirname, join } from "@std/path";

/** The share of the changes that a test must notice. */
const LEAST_NOTICED = 0.95;

/** How much longer than the unchanged code the changed one may take, until it counts as hanging. */
const PATIENCE = 5;

const LEAST_PATIENCE_S = 60;

type Outcome = "noticed" | "hung" | "lives";

interface Tried {
  readonly outcome: Outcome;
  readonly seconds: number;
}

interface Run {
  readonly code: number;
  readonly seconds: number;
  readonly out: string;
}

const TIMED_OUT = [124, 137];

/** Runs test files in a copy. timeout(1) ends what they started, too. */
async function runTests(copy: string, tests: readonly string[], limitS: number): Promise<Run> {
  const begin = performance.now();
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [
      ...["--kill-after=5", String(Math.ceil(limitS)), Deno.execPath()],
      ...["test", "-A", "--no-check", "--fail-fast", "--quiet", ...tests],
    ],
    cwd: copy,
    env: { TMPDIR: join(copy, ".tmp"), NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const out = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  return { code, seconds: (performance.now() - begin) / 1000, out };
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
  await Deno.mkdir(join(to, ".tmp"));
  await Deno.chmod(join(to, ".tmp"), 0o1777);
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

async function tryMutant(copy: string, mutant: Mutant, limitS: number): Promise<Tried> {
  const path = join(copy, mutant.file);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(mutant.is, () => mutant.becomes));
  try {
    const { code, seconds } = await runTests(copy, mutant.tests, limitS);
    const outcome = code === 0 ? "lives" : TIMED_OUT.includes(code) ? "hung" : "noticed";
    return { outcome, seconds };
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

/** Runs the tests on the unchanged code; returns how long each set of them may take. */
async function limitsOf(
  copies: readonly string[],
  mutants: readonly Mutant[],
): Promise<ReadonlyMap<string, number>> {
  const limits = new Map<string, number>();
  const sets = new Map(mutants.map(({ tests }) => [tests.join(" "), tests]));
  await inEachCopy(copies, [...sets], async (copy, [name, tests]) => {
    const { code, seconds, out } = await runTests(copy, tests, 600);
    console.log(`unchanged ${seconds.toFixed(1).padStart(6)} s  ${name}`);
    if (code !== 0) throw new Error(`Cannot start: ${name} fails on the unchanged code\n${out}`);
    limits.set(name, Math.max(LEAST_PATIENCE_S, PATIENCE * seconds));
  });
  return limits;
}

function printSums(outcomes: ReadonlyMap<Mutant, Outcome>): number {
  console.log("\narea        changes  noticed  by a hang  live");
  const row = (name: string, some: readonly Outcome[]) => {
    const count = (outcome: Outcome) => some.filter((one) => one === outcome).length;
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
    default: { workers: "2" },
  });
  const mutants = readTables().filter(({ area, promise }) =>
    (only === undefined || area === only) && words.every((word) => promise.includes(String(word)))
  );
  const unfit = mutants.flatMap((mutant) => {
    const reason = whyNot(mutant, Deno.readTextFileSync(mutant.file));
    return reason === undefined ? [] : [`${mutant.area}: ${mutant.promise}: ${reason}`];
  });
  if (unfit.length > 0 || mutants.length === 0) {
    console.error(unfit.join("\n") || "Cannot find such a change in the tables");
    return 1;
  }
  const place = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    await Deno.chmod(place, 0o755);
    const copies = Array.from({ length: Number(workers) }, (_, n) => join(place, String(n)));
    for (const copy of copies) await copyCheckout(copy);
    const limits = await limitsOf(copies, mutants);
    const outcomes = new Map<Mutant, Outcome>();
    await inEachCopy(copies, mutants, async (copy, mutant) => {
      const { outcome, seconds } = await tryMutant(
        copy,
        mutant,
        limits.get(mutant.tests.join(" "))!,
      );
      outcomes.set(mutant, outcome);
      const took = `${seconds.toFixed(1)} s`.padStart(8);
      console.log(`${outcome.padEnd(8)} ${took}  ${mutant.area.padEnd(9)} ${mutant.promise}`);
    });
    const share = printSums(outcomes);
    const surprises = [...outcomes].filter(([{ lives }, outcome]) =>
      (outcome === "lives") !== (lives !== undefined)
    );
    for (const [{ area, file, promise }, outcome] of surprises) {
      const what = outcome === "lives" ? "lives, and the table has no reason" : "no longer lives";
      console.log(`${what}: ${area}, ${file}: ${promise}`);
    }
    console.log(`${(100 * share).toFixed(1)} % noticed`);
    return share >= LEAST_NOTICED && surprises.length === 0 ? 0 : 1;
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
