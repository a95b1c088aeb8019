import { compareScripts, type Script } from "../../src/config/shell/compare.ts";
import { countWork } from "../support/work.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
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
