import { makeContext } from "../../cli/command/context.ts";
import { readFlags } from "../../cli/command/flags.ts";
import { reviewPlain } from "../../cli/review/plain.ts";
import { openTestApp } from "../support/app.ts";
import { supervise } from "../support/command_line.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { asUser, ranAlone } from "../support/user.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const DENIED = "this user may not read it, or not enter its directory";

/** The queues that `breakQueues` makes, and why nobody can look into them. */
const BROKEN = [
  ["closed", DENIED],
  ["a-file", "it is not a directory"],
  ["a-link", "it is a link, where a directory belongs"],
] as const;

/** Puts `seen` in a sound queue, `hidden` in one of mode 000, and breaks two queues more. */
async function breakQueues(dir: TempDir): Promise<void> {
  await queueSample(dir.path, { id: "seen-1", bottleSlug: "sound" });
  await queueSample(dir.path, { id: "hidden-1", bottleSlug: "closed" });
  await Deno.writeTextFile(dir.at("queue", "a-file"), "");
  await Deno.symlink("sound", dir.at("queue", "a-link"));
}

/** What `review --plain` prints to an operator who leaves at the first question. */
async function reviewed(root: string, ...args: string[]): Promise<string> {
  let said = "";
  const print = (text: string) => void (said += `${text}\n`);
  const context = makeContext(readFlags(["review", "--plain", "--root", root, ...args]), {
    print,
    complain: print,
    write: () => {},
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: true,
    columns: Infinity,
  });
  await reviewPlain(context, () => Promise.resolve(undefined));
  return said;
}

// Threat: B5
Deno.test("every surface names the queues that nobody could look into, and takes none for an empty one", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  await breakQueues(dir);
  await asUser(dir.path, async () => {
    await Deno.chmod(dir.at("queue", "closed"), 0o000);
    const run = (...args: string[]) => supervise(dir.path, args, { env: { COLUMNS: "9999" } });
    const flat = (text: string) => text.replaceAll(/\n ?↪/g, "");
    try {
      const names = (text: string) => {
        for (const [slug, reason] of BROKEN) {
          assertStringIncludes(flat(text), `! unreadable: ${slug}/.: ${reason}`);
        }
      };
      const listed = await run("list");
      assertEquals(listed.code, 1);
      assertMatch(listed.out, /^id "seen-1" /m);
      names(listed.err);
      const json = await run("list", "--json");
      assertEquals([json.code, JSON.parse(json.out).pending.length], [1, 1]);
      assertEquals(JSON.parse(json.out).unreadable.length, BROKEN.length);
      assertEquals((await run("list", "--bottle", "sound")).code, 0);

      const bottles = await run("bottle", "list");
      assertEquals([bottles.code, bottles.out.match(/\? pending/g)?.length], [1, BROKEN.length]);
      assertMatch(bottles.out, /^sound +1 pending/m);
      names(bottles.err);
      const pending = JSON.parse((await run("bottle", "list", "--json")).out).bottles
        .map((one: { bottle: string; pending: number | null }) => [one.bottle, one.pending]);
      assertEquals(Object.fromEntries(pending), {
        sound: 1,
        ...Object.fromEntries(BROKEN.map(([slug]) => [slug, null])),
      });

      const rejected = ["reject", "hidden", "--notes", "no"];
      const approved = ["approve", "hidden", "other", "--if-unmarked"];
      const modified = ["modify", "hidden", "--file", "-"];
      for (const args of [["show", "hidden"], approved, rejected, modified]) {
        const { code, err } = await run(...args);
        assertEquals(code, 3, err);
        for (const [slug, reason] of BROKEN) {
          assertStringIncludes(flat(err), `queue/${slug} (${reason})`);
        }
        assertStringIncludes(flat(err), "; supervise doctor says what to repair");
      }

      names(await reviewed(dir.path));
      const empty = await reviewed(dir.path, "--bottle", "closed");
      assertEquals(
        empty.split("\n").slice(0, 2),
        [`! unreadable: closed/.: ${DENIED}`, "Nothing that is pending can be listed."],
      );
    } finally {
      await Deno.chmod(dir.at("queue", "closed"), 0o700);
    }
  });
});

