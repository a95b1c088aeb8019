import { readAuditEntries } from "../../../mod.ts";
import { CLIENT_KINDS } from "../../support/clients.ts";
import { queueOf } from "../../support/operator.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview } from "../../support/review.ts";
import { startSidecar } from "../../support/sidecar.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals } from "@std/assert";

const ignore = NO_TMUX;

// Threat: C10
Deno.test(
  "of two operators at once one wins, and the other's row says who",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    await using ada = await openReview(dir, { words: "review --operator ada" });
    await using bob = await openReview(dir, { words: "review --operator bob" });
    for (const review of [ada, bob]) {
      await review.type("Enter");
      await review.shows(/^\+ *\d+ api\.github\.com$/m);
    }
    await ada.decide("a", /u to undo/);
    await bob.decide("r", /Why\?/);
    await bob.answer("No.");
    await bob.shows(/^> .*! u to undo .*: rejecting/m);
    // Ada's five seconds are over first; what Bob could still undo is dropped.
    await ada.shows(/^> .*! approved$/m);
    const screen = await bob.shows(/^> .*! approved by \S+@\S+/m);
    assert(!screen.includes("u to undo"), screen);
    for (const review of [ada, bob]) {
      await review.type("q");
      await review.shows(/^ended 0$/m);
    }
    const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
    assertEquals(
      entries.map(({ operatorAction, operatorName }) => [operatorAction, operatorName]),
      [["approved", "ada"]],
    );
  },
);

Deno.test(
  "two operators who press at the same instant: one decision, one record",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const size = [160, 24] as const;
    await using ada = await openReview(dir, { size });
    await using bob = await openReview(dir, { size });
    for (const review of [ada, bob]) {
      await review.type("Enter");
      await review.shows(/^\+ *\d+ api\.github\.com$/m);
      await review.decide("a", /u to undo/);
      await review.type("q");
      await review.shows(/not recorded yet/);
      await review.still(400);
    }
    await Promise.all([ada.type("q"), bob.type("q")]);
    const told = await Promise.all([ada, bob].map((review) => review.shows(/^ended 0$/m)));
    const winners = told.filter((screen) => /^approved p1/m.test(screen));
    const losers = told.filter((screen) => /^! .*already approved, by /m.test(screen));
    assertEquals([winners.length, losers.length], [1, 1], told.join("\n"));
    const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
    assertEquals(entries.length, 1);
  },
);

Deno.test("a sidecar that is killed takes no proposal with it; the agent asks again and is told", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  const question = { proposed_file: "api.example.com\n", justification: "One host." };
  await using review = await openReview(dir);
  {
    await using sidecar = await startSidecar(queueDir);
    await using client = await CLIENT_KINDS[2]!.connect(sidecar.url);
    const lost = client.call("pipelock-block", question).catch((error: Error) => error);
    await review.shows(/^ supervise {2}1 pending/m);
    sidecar.process.kill("SIGKILL");
    assert(await lost instanceof Error);
  }
  await review.type("Enter");
  await review.shows(/^\+ *\d+ api\.example\.com$/m);
  await using sidecar = await startSidecar(queueDir);
  await using client = await CLIENT_KINDS[2]!.connect(sidecar.url);
  const again = client.call("pipelock-block", question);
  await sidecar.logged("attached");
  await review.decide("a", /u to undo/);
  assertEquals((await again).structured?.status, "approved");
  await review.shows(/! approved/);
});

// Threat: C9
Deno.test("a paste decides nothing, with brackets or without", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: "*.example.com\n" });
  await using review = await openReview(dir);
  await review.type("Enter");
  await review.shows(/^\+ *\d+ \*\.example\.com$/m);
  for (
    const [text, inBrackets, says] of [
      ["a", true, /A paste decides nothing/],
      ["aaaa", false, /Several keys at once decide nothing/],
      ["a\ndev-1\n", true, /A paste decides nothing/],
      ["a\ndev-1\n", false, /Several keys at once decide nothing/],
    ] as const
  ) {
    await review.still(400);
    await review.paste(text, inBrackets);
    await review.shows(says);
    await review.type("j");
    await review.shows(/^(?![^]*decide[s]? nothing)/);
  }
  await review.decide("a", /Type dev-1 \(the bottle's name\) to approve anyway:/);
  for (const inBrackets of [true, false]) {
    await review.paste("dev-1", inBrackets);
    await review.shows(/Type it by hand[^]*^ > _/m);
    await review.type("x", "BSpace");
    await review.still(100);
  }
  await review.type("Enter");
  await review.shows(/That is not dev-1\. Type it, or leave with Esc/);
});

Deno.test(
  "the screen fits whatever size the terminal takes while a proposal is open",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const justification = "A long reason, which goes on and on, over more than one row. ".repeat(4);
    const proposedFile = Array.from({ length: 50 }, (_, n) => `# host-${n}\n`).join("");
    await queueSample(dir.path, { id: "p1", justification, proposedFile });
    await using review = await openReview(dir, { size: [120, 40] });
    await review.type("Enter");
    await review.shows(/^p1 {2}dev-1 {2}pipelock-block$/m);
    for (const [columns, rows] of [[40, 24], [80, 24], [120, 40], [20, 6], [80, 24]] as const) {
      await review.resize(columns, rows);
      await review.still(300);
      const screen = await review.screen();
      assertEquals(screen.length, rows);
      assert(/^ (supervise {2})?\d+ of 50 changed/.test(screen[0]!), screen.join("\n"));
      assert(/ list| help/.test(screen.at(-1)!), screen.join("\n"));
      assertEquals(
        screen.filter((row) => /\d+ of 50 changed/.test(row)).length,
        1,
        screen.join("\n"),
      );
    }
    const screen = await review.shows(/^p1 {2}dev-1 {2}pipelock-block$/m);
    assert(/^\+ *\d+ # host-0$/m.test(screen), screen);
  },
);
