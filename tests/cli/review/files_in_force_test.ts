import { openJudged } from "../../../cli/review/queue_updates.ts";
import { makeContext } from "../../../cli/command/context.ts";
import { readFlags } from "../../../cli/command/flags.ts";
import { reviewPlain } from "../../../cli/review/plain.ts";
import { stampOf } from "../../../cli/review/run.ts";
import { readOverview, sha256Hex } from "../../../mod.ts";
import { watchFile } from "../../../src/disk/watch.ts";
import { openClock } from "../../support/clock.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview, SIZES } from "../../support/review.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals } from "@std/assert";

const IN_FORCE = "api.example.com\n";

const inForce = (dir: TempDir, slug: string) => dir.at("current-config", slug, "allowlist");

/** Two bottles that ask for one host more than is in the file in force. */
async function prepare(dir: TempDir, host: string): Promise<void> {
  for (const bottleSlug of ["dev-1", "web-2"]) {
    await Deno.mkdir(dir.at("current-config", bottleSlug), { recursive: true });
    await Deno.writeTextFile(inForce(dir, bottleSlug), IN_FORCE);
    const proposedFile = IN_FORCE + host;
    const currentFileHash = sha256Hex(IN_FORCE);
    await queueSample(dir.path, {
      id: `p-${bottleSlug}`,
      bottleSlug,
      proposedFile,
      currentFileHash,
    });
  }
}

for (const size of SIZES) {
  Deno.test(
    `at ${size.join("x")} a row says that its proposal is stale once the file in force is another`,
    {
      ignore: NO_TMUX,
    },
    async () => {
      await using dir = await tempDir();
      await prepare(dir, "other.example\n");
      await using review = await openReview(dir, { size });
      assertEquals((await review.shows(/^.{3}.* web-2\b/m)).includes("stale"), false);
      await Deno.writeTextFile(inForce(dir, "web-2"), "mine.example\n");
      const screen = await review.shows(/^.{3}.*\bstale\b.* web-2\b/m);
      assertEquals(/\bstale\b.* dev-1\b/.test(screen), false, screen);
    },
  );
}

Deno.test("openJudged() works out hints and marks again once a file in force that was asked about has changed, and not before", async () => {
  await using dir = await tempDir();
  await prepare(dir, "*.other.example\n");
  const [first, second] = readOverview({ root: dir.path }).pending;
  const clock = openClock();
  let [tookMs, looks, changes] = [0, 0, 0];
  const judged = openJudged(dir.path, {
    now: clock.now,
    elapsedMs: clock.now,
    later: clock.later,
    stampOf(path) {
      clock.pass(tookMs);
      looks++;
      return stampOf(path);
    },
  }, () => changes++);
  const state = () => {
    judged.marksOf(first!);
    clock.pass(0);
    return [judged.hintsOf(first!).stale, judged.marksOf(first!)?.[0]?.severity];
  };
  assertEquals(state(), [false, "high"]);
  changes = 0;
  const { proposedFile, bottleSlug } = first!.proposal;
  await Deno.writeTextFile(inForce(dir, second!.bottleSlug), proposedFile);
  judged.lookAgain();
  assertEquals([changes, ...state()], [0, false, "high"]);

  await Deno.writeTextFile(inForce(dir, bottleSlug), proposedFile);
  assertEquals([changes, ...state()], [0, false, "high"]);
  judged.lookAgain();
  assertEquals(changes, 1);
  assertEquals(state(), [true, undefined]);

  // After a look that took 10 ms the next one waits 40 ms.
  tookMs = 10;
  judged.lookAgain();
  tookMs = looks = changes = 0;
  await Deno.remove(inForce(dir, bottleSlug));
  clock.pass(39);
  judged.lookAgain();
  assertEquals([looks, changes], [0, 0]);
  clock.pass(1);
  judged.lookAgain();
  assertEquals([looks, changes], [1, 1]);
  // It is looked at again only once somebody has asked about it.
  clock.pass(1_000);
  judged.lookAgain();
  assertEquals([looks, changes], [1, 1]);
});

Deno.test("review --plain keeps what agents start from as new as the file in force while it waits", async () => {
  await using dir = await tempDir();
  await prepare(dir, "other.example\n");
  const nothing = () => {};
  const context = makeContext(readFlags(["review", "--plain", "--root", dir.path]), {
    print: nothing,
    complain: nothing,
    write: nothing,
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: true,
    columns: Infinity,
  });
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
  const ended = reviewPlain(context, () => {
    asked.resolve();
    return answer.promise;
  });
  await asked.promise;
  await Deno.writeTextFile(inForce(dir, "dev-1"), "mine.example\n");
  const queueDir = dir.at("queue", "dev-1");
  const isNew = Promise.withResolvers<void>();
  const stop = watchFile(queueDir, "current.allowlist", 100, () => {
    const copy = Deno.readTextFileSync(`${queueDir}/current.allowlist`);
    if (copy === "mine.example\n") isNew.resolve();
  });
  await isNew.promise;
  stop();
  answer.resolve(undefined);
  await ended;
});
