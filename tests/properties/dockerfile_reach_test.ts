import { compareDockerfile } from "../../src/config/dockerfile/compare.ts";
import { compareConfigFiles, TOOL_CAPABILITY_BLOCK, validateDockerfile } from "../../mod.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

// The oracle knows nothing of the product's readers. It reads the plain files that are generated here, one
// instruction a line, follows their stages, users, shells, directories and variables, and says what each
// instruction does with which of them.

const BASES = ["debian:13", "docker.io/library/debian:13", "node:22", "evil/x", "base", "build"];
const USERS = ["root", "0", "agent", "1000", "1000:1000", "$WHO", "${WHO}", "nobody"];
const SHELLS = ['["/bin/sh", "-c"]', '["/bin/bash", "-c"]', '["/work/sh", "-c"]'];

const lines = fc.oneof(
  fc.constantFrom(...BASES).map((base) => `FROM ${base}`),
  fc.tuple(fc.constantFrom(...BASES), fc.constantFrom("base", "build", "test"))
    .map(([base, name]) => `FROM ${base} AS ${name}`),
  fc.constantFrom(...USERS).map((user) => `USER ${user}`),
  fc.constantFrom(...SHELLS).map((shell) => `SHELL ${shell}`),
  fc.constantFrom("/work", "/", "/tmp", "sub").map((path) => `WORKDIR ${path}`),
  fc.constantFrom("make", "make install", "npm ci", "./setup", "$TOOL build", "./late").map((
    command,
  ) => `RUN ${command}`),
  fc.constantFrom(
    "--network=host",
    "--network=none",
    "--security=insecure",
    "--mount=from=evil/x,target=/e",
  )
    .map((flag) => `RUN ${flag} make`),
  fc.constantFrom("a /a", "a /usr/bin/a", "--from=build /x /y", "--from=evil/x /x /y", "b sub/b")
    .map((files) => `COPY ${files}`),
  fc.constantFrom(
    "LD_PRELOAD=/tmp/x.so",
    "WHO=root",
    "WHO=agent",
    "TOOL=quiet",
    "OTHER=thing",
    "PATH=/work:$PATH",
  )
    .chain((set) => fc.constantFrom(`ENV ${set}`, `ARG ${set}`)),
  fc.constantFrom('["agent"]', '["sh", "-c", "id"]', "run me").chain((start) =>
    fc.constantFrom(`CMD ${start}`, `ENTRYPOINT ${start}`)
  ),
  fc.constantFrom(
    "LABEL a=b",
    "EXPOSE 80",
    "# note",
    "STOPSIGNAL SIGINT",
    "VOLUME /data",
    "",
    "ENV APP_HINT=quiet",
  ),
);

const START = [
  ...["ARG WHO=agent", "FROM debian:13 AS build", "RUN make", "COPY a /a", "FROM node:22 AS base"],
  ...[
    "ENV WHO=agent",
    "RUN npm ci",
    "COPY --from=build /x /y",
    "WORKDIR /work",
    "USER agent",
    "RUN make",
  ],
  ...['ENTRYPOINT ["agent"]', "FROM base", "ENV OTHER=thing", "RUN ./late", 'CMD ["agent"]'],
];

/** One edit: a line more, a line less, a line instead of another, a line elsewhere. */
const edits = fc.tuple(
  fc.constantFrom("add", "remove", "replace", "move"),
  fc.nat(99),
  fc.nat(99),
  lines,
);

type Edit = typeof edits extends fc.Arbitrary<infer Of> ? Of : never;

function apply(file: readonly string[], [kind, from, to, line]: Edit): readonly string[] {
  const at = from % (file.length + 1);
  if (kind === "add") return file.toSpliced(at, 0, line);
  if (kind === "remove") return file.toSpliced(at, 1);
  if (kind === "replace") return file.toSpliced(at, 1, line);
  const [moved = ""] = file.slice(at, at + 1);
  return file.toSpliced(at, 1).toSpliced(to % file.length, 0, moved);
}

