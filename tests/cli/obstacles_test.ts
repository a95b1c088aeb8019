import { makeContext } from "../../cli/command/context.ts";
import { readFlags } from "../../cli/command/flags.ts";
import { main, type Terminal } from "../../cli/main.ts";
import { reviewPlain } from "../../cli/review/plain.ts";
import { readAnswer } from "../../internal_mod.ts";
import {
  decide,
  type DecideRequest,
  inspectProposal,
  type Obstacle,
  ObstacleError,
  obstaclesTo,
  type Proposal,
  sha256Hex,
  type Verdict,
  writeResponse,
} from "../../mod.ts";
import { openTestApp, type TestApp } from "../support/app.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const IN_FORCE = "api.example.com\n";

const VALID = `${IN_FORCE}# other.example\n`;

/** Wide enough that no sentence is broken. */
const COLUMNS = 400;

/** Something that stands in the way of deciding p1. */
interface Case {
  readonly what: string;
  readonly code: Obstacle["code"];
  readonly how: Obstacle["clearedBy"]["how"];
  readonly status: "approved" | "rejected";
  /** What is different about p1, or planted, before anybody looks. */
  readonly proposal?: Partial<Proposal>;
  readonly plant?: (dir: TempDir) => Promise<unknown>;
  /** What happens between the look and the decision. */
  readonly meanwhile?: (dir: TempDir) => Promise<unknown>;
  /** How a verb ends. */
  readonly exit: number;
}

const CASES: readonly Case[] = [
  { what: "missing notes", code: "notes_missing", how: "notes", status: "rejected", exit: 2 },
  {
    what: "a proposal that changed since it was shown",
    code: "changed",
    how: "look",
    status: "approved",
    meanwhile: (dir) => queue(dir, { justification: "Trust me." }),
    exit: 5,
  },
  {
    what: "a file in force that changed since it was shown",
    code: "stale",
    how: "look",
    status: "approved",
    meanwhile: (dir) => putInForce(dir, `${IN_FORCE}\n`),
    exit: 5,
  },
  {
    what: "a file in force that the agent did not start from",
    code: "stale",
    how: "confirm",
    status: "approved",
    proposal: { currentFileHash: sha256Hex("old.example\n") },
    exit: 5,
  },
  ...(["approved", "rejected"] as const).map((status): Case => ({
    what: `an unrecorded response to what is ${status}`,
    code: "answered_without_record",
    how: "confirm",
    status,
    plant: (dir) =>
      writeResponse(dir.at("queue", "dev-1"), {
        proposalId: "p1",
        status: "approved",
        notes: "",
        finalFile: "planted.example\n",
      }),
    exit: 4,
  })),
  {
    what: "a file that breaks its rules",
    code: "invalid_file",
    how: "edit",
    status: "approved",
    proposal: { proposedFile: "HTTP://x\n" },
    exit: 1,
  },
  {
    what: "a host below the floor",
    code: "below_floor",
    how: "edit",
    status: "approved",
    proposal: { proposedFile: `${IN_FORCE}metadata.google.internal\n` },
    exit: 1,
  },
  {
    what: "a high mark",
    code: "unconfirmed",
    how: "confirm",
    status: "approved",
    proposal: { proposedFile: `${IN_FORCE}*.example.org\n` },
    exit: 1,
  },
];

/** It stands in the way of a program alone: a person sees it, and decides. */
const LOW_MARK: Case = {
  what: "a low mark",
  code: "marked",
  how: "person",
  status: "approved",
  proposal: { proposedFile: "other.example\n" },
  exit: 6,
};

function queue(dir: TempDir, change: Partial<Proposal> = {}): Promise<unknown> {
  const arrivalTimestamp = "2026-01-01T00:00:00Z";
  return queueSample(dir.path, { id: "p1", arrivalTimestamp, proposedFile: VALID, ...change });
}

async function putInForce(dir: TempDir, content: string): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), content);
}

const inspect = (dir: TempDir) =>
  inspectProposal({ root: dir.path, bottleSlug: "dev-1", proposalId: "p1" });

