import {
  type FlagName,
  FLAGS,
  splitArgs,
  type Verb,
  VERB_NAMES,
  VERBS,
} from "../../../cli/command/flags.ts";
import { splitWords } from "../../../cli/command/split_words.ts";
import { holds } from "../../support/properties.ts";
import { configure, startReceiver } from "../../support/receiver.ts";
import { REPO, run, type RunResult } from "../../support/run.ts";
import { NO_TMUX } from "../../support/review.ts";
import { openTerminal } from "../../support/tmux.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";

const LAUNCHER = join(REPO, "cli/supervise.sh");

const FLAG_NAMES = Object.keys(FLAGS) as FlagName[];

/** A shell function that is true of some words alone. */
function shellTest(name: string, subject: string, patterns: readonly string[]): string {
  return `${name}() {
  case ${subject} in
    ${patterns.join(" |\\\n    ")}) ;;
    *) return 1 ;;
  esac
}
`;
}

/** Which verbs, with how many words, are like this: without arguments some mean another verb. */
function verbPatterns(isOne: (verb: Verb) => boolean): string[] {
  return VERB_NAMES.flatMap((name) => {
    const { withoutWords } = VERBS[name];
    if (isOne(VERBS[name])) return [`${name}:*`];
    return withoutWords !== undefined && isOne(VERBS[withoutWords]) ? [`${name}:1`] : [];
  });
}

/** Both words of the verbs that are like this; `*` for the second one of a verb that has one word. */
function wordPatterns(isOne: (verb: Verb) => boolean): string[] {
  return VERB_NAMES.flatMap((name) => {
    const [first, second = "*"] = name.split(" ");
    return isOne(VERBS[name]) ? [`${first}:${second}`] : [];
  });
}

/** The shell function that finds the program of a verb. */
function programChoice(): string {
  const cases = VERB_NAMES.flatMap((name) => {
    const [first, second = "*"] = name.split(" ");
    const { program, withoutWords } = VERBS[name];
    const meant = withoutWords === undefined ? undefined : VERBS[withoutWords].program;
    return [
      ...(meant === undefined ? [] : [`${first}:1:*) program=verbs/${meant} ;;`]),
      ...(program === undefined ? [] : [`${first}:*:${second}) program=verbs/${program} ;;`]),
    ];
  });
  return `choose_program() {
  case $1:$2:$3 in
    ${[...cases, "*) program=main ;;"].join("\n    ")}
  esac
}
`;
}

/** The part of the launcher that knows verbs and flags. */
function generated(): string {
  const flags = (isOne: (name: FlagName) => boolean) =>
    FLAG_NAMES.filter(isOne).map((name) => `--${name}`);
  return [
    shellTest("takes_value", "$1", flags((name) => FLAGS[name].value !== undefined)),
    shellTest("names_file", "$1", flags((name) => FLAGS[name].offers === "files")),
    shellTest("edits", "$1:$2", verbPatterns(({ edits }) => edits === true)),
    shellTest("notifies", "$1:$2", verbPatterns(({ notifies }) => notifies === true)),
    shellTest("applies", "$1:$2", wordPatterns(({ applies }) => applies === true)),
    shellTest("pages", "$1:$2", wordPatterns(({ pages }) => pages === true)),
    shellTest("takes_screen", "$1:$2", verbPatterns(({ fullScreen }) => fullScreen === true)),
    shellTest("reads_only", "$1:$2", wordPatterns(({ readsOnly }) => readsOnly === true)),
    shellTest(
      "starts_sidecars",
      "$1:$2",
      VERB_NAMES.filter((name) => VERBS[name].startsSidecars).map((name) => name.replace(" ", ":")),
    ),
    programChoice(),
  ].join("\n");
}

