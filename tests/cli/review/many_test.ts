import { readAnswer } from "../../../internal_mod.ts";
import { flood } from "../../support/flood.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview } from "../../support/review.ts";
import { run } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ignore = NO_TMUX;

/** How much of a processor a process may take that has nothing to do; a loop that spins takes all. */
const MOST_IDLE = 0.25;

const IDLE_MS = 5_000;

/** How long a process has run on any processor, in seconds. */
async function processorSeconds(pid: number): Promise<number> {
  const { out: ticks } = await run("getconf", ["CLK_TCK"]);
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name of the program stands in brackets, and may hold anything.
  const [, utime, stime] = stat.slice(stat.lastIndexOf(")") + 2)
    .match(/^(?:\S+ ){11}(\d+) (\d+) /) ?? [];
  return (Number(utime) + Number(stime)) / Number(ticks);
}

Deno.test(
  "a thousand pending: there at once, to the end, filtered, decided, and idle",
  { ignore },
  async () => {
    await using dir = await tempDir();
    flood(dir.at("queue", "dev-1"), 999);
    await queueSample(dir.path, { id: "needle", justification: "In the haystack." });
    await using review = await openReview(dir, { size: [100, 30] });
    await review.shows(/^ supervise {2}1000 pending/m);
    await review.shows(/^> .*│ The tests read a public gist\./m);

    if (Deno.build.os === "linux") {
      await review.still(400);
      const { program } = await review.processes();
      const before = await processorSeconds(program);
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      const share = (await processorSeconds(program) - before) / (IDLE_MS / 1000);
      assert(share < MOST_IDLE, `${share} of a processor with nothing to do`);
      console.log(`idle, with 1,000 pending: ${(100 * share).toFixed(1)} % of a processor`);
    }

    await review.type("G");
    await review.shows(/^> .*│ In the haystack\./m);
    await review.type("g");
    await review.shows(/^> .*│ The tests/m);
    await review.type("/");
    await review.shows(/Show only:/);
    await review.answer("haystack");
    const filtered = await review.shows(/only "haystack"/);
    assertEquals(filtered.match(/│ (?!THE)/g)?.length, 2); // The row, and its words below.
    await review.decide("a", /Look first/);
    await review.decide("a", /u to undo/);
    await review.type("q");
    await review.shows(/not recorded yet/);
    await review.still(400);
    await review.type("q");
    assertStringIncludes(await review.shows(/^ended 0$/m), 'approved id "needle" (dev-1)');
    assertEquals((await readAnswer(dir.at("queue", "dev-1"), "needle"))?.status, "approved");
  },
);

Deno.test(
  "a megabyte scrolls like any other text, and a key still comes first",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const line =
      "# padding that nobody needs, over and over, so that nobody reads to the end of it\n";
    const proposedFile = line.repeat(12_000) + "*.example.com\n";
    await queueSample(dir.path, { id: "p1", proposedFile });
    await using review = await openReview(dir, { size: [100, 30] });
    await review.type("Enter");
    await review.shows(/^\+ *\d+ # padding/m);
    await review.type("G");
    await review.shows(/^\+ *\d+ \*\.example\.com$/m);
    // Above the rows of its mark.
    await review.type("k", "k", "k");
    await review.shows(
      / \d+ of 12001 changed lines seen(?![^]*^\+ *\d+ \*\.example\.com$)[^]*^\+ *\d+ # padding/m,
    );
    await review.type("g");
    await review.shows(/^p1 {2}dev-1/m);
    await review.resize(40, 24);
    await review.shows(/^p1 {2}dev-1 {2}pipelock-block$/m);
    await review.type("q");
    await review.shows(/^> /m);
  },
);