const notesFor = ({ code, status }: Case) =>
  status === "rejected" && code !== "notes_missing" ? "No." : "";

/** A request of somebody who looks now. */
async function requestNow(dir: TempDir, test: Case): Promise<DecideRequest> {
  const { bottleSlug, proposalId, proposalSha256, currentSha256 = "" } = await inspect(dir);
  const verdict: Verdict = { status: test.status };
  const seen = { root: dir.path, bottleSlug, proposalId, proposalSha256, currentSha256 };
  return { ...seen, verdict, notes: notesFor(test), operator: "ada@host" };
}

/** The first obstacle to a request, as the one list has it. */
async function obstacleTo(dir: TempDir, test: Case, request: DecideRequest): Promise<Obstacle> {
  const [obstacle] = obstaclesTo(await inspect(dir), request);
  assertEquals([obstacle?.code, obstacle?.clearedBy.how], [test.code, test.how]);
  return obstacle!;
}

/** What a surface for people says: high marks in their own words, the others as a sentence. */
function said(obstacle: Obstacle): string {
  if (obstacle.code === "notes_missing") return "a rejection needs a note";
  return obstacle.code === "unconfirmed" ? obstacle.marks[0]!.message : obstacle.message.slice(1);
}

async function library(dir: TempDir, test: Case): Promise<void> {
  const ifUnmarked = test.how === "person";
  const request = { ...await requestNow(dir, test), ifUnmarked };
  await test.meanwhile?.(dir);
  const obstacle = await obstacleTo(dir, test, request);
  const error = await assertRejects(() => decide(request), ObstacleError, obstacle.message);
  assertEquals([error.code, error.obstacles[0]], [test.code, obstacle]);

  const { clearedBy } = obstacle;
  if (clearedBy.how === "confirm") await decide({ ...request, ...clearedBy.gives });
  else if (clearedBy.how === "notes") await decide({ ...request, notes: "No." });
  else if (clearedBy.how === "edit") {
    await decide({ ...request, verdict: { status: "modified", finalFile: VALID } });
  } else await decide(await requestNow(dir, test));
}

/** Runs a command in this process. */
async function run(dir: TempDir, ...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal: Terminal = {
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
    write: () => {},
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    columns: 80,
  };
  const exit = await main([...args, "--root", dir.path], terminal);
  return { exit, out: out.join("\n"), err: err.join("\n") };
}

function commandFor(test: Case): string[] {
  const notes = notesFor(test);
  const words = [test.status === "approved" ? "approve" : "reject", "p1"];
  return notes === "" ? words : [...words, "--notes", notes];
}

/** Runs a command that is refused, and gives its message. */
async function refusedCommand(
  dir: TempDir,
  args: readonly string[],
  exit: number,
  code: string,
): Promise<string> {
  const refused = await run(dir, ...args, "--json");
  const { error } = JSON.parse(refused.out);
  assertEquals([refused.exit, error.code], [exit, code]);
  return error.message;
}

async function verbs(dir: TempDir, test: Case): Promise<void> {
  const request = await requestNow(dir, test);
  assertEquals((await run(dir, "show", "p1")).exit, 0);
  await test.meanwhile?.(dir);
  await onVerbs(dir, test, await obstacleTo(dir, test, request));
}

async function onVerbs(dir: TempDir, test: Case, { message, clearedBy }: Obstacle): Promise<void> {
  const command = commandFor(test);
  const code = test.code === "notes_missing" ? "usage" : test.code;
  const says = await refusedCommand(dir, command, test.exit, code);
  if (clearedBy.how === "notes") {
    assertStringIncludes(says, "Cannot reject without --notes");
    command.push("--notes", "No.");
  } else assertStringIncludes(says, message);

  if (clearedBy.how === "confirm") {
    // The message names the flags.
    command.push(
      ...says.match(/; supervise --root \S+ show p1, then decide with (--.*)$/)![1]!.split(" "),
    );
  } else if (clearedBy.how === "look") await run(dir, "show", "p1");
  else if (clearedBy.how === "edit") {
    await Deno.writeTextFile(dir.at("mine"), VALID);
    command.splice(0, 2, "modify", "p1", "--file", dir.at("mine"));
  }
  const { exit, err } = await run(dir, ...command);
  assertEquals(exit, 0, err);
}