Deno.test("the launcher's part about verbs and flags is made from their tables", async () => {
  const script = await Deno.readTextFile(LAUNCHER);
  const [, before, , after] =
    /^([^]*?\n# <flags>[^]*?UPDATE_GOLDEN=1\.\n)([^]*)(# <\/flags>\n[^]*)$/.exec(script) ?? [];
  const made = `${before}${generated()}${after}`;
  if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(LAUNCHER, made);
  else assertEquals(script, made);
});

/** Runs the launcher with a `deno` that only prints its arguments. */
async function launched(
  dir: TempDir,
  args: readonly string[],
  env: Record<string, string> = {},
  start: readonly [string, ...string[]] = ["sh", LAUNCHER],
  cwd?: string,
): Promise<RunResult> {
  await Deno.mkdir(dir.at("bin"), { recursive: true });
  // What the launcher itself starts, to learn what notify.json and apply.json name, it does start.
  const real =
    `case "$*" in *notify/config.ts* | *appliers/config.ts* | *command/split_words.ts*) exec '${Deno.execPath()}' "$@" ;; esac\n`;
  const deno = `#!/bin/sh\n${real}printf "%s\\n" "$@" "in $(pwd)"\n`;
  await Deno.writeTextFile(dir.at("bin", "deno"), deno, { mode: 0o755 });
  const [command, ...before] = start;
  return await run(command, [...before, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: {
      PATH: `${dir.at("bin")}:${Deno.env.get("PATH")}`,
      CLAUDE_BOTTLE_ROOT: "/root-of-ours",
      EDITOR: "",
      VISUAL: "",
      INIT_CWD: "",
      ...env,
    },
  });
}

/** The permissions that the launcher grants, or why it grants none. */
async function grants(
  dir: TempDir,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string[]> {
  const { out, err } = await launched(dir, args, env);
  if (out === "") return [err.trim()];
  // Behind the program's name are its own arguments.
  const [flags = ""] = out.split(/^.*\/cli\/(?:main|verbs\/\w+)\.ts$/m);
  return flags.split("\n").slice(0, -1);
}

/** What comes before the grants, whatever the verb: nothing may be asked for later. */
const ALWAYS = [
  "run",
  "--quiet",
  "--no-prompt",
  "--frozen",
  `--config=${join(REPO, "cli")}/../deno.json`,
  "--v8-flags=--min-semi-space-size=8",
];

const granted = (root: string, readable = root, editor?: string) => [
  ...ALWAYS,
  `--allow-read=${readable}`,
  `--allow-write=${root}`,
  ...(editor === undefined ? [] : [`--allow-run=${editor}`]),
  "--allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR,COLUMNS,TERM,TERM_PROGRAM",
  "--allow-sys=hostname,uid,gid,userInfo,statfs",
];

for (
  const [args, env, expected] of [
    [["list"], {}, granted("/root-of-ours")],
    [["list"], { CLAUDE_BOTTLE_ROOT: "", HOME: "/home/ada" }, granted("/home/ada/.claude-bottle")],
    [["list", "--root", "/a b"], {}, granted("/a b")],
    [["--root=/r", "list"], {}, granted("/r")],
    [["modify", "x", "--file", "/f"], {}, granted("/root-of-ours", "/root-of-ours,/f", "vi")],
    [["modify", "x", "--file", "-"], {}, granted("/root-of-ours", "/root-of-ours", "vi")],
    [["review"], { EDITOR: "code --wait" }, granted("/root-of-ours", "/root-of-ours", "code")],
    [["list"], { EDITOR: "code --wait" }, granted("/root-of-ours")],
    // A variable that is blank, or begins with empty quotes, counts as unset.
    ...["  ", "''", '\t"" -n'].map((VISUAL) =>
      [
        ["modify", "x"],
        { VISUAL, EDITOR: "\tnano\t-w" },
        granted("/root-of-ours", "/root-of-ours", "nano"),
      ] as const
    ),
    [
      ["modify", "x"],
      { VISUAL: " ", EDITOR: "''" },
      granted(
        "/root-of-ours",
        "/root-of-ours",
        "vi",
      ),
    ],
    [
      ["list"],
      { CLAUDE_BOTTLE_ROOT: " \t", HOME: "/home/ada" },
      granted("/home/ada/.claude-bottle"),
    ],
    // The value of a flag such as --notes must not become a grant.
    [["reject", "x", "--notes", "--root=/"], {}, granted("/root-of-ours")],
    [["reject", "x", "--notes", "--file=/etc/shadow"], {}, granted("/root-of-ours")],
    [["approve", "x", "--confirm", "--file=/etc/shadow"], {}, granted("/root-of-ours")],
    [["list", "--tool", "--root=/", "--since", "--root=/"], {}, granted("/root-of-ours")],
    [["list", "--sort", "--file=/etc/shadow"], {}, granted("/root-of-ours")],
    [["list", "--", "--root", "/"], {}, granted("/root-of-ours")],
    ...["--file", "--public-key", "--anchors", "--archive"].map((flag) =>
      [["list", flag, "a,/etc/shadow"], {}, [
        "Cannot grant a path with a comma: a,/etc/shadow",
      ]] as const
    ),
    // Both would name a file if the shell looked for one.
    [["list", "--root", "/et[c]"], {}, granted("/et[c]")],
    [
      ["modify", "x"],
      { EDITOR: "/bin/s? -w" },
      granted("/root-of-ours", "/root-of-ours", "/bin/s?"),
    ],
    // Deno would grant "/r" and "vi".
    ...[["list", "--root", "/r\r"], ["list", "--file=/r\r", "--file=/f"]].map((words) =>
      [words, {}, ["Cannot grant a path with a carriage return: /r"]] as const
    ),
    [
      ["list"],
      { CLAUDE_BOTTLE_ROOT: "/r\r" },
      ["Cannot grant a path with a carriage return: /r"],
    ],
    ...["vi\r", "''vi\r", "'vi'\r -n"].map((EDITOR) =>
      [["review"], { EDITOR }, ["Cannot grant a path with a carriage return: vi"]] as const
    ),
    [["list", "--root", "/a,/etc"], {}, ["Cannot grant a path with a comma: /a,/etc"]],
    [["review"], { EDITOR: "vi,sh" }, ["Cannot grant a path with a comma: vi,sh"]],
    [
      ["list", "--root", ""],
      {},
      ["Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME, or give --root"],
    ],
    [
      ["list"],
      { CLAUDE_BOTTLE_ROOT: "", HOME: "" },
      ["Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME, or give --root"],
    ],
  ] as const
) {
  Deno.test(`the launcher grants exactly what ${JSON.stringify([args, env])} needs`, async () => {
    await using dir = await tempDir();
    assertEquals(await grants(dir, args, env), [...expected]);
  });
}

Deno.test("on a terminal the full screen may also start suspend.sh, and --plain may not", {
  ignore: NO_TMUX,
}, async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("bin"));
  const deno = `#!/bin/sh\nprintf '%s\\n' "$@" > '${dir.at("said")}'\n`;
  await Deno.writeTextFile(dir.at("bin/deno"), deno, { mode: 0o755 });
  const env = {
    CLAUDE_BOTTLE_ROOT: "/root-of-ours",
    EDITOR: "ed",
    VISUAL: "",
    INIT_CWD: "",
    DENO_DIR: dir.at("cache"),
  };
  await Deno.mkdir(dir.at("cache/npm/registry/tldts"), { recursive: true });
  for (
    const [words, editor] of [["review", `ed,${REPO}cli/suspend.sh`], ["review --plain", "ed"]]
  ) {
    await using terminal = await openTerminal(
      `PATH='${dir.at("bin")}':$PATH sh '${LAUNCHER}' ${words}; echo ended $?`,
      env,
    );
    await terminal.sees(/ended 0/);
    const said = (await Deno.readTextFile(dir.at("said"))).split("\n");
    const program = said.findIndex((line) => line.endsWith("/cli/verbs/review.ts"));
    assertEquals(said.slice(0, program), granted("/root-of-ours", "/root-of-ours", editor));
  }
  // With an empty cache Deno downloads, and shows its progress.
  await using first = await openTerminal(
    `PATH='${dir.at("bin")}':$PATH sh '${LAUNCHER}' list; echo ended $?`,
    { ...env, DENO_DIR: dir.at("empty"), HOME: dir.path },
  );
  await first.sees(/^Downloading packages, once\.\.\.\n+ended 0/m);
  assertEquals((await Deno.readTextFile(dir.at("said"))).includes("--quiet"), false);
});

