import { TOOL_PIPELOCK_BLOCK } from "../../mod.ts";
import { compareAfter } from "../../src/config/compare.ts";
import { readHostAnswers } from "../support/enforcers.ts";
import { holds } from "../support/properties.ts";
import { assert } from "@std/assert";
import fc from "fast-check";

/** How many pairs a run makes: 20,000 in all, and a million at `PROPERTY_FACTOR=50`. */
const PAIRS_A_RUN = 100;

const STEPS = 100;

const LABELS = ["a", "b", "ab"];

const below = (names: readonly string[]) =>
  LABELS.flatMap((label) => names.map((name) => `${label}.${name}`));

const NAMES = [LABELS, below(LABELS), below(below(LABELS))].flat();

const PATTERNS = NAMES.flatMap((name) => [name, `*.${name}`]);

/** Every host that the patterns tell apart: `z` is a label that no pattern has. */
const HOSTS = [...NAMES, ...below(NAMES.slice(-27)), ...NAMES.map((name) => `z.${name}`)];

const ANSWERS = new Map<string, boolean | null>(
  readHostAnswers().map((
    { enforcer, pattern, host, allowed },
  ) => [`${enforcer} ${pattern.trimEnd()} ${host}`, allowed]),
);

/** A pattern and a host that were measured, and are to each other as two others are. */
function measuredPair(pattern: string, host: string): string {
  const [name, mark] = pattern.startsWith("*.") ? [pattern.slice(2), "*."] : [pattern, ""];
  const like = host === name
    ? "k9.test"
    : host.endsWith(`.${name}`)
    ? "a.k9.test"
    : host.endsWith(name)
    ? "xk9.test"
    : host.startsWith(`${name}.`)
    ? "k9.test.evil.test"
    : "127.0.0.1";
  return `${mark}k9.test ${like}`;
}

/** For one enforcer: the hosts that each pattern allows, a bit each, by the answers of the program itself. */
function reachesOf(enforcer: string): ReadonlyMap<string, bigint> {
  return new Map(PATTERNS.map((pattern) => {
    let bits = 0n;
    for (const [n, host] of HOSTS.entries()) {
      const allowed = ANSWERS.get(`${enforcer} ${measuredPair(pattern, host)}`);
      assert(
        typeof allowed === "boolean",
        `${enforcer} was not asked about ${pattern} and ${host}`,
      );
      if (allowed) bits |= 1n << BigInt(n);
    }
    return [pattern, bits];
  }));
}

const ENFORCERS = ["pipelock-matchdomain", "squid", "tinyproxy", "nginx"].map(reachesOf);

type Reaches = (typeof ENFORCERS)[number];

const reachOf = (reaches: Reaches, list: readonly string[]) =>
  list.reduce((bits, pattern) => bits | reaches.get(pattern)!, 0n);

const adds = (reaches: Reaches, before: readonly string[], after: readonly string[]) =>
  (reachOf(reaches, after) & ~reachOf(reaches, before)) !== 0n;

/** Numbers below a bound, the same for the same seed. */
function randomFrom(seed: number) {
  return (bound: number): number => {
    seed = Math.imul(seed, 1664525) + 1013904223 | 0;
    return (seed >>> 8) % bound;
  };
}

type Random = ReturnType<typeof randomFrom>;

const anyPattern = (random: Random) => PATTERNS[random(PATTERNS.length)]!;

const anyList = (
  random: Random,
) => [...new Set(Array.from({ length: random(6) }, () => anyPattern(random)))];

/** A list with some patterns gone, narrower, wider or others: often one that adds nothing. */
function mutate(list: readonly string[], random: Random): readonly string[] {
  const near = (pattern: string): readonly string[] => {
    const name = pattern.replace("*.", "");
    const lower = `${LABELS[random(3)]}.${name}`;
    const upper = name.slice(name.indexOf(".") + 1);
    const nearest = [name, lower, `*.${lower}`, `*.${name}`, upper, `*.${upper}`];
    const change = random(24);
    if (change === 0) return [];
    if (change > 12) return [pattern];
    return [...change > 6 ? [pattern] : [], nearest[change % 6]!];
  };
  const changed = list.flatMap(near).filter((pattern) => PATTERNS.includes(pattern));
  if (random(8) === 0) changed.push(anyPattern(random));
  if (random(4) === 0) changed.reverse();
  return [...new Set(changed)];
}

const compare = (before: readonly string[], after: readonly string[]) =>
  compareAfter(() => [], TOOL_PIPELOCK_BLOCK, before.join("\n"), after.join("\n"));

// Threat: A10
Deno.test("two allowlists have no new reach if and only if no enforcer lets through a host that it did not", () => {
  const verdicts = new Set<string>();
  holds(fc.property(fc.integer(), (seed) => {
    const random = randomFrom(seed);
    for (let n = 0; n < PAIRS_A_RUN; n++) {
      const before = anyList(random);
      const after = random(5) === 0 ? anyList(random) : mutate(before, random);
      const { reach, removed, marks } = compare(before, after);
      verdicts.add(reach);
      for (const reaches of ENFORCERS) {
        const [isNew, isLess] = [adds(reaches, before, after), adds(reaches, after, before)];
        const found = `${reach}, ${removed.length} removed: ${before} -> ${after}`;
        assert((reach === "new-reach") === isNew, found);
        assert(removed.length > 0 === isLess, found);
        assert(!isNew || marks.some(({ side }) => side === "new"), found);
      }
    }
  }));
  assert(verdicts.size === 2);
});

// Threat: A10
Deno.test("a hundred changes of an allowlist without new reach never add up to any", () => {
  let changes = 0;
  holds(
    fc.property(fc.integer(), (seed) => {
      const random = randomFrom(seed);
      const start = [...new Set([...anyList(random), "*.a", "*.b", "*.ab"])];
      let now: readonly string[] = start;
      for (let steps = 0; steps < STEPS;) {
        const proposed = mutate(now, random);
        if (compare(now, proposed).reach !== "no-new-reach") continue;
        if (proposed.join() !== now.join()) changes++;
        now = proposed;
        steps++;
        for (const reaches of ENFORCERS) assert(!adds(reaches, start, now), `${start} -> ${now}`);
      }
    }),
    50,
  );
  assert(changes > 0);
});
