import { VERB_NAMES, VERBS } from "../../../cli/command/flags.ts";
import { configure } from "../../support/receiver.ts";
import { NO_TMUX } from "../../support/review.ts";
import { REPO, run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

const GOLDEN = join(REPO, "tests/testdata/launcher_arguments.txt");

/** Every verb; one that means another verb without words, with a word, too. */
const LINES = VERB_NAMES.flatMap((name) =>
  VERBS[name].withoutWords === undefined ? [name] : [name, `${name} ID`]
);

/** Writes a script that launches every verb, with a `deno` that only notes its arguments. */
async function prepare(dir: TempDir): Promise<Record<string, string>> {
  await Deno.mkdir(dir.at("bin"));
  await Deno.mkdir(dir.at("root"));
  await Deno.mkdir(dir.at("cache/npm/registry/tldts"), { recursive: true });
  const deno = `#!/bin/sh
case "$*" in *notify/config.ts* | *appliers/config.ts*) exec '${Deno.execPath()}' "$@" ;; esac
printf ' %s' "$@" >> '${dir.at("said")}'
echo >> '${dir.at("said")}'
`;
  const script = LINES.map((line) =>
    `printf '%s' '${line}:' >> '${dir.at("said")}'; sh '${REPO}cli/supervise.sh' ${line}\n`
  );
  for (
    const [name, text] of [
      ["bin/deno", deno],
      ...["podman", "docker", "systemctl"].map((name) => [`bin/${name}`, "#!/bin/sh\n"] as const),
      ["all", `PATH='${dir.at("bin")}':$PATH\n${script.join("")}`],
    ] as const
  ) await Deno.writeTextFile(dir.at(name), text, { mode: 0o755 });
  return {
    CLAUDE_BOTTLE_ROOT: dir.at("root"),
    DENO_DIR: dir.at("cache"),
    ...{ EDITOR: "ed -s", VISUAL: "", PAGER: "", INIT_CWD: "" },
  };
}

Deno.test("every verb starts with exactly the arguments that its line in the golden file has", {
  ignore: NO_TMUX,
}, async () => {
  await using dir = await tempDir();
  const env = await prepare(dir);
  const sections: string[] = [];
  const take = async (title: string) => {
    const said = await Deno.readTextFile(dir.at("said"));
    await Deno.remove(dir.at("said"));
    const plain = said.replaceAll(dir.path, "DIR").replaceAll(REPO, "CHECKOUT/");
    sections.push(`# ${title}\n${plain}`);
  };
  for (const notify of ["without", "with"]) {
    if (notify === "with") {
      await configure({ ...dir, at: (...parts) => dir.at("root", ...parts) }, {
        ntfy: { url: "https://ntfy.example/topic" },
      });
    }
    const { err } = await run("sh", [dir.at("all")], { env });
    assertEquals(err, "");
    await take(`${notify} notify.json, in a pipe`);
    await using terminal = await openTerminal(`sh '${dir.at("all")}'; echo ended $?`, env);
    await terminal.sees(/^ended 0/m);
    await take(`${notify} notify.json, on a terminal`);
  }
  const made = sections.join("\n");
  if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(GOLDEN, made);
  else assertEquals(made, await Deno.readTextFile(GOLDEN));
});