/** What the oracle lets an edit add: metadata, and a variable that is for display. */
const isFree = (line: string) => /^(?:LABEL|EXPOSE|STOPSIGNAL|VOLUME|#|$)|APP_HINT/.test(line);

interface Simple {
  readonly image: string;
  readonly did: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly args: Readonly<Record<string, string>>;
  readonly user: string;
  readonly shell: string;
  readonly dir: string;
  readonly entrypoint: string;
  readonly cmd: string;
}

const image = (name: string) => {
  const tagged = name.includes(":") ? name : `${name}:latest`;
  return tagged.startsWith("docker.io/")
    ? tagged
    : `docker.io/${tagged.includes("/") ? "" : "library/"}${tagged}`;
};

/** Of another image nobody knows the user. */
const STARTS_AS_ROOT = new Set(["docker.io/library/debian:13", "docker.io/library/node:22"]);

/** What the last stage does, in order, each with all that it does it with. */
function whatHappens(file: readonly string[]): ReadonlySet<string> {
  const stages = new Map<string, Simple>();
  const early: Record<string, string> = {};
  let stage: Simple | undefined;
  let name = "";
  const keep = () => stage && stages.set(name, stage);
  const value = (text: string) =>
    text.replace(/\$\{?(\w+)\}?/g, (whole, key) => stage?.set[key] ?? stage?.args[key] ?? whole);
  for (const line of file) {
    if (isFree(line)) continue;
    const [, keyword = "", rest = ""] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (keyword === "FROM") {
      keep();
      const [base = "", , as] = rest.split(" ");
      const parent = stages.get(base);
      stage = parent === undefined
        ? {
          image: image(base),
          did: [],
          set: {},
          args: {},
          user: STARTS_AS_ROOT.has(image(base)) ? "0" : "",
          shell: SHELLS[0]!,
          dir: "/",
          entrypoint: "",
          cmd: "",
        }
        : parent;
      name = as ?? `${stages.size}`;
      continue;
    }
    const [key = "", said = ""] = rest.split("=");
    if (stage === undefined) early[key] = said;
    else if (keyword === "USER") {
      const user = value(rest).replace(/^root$/, "0");
      stage = { ...stage, user };
    } else if (keyword === "SHELL") stage = { ...stage, shell: rest };
    else if (keyword === "WORKDIR") {
      stage = {
        ...stage,
        dir: rest.startsWith("/") ? rest : `${stage.dir.replace(/\/$/, "")}/${rest}`,
      };
    } else if (keyword === "CMD") stage = { ...stage, cmd: rest };
    else if (keyword === "ENTRYPOINT") stage = { ...stage, entrypoint: rest };
    else if (keyword === "ENV" || keyword === "ARG") {
      const now = { [key]: value(rest.slice(key.length + 1)) };
      const did = [...stage.did, `${keyword} ${key}=${now[key]} on ${stage.image}`];
      stage = keyword === "ENV"
        ? { ...stage, did, set: { ...stage.set, ...now } }
        : { ...stage, did, args: { ...stage.args, ...now } };
    } else {
      const { user, shell, dir, set, args } = stage;
      const from = /(?:--from=|from=)([^ ,]+)/.exec(rest)?.[1];
      const other = from === undefined ? undefined : stages.get(from);
      const source = from === undefined ? "" : other?.image ?? image(from);
      const own = keyword === "RUN"
        ? [user, shell, dir, JSON.stringify(Object.entries({ ...args, ...set }).sort())]
        : [/ \//.test(rest) ? "" : dir];
      const written = rest.replace(/from=[^ ,]+|--network=none /, "");
      const did = [`${keyword} ${written}`, ...own, source, stage.image].join(" | ");
      // What a stage did comes with its files.
      stage = { ...stage, did: [...stage.did, ...other?.did ?? [], did] };
    }
  }
  if (stage === undefined) return new Set();
  const { entrypoint, cmd, user, shell, dir, did } = stage;
  // What a base image starts with keeps the shell that it was built with.
  const shells = [entrypoint, cmd].some((text) => /^[^[]/.test(text)) ? shell : "";
  const rest = [
    `user ${user}`,
    `start ${entrypoint} ${cmd} ${shells} ${dir}`,
    `image ${stage.image}`,
  ];
  return new Set([...did, ...rest]);
}

/** A file in which nothing new is found does nothing that the other one did not. */
function assertNothingGained(before: readonly string[], after: readonly string[]): void {
  const had = whatHappens(before);
  // Whatever user an image has of its own, root could do as much.
  const known = had.has("user 0") ? had.union(new Set(["user "])) : had;
  const gained = [...whatHappens(after)].filter((each) => !known.has(each));
  assertEquals(gained, [], `${before.join("\n")}\n\nbecomes\n\n${after.join("\n")}`);
}

const textOf = (file: readonly string[]) => `${file.join("\n")}\n`;

/** Whether a change is valid, and the judge finds nothing new in it: a judgement, which these files bear out. */
function isAllowed(before: readonly string[], after: readonly string[]): boolean {
  const [one, two] = [textOf(before), textOf(after)];
  if (validateDockerfile(two).length > 0) return false;
  const { reach, added, marks } = compareConfigFiles(TOOL_CAPABILITY_BLOCK, one, two);
  return reach !== "unknown" && added.length + marks.length === 0;
}

// Threat: A10
Deno.test("compareConfigFiles() says no-new-reach of Dockerfiles only if their instructions are the same", () => {
  const compared = { same: 0, other: 0 };
  const read = (file: readonly string[]) => file.filter((line) => !/^(?:#|$)/.test(line));
  holds(
    fc.property(
      fc.array(edits, { maxLength: 4 }),
      fc.array(edits, { maxLength: 2 }),
      (old, now) => {
        const before = old.reduce(apply, START as readonly string[]);
        const after = now.reduce(apply, before);
        const [one, two] = [textOf(before), textOf(after)];
        if ([one, two].some((text) => validateDockerfile(text).length > 0)) return;
        const { reach } = compareConfigFiles(TOOL_CAPABILITY_BLOCK, one, two);
        const isSame = read(before).join("\n") === read(after).join("\n");
        assertEquals(reach === "no-new-reach", isSame, `${one}\nbecomes\n${two}`);
        compared[isSame ? "same" : "other"]++;
      },
    ),
  );
  assert(compared.same > 0 && compared.other > 0);
});

const packages = fc.uniqueArray(fc.constantFrom("jq", "curl=8.1", "git", "libc6=2.41-12"));

// Threat: A10
Deno.test("a Dockerfile with plain installations more is known whole: their packages are what is new", () => {
  const compared = { plain: 0, other: 0 };
  const option = fc.oneof(
    { arbitrary: fc.constant(""), weight: 3 },
    fc.constantFrom(" -o A::B=c", " --allow-downgrades", " ./x.deb", " $X", " jq-"),
  );
  const moved = fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, fc.nat(9));
  holds(
    fc.property(packages, packages, fc.nat(9), moved, option, (old, now, at, by, odd) => {
      const to = (at + by) % 10;
      const install = (names: readonly string[], more = "") =>
        `RUN apt-get update && apt-get install -y ${names.join(" ")}${more} && apt-get clean`;
      const put = (names: readonly string[], place: number, more?: string) =>
        names.length === 0 ? START : START.toSpliced(6 + place, 0, install(names, more));
      const [before, after] = [put(old, at), put(now, to, odd)];
      const found = compareConfigFiles(TOOL_CAPABILITY_BLOCK, textOf(before), textOf(after));
      const isNew = now.some((name) => !old.includes(name));
      const isLess = old.some((name) => !now.includes(name));
      // In a place where nothing of this manager is installed, another line may set its registry.
      const isPlain = odd === "" && isNew && !isLess && at === to && old.length > 0;
      const isSame = before.join("\n") === after.join("\n");
      assertEquals([found.isWhole, found.reach === "no-new-reach"], [isPlain || isSame, isSame]);
      compared[isPlain ? "plain" : "other"]++;
      if (!isPlain) return;
      const values = found.added.map(({ value }) => value);
      const expected = now.filter((name) => !old.includes(name))
        .map((name) => `deb:${name.replace("=", "@")}`);
      assertEquals(expected.filter((value) => !values.includes(value)), []);
    }),
  );
  assert(compared.plain > 0 && compared.other > 0);
});

// Threat: A10
Deno.test("a Dockerfile in which nothing new is found does nothing that the one in force does not", () => {
  let allowed = 0;
  holds(
    fc.property(
      fc.array(edits, { minLength: 0, maxLength: 6 }),
      fc.array(edits, { minLength: 1, maxLength: 3 }),
      (old, now) => {
        const before = old.reduce(apply, START as readonly string[]);
        if (validateDockerfile(`${before.join("\n")}\n`).length > 0) return;
        const after = now.reduce(apply, before);
        if (!isAllowed(before, after)) return;
        allowed++;
        assertNothingGained(before, after);
      },
    ),
  );
  assert(allowed > 0);
});

// Threat: A10
Deno.test("a hundred edits of a Dockerfile, in each of which nothing new is found, gain nothing", () => {
  let steps = 0;
  holds(
    fc.property(fc.array(edits, { minLength: 100, maxLength: 100 }), (all) => {
      let file: readonly string[] = START;
      for (const edit of all) {
        const next = apply(file, edit);
        if (!isAllowed(file, next)) continue;
        if (next.join() !== file.join()) steps++;
        file = next;
      }
      assertNothingGained(START, file);
    }),
    20,
  );
  assert(steps > 0);
});

Deno.test("files with equal reach are compared the same, however they are spelt", () => {
  const spellings: readonly ((file: string) => string)[] = [
    (file) => file.replaceAll("\n", "\r\n"),
    (file) => file.replace(/^(?:RUN|COPY|USER|FROM|ENV|ARG)/gm, (word) => word.toLowerCase()),
    (file) => file.replaceAll(" debian:13", " docker.io/library/debian:13"),
    (file) => file.replace(/\n/g, "\n\n# note\n"),
    (file) => file.replace(/^(COPY|RUN|ENV) (\S+)/gm, "$1 \\\n  $2"),
  ];
  let compared = 0;
  holds(
    fc.property(fc.array(edits, { maxLength: 8 }), fc.constantFrom(...spellings), (all, spell) => {
      const file = `${all.reduce(apply, START as readonly string[]).join("\n")}\n`;
      const other = spell(file);
      if (validateDockerfile(file).length > 0 || validateDockerfile(other).length > 0) return;
      compared++;
      const { added, marks } = compareDockerfile(file, other);
      assertEquals([added, marks], [[], []], other);
    }),
  );
  assert(compared > 0);
});
