import { compareScripts, type Script } from "../../src/config/shell/compare.ts";
import { countWork } from "../support/work.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import commands from "../../src/config/shell/commands.json" with { type: "json" };
import fc from "fast-check";

const script = (text: string): Script => ({ text, lineAt: () => 1, isRoot: true, shell: "sh" });

const compare = (before: string, after: string) =>
  compareScripts([script(before)], [script(after)]);

/** Programs that no list has, so that each of their calls is one of its own. */
const programs = fc.constantFrom("frob", "grind", "./tool", "/opt/x/run");

const argument = fc.constantFrom("a", "b", "--c", "-d", "a b", "$", "'", '"', "#", "", "*", "c;d");

interface Line {
  readonly program: string;
  readonly words: readonly string[];
  readonly joint: "&&" | ";" | "\n" | "|" | "||";
}

const lines: fc.Arbitrary<readonly Line[]> = fc.array(
  fc.record({
    program: programs,
    words: fc.array(argument, { maxLength: 3 }),
    joint: fc.constantFrom("&&", ";", "\n", "|", "||"),
  }),
  { minLength: 1, maxLength: 5 },
);

/** The ways to write one word. */
const WAYS: readonly ((word: string) => string)[] = [
  (word) => `'${word.replaceAll("'", "'\\''")}'`,
  (word) => `"${word.replace(/["$`\\]/g, "\\$&")}"`,
  (word) => word === "" ? '""' : [...word].map((character) => `\\${character}`).join(""),
  (word) =>
    word === ""
      ? "''"
      : `''${[...word].map((character) => `'${character}'`.replace("'''", `"'"`)).join("")}`,
];

const write = (all: readonly Line[], way: (word: string, index: number) => string): string =>
  all.map(({ program, words, joint }, index) =>
    [program, ...words.map(way)].join(" ") + (index === all.length - 1 ? "" : ` ${joint} `)
  ).join("");

/** The commands that run, read from the list itself, which knows no shell. */
const commandsOf = (all: readonly Line[]): ReadonlySet<string> =>
  new Set(all.map(({ program, words }) => JSON.stringify([program, words])));

// Threat: A10
Deno.test("a command that only the new script runs is added, whatever it is written like", () => {
  const way = fc.integer({ min: 0, max: WAYS.length - 1 });
  holds(fc.property(lines, lines, way, way, (before, after, one, other) => {
    const { added } = compare(write(before, WAYS[one]!), write(after, WAYS[other]!));
    const had = commandsOf(before);
    const isNew = [...commandsOf(after)].some((command) => !had.has(command));
    if (isNew) assert(added.length > 0, JSON.stringify([before, after]));
  }));
});

Deno.test("a script that is written otherwise adds nothing", () => {
  const way = fc.integer({ min: 0, max: WAYS.length - 1 });
  holds(
    fc.property(lines, fc.array(way, { minLength: 20, maxLength: 20 }), way, (all, ways, one) => {
      let at = 0;
      const mixed = write(all, (word) => WAYS[ways[at++ % ways.length]!]!(word));
      const { added, marks, isUnknown } = compare(write(all, WAYS[one]!), mixed);
      assertEquals({ added, marks, isUnknown }, { added: [], marks: [], isUnknown: false });
    }),
  );
});

Deno.test("a command that gets another input, or runs in another case, is added", () => {
  holds(fc.property(lines, fc.constantFrom("|", "||"), lines, (before, joint, after) => {
    const last = write(after, WAYS[0]!);
    const plain = `{ ${last}\n}`;
    const front = write(before, WAYS[0]!);
    const { added } = compare(`${front}; ${plain}`, `{ ${front}\n} ${joint} ${plain}`);
    assert(added.length > 0, `${front} ${joint} ${last}`);
  }));
});

// deno-fmt-ignore
const WORDS = [
  "a ", "curl x ", "sh ", "sh -c '", "'", "\"", "\\", "\n", "| ", "|| ", "&& ", "; ", "& ", "( ", ") ", "{ ", "} ", "$(", "`", "<(",
  ">(", ">> /a ", "> /b ", "< /a ", "<<E\n", "E\n", "<<< ", "X=", "$X ", "X=$X$X;", "${X:-", "}", "if a; then ", "fi; ", "else ",
  "for i in a b; do ", "while a; do ", "done; ", "case a in a) ", ";; ", "esac; ", "f() ", "f; ", "eval ", "xargs ", "find . -exec ",
  "sudo ", "cd a;", "chmod u+s ", "pip install a ", "npm i b@1.0.0 ", "git clone https://x/a ", "sha256sum -c ", "base64 -d ", "echo ", "printf %s ",
  "python3 -c ", "test a ", "exit; ", "set -e; ", "tar xf ", "cp a ", "sed -i ", "export A=", "[[ ", "((", "$'", "{a,b}", "*", "read x;", "#",
];

Deno.test("a script that is too long to be worked out takes no work, whatever is repeated in it", () => {
  const texts = (min: number, max: number) =>
    fc.array(fc.constantFrom(...WORDS), { minLength: min, maxLength: max }).map((all) =>
      all.join("")
    );
  const CHARS = 24_000;
  holds(
    fc.property(texts(0, 3), texts(1, 4), texts(0, 2), (before, unit, after) => {
      const [small, large] = [CHARS, 2 * CHARS].map((chars) => {
        const text = before + unit.repeat(Math.ceil(chars / unit.length)) + after;
        return countWork(() => compare("a", text));
      });
      const message = `${small} and ${large}: ${JSON.stringify([before, unit, after])}`;
      assert(large! <= 3 * Math.max(small!, 40 * CHARS), message);
    }),
    60,
  );
});

