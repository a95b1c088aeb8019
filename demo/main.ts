/**
 * A walk through the whole thing, in a temporary folder: a bottle, its sidecar, an agent that asks,
 * and you as the operator.
 *
 * @module
 */

import { type PendingProposal, readOverview, watchEvents } from "../mod.ts";
import { layOut, type RunningAgent, SLUG, startAgent, startSidecar } from "./bottle.ts";
import { type RunningProxy, startProxy } from "./proxy.ts";
import { fromFileUrl, join } from "@std/path";

const LAUNCHER = fromFileUrl(new URL("../cli/supervise.sh", import.meta.url));

/** How many of the agent's questions are sound. */
const SOUND = 3;

/** What `--auto` has a rule decide. */
const POLICY = JSON.stringify(
  {
    version: 1,
    rules: [{
      name: "keep-the-image",
      tool: "capability-block",
      then: "reject",
      notes: "No script from the network. Build tool from a pinned source.",
    }],
  },
  null,
  2,
);

/** What an operator has to know who has never seen a bottle. */
const INTRODUCTION =
  `You are the operator. An agent in a sandbox, the bottle ${SLUG}, asks you for three changes:

routes.json: where its requests go, and with which credential
allowlist: which hosts it may reach
Dockerfile: what is installed in its sandbox

What you decide is recorded, and the agent is told. Nothing else on this machine changes.

Press Enter to see what it asks, then j or k and Enter to open one. q comes back here.`;

/** Waits for Enter; what stands on the screen is to be read. */
async function enter(): Promise<void> {
  await Deno.stdin.read(new Uint8Array(1024));
}

/** Breaks lines between words where the terminal ends, each row behind a margin. */
function breakLines(text: string, margin = ""): string {
  const columns = Deno.stdout.isTerminal() ? Math.min(Deno.consoleSize().columns || 80, 80) : 80;
  return text.split("\n").map((line) =>
    `${margin}${line}`.split(" ").reduce((broken, word) => {
      const row = broken.slice(broken.lastIndexOf("\n") + 1);
      return broken + (row.length + 1 + word.length < columns ? " " : `\n${margin}`) + word;
    })
  ).join("\n");
}

/** Prints paragraphs. */
function say(text: string): void {
  console.log(`\n${breakLines(text)}`);
}

/** Starts the operator's command line as an operator would, and shows what was typed. */
function start(root: string, args: readonly string[], input?: string): Deno.ChildProcess {
  const words = args.map((arg) => (/^[\w./=-]+$/.test(arg) ? arg : `'${arg}'`)).join(" ");
  console.log(`\n$ supervise ${words}${input === undefined ? "" : " < my-version"}`);
  return new Deno.Command("sh", {
    args: [LAUNCHER, ...args],
    env: { CLAUDE_BOTTLE_ROOT: root },
    stdin: input === undefined ? "inherit" : "piped",
  }).spawn();
}

/** Runs a command of the operator's to its end. */
async function supervise(root: string, args: readonly string[], input?: string): Promise<void> {
  const child = start(root, args, input);
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  await child.status;
}

/** Waits until the agent's sound questions are in the queue, and its malformed one is answered. */
async function questionsAsked(root: string, agent: RunningAgent): Promise<void> {
  await agent.firstAnswer;
  const end = new AbortController();
  agent.done.then(() => end.abort());
  let arrived = 0;
  for await (const { event } of watchEvents({ root, signal: end.signal })) {
    if (event === "arrived" && ++arrived === SOUND) return;
  }
  throw new Error("Cannot go on: the agent ended before it had asked everything");
}

