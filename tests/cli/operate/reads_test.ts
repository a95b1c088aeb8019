import { FOREIGN_LINE } from "../../support/audit.ts";
import { queueSample } from "../../support/records.ts";
import { hasProgram, REPO, run, supervise } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { assertEquals } from "@std/assert";

const ignore = !hasProgram("strace", "-V");

if (ignore) console.error("skipped: there is no strace on this machine");

Deno.test("approve of a proposal reads each file once", { ignore }, async () => {
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
    const [, path, mode] = line.match(/ = \d+<([^>]*)>$/) && line.match(/"([^"]*)", ([A-Z_|]+)/) ||
      [];
    const isRead = mode?.includes("O_RDONLY") && !mode.includes("O_DIRECTORY");
    return isRead && path!.startsWith(`${dir.path}/`) ? [path!.slice(dir.path.length + 1)] : [];
  });
  const isDirectory = (path: string) => Deno.lstatSync(dir.at(path)).isDirectory;
  const files = opened.filter((path) => !isDirectory(path));
  assertEquals(files.sort(), [
    "audit/pipelock-dev-1.log",
    "current-config/dev-1/allowlist",
    "private/audit-signing-key.pem",
    "private/index/pipelock-dev-1",
    "private/shown/dev-1/p1",
    "queue/dev-1/p1.proposal.json",
  ]);
});