const NOTIFY = {
  webhook: { url: "https://hooks.example/x" },
  ntfy: { url: "http://[::1]:8080/topic" },
};

const NET = ["--allow-net=hooks.example:443,[::1]:8080"];

for (
  const [args, net] of [
    [["watch"], NET],
    [["review"], NET],
    [["approve"], NET],
    [["notify"], NET],
    [["--json", "--bottle", "dev-1", "watch"], NET],
    [["--notes=x", "--", "watch"], NET],
    [["approve", "6da1"], []],
    [["list"], []],
    [["show", "watch"], []],
    [["reject", "x", "--notes", "watch"], []],
    [["--notes", "watch", "list"], []],
    [["audit", "verify"], []],
  ] as const
) {
  Deno.test(`the launcher lets ${args.join(" ")} reach ${net.length > 0 ? "the hosts of notify.json" : "nothing"}`, async () => {
    await using dir = await tempDir();
    const env = { CLAUDE_BOTTLE_ROOT: dir.path };
    const editor = args[0] === "review" || args.join() === "approve" ? "vi" : undefined;
    const before = granted(dir.path, dir.path, editor);
    assertEquals(await grants(dir, args, env), before);
    await configure(dir, NOTIFY);
    assertEquals(await grants(dir, args, env), [...before, ...net]);
  });
}