Deno.test("what is no name of a bottle hides no proposal: it is named, and list ends with 0", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await Deno.mkdir(dir.at("queue", "Not a bottle"));
  for (const args of [["list"], ["bottle", "list"]]) {
    const { code, err } = await supervise(dir.path, args);
    assertEquals(code, 0, err);
    assertStringIncludes(err, "! unreadable: Not a bottle/.: its name is no bottle slug");
  }
});

Deno.test("the full screen does not say that nothing is pending beside a queue that it cannot read", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("queue"));
  await Deno.writeTextFile(dir.at("queue", "dev-1"), "");
  const app = await openTestApp(dir, { columns: 100 });
  assertStringIncludes(app.screen(), "! unreadable: dev-1/.: it is not a directory");
  assertStringIncludes(
    app.screen(),
    " Nothing that is pending can be listed. New proposals appear",
  );
  await Deno.remove(dir.at("queue", "dev-1"));
  await app.look();
  assertStringIncludes(app.screen(), " Nothing is pending. New proposals appear here.");
});

for (const path of ["current-config", "current-config/dev-1", "current-config/dev-1/allowlist"]) {
  // Threat: B5
  Deno.test(`show and approve name the file in force, the reason and a way out where ${path} has mode 000`, async (t) => {
    if (await ranAlone(t)) return;
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
    const file = dir.at("current-config", "dev-1", "allowlist");
    await Deno.writeTextFile(file, "a.example\n");
    await asUser(dir.path, async () => {
      await Deno.chmod(dir.at(path), 0o000);
      const root = ["--root", dir.path];
      const ran = [
        await supervise(dir.path, ["show", "p1", ...root]),
        await supervise(dir.path, ["approve", "p1", "--if-unmarked", ...root]),
      ];
      const doctor = await supervise(dir.path, ["doctor", ...root]);
      await Deno.chmod(dir.at(path), 0o700);
      for (const { code, err } of ran) {
        assertEquals(code, 1);
        assertEquals(
          err.replaceAll(/\n ?↪/g, ""),
          `Cannot read ${file}: ${DENIED}; supervise --root ${dir.path} doctor says what to repair\n`,
        );
      }
      // It does.
      assertStringIncludes(doctor.out, `-> chmod -R u+rwX ${dir.at("current-config")}\n`);
    });
  });
}

Deno.test("every verb names the log or directory of mode 000 that it needs, and a way out", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const root = ["--root", dir.path];
  await supervise(dir.path, ["bottle", "add", "dev-1", ...root]);
  await supervise(dir.path, ["reject", "p1", "--notes", "no", ...root]);
  await queueSample(dir.path, { id: "p2" });
  await asUser(dir.path, async () => {
    const needed: readonly (readonly [string, readonly (readonly string[])[]])[] = [
      ["audit", [["show", "p1"], ["show", "p2"], ["audit", "show"], ["audit", "verify"]]],
      ["audit/pipelock-dev-1.log", [["show", "p1"], ["audit", "show"]]],
      ["private/removed", [["audit", "verify"]]],
      ["queue", [["list"], ["bottle", "list"], ["bottle", "status", "dev-1"], ["show", "p2"]]],
    ];
    await Deno.mkdir(dir.at("private", "removed"), { recursive: true });
    for (const [path, commands] of needed) {
      await Deno.chmod(dir.at(path), 0o000);
      const ran = [];
      for (const words of commands) ran.push(await supervise(dir.path, [...words, ...root]));
      await Deno.chmod(dir.at(path), 0o700);
      for (const { code, err } of ran) {
        const said = err.replaceAll(/\n ?↪/g, "");
        assertEquals(code, 1, said);
        assertMatch(
          said,
          new RegExp(
            `^(?:! \\S+ is not shown: )?Cannot .*${
              dir.at(path)
            }.*; supervise --root ${dir.path} doctor says`,
          ),
        );
      }
    }
  });
});

