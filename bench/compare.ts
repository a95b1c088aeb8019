/**
 * Comparing two config files by what they let a bottle do.
 *
 * @module
 */

import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  validateDockerfile,
  validateRoutes,
} from "../mod.ts";
import { compareAfter } from "../src/config/compare.ts";
import {
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";

const ROUNDS = 15;

const MAX_MS = 5;

/** Of what must be read whole before it can be compared: how often the check alone. */
const MAX_RATIO = 10;

const HOSTS = Array.from({ length: 10_000 }, (_, n) => `host-${n}.team-${n % 97}.example.com`);

const IN_FORCE = HOSTS.join("\n");

/** Proposed files of about 10,000 lines. */
const PROPOSED: Readonly<Record<string, string>> = {
  "the other way round": HOSTS.toReversed().join("\n"),
  "with one host more": [...HOSTS, "host-1.example.net"].join("\n"),
  "with 100 hosts more": [...HOSTS, ...HOSTS.slice(0, 100).map((host) => `x.${host}`)].join("\n"),
  "with half of the hosts": HOSTS.slice(5_000).join("\n"),
};

/** 2,000 routes, each over five lines. */
const ROUTES = JSON.stringify(
  {
    routes: HOSTS.slice(0, 2_000).map((host, n) => ({
      path: `/${n}/`,
      upstream: `https://${host}`,
    })),
  },
  null,
  1,
).replaceAll("},", "},\n");

/** 500 commands and 500 COPYs; the rest is remarks. */
const DOCKERFILE = [
  "FROM debian:13",
  ...Array.from(
    { length: 10_000 },
    (_, n) =>
      n % 10 > 0
        ? `# remark ${n}`
        : n % 20 > 0
        ? `COPY a${n} /b${n}`
        : `RUN make -C /opt/part-${n} all`,
  ),
]
  .join("\n");

/** The least that any comparison must do: tell the lines apart, and look each one up. */
function lookUpLines(before: ReadonlySet<string>, after: string): number {
  return after.split("\n").filter((line) => !before.has(line)).length;
}

async function compare(
  what: string,
  tool: Tool,
  before: string,
  proposed: string,
  read?: (text: string) => unknown,
): Promise<Row> {
  const known = new Set(before.split("\n"));
  const samples = await takeTurns(ROUNDS, {
    floor: () => timeMs(() => read === undefined ? lookUpLines(known, proposed) : read(proposed)),
    compare: () => timeMs(() => compareAfter(() => [], tool, before, proposed)),
  });
  const ratio = medianRatio(samples.compare, samples.floor);
  return {
    what,
    figure: showMs(median(samples.compare)),
    floor: showMs(median(samples.floor)),
    ratio: `${ratio.toFixed(1)} x`,
    ...(read === undefined
      ? { aim: `<= ${MAX_MS} ms`, met: median(samples.compare) <= MAX_MS }
      : { aim: `<= ${MAX_RATIO} x`, met: ratio <= MAX_RATIO }),
  };
}

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [what, proposed] of Object.entries(PROPOSED)) {
    rows.push(await compare(`10,000 hosts, ${what}`, TOOL_PIPELOCK_BLOCK, IN_FORCE, proposed));
  }
  const routes = ROUTES.replace("https://host-7.", "https://host-x.");
  rows.push(
    await compare(
      "10,000 lines of routes, one changed",
      TOOL_CRED_PROXY_BLOCK,
      ROUTES,
      routes,
      validateRoutes,
    ),
  );
  const dockerfile = DOCKERFILE.replace("/opt/part-5000 all", "/opt/part-5000 install");
  const what = "10,000 lines of Dockerfile, one changed";
  rows.push(await compare(what, TOOL_CAPABILITY_BLOCK, DOCKERFILE, dockerfile, validateDockerfile));
  return rows;
}

/** Comparisons. */
export const comparing: Subject = {
  title: "Compare",
  about:
    "Floor: look each proposed line up in a set; of routes and a Dockerfile, check the proposed " +
    "file alone. The file in force was read and learned before.",
  run,
};