Deno.test.each(
  [
    ["list", "verbs/list"],
    ["--root /r list", "verbs/list"],
    ["approve 6da1", "verbs/decide"],
    ["approve", "verbs/review"],
    ["audit show", "verbs/audit_show"],
    ["audit head", "verbs/audit"],
    ["audit --json verify", "verbs/audit_verify"],
    ["audit", "main"],
    ["audit frobnicate", "main"],
    ["frobnicate list", "main"],
    ["help list", "main"],
    ["completions bash", "main"],
    ["--help", "main"],
    ["", "main"],
  ] as const,
)("the launcher starts for '%s' the program %s", async (line, program) => {
  await using dir = await tempDir();
  const { out } = await launched(dir, line.split(" ").filter((word) => word !== ""));
  assertEquals(/^.*\/cli\/((?:verbs\/)?\w+)\.ts$/m.exec(out)?.[1], program);
});

const STARTERS = ["podman", "docker", "systemctl"];

for (const name of VERB_NAMES) {
  const starts = ["bottle up", "bottle down", "bottle status", "bottle remove"].includes(name);
  Deno.test(`the launcher lets ${name} start ${starts ? "what runs sidecars" : "no engine"}`, async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("bin"));
    const paths = STARTERS.map((name) => dir.at("bin", name));
    for (const path of paths) await Deno.writeTextFile(path, "#!/bin/sh\n", { mode: 0o755 });
    const run = (await grants(dir, [...name.split(" "), "x"])).find((grant) =>
      grant.startsWith("--allow-run")
    ) ?? "";
    if (starts) {
      assertEquals(run, `--allow-run=${paths.join(",")}`);
    } else {assertEquals(
        STARTERS.filter((name) =>
          run.includes(name)
        ),
        [],
      );}
  });
}

