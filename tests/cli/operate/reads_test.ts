import { FOREIGN_LINE } from "../../support/audit.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run, supervise } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals } from "@std/assert";

const ignore = isMissing("strace", "-V");

Deno.test(
  "approve reads each file once, the log's end once more for its key, and the file in force as it changes",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "api.github.com\n");
    for (const id of ["p1", "p2"]) await queueSample(dir.path, { id });
    await supervise(dir.path, ["reject", "p2", "--notes", "No"]);
    await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), FOREIGN_LINE.repeat(400), {
      append: true,
    });
    // It leaves what an approval reads besides: what was shown, and the index of the log.
    await supervise(dir.path, ["show", "p1"]);

    const deno = ["deno", "run", "-A", "--quiet", `${REPO}cli/main.ts`];
    const flags = ["-f", "-y", "-qq", "-e", "trace=openat", "-o", dir.at("trace")];
    const env = { CLAUDE_BOTTLE_ROOT: dir.path, DENO_CONFIG: `${REPO}deno.json` };
    const { code, err } = await run("strace", [...flags, ...deno, "approve", "p1"], { env });
    assertEquals(code, 0, err);
    const opened = (await Deno.readTextFile(dir.at("trace"))).split("\n").flatMap((line) => {
      const [, path, mode] =
        line.match(/ = \d+<([^>]*)>$/) && line.match(/"([^"]*)", ([A-Z_|]+)/) ||
        [];
      const isRead = mode?.includes("O_RDONLY") && !mode.includes("O_DIRECTORY");
      return isRead && path!.startsWith(`${dir.path}/`) ? [path!.slice(dir.path.length + 1)] : [];
    });
    const isDirectory = (path: string) => Deno.lstatSync(dir.at(path)).isDirectory;
    const files = opened.filter((path) => !isDirectory(path));
    assertEquals(files.sort(), [
      "audit/pipelock-dev-1.log",
      "audit/pipelock-dev-1.log",
      // To be shown, to be kept before it changes, and to be copied for the sidecar after it did.
      "current-config/dev-1/allowlist",
      "current-config/dev-1/allowlist",
      "current-config/dev-1/allowlist",
      "current-config/dev-1/allowlist",
      "current-config/dev-1/allowlist",
      "private/audit-signing-key.pem",
      "private/heads/pipelock-dev-1",
      "private/index/pipelock-dev-1",
      "private/shown/dev-1/p1",
      "queue/dev-1/current.allowlist",
      "queue/dev-1/p1.proposal.json",
    ]);
  },
);

/** How many responses are in the archive. */
const RESPONSES = 400;

for (const verb of [["audit", "verify"], ["doctor"]]) {
  // Threat: A8
  Deno.test(`${verb.join(" ")} reads each response once, however many logs a bottle has`, {
    ignore,
  }, async () => {
    await using dir = await tempDir();
    const { queueDir } = await queueSample(dir.path, { id: "p1" });
    const dockerfile = { tool: "capability-block", proposedFile: "FROM a:1\n" } as const;
    await queueSample(dir.path, { id: "p2", ...dockerfile });
    for (const id of ["p1", "p2"]) {
      await supervise(dir.path, ["show", id]);
      await supervise(dir.path, ["approve", id]);
    }
    const response = await Deno.readTextFile(`${queueDir}/p1.response.json`);
    await Deno.mkdir(`${queueDir}/processed`, { mode: 0o700 });
    for (let n = 0; n < RESPONSES; n++) {
      const path = `${queueDir}/processed/x${n}.response.json`;
      await Deno.writeTextFile(path, response.replace("p1", `x${n}`), { mode: 0o600 });
    }
    const deno = ["deno", "run", "-A", "--quiet", `${REPO}cli/main.ts`];
    const calls = "trace=openat,statx,stat,lstat,newfstatat";
    const flags = ["-f", "-y", "-qq", "-e", calls, "-o", dir.at("trace")];
    const env = { CLAUDE_BOTTLE_ROOT: dir.path, DENO_CONFIG: `${REPO}deno.json` };
    const { code, err } = await run("strace", [...flags, ...deno, ...verb], { env });
    assertEquals(code, 0, err);
    const lines = (await Deno.readTextFile(dir.at("trace"))).split("\n")
      .filter((line) => line.includes("/processed/x"));
    const opened = lines.filter((line) => line.includes("openat("));
    assertEquals(opened.length, RESPONSES);
    // One look finds the newest ones, one more those without a record; the others come with the open.
    assert(lines.length <= 6 * RESPONSES, `${lines.length} calls for ${RESPONSES} responses`);
  });
}
