import { REPO, run } from "./support/run.ts";
import { type TempDir, tempDir } from "./support/temp.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

/** The links that docs/library.md tells a project to have, if the checkout is in ../supervise. */
const LINKS = ["../supervise", "../supervise/links/std/fs", "../supervise/links/std/path"];

/** A suite without the stand-ins gets @std from JSR, as a project does then. */
const withoutLinks = await Deno.stat(join(REPO, "links")).then(() => false, () => true);

const program = (library: string) => `
import * as supervise from ${JSON.stringify(library)};

const root = Deno.args[0]!;
const queueDir = supervise.queueDirForSlug("dev-1", { root });
const proposal = supervise.newProposal({
  bottleSlug: "dev-1",
  tool: supervise.TOOL_PIPELOCK_BLOCK,
  proposedFile: "api.example.com\\n",
  justification: "The tests call it.",
  currentFileHash: "",
});
await supervise.writeProposal(queueDir, proposal);
const answer: Promise<supervise.ProposalResponse> = supervise.waitForResponse(queueDir, proposal.id);
for (const entry of supervise.readOverview({ root }).pending) {
  const shown = await supervise.inspectProposal({ ...entry, root });
  const verdict = { status: "approved" } as const;
  await supervise.decide({ ...shown, root, verdict, notes: "Fine.", operator: "ada@host" });
}
// Each of these needs a package from npm.
const problems = supervise.validateDockerfile("FROM debian:13\\nADD --nonsense a b\\n");
const [mark] = supervise.marksFor("pipelock-block", "github.com\\n", "githab.com\\n");
console.log((await answer).status, problems.length, mark?.rule, supervise.renderDiff("", "a\\n").split("\\n").length - 1);
`;

/** A Deno cache of its own whose npm packages are those of this checkout. */
async function emptyCache(dir: TempDir): Promise<string> {
  const { out } = await run(Deno.execPath(), ["info", "--json"]);
  const { npmCache } = JSON.parse(out) as { npmCache: string };
  await Deno.mkdir(dir.at("cache"));
  await Deno.symlink(npmCache, dir.at("cache/npm"));
  return dir.at("cache");
}

Deno.test({
  name:
    "a project of its own imports the checkout by name and by path, checks and runs, without JSR",
  ignore: withoutLinks,
  async fn() {
    await using dir = await tempDir();
    const cwd = dir.at("project");
    const links = LINKS.map((link) => join(REPO, link.slice("../supervise".length)));
    await Deno.mkdir(cwd);
    await Deno.writeTextFile(join(cwd, "deno.json"), JSON.stringify({ links }));
    await Deno.writeTextFile(join(cwd, "by_name.ts"), program("@claude-bottle/supervise"));
    await Deno.writeTextFile(join(cwd, "by_path.ts"), program(join(REPO, "mod.ts")));
    // Nothing listens on port 1: any import from JSR fails.
    const env = { DENO_DIR: await emptyCache(dir), JSR_URL: "http://127.0.0.1:1/" };
    const deno = (...args: string[]) => run(Deno.execPath(), args, { cwd, env });

    const checked = await deno("check", "--quiet", "by_name.ts", "by_path.ts");
    assertEquals(checked, { code: 0, out: "", err: "" });
    for (const file of ["by_name.ts", "by_path.ts"]) {
      const root = dir.at(`root of ${file}`);
      const grants = [`--allow-read=${root}`, `--allow-write=${root}`, "--no-prompt"];
      const { code, out, err } = await deno("run", "--quiet", ...grants, file, root);
      assertEquals([code, out], [0, "approved 1 lookalike-host 4\n"], err);
    }
  },
});

const page = await Deno.readTextFile(join(REPO, "docs/library.md"));

Deno.test("docs/library.md tells the links that a project needs", () => {
  const { links } = JSON.parse(/```json\n([^]*?)```/.exec(page)![1]!) as { links: string[] };
  assertEquals(links, LINKS);
});

Deno.test("docs/library.md has every code of an error, and no other", async () => {
  const file = join(REPO, "src/records/errors.ts");
  const { out } = await run(Deno.execPath(), ["doc", "--quiet", "--json", file]);
  const { nodes } = JSON.parse(out) as {
    nodes: Record<string, { symbols: { name: string; declarations: unknown[] }[] }>;
  };
  const symbols = Object.values(nodes).flatMap(({ symbols }) => symbols);
  const { declarations } = symbols.find(({ name }) => name === "ErrorCode")!;
  const codes = [...JSON.stringify(declarations).matchAll(/"string":"(\w+)"/g)].map(([, code]) =>
    code
  );
  const listed = [...page.matchAll(/^\| `(\w+)` +\| `\w+Error` /gm)].map(([, code]) => code);
  assertEquals(listed.toSorted(), codes.toSorted());
});

Deno.test("docs/library.md has every function of the library in its table of names", async () => {
  const exported = Object.entries(await import("../mod.ts"))
    .filter(([name, value]) => typeof value === "function" && !name.endsWith("Error"))
    .map(([name]) => name);
  const [, table] = /^## Names\n([^]*?)\n\n[^|]/m.exec(page.replace("## Names\n\n", "## Names\n"))!;
  const listed = [...table!.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  assertEquals(listed.toSorted(), exported.toSorted());
});