async function ifUnmarked(dir: TempDir, test: Case): Promise<void> {
  const request = { ...await requestNow(dir, test), ifUnmarked: true };
  assertEquals((await run(dir, "show", "p1")).exit, 0);
  await test.meanwhile?.(dir);
  const [first] = obstaclesTo(await inspect(dir), request);
  const forPeople = test.how !== "look";
  assertEquals(first?.code, forPeople ? "marked" : test.code);
  const [exit, code] = forPeople ? [6, "marked"] : [test.exit, test.code];
  const says = await refusedCommand(dir, [...commandFor(test), "--if-unmarked"], exit, code);
  assertStringIncludes(says, first!.message);
  // A person looks, and decides.
  if (test.how === "person") {
    assertStringIncludes(says, `; supervise --root ${dir.path} show p1, then decide it yourself`);
    assertEquals((await run(dir, ...commandFor(test))).exit, 0);
  } else {
    const { ifUnmarked: _, ...byPerson } = request;
    await onVerbs(dir, test, await obstacleTo(dir, test, byPerson));
  }
}

const EDITOR = `printf '${VALID.replaceAll("\n", "\\n")}' > "$1"`;

const keyFor = ({ status }: Case) => status === "approved" ? "a" : "r";

/** Presses the key that decides what is on the screen, and answers what every rejection is asked. */
async function pressKey(app: TestApp, test: Case): Promise<void> {
  await app.decide(keyFor(test));
  if (test.status === "rejected") await app.answer(notesFor(test));
}

/** Lets a decision become due in the very moment in which something happens that nobody saw. */
async function happensLast(dir: TempDir, app: TestApp, test: Case): Promise<void> {
  await app.wait(4_000);
  await test.meanwhile!(dir);
  app.clock.pass(1_000);
  await app.idle();
}

async function fullScreen(dir: TempDir, test: Case): Promise<void> {
  const request = await requestNow(dir, test);
  const app = await openTestApp(dir, { columns: COLUMNS, editor: EDITOR });
  await app.press("return");
  await pressKey(app, test);
  if (test.meanwhile) await happensLast(dir, app, test);
  await onScreen(app, test, await obstacleTo(dir, test, request));
}

/** What an operator does before the screen that shows the obstacle. */
async function onScreen(app: TestApp, test: Case, obstacle: Obstacle): Promise<void> {
  assertStringIncludes(app.screen(), said(obstacle));
  const { clearedBy } = obstacle;
  if (clearedBy.how === "confirm") {
    assertStringIncludes(app.screen(), ` Type ${clearedBy.word} `);
    await app.answer(clearedBy.word);
  } else if (clearedBy.how === "notes") {
    await app.decide(keyFor(test));
    await app.answer("No.");
  } else if (clearedBy.how === "edit") {
    assertStringIncludes(app.screen(), "m changes the file");
    await app.keys("m", "a");
    await app.answer("");
  } else {
    await app.look();
    await app.press("return");
    await pressKey(app, test);
  }
  await app.wait(5_000);
}

async function list(dir: TempDir, test: Case): Promise<void> {
  const request = await requestNow(dir, test);
  const app = await openTestApp(dir, { columns: COLUMNS, editor: EDITOR });
  await app.press("x");
  if (test.code === "changed") await test.meanwhile!(dir);
  await pressKey(app, test);
  // What is selected is shown, and then the table.
  if (app.screen().includes("── 1 of 1 ")) await app.press("space");
  if (test.code === "stale" && test.meanwhile) {
    await app.decide("return");
    await happensLast(dir, app, test);
  }
  const obstacle = await obstacleTo(dir, test, request);
  assertStringIncludes(app.screen(), said(obstacle));
  if (test.code === "unconfirmed") {
    await app.decide("return");
    return await onScreen(app, test, obstacle);
  }
  if (test.code === "notes_missing") {
    await app.decide("r");
    await app.answer("No.");
    await app.decide("return");
    return await app.wait(5_000);
  }
  // A table asks for nothing else: the operator opens the proposal.
  await app.press("q", "escape");
  if (test.how === "look") await app.look();
  await app.press("return");
  await pressKey(app, test);
  if (test.how === "look") await app.wait(5_000);
  else await onScreen(app, test, obstacle);
}