Deno.test("a removed bottle's directory of mode 000 hides no other bottle's log, nor its responses", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await supervise(dir.path, ["reject", "p1", "--notes", "no"]);
  await Deno.mkdir(dir.at("queue", "dev-1", "processed"));
  await Deno.writeTextFile(dir.at("queue", "dev-1", "processed", "gone-1.response.json"), "{}");
  await Deno.mkdir(dir.at("private", "removed", "closed"), { recursive: true });
  await asUser(dir.path, async () => {
    await Deno.chmod(dir.at("private", "removed", "closed"), 0o000);
    const verified = await supervise(dir.path, ["audit", "verify"]);
    const out = (await supervise(dir.path, ["doctor"])).out.replaceAll(/\n +↪/g, "");
    await Deno.chmod(dir.at("private", "removed", "closed"), 0o700);
    assertEquals([verified.code, verified.err], [1, ""]);
    assertMatch(verified.out, /^ok .* pipelock-dev-1$/m);
    assertMatch(verified.out, /^FAIL .* pipelock-closed\n +line 0: it could not be checked: /m);
    assertStringIncludes(
      out,
      '1 archived response is unrecorded, the newest first: dev-1/"gone-1"',
    );
    assertStringIncludes(
      out,
      "closed: nobody can tell whether its archived responses are recorded",
    );
    assertStringIncludes(out, "pipelock-closed is not sound: line 0: it could not be checked");
  });
});

Deno.test("a root that is not there is refused by every verb that reads, and is no empty one", async () => {
  await using dir = await tempDir();
  const root = dir.at("typed wrongly");
  for (
    const args of [
      ["list"],
      ["list", "--json"],
      ["show", "p1"],
      ["bottle", "list"],
      ["bottle", "status", "dev-1"],
      ["audit", "show"],
      ["audit", "verify"],
      ["reject", "p1", "--notes", "no"],
      ["review", "--plain"],
      ["notify"],
    ]
  ) {
    const { code, err } = await supervise(dir.path, [...args, "--root", root]);
    assertEquals(code, 3, err);
    assertEquals(
      err.replaceAll(/\n ?↪/g, ""),
      `Cannot use the root ${root}: it is not there; supervise --root '${root}' bottle add NAME ` +
        "makes it, or name another one with --root\n",
    );
  }
  const without = ["completions bash", `audit verify --archive ${dir.at("gone")}`];
  const codes = without.map(async (words) =>
    (await supervise(dir.path, [...words.split(" "), "--root", root])).code
  );
  // The second reads the archive, which is not there either.
  assertEquals(await Promise.all(codes), [0, 2]);
  assertEquals([...Deno.readDirSync(dir.path)], []);
  assertEquals((await supervise(dir.path, ["bottle", "add", "dev-1", "--root", root])).code, 0);
  assertEquals((await supervise(dir.path, ["list", "--root", root])).code, 0);
});

Deno.test("nobody is told that all is recorded, or why it cannot go on, where a log cannot be read", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  await supervise(dir.path, ["bottle", "add", "dev-1"]);
  await queueSample(dir.path, { id: "p1" });
  await supervise(dir.path, ["reject", "p1", "--notes", "no"]);
  await asUser(dir.path, async () => {
    await Deno.chmod(dir.at("audit"), 0o000);
    const { out } = await supervise(dir.path, ["doctor", "--json"]);
    const { code, err } = await supervise(dir.path, ["bottle", "remove", "dev-1"]);
    await Deno.chmod(dir.at("audit"), 0o700);
    const checks = JSON.parse(out).findings.map(({ check }: { check: string }) => check);
    const says = ["unreadable", "foreign-answers", "floods"].map((check) => checks.includes(check));
    assertEquals(says, [true, false, false]);
    assertEquals(code, 1);
    assertMatch(err, /^Cannot remove dev-1: its responses cannot be checked against its logs: /);
  });
});

Deno.test("audit head prints the heads of the other logs where one cannot be read, and ends with 1", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  for (const bottleSlug of ["dev-1", "dev-2"]) {
    await queueSample(dir.path, { id: bottleSlug, bottleSlug });
    await supervise(dir.path, ["reject", bottleSlug, "--notes", "no"]);
  }
  const log = dir.at("audit", "pipelock-dev-1.log");
  await asUser(dir.path, async () => {
    await Deno.chmod(log, 0o000);
    const { code, out, err } = await supervise(dir.path, ["audit", "head"]);
    await Deno.chmod(log, 0o600);
    assertEquals(code, 1);
    assertMatch(out, /^# .*\npipelock-dev-2 1:[0-9a-f]{64}\n$/);
    assertStringIncludes(err, "! pipelock-dev-1 is not sound: line 0: it could not be checked: ");
  });
});