/** As many of a text as fit into a script that is read. */
const fill = (unit: string, around = "") =>
  unit.repeat(Math.floor((8_192 - around.length) / unit.length));

const many = (unit: string) => unit.repeat(Math.floor(4_000 / unit.length));

/** The worst scripts that were found: little text whose values, words or brackets are looked at again and again. */
const WORST: readonly string[] = [
  `A='${many("a ")}'; for i in $A; do pip install $A; done`,
  `A='${many("/a ")}'; ${many("cp $A /b; ")}`,
  `A='${many("a ")}'; ${many("sed -i $A; ")}`,
  `A='${many("/a ")}'; ${many("tee $A; ")}`,
  `f() { x "$@"; }; A='${many("a ")}'; ${many("f $A; ")}`,
  `A=${many("a=")}; ${many("x $A; ")}`,
  `A='${many("a ")}'; x ${many("$A ")}`,
  `A='${many("a ")}'; B="${many("$A")}"`,
  `cat <<E > b\n${many("x=y\n")}E\n${many("cat b > c; ")}`,
  `for i in ${many("a ")}; do printf '${many("%s ")}' a b; done`,
  `A=b; ${many("a || A=c$A; ")}`,
  `for i in ${many("a ")}; do cat <<E >> f\n${many("x=y\n")}E\ndone`,
  `sed -i ${fill("a ", "sed -i ")}`,
  fill("$((1+"),
  fill("${x:-"),
  fill("sh -c 'xargs "),
  fill("a | "),
];

Deno.test("the work on a file's scripts is bounded by their length, whatever they say", () => {
  const work = (text: string) => {
    const scripts = Array.from({ length: 8 }, () => script(text));
    return countWork(() => compareScripts([], scripts));
  };
  const most = 10 * work(fill("apt-get install --yes jq\n"));
  for (const text of WORST) {
    assert(text.length <= 8_192, text);
    const found = work(text);
    assert(found <= most, `${found} above ${most}: ${text.slice(0, 60)}`);
  }
  holds(
    fc.property(fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 5 }), (unit) => {
      const text = fill(unit.join(""));
      const found = work(text);
      assert(found <= most, `${found} above ${most}: ${JSON.stringify(unit)}`);
    }),
    30,
  );
});

/** A command of each program that can be plain. */
const PLAIN = [
  ...Object.keys(commands.plain).flatMap((names) => names.split(" ")),
  ...Object.entries(commands.verbs).flatMap(([names, [verbs]]) =>
    names.split(" ").flatMap((name) => verbs!.split("|").map((verb) => `${name} ${verb}`))
  ),
];

/** They do nothing with their words, or only read the files that these name. */
const SAY = new Set(
  (": true false echo printf local readonly trap cat ls wc tr cut rev tac nl fold column paste basename " +
    "dirname realpath readlink stat du df getent strings cksum diff cmp comm which " +
    "type ps free grep egrep fgrep test [").split(" "),
);

// Threat: A10
Deno.test("a plain command that gets an option or a variable that no list has is told", () => {
  const option = fc.constantFrom("--zq", "--zq-path=/home/dev/x", "--zq=https://y.example/x", "-Z");
  const name = fc.constantFrom("a", "a==1.2.3", "a@1.2.3");
  holds(
    fc.property(
      fc.constantFrom(...PLAIN),
      name,
      option,
      fc.boolean(),
      (text, name, more, isLast) => {
        const after = isLast ? `${text} ${name} ${more}` : `${text} ${more} ${name}`;
        if (!SAY.has(text)) {
          assert(compare(`${text} ${name}`, after).added.length > 0, after);
        }
        const variable = `ZQ=/home/dev/x ${text} ${name}`;
        assert(compare(`${text} ${name}`, variable).added.length > 0, variable);
      },
    ),
    1000,
  );
});

/** Programs that a test must not run, as they wait, end something or are the shell's own. */
const UNSAFE = new Set(
  ("local readonly trap type exit return break continue shift wait sleep sync ldconfig command chown chgrp " +
    "useradd adduser groupadd addgroup userdel deluser passwd usermod umask bash sh curl wget locale-gen " +
    "mkdir rmdir tee ln chmod ps free date : [").split(" "),
);

// Threat: A10
Deno.test("a plain command writes no file when it is run", async () => {
  const programs = Object.keys(commands.plain).flatMap((names) => names.split(" "))
    .filter((name) => !UNSAFE.has(name));
  const directory = await Deno.makeTempDir();
  const state = () =>
    [...Deno.readDirSync(directory)].map(({ name }) =>
      `${name} ${Deno.readFileSync(`${directory}/${name}`)}`
    ).sort();
  for (const name of ["a", "b", "a.gz"]) Deno.writeTextFileSync(`${directory}/${name}`, "a\r\nb\n");
  const before = state();
  const cases = [
    "-o c",
    "a c",
    "-w c",
    "a -o c",
    "-d -o c a",
    "-i a",
    "a.gz",
    "-n a c",
    "-c a",
    "s/a/b/w a",
  ];
  let count = 0;
  try {
    for (const program of programs) {
      for (const words of cases) {
        if (compare("true", `${program} ${words}`).added.length > 0) continue;
        const command = new Deno.Command(program, {
          ...{ args: words.split(" "), cwd: directory },
          ...{ stdin: "null", stdout: "null", stderr: "null" },
        });
        try {
          await command.output();
        } catch (error) {
          // Not every machine has it.
          if (error instanceof Deno.errors.NotFound) break;
          throw error;
        }
        count++;
        assertEquals(state(), before, `${program} ${words}`);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  assert(count > 100, `${count} commands`);
});
