/**
 * Starting a command: the launcher, Deno, what the verb loads, and its work on a small root.
 *
 * @module
 */

import { newProposal, type Proposal, sha256Hex, writeProposal } from "../mod.ts";
import { type Directory, makeDirectory } from "./fixtures.ts";
import {
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";
import { here, run } from "./processes.ts";
import { join } from "@std/path";

const ROUNDS = 21;

/** What was in force, and what an agent asks for: a file for each tool. */
const FILES = {
  "cred-proxy-block": {
    name: "routes.json",
    before: '{"routes": [{"path": "/a", "upstream": "https://api.example.com"}]}\n',
    after: '{"routes": [{"path": "/a", "upstream": "https://api.example.com"},\n' +
      '  {"path": "/b", "upstream": "https://b.example.org"}]}\n',
  },
  "pipelock-block": {
    name: "allowlist",
    before: "# hosts\napi.github.com\nmirror.internal.example\n",
    after: "# hosts\napi.github.com\nmirror.internal.example\nfiles.example.net\n",
  },
  "capability-block": {
    name: "Dockerfile",
    before: "FROM debian:12\nRUN apt-get update\n",
    after: "FROM debian:12\nRUN apt-get update && apt-get install -y jq\nUSER agent\n",
  },
} as const;

const TOOLS = Object.keys(FILES) as (keyof typeof FILES)[];

/** Puts a proposal into a bottle's queue. */
async function propose(root: string, bottleSlug: string, n: number): Promise<Proposal> {
  const tool = TOOLS[n % TOOLS.length]!;
  const { name, before, after } = FILES[tool];
  const inForce = join(root, "current-config", bottleSlug);
  await Deno.mkdir(inForce, { recursive: true });
  await Deno.writeTextFile(join(inForce, name), before);
  const proposal = newProposal({
    bottleSlug,
    tool,
    proposedFile: after,
    justification: "The build needs it.",
    currentFileHash: sha256Hex(before),
  });
  await Deno.mkdir(join(root, "queue", bottleSlug), { recursive: true });
  await writeProposal(join(root, "queue", bottleSlug), proposal);
  return proposal;
}

async function measure(): Promise<readonly Row[]> {
  await using pending = await makeDirectory();
  await using decided = await makeDirectory();
  for (let n = 0; n < 7; n++) await propose(pending.path, `dev-${n % 2}`, n);
  const empty = join(pending.path, "empty.ts");
  await Deno.writeTextFile(empty, "");
  const launcher = here("../cli/supervise.sh");
  const supervise = ({ path }: Directory, ...args: string[]) =>
    timeMs(() => run("sh", [launcher, ...args], path));
  let n = 0;
  const samples = await takeTurns(ROUNDS, {
    empty: () => timeMs(() => run("deno", ["run", empty], pending.path)),
    help: () => supervise(pending, "--help"),
    list: () => supervise(pending, "list"),
    approve: async () => {
      const { id } = await propose(decided.path, "dev-1", n++);
      await supervise(decided, "show", id);
      return await supervise(decided, "approve", id);
    },
  });
  const row = (what: string, side: number[], most: number): Row => {
    const ratio = medianRatio(side, samples.empty);
    return {
      what,
      figure: showMs(median(side)),
      floor: showMs(median(samples.empty)),
      ratio: `${ratio.toFixed(1)} x`,
      aim: `<= ${most} x`,
      met: ratio <= most,
    };
  };
  return [
    row("--help", samples.help, 2.5),
    row("list, 7 pending", samples.list, 5),
    row("approve", samples.approve, 7),
  ];
}

/** Starting a command. */
export const start: Subject = {
  title: "Start-up: a command, from the shell to its end",
  about: "Floor: deno run of an empty file.",
  run: measure,
};
