import { makeStyle } from "../../../cli/render/style.ts";
import { cut } from "../../../cli/render/wrap.ts";
import { renderChanges } from "../../../cli/review/terminal.ts";
import { holds } from "../../support/properties.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview } from "../../support/review.ts";
import { REPO } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { openVirtualScreen } from "../../support/virtual_screen.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";

const { bold, dim, green, inverse, magenta } = makeStyle(true);

const SIZE = { columns: 30, rows: 6 };

const row = fc.tuple(
  fc.constantFrom("", "a", "│ words", "漢字かな", "x".repeat(40), "e\u0301 한국어", "  indented"),
  fc.constantFrom(bold, dim, green, inverse, magenta, (text: string) => text),
).map(([text, paint]) => {
  const fitting = cut(text, SIZE.columns - 1);
  return fitting === "" ? "" : paint(fitting);
});

/** Screens one after the other, some of them drawn whole. */
const frames = fc.array(
  fc.record({
    rows: fc.array(row, { minLength: SIZE.rows, maxLength: SIZE.rows }),
    whole: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

type Frames = readonly { readonly rows: readonly string[]; readonly whole: boolean }[];

/** All that is written for some screens. */
function written(frames: Frames): string {
  let before: readonly string[] | undefined;
  let text = "";
  for (const { rows, whole } of frames) {
    text += renderChanges(whole ? undefined : before, rows);
    before = rows;
  }
  return text;
}

Deno.test("renderChanges() leaves the last rows on the screen, whatever was there before", () => {
  holds(
    fc.property(frames, (frames) => {
      const screen = openVirtualScreen(SIZE.columns, SIZE.rows);
      screen.write("what the shell left\x1b[3;1Hthere");
      screen.write(written([{ ...frames[0]!, whole: true }, ...frames.slice(1)]));
      const expected = openVirtualScreen(SIZE.columns, SIZE.rows);
      for (const [n, text] of frames.at(-1)!.rows.entries()) {
        expected.write(`\x1b[${n + 1};1H${text}`);
      }
      assertEquals(screen.cells(), expected.cells());
    }),
    500,
  );
});

Deno.test("renderChanges() writes the rows that differ, and nothing for none", () => {
  const before = ["one", "two", "three"];
  assertEquals(renderChanges(before, before), "");
  assertEquals(renderChanges(before, ["one", "2", "three"]), "\x1b[2;1H\x1b[2K2");
});

Deno.test("a terminal shows the last of many screens", { ignore: NO_TMUX }, async () => {
  await using dir = await tempDir();
  const sample = fc.sample(frames, 40).flat();
  const bytes = "\x1b[?7l" + written([{ ...sample[0]!, whole: true }, ...sample]);
  await Deno.writeTextFile(dir.at("bytes"), bytes);
  const { columns, rows } = SIZE;
  await using terminal = await openTerminal(
    `clear; cat ${dir.at("bytes")}; sleep 1000`,
    {},
    [columns, rows],
  );
  const last = openVirtualScreen(columns, rows);
  last.write(renderChanges(undefined, sample.at(-1)!.rows));
  const pattern = last.rows().map((row) => row.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\n");
  const screen = await terminal.shows(new RegExp(`^${pattern}\n*$`));
  assertEquals(screen.split("\n").slice(0, rows).map((row) => row.trimEnd()), last.rows());
});

const ignore = NO_TMUX;

const LAUNCHER = `sh ${join(REPO, "cli/supervise.sh")}`;

async function isGone(pid: number): Promise<void> {
  while (true) {
    try {
      const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
      if (stat.split(") ")[1]!.startsWith("Z")) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test(
  "where a terminal has no alternate screen, none of our rows stays on it",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const starter = `tmux set-option -g alternate-screen off; ${LAUNCHER}`;
    await using review = await openReview(dir, { starter });
    assertEquals(await review.state(), { alternate: false, cursor: false });
    await review.type("Enter");
    await review.shows(/^\+ *\d+ api\.github\.com$/m);
    await review.type("q");
    await review.shows(/^> /m);
    await review.type("q");
    const screen = await review.shows(/^ended 0$/m);
    assert(!/supervise|dev-1|│/.test(screen), screen);
    assertEquals(await review.state(), { alternate: false, cursor: true });
  },
);

// Threat: C10
Deno.test(
  "after kill -9 on such a terminal, the shell goes on below our rows",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const starter = `tmux set-option -g alternate-screen off; ${LAUNCHER}`;
    await using review = await openReview(dir, { starter });
    Deno.kill((await review.processes()).program, "SIGKILL");
    const screen = await review.shows(/^ended 137$/m);
    assert(/ q quit[^│]*^ended 137$/m.test(screen), screen);
  },
);

// Threat: C10
Deno.test("when the terminal is gone, the program and its launcher end", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const review = await openReview(dir);
  const { launcher, program } = await review.processes();
  await review[Symbol.asyncDispose]();
  await isGone(program);
  await isGone(launcher);
});

// Threat: C10
Deno.test("stopped from outside, it takes the terminal again with fg", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await using review = await openReview(dir);
  const { launcher, program } = await review.processes();
  for (const pid of [program, launcher]) Deno.kill(pid, "SIGSTOP");
  await review.shows(/Stopped|Suspended/);
  // The terminal is still in raw mode, in which Enter ends no line.
  await review.type("stty sane; clear; fg", "C-j");
  await review.shows(/^ supervise {2}1 pending/m);
  await review.type("Enter");
  await review.shows(/^\+ *\d+ api\.github\.com$/m);
  await review.type("C-c");
  await review.shows(/^[$#] *\n*$/m);
  assertEquals(await review.state(), { alternate: false, cursor: true });
  await review.command("stty -a | grep -o ' icanon'");
  await review.shows(/^ icanon$/m);
});

// Threat: C10
Deno.test(
  "continued from outside while a question is open, it keeps what can be undone as it was",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    await using review = await openReview(dir);
    await review.type("Enter");
    await review.shows(/ 2 of 2 changed lines seen/);
    await review.decide("a", /u to undo: recorded/);
    await review.type("/");
    await review.shows(/can be undone: approving[^]*Show only:/);
    const { program } = await review.processes();
    // It draws all of its rows once it goes on: these words are gone then.
    await Deno.writeTextFile(`/proc/${program}/fd/1`, "\x1b[6;1Hfrom outside");
    await review.shows(/^from outside/m);
    Deno.kill(program, "SIGCONT");
    await review.shows(/^(?![^]*from outside)[^]*Show only:/);
    await review.fill("p");
    const screen = await review.shows(/ > p_/);
    assert(/can be undone: approving/.test(screen) && !/u to undo/.test(screen), screen);
    await review.type("Escape");
    await review.shows(/u to undo: recorded/);
    await review.type("u");
    await review.shows(/Taken back, nothing was written/);
  },
);

// Threat: B12
Deno.test(
  "rows that are painted again and again by work between the keys were seen",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const program = `
    import { openTerminal } from "${new URL("../../../cli/review/terminal.ts", import.meta.url)}";
    let words = "before the work";
    let rounds = 0;
    const terminal = openTerminal({
      frame: () => [words],
      stood: () => void (words = words.replace("not seen yet", "seen")),
      away: () => () => {},
      press() {}, burst() {}, paste() {},
    }, () => {});
    // As the marks of a list are worked out: no rest is long enough for a timer that begins with each paint.
    setTimeout(function work() {
      if (rounds++ === 0) words = "not seen yet";
      const endMs = performance.now() + 12;
      while (performance.now() < endMs);
      if (rounds < 5) setTimeout(work, 0);
      else words += " by then";
      terminal.draw();
    }, 0);`;
    await Deno.writeTextFile(dir.at("program.ts"), program);
    const config = join(REPO, "deno.json");
    await using terminal = await openTerminal(
      `deno run -A --no-lock --config ${config} ${dir.at("program.ts")}`,
      {},
      [40, 6],
    );
    assertMatch(await terminal.shows(/by then$/m), /^seen by then$/m);
  },
);

Deno.test(
  "a terminal that another program made non-blocking gets whole screens",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, {
      id: "p1",
      proposedFile: Array.from({ length: 400 }, (_, n) => `host-${n}.`.padEnd(150, "x")).join("\n"),
    });
    const nonBlocking =
      "import fcntl; fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | 2048)";
    await using review = await openReview(dir, {
      starter: `python3 -c '${nonBlocking}'; ${LAUNCHER}`,
      size: [200, 100],
    });
    await review.type("Enter");
    // These keys count however fast they come.
    for (let n = 0; n < 20; n++) await review.type("NPage", "PPage");
    await review.type("End");
    await review.shows(/^\+ *\d+ host-320\.x+\n[^]*^\+ *\d+ host-399\.x+$/m);
  },
);

/** Lets an editor wait for a line on the terminal, and leaves what it was given. */
async function writeEditor(dir: TempDir): Promise<string> {
  const script =
    '#!/bin/sh\necho editing\nread -r line\nread -r more\necho "$line.$more.example" > "$1"\n';
  await Deno.writeTextFile(dir.at("editor"), script, { mode: 0o755 });
  return dir.at("editor");
}

Deno.test("nothing is read while an editor has the terminal", {
  ignore: ignore || isMissing("strace", "-V"),
}, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const trace = dir.at("trace");
  const starter = `strace -f -y -e trace=read,readv,execve -o ${trace} ${LAUNCHER}`;
  await using review = await openReview(dir, { starter, env: { EDITOR: await writeEditor(dir) } });
  await review.type("Enter");
  await review.shows(/^\+ *\d+ api\.github\.com$/m);
  await review.decide("m", /^editing$/m);
  for (const key of ["o", "n", "e", "Enter", "t", "w", "o", "Enter"]) await review.type(key);
  await review.shows(/^\+ *\d+ one\.two\.example$/m);
  await review.type("C-c");
  await review.shows(/^ended 0$/m);
  const lines = (await Deno.readTextFile(trace)).split("\n");
  const started = lines.findIndex((line) => line.includes(`execve("${dir.at("editor")}"`));
  const editor = lines[started]!.split(" ")[0]!;
  const ended = lines.findIndex((line) => new RegExp(`^${editor} +\\+\\+\\+ exited`).test(line));
  const reads = lines.slice(started, ended).filter((line) => /read(v|)\(\d+<\/dev\/pts/.test(line));
  assert(started < ended && reads.length > 0);
  assertEquals(reads.filter((line) => !line.startsWith(editor)), []);
  assert(lines.slice(0, started).some((line) => /read\(\d+<\/dev\/pts\/.*"m"/.test(line)));
});