Deno.test("show prints the record of a decision, whatever of the queues cannot be read", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await supervise(dir.path, ["modify", "p1", "--file", "-"], { input: "mine.example\n" });
  const removed = dir.at("private", "removed", "dev-1");
  await Deno.mkdir(removed, { recursive: true });
  const queueDir = dir.at("queue", "dev-1");
  await asUser(dir.path, async () => {
    for (const place of [removed, queueDir, `${queueDir}/p1.response.json`]) {
      await Deno.chmod(place, 0o000);
      const { code, out } = await supervise(dir.path, ["show", "p1", "--json"]);
      const final = await supervise(dir.path, ["show", "p1", "--final"]);
      await Deno.chmod(place, 0o700);
      assertEquals(code, 0, place);
      const { decision, foreign_answer } = JSON.parse(out);
      assertEquals(decision.operator_action, "modified");
      assertEquals(foreign_answer, place === removed ? null : `it cannot be read: ${DENIED}`);
      assertEquals([final.code, final.out], [0, "mine.example\n"]);
    }
  });
});

// Threat: L3
Deno.test("a log that was removed with its head does not pass where the responses cannot be read", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  for (const bottleSlug of ["dev-1", "dev-2"]) {
    await queueSample(dir.path, { id: bottleSlug, bottleSlug });
    await supervise(dir.path, ["reject", bottleSlug, "--notes", "no"]);
  }
  const queueDir = dir.at("queue", "dev-1");
  const [response, archive] = [`${queueDir}/dev-1.response.json`, `${queueDir}/processed`];
  for (const place of ["audit/pipelock-dev-1.log", "private/heads/pipelock-dev-1"]) {
    await Deno.remove(dir.at(place));
  }
  /** What each verb says that checks the logs, or makes a copy of them. */
  const check = async (says: string, what: string) => {
    for (const words of ["verify", "head", "export", "head --bottle dev-1"]) {
      const args = ["audit", ...words.split(" ")];
      const { code, out, err } = await supervise(dir.path, args);
      assertEquals(code, words.includes("--bottle") ? 3 : 1, `${words}, ${what}`);
      const said = (words === "verify" ? out : err).replaceAll(/\n ?↪/g, "").replaceAll(
        /\s+/g,
        " ",
      );
      assertStringIncludes(said, says, `${words}, ${what}`);
    }
    const { findings } = JSON.parse((await supervise(dir.path, ["doctor", "--json"])).out);
    const logs = findings.filter(({ check }: { check: string }) => check === "logs");
    assertStringIncludes(JSON.stringify(logs), says, what);
  };
  await asUser(dir.path, async () => {
    await check(`line 1: lines 1 to 1 are gone, by ${response}`, "as it is");
    for (
      const [place, mode] of [[queueDir, 0o000], [queueDir, 0o600], [response, 0o000]] as const
    ) {
      await Deno.chmod(place, mode);
      try {
        const unread = mode === 0o600 ? archive : place;
        await check(
          `a head may be in what cannot be read: Cannot read ${unread}: ${DENIED}`,
          `${place} of mode ${mode.toString(8)}`,
        );
      } finally {
        await Deno.chmod(place, 0o700);
      }
    }
    await Deno.mkdir(archive);
    await Deno.rename(response, `${archive}/dev-1.response.json`);
    // The directory of the names can be listed, and nothing in it looked at.
    for (const [mode, unread] of [[0o000, ""], [0o600, "/dev-1.response.json"]] as const) {
      await Deno.chmod(archive, mode);
      await check(`Cannot read ${archive}${unread}: ${DENIED}`, `processed, ${mode.toString(8)}`);
      await Deno.chmod(archive, 0o700);
    }
    await Deno.rename(archive, dir.at("away"));
    await Deno.symlink(dir.at("away"), archive);
    await check(`Cannot read ${archive}: it is a link, where a directory belongs`, "a link");
    await Deno.remove(archive);
    const removed = dir.at("private", "removed", "dev-1", "dev-1.abc");
    await Deno.mkdir(removed, { recursive: true });
    await Deno.chmod(removed, 0o000);
    await check(`Cannot read ${removed}: ${DENIED}`, "a removed queue");
    await Deno.chmod(removed, 0o700);
    // What anybody can plant in a response's place states nothing, and stops nothing.
    await Deno.remove(dir.at("private", "removed"), { recursive: true });
    await Deno.symlink("/etc/hostname", response);
    await Deno.writeTextFile(`${queueDir}/p2.response.json`, "{");
    assertEquals((await supervise(dir.path, ["audit", "verify"])).code, 0);
  });
});
