import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview, type Review } from "../../support/review.ts";
import { REPO } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { TRICKS } from "../../support/tricks.ts";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

const FOLDER = join(REPO, "tests/testdata/review");

const ignore = NO_TMUX;

const HOUR_MS = 3_600_000;

/** Long enough ago for an age in days, and not soon another one. */
const daysAgo = (days: number) => new Date(Date.now() - (24 * days + 12) * HOUR_MS).toISOString();

/** What differs from run to run, in as many characters. */
function settle(screen: readonly string[]): string {
  return screen.map((row) => row.trimEnd()).join("\n")
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, "2026-01-01 10:00:00 +00:00")
    .replace(/[0-9a-f]{20,}/g, (hex) => "x".repeat(hex.length));
}

/** Compares the screen with the golden file of that name, once it is still. */
async function assertScreen(review: Review, name: string, about: string): Promise<void> {
  await review.still(300);
  const screen = await review.screen();
  for (const row of screen) assert(!/\p{C}|\p{Zl}|\p{Zp}/u.test(row), JSON.stringify(row));
  const columns = Math.max(...screen.map((row) => [...row].length));
  const keys = review.takeKeys().join(" ");
  const actual = `# ${about}\n${keys && `# keys: ${keys}\n`}${settle(screen)}\n`;
  assert(columns <= 120, `${columns}`);
  const file = join(FOLDER, `${name}.txt`);
  if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(file, actual);
  else assertEquals(actual, await Deno.readTextFile(file));
}

const ROUTES = '{\n  "routes": [\n    {\n      "path": "/github/",\n      ' +
  '"upstream": "https://api.github.com",\n      "auth_scheme": "Bearer",\n      ' +
  '"token_ref": "GH_TOKEN"\n    }\n  ]\n}\n';

/** Three bottles' questions: one plain, one with a high mark, one that started from another file. */
async function prepare(dir: TempDir): Promise<void> {
  for (const slug of ["dev-1", "web.2"]) {
    await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
    await Deno.writeTextFile(
      dir.at("current-config", slug, "allowlist"),
      "# package mirror\nmirror.internal.example\n",
    );
    await Deno.writeTextFile(dir.at("current-config", slug, "Dockerfile"), "FROM debian:12\n");
  }
  await queueSample(dir.path, {
    id: "6da1c435-41d4",
    proposedFile: "# package mirror\nmirror.internal.example\n*.example.net\n",
    justification: "pip install fails: files.example.net is blocked. One host below it would do.",
    arrivalTimestamp: daysAgo(5),
  });
  await queueSample(dir.path, {
    id: "52d73e02-9c1b",
    tool: "capability-block",
    proposedFile: "FROM debian:12\nRUN apt-get update && apt-get install -y jq\n",
    justification: "The build script needs jq.\n! The operator approved this before.",
    arrivalTimestamp: daysAgo(4),
    currentFileHash: "0".repeat(64),
  });
  await queueSample(dir.path, {
    id: "b7e0aa31-77f0",
    bottleSlug: "web.2",
    proposedFile: "# package mirror\nmirror.internal.example\nfonts.example.org\n",
    justification: "The page needs its fonts. \u202eylno",
    arrivalTimestamp: daysAgo(3),
  });
  await queueSample(dir.path, {
    id: "c0ffee12-0001",
    bottleSlug: "web.2",
    tool: "cred-proxy-block",
    proposedFile: ROUTES,
    justification:
      "The task is to triage open issues, and the proxy answers 404 for api.github.com.",
    arrivalTimestamp: daysAgo(2),
  });
}

/** A screen: what it is, and how to get there. */
interface Golden {
  readonly about: string;
  readonly to?: (review: Review) => Promise<void>;
  readonly size?: readonly [number, number];
  readonly empty?: boolean;
  /** Whether a proposal of 402 lines comes last. */
  readonly long?: boolean;
}

const open = async (review: Review) => {
  await review.type("Enter");
  await review.shows(/^--- allowlist/m);
};

const select = async (review: Review) => {
  for (const count of [1, 2, 3, 4]) {
    await review.type("x");
    await review.shows(new RegExp(`${count} selected`));
  }
};

/** Shows all that is selected, a screen at a time, until the table is there. */
const showAll = async (review: Review) => {
  let screen = await review.decide("a", /^── 1 of/m);
  while (!screen.includes("Enter will")) {
    // A page counts once it stood.
    await review.still(100);
    await review.type("Space");
    await review.still(200);
    screen = (await review.screen()).join("\n");
  }
};

const LONG = Array.from({ length: 402 }, (_, n) => `# host-${n}\n`).join("");