Deno.test.each([["doctor"], ["completions ids"], ["help list"]])(
  "the launcher lets %s write nothing",
  async (line) => {
    await using dir = await tempDir();
    const but = granted("/root-of-ours").filter((flag) => !flag.startsWith("--allow-write"));
    assertEquals(await grants(dir, line.split(" ")), but);
  },
);

for (
  const [what, config, mode] of [
    ["is broken", '{"webhook": {"url": "https://hooks.example/x"}', 0o600],
    ["has an unknown field", { ...NOTIFY, more: 1 }, 0o600],
    ["names two hosts as one", { webhook: { url: "https://a,evil.example/x" } }, 0o600],
    ["names all hosts", { webhook: { url: "https://*.example/x" } }, 0o600],
    ["names no receiver", {}, 0o600],
    ["others may change", NOTIFY, 0o622],
  ] as const
) {
  // Threat: C8
  Deno.test(`the launcher grants no network where notify.json ${what}`, async () => {
    await using dir = await tempDir();
    await configure(dir, config);
    await Deno.chmod(dir.at("notify.json"), mode);
    const env = { CLAUDE_BOTTLE_ROOT: dir.path };
    assertEquals(await grants(dir, ["watch"], env), granted(dir.path));
  });
}

// Threat: C8
Deno.test("the launcher's grant reaches the one host and port of notify.json, and without it nothing is reached", async () => {
  await using dir = await tempDir();
  await using told = startReceiver();
  await using other = startReceiver();
  const probe = dir.at("probe.ts");
  await Deno.writeTextFile(
    probe,
    `for (const url of Deno.args) {
      console.log(await fetch(url).then((r) => r.status, (error) => error.name));
    }`,
  );
  const reached = async () => {
    const flags = await grants(dir, ["watch"], { CLAUDE_BOTTLE_ROOT: dir.path });
    const args = [...flags, probe, told.url("/"), other.url("/")];
    return (await run(Deno.execPath(), args)).out.trim().split("\n");
  };
  assertEquals(await reached(), ["NotCapable", "NotCapable"]);
  await configure(dir, { webhook: { url: told.url("/hook") } });
  assertEquals(await reached(), ["200", "NotCapable"]);
});

/** An `apply.json` that names everything that is granted. */
const APPLY = (dir: TempDir) => ({
  pipelock: {
    render: "squid",
    to: dir.at("proxy", "allowed"),
    check: { argv: ["/usr/bin/true"] },
    reload: { argv: ["/usr/bin/env", "true"] },
    probe: { proxy: "127.0.0.1:3128" },
  },
});

for (
  const [args, applies] of [
    [["approve", "6da1"], true],
    [["approve"], true],
    [["modify", "6da1"], true],
    [["review"], true],
    [["watch", "--decide"], true],
    [["--decide=true", "watch"], true],
    [["watch"], false],
    [["watch", "--decide=false"], false],
    [["watch", "--", "--decide"], false],
    [["watch", "--notes", "--decide"], false],
    [["list"], false],
    [["reject", "6da1"], false],
    [["audit", "approve"], false],
  ] as const
) {
  // Threat: C8
  Deno.test(`the launcher lets ${args.join(" ")} use ${applies ? "what apply.json names" : "nothing of apply.json"}`, async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("proxy"), { mode: 0o700 });
    const env = { CLAUDE_BOTTLE_ROOT: dir.path };
    const before = await grants(dir, args, env);
    const text = JSON.stringify(APPLY(dir));
    await Deno.writeTextFile(dir.at("apply.json"), text, { mode: 0o600 });
    const proxy = dir.at("proxy");
    const running = (programs: string) => (flag: string) => {
      if (flag.startsWith("--allow-run")) return [`${flag},${programs}`];
      if (!flag.startsWith("--allow-env")) return [flag];
      const run = before.some((flag) => flag.startsWith("--allow-run"));
      return run ? [flag] : [`--allow-run=${programs}`, flag];
    };
    const expected = before.flatMap(running("/bin/ls,/usr/bin/true,/usr/bin/env")).map((flag) =>
      /^--allow-(?:read|write)/.test(flag) ? `${flag},${proxy}` : flag
    );
    assertEquals(
      await grants(dir, args, env),
      applies ? [...expected, "--allow-net=127.0.0.1:3128"] : before,
    );
    // The verb itself looks at it, and says what is wrong.
    await Deno.chmod(dir.at("apply.json"), 0o620);
    const refused = applies ? before.flatMap(running("/bin/ls")) : before;
    assertEquals(await grants(dir, args, env), refused);
    await Deno.chmod(dir.at("apply.json"), 0o600);
    await Deno.remove(proxy);
    await Deno.mkdir(dir.at("a,", "etc"), { recursive: true });
    await Deno.symlink("a,/etc", proxy);
    assertEquals(await grants(dir, args, env), refused);
  });
}