/** The walk at a prompt, a question and an answer at a time. */
function walk(dir: TempDir) {
  const lines: string[] = [];
  let asked = Promise.withResolvers<void>();
  let reply = (_: string | undefined): void => {};
  const print = (text: string) => void lines.push(text);
  const context = makeContext(readFlags(["review", "--root", dir.path, "--plain"]), {
    print,
    complain: print,
    write: () => {},
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: true,
    columns: COLUMNS,
    env: (name) => name === "VISUAL" ? dir.at("editor") : undefined,
  });
  const ended = reviewPlain(context, (question) => {
    lines.push(question);
    asked.resolve();
    return new Promise((resolve) => reply = resolve);
  });
  return {
    ended,
    /** Waits for the next question, and gives all that was printed. */
    async question(): Promise<string> {
      await Promise.race([asked.promise, ended]);
      return lines.join("\n");
    },
    /** Answers it. */
    answer(line: string): void {
      asked = Promise.withResolvers();
      reply(line);
    },
  };
}

async function plain(dir: TempDir, test: Case): Promise<void> {
  const request = await requestNow(dir, test);
  const answers = async (walking: ReturnType<typeof walk>, ...lines: string[]) => {
    for (const line of lines) {
      await walking.question();
      walking.answer(line);
    }
  };
  const first = test.status === "approved" ? ["a"] : ["r", notesFor(test)];
  const walking = walk(dir);
  await walking.question();
  await test.meanwhile?.(dir);
  await answers(walking, ...first);
  const obstacle = await obstacleTo(dir, test, request);
  assertStringIncludes(await walking.question(), said(obstacle));
  const { clearedBy } = obstacle;
  if (clearedBy.how === "confirm") {
    assertStringIncludes(await walking.question(), `Type ${clearedBy.word} `);
    await answers(walking, clearedBy.word);
  } else if (clearedBy.how === "notes") await answers(walking, "r", "No.");
  else if (clearedBy.how === "edit") {
    await Deno.writeTextFile(dir.at("editor"), `#!/bin/sh\n${EDITOR}\n`, { mode: 0o755 });
    await answers(walking, "m", "yes", "");
  } else {
    // It is shown again, and decided then.
    await answers(walking, ...first);
  }
  await walking.ended;
}

const SURFACES: Readonly<
  Record<string, readonly [(dir: TempDir, test: Case) => Promise<void>, readonly Case[]]>
> = {
  "decide()": [library, [...CASES, LOW_MARK]],
  "a verb": [verbs, CASES],
  "--if-unmarked": [
    ifUnmarked,
    [...CASES.filter(({ status }) => status === "approved"), LOW_MARK],
  ],
  "the full screen": [fullScreen, CASES],
  "a table of several": [list, CASES],
  "review --plain": [plain, CASES],
};

for (const [surface, [meet, cases]] of Object.entries(SURFACES)) {
  Deno.test.each(cases)(`${surface} names $what, and decides once it is cleared`, async (test) => {
    await using dir = await tempDir();
    await putInForce(dir, IN_FORCE);
    await queue(dir, test.proposal);
    await test.plant?.(dir);
    await meet(dir, test);
    const answer = await readAnswer(dir.at("queue", "dev-1"), "p1");
    assertEquals(answer?.status, test.how === "edit" ? "modified" : test.status);
    assert(answer?.finalFile !== "planted.example\n");
  });
}