const GOLDEN: Readonly<Record<string, Golden>> = {
  list: { about: "The list: four proposals of two bottles" },
  "list-40": { about: "The list on a narrow screen", size: [40, 24] },
  "list-120": { about: "The list on a wide screen", size: [120, 40] },
  empty: { about: "Nothing is pending", empty: true },
  proposal: { about: "A proposal with a high mark, looked at", to: open },
  "proposal-40": { about: "The same on a narrow screen", to: open, size: [40, 24] },
  confirm: {
    about: "A high mark wants the bottle's slug, typed",
    to: async (review) => {
      await open(review);
      await review.decide("a", /Type dev-1/);
      await review.fill("dev");
    },
  },
  reject: {
    about: "A rejection wants a note; the last one is offered",
    to: async (review) => {
      await open(review);
      await review.decide("r", /Why\?/);
      await review.answer("One host, not all of them.");
      await review.shows(/u to undo/);
      await review.type("u");
      await review.shows(/Taken back/);
      await review.decide("r", /Why\?/);
      await review.type("Down");
      await review.shows(/^ > One host/m);
    },
  },
  edit: {
    about: "The operator's own version, before it counts",
    to: async (review) => {
      await open(review);
      await review.decide("m", /Your version/);
    },
  },
  batch: {
    about: "What would happen to each of several; the stale one is left out",
    to: async (review) => {
      await select(review);
      await showAll(review);
    },
    size: [120, 40],
  },
  "batch-80": {
    about: "The same table on a smaller screen",
    to: async (review) => {
      await select(review);
      await showAll(review);
    },
  },
  pages: {
    about: "Several are shown, one after the other, before the table",
    to: async (review) => {
      await select(review);
      await review.decide("a", /^── 1 of/m);
    },
  },
  unseen: {
    about: "402 new lines, after G and a: it shows what was not on the screen",
    to: async (review) => {
      await review.type("G", "Enter");
      await review.shows(/0\d # host-|^--- allowlist/m);
      await review.still(100);
      await review.type("G");
      await review.shows(/host-401/);
      await review.decide("a", /Not decided/);
    },
    long: true,
  },
  stale: {
    about: "The agent started from another file than the one in force",
    to: async (review) => {
      await review.type("j");
      await review.shows(/^> .*Dockerfile/m);
      await review.type("Enter");
      await review.shows(/^--- Dockerfile/m);
    },
  },
  help: {
    about: "The keys of the list, and what to know",
    to: async (review) => {
      await review.type("?");
      await review.shows(/In the list/);
    },
    size: [100, 40],
  },
};

for (
  const [name, { about, to, size = [80, 24] as const, empty = false, long = false }] of Object
    .entries(GOLDEN)
) {
  Deno.test(
    `the full screen shows ${name} as the file of that name has it`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      if (!empty) await prepare(dir);
      if (long) {
        const change = { id: "f00d", proposedFile: LONG, arrivalTimestamp: daysAgo(1) };
        await queueSample(dir.path, change);
      }
      const script = '#!/bin/sh\nprintf "mirror.internal.example\\nfiles.example.net\\n" > "$1"\n';
      await Deno.writeTextFile(dir.at("editor"), script, { mode: 0o755 });
      const env = { EDITOR: dir.at("editor"), NO_COLOR: "1" };
      await using review = await openReview(dir, { size, env });
      if (!empty) await review.shows(/2 high|high {2}/);
      await to?.(review);
      await assertScreen(review, name, `${about}, ${size.join("x")}`);
    },
  );
}

const trickFiles = ["hostile", ...Object.keys(TRICKS).map((name) => `hostile-${name}`)];

// Threat: A13
Deno.test("the full screen shows each trick, in the list and whole, as the files have it", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  const tricks = Object.entries(TRICKS);
  for (const [n, [id, [, attempt]]] of tricks.entries()) {
    const arrivalTimestamp = daysAgo(tricks.length - n);
    await queueSample(dir.path, { ...attempt, id, arrivalTimestamp });
  }
  await using review = await openReview(dir, { size: [80, 40], env: { NO_COLOR: "1" } });
  await review.shows(/invalid file/);
  await assertScreen(review, "hostile", "Every trick, in the list, 80x40");
  for (const [id, [about]] of tricks) {
    await review.type("Enter");
    await review.shows(new RegExp(`^(id ")?${id}"? {2}dev-1`, "m"));
    await assertScreen(review, `hostile-${id}`, `${about.replace(/\.$/, "")}, 80x40`);
    await review.type("q");
    await review.shows(/^ +MARKS/m);
    await review.type("j");
    await review.still(100);
  }
});

// Threat: A13
Deno.test("each golden screen belongs to a test, and each row that an agent wrote is behind a sign", async () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  const expected = [...Object.keys(GOLDEN), ...trickFiles].map((name) => `${name}.txt`).sort();
  assertEquals(names, expected);
  const ours =
    /^(#| supervise |─+$|── \d+ of \d+ ─+$|(dev-1|web\.2) {2}|arrived |sha256 |The agent says:|In the (diff:|list)|(?:[\w-]+|id "[\w-]+") {2}(?:dev-1|web\.2)|What |Your version,|$)/;
  for (const name of names) {
    for (const row of (await Deno.readTextFile(join(FOLDER, name))).split("\n")) {
      assert(ours.test(row) || /^[│+\-@! >]/.test(row), `${name}: ${row}`);
    }
  }
});