// Threat: C8
Deno.test("the launcher itself refuses what would be two grants, or another one, in what it is told of apply.json", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("apply.json"), "{}");
  await Deno.mkdir(dir.at("bin"));
  for (const line of ["run /bin/a,/bin/b", "use /srv/a,/etc", "net a:1,b:2", "use /srv/a\r"]) {
    const deno = `#!/bin/sh\nprintf '%s\\n' '${line}'\n`;
    await Deno.writeTextFile(dir.at("bin/deno"), deno, { mode: 0o755 });
    const { code, err } = await run(LAUNCHER, ["watch", "--decide"], {
      env: { PATH: `${dir.at("bin")}:${Deno.env.get("PATH")}`, CLAUDE_BOTTLE_ROOT: dir.path },
    });
    assertEquals(code, 2);
    assertStringIncludes(err, "Cannot grant a path with a c");
  }
});

Deno.test("the launcher reads a notify.json that is a link", async () => {
  await using dir = await tempDir();
  await configure(dir, NOTIFY);
  await Deno.rename(dir.at("notify.json"), dir.at("elsewhere.json"));
  await Deno.symlink("elsewhere.json", dir.at("notify.json"));
  const env = { CLAUDE_BOTTLE_ROOT: dir.path };
  assertEquals(await grants(dir, ["watch"], env), [...granted(dir.path), ...NET]);
});

Deno.test("the launcher splits any command line as the program does", async () => {
  await using dir = await tempDir();
  const value = fc.constantFrom(
    "/v",
    "-",
    "--",
    "--root",
    "--file=/w",
    "--json",
    "-h",
    "x=y",
    "list",
  );
  const name = fc.oneof(
    fc.constantFrom(...FLAG_NAMES),
    fc.constantFrom("rot", "root.x", "no-plain", "Root", "roots"),
  );
  const word = fc.oneof(
    value,
    name.map((name) => `--${name}`),
    fc.tuple(name, value).map(([name, value]) => `--${name}=${value}`),
  );
  await holds(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
      const { flags } = splitArgs(words);
      const values = (isOne: (name: FlagName) => boolean) =>
        flags.flatMap(({ name, value }) => name && isOne(name) && value ? [value] : []);
      const root = values((name) => name === "root").at(-1) ?? "/root-of-ours";
      const files = values((name) => FLAGS[name].offers === "files").filter((file) => file !== "-");
      assertEquals(await grants(dir, words), granted(root, [root, ...files].join(",")));
    }),
    100,
  );
});

for (const name of FLAG_NAMES) {
  const { value, offers } = FLAGS[name];
  if (value === undefined) continue;
  Deno.test(`the launcher takes the word behind --${name} for its value`, async () => {
    await using dir = await tempDir();
    const root = name === "root" ? "--root=/" : "/root-of-ours";
    const readable = offers === "files" ? `${root},--root=/` : root;
    assertEquals(await grants(dir, ["list", `--${name}`, "--root=/"]), granted(root, readable));
  });
}