/** Decides by itself: one of each kind, the last one by a rule. */
async function decideAlone(root: string): Promise<void> {
  const ofTool = (tool: string): PendingProposal =>
    readOverview({ root }).pending.find(({ proposal }) => proposal.tool === tool)!;
  const idOf = (tool: string) => ofTool(tool).proposal.id.slice(0, 8);

  const route = idOf("cred-proxy-block");
  await supervise(root, ["show", route]);
  await supervise(root, ["approve", route, "--confirm", SLUG, "--notes", "Read-only, fine."]);

  const hosts = idOf("pipelock-block");
  await supervise(root, ["show", hosts]);
  const version = ofTool("pipelock-block").proposal.proposedFile
    .replace("*.example.net", "files.example.net");
  const notes = "One host, not all of them.";
  await supervise(root, ["modify", hosts, "--file", "-", "--notes", notes], version);

  await supervise(root, ["show", idOf("capability-block")]);
  say("What you decide the same way every time, a rule can decide. This is policy.json:");
  console.log(`\n${POLICY}`);
  // Others must not be able to write it, whatever the umask is.
  await Deno.writeTextFile(join(root, "policy.json"), POLICY, { mode: 0o600 });
  await supervise(root, ["policy", "test"]);
  const rules = start(root, ["watch", "--decide"]);
  const end = new AbortController();
  rules.status.then(() => end.abort());
  for await (const { event } of watchEvents({ root, signal: end.signal })) {
    if (event === "decided") rules.kill("SIGTERM");
  }
}

function showAnswers({ answers }: RunningAgent): void {
  for (const { tool, text } of answers.toSorted((a, b) => a.n - b.n)) {
    console.log(`\n${tool}:`);
    console.log(breakLines(text.trimEnd(), "  "));
  }
}

/** Says whether the agent's own request passes now. */
function showRequest({ answers }: RunningAgent, proxy: RunningProxy | undefined): void {
  if (proxy === undefined) {
    say(
      "No proxy is here that this user can start (Squid or tinyproxy): the files in force alone " +
        "changed, and nothing reads them.",
    );
    return;
  }
  const tried = answers.find((answer) => answer.tried !== undefined)?.tried;
  if (tried === undefined) return;
  const [before, after] = tried;
  const { host } = new URL(proxy.target);
  say(
    `The agent's own request for http://${host}/ through ${proxy.program}, which the demo started: ` +
      `${before} before it asked, ${after} after the answer.`,
  );
}

async function main(auto: boolean): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "supervise-demo-" });
  let stop: () => Promise<void> = async () => {};
  try {
    await layOut(root);
    const proxy = await startProxy(root);
    stop = async () => await proxy?.stop();
    if (proxy !== undefined) await supervise(root, ["apply", "check", "--bottle", SLUG]);
    const sidecar = await startSidecar(root);
    const agent = startAgent(root, sidecar.url, proxy);
    stop = async () => {
      for (const process of [agent.process, sidecar.process]) {
        try {
          process.kill("SIGTERM");
        } catch {
          // It has ended already.
        }
        await process.status;
      }
      await proxy?.stop();
    };
    Deno.addSignalListener("SIGINT", () => {
      void stop().then(() => Deno.remove(root, { recursive: true })).finally(() => Deno.exit(130));
    });
    await questionsAsked(root, agent);
    say("The agent asked four things. One was malformed, and came back at once:");
    showAnswers(agent);

    await supervise(root, ["list"]);
    if (auto) {
      say("Nobody is asked: the demo decides by itself.");
      await decideAlone(root);
    } else {
      say(INTRODUCTION);
      await enter();
      await supervise(root, ["review"]);
    }
    const left = readOverview({ root }).pending.length;
    if (left === 0) await agent.done;
    else say(`Still open: ${left}. In a real bottle the agent's calls would go on waiting.`);

    say("What the agent was told:");
    showAnswers(agent);
    showRequest(agent, proxy);
    await supervise(root, ["audit", "show"]);
    await supervise(root, ["audit", "verify"]);
    say("All the time the sidecar had these permissions, and no others:");
    say(sidecar.flags.map((flag) => flag.replace(root, "$ROOT").replaceAll(",", ", ")).join("\n"));
  } finally {
    await stop();
    await Deno.remove(root, { recursive: true });
  }
}

const auto = Deno.args.includes("--auto") || !Deno.stdin.isTerminal() || !Deno.stdout.isTerminal();

try {
  await main(auto);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