Deno.test("the launcher grants the program that splitWords finds in $EDITOR", async () => {
  await using dir = await tempDir();
  const part = fc.constantFrom(
    ..."'\"\\~$`*?#;&|(){}=-/ \t\n\u00a0\r\u3000é",
    "ed",
    "--wait",
    "~/",
    "\\ ",
  );
  await holds(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      const EDITOR = parts.join("");
      const program = splitWords(EDITOR, "/home/ada")?.[0] || "vi";
      assertEquals(
        await grants(dir, ["modify", "x"], { EDITOR, HOME: "/home/ada" }),
        program.includes("\r")
          ? [`Cannot grant a path with a carriage return: ${program}`.trim()]
          : granted("/root-of-ours", "/root-of-ours", program),
      );
    }),
    200,
  );
});

Deno.test("the launcher works through a link, and through a link to a link", async () => {
  await using dir = await tempDir();
  await Deno.symlink(LAUNCHER, dir.at("one"));
  await Deno.symlink("one", dir.at("two"));
  await Deno.mkdir(dir.at("queue"));
  const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
  const { code, out, err } = await run("sh", [dir.at("two"), "list"], { env, cwd: "/" });
  assertEquals([code, out, err], [0, "Nothing is pending.\n", ""]);
});

Deno.test("a root whose name is not UTF-8 is refused in words: Deno would read another one", async () => {
  await using dir = await tempDir();
  const env = { CLAUDE_BOTTLE_ROOT: "", HOME: dir.path, NO_COLOR: "1" };
  for (
    const [before, words, says] of [
      ["", 'list --root "$1"', "a name in its path is not UTF-8; name another one with --root\n"],
      ["", 'bottle add dev-1 --root="$1"', "a name in its path is not UTF-8; name another one"],
      ['CLAUDE_BOTTLE_ROOT="$1"', "list", "environment variable was not valid unicode"],
    ] as const
  ) {
    const script = `set -- "$0" "$(printf '%s/\\377' "$0")"; shift; mkdir -p "$1"; ` +
      `${before} sh '${LAUNCHER}' ${words}`;
    const { code, out, err } = await run("sh", ["-c", script, dir.path], { env });
    assertEquals([code, out], [1, ""], err);
    assertStringIncludes(err, says);
  }
});

Deno.test("the launcher starts its own checkout, whatever CDPATH says", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("queue"));
  await Deno.mkdir(dir.at("cli"));
  await Deno.writeTextFile(dir.at("cli", "main.ts"), "console.log('another');");
  const env = {
    CLAUDE_BOTTLE_ROOT: dir.path,
    NO_COLOR: "1",
    CDPATH: dir.path,
    EDITOR: "",
    VISUAL: "",
  };
  const { out, err } = await run("sh", ["cli/supervise.sh", "list"], { env, cwd: REPO });
  assertEquals([out, err], ["Nothing is pending.\n", ""]);
});

Deno.test("a relative path is meant from where the command was typed, whatever INIT_CWD says", async () => {
  await using dir = await tempDir();
  for (const place of ["typed", "other"]) await Deno.mkdir(dir.at(place));
  const files = FLAG_NAMES.filter((name) => FLAGS[name].offers === "files");
  const words = ["modify", "x", "--root=r", ...files.map((name) => `--${name}=f`)];
  const task = [Deno.execPath(), "task", "--quiet", "--config", `${REPO}deno.json`, "supervise"];
  for (const start of [["sh", LAUNCHER], task] as [string, ...string[]][]) {
    for (const INIT_CWD of ["", dir.at("other"), dir.at("gone"), "-x"]) {
      const { out, err } = await launched(dir, words, { INIT_CWD }, start, dir.at("typed"));
      assertEquals([INIT_CWD, err], [INIT_CWD, ""]);
      assertStringIncludes(out, `\n--allow-read=r${",f".repeat(files.length)}\n`);
      assertStringIncludes(out, `\nin ${dir.at("typed")}\n`);
    }
  }
});
