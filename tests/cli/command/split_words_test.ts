import { splitWords } from "../../../cli/command/split_words.ts";
import { holds } from "../../support/properties.ts";
import { run } from "../../support/run.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";

const HOME = "/home/ada";

Deno.test.each(
  [
    ["code --wait", ["code", "--wait"]],
    ["  nano\t-w\n", ["nano", "-w"]],
    ["'/opt/my editor/ed' -a", ["/opt/my editor/ed", "-a"]],
    ['"/opt/my \\"editor\\"/ed" "\\a"', ['/opt/my "editor"/ed', "\\a"]],
    ["/opt/my\\ editor/ed", ["/opt/my editor/ed"]],
    ["~/bin/ed ~", ["/home/ada/bin/ed", "/home/ada"]],
    ["~ada/ed a~/x '~'/x \\~/x ~\"/x\"", ["~ada/ed", "a~/x", "~/x", "~/x", "~/x"]],
    ["ed '' a''b", ["ed", "", "ab"]],
    ["$EDITOR `id` *.ts; x", ["$EDITOR", "`id`", "*.ts;", "x"]],
    ["a\u00a0b\rc", ["a\u00a0b\rc"]],
    ["", []],
    ["'open", undefined],
    ['"open\\"', undefined],
    ["'a\nb'", undefined],
    ["ed \\", undefined],
  ] as const,
)("splitWords() splits %o", (line, words) => {
  assertEquals(splitWords(line, HOME), words && [...words]);
});

Deno.test("splitWords() leaves ~ as it is where no home is known", () => {
  assertEquals(splitWords("~/ed", undefined), ["~/ed"]);
  assertEquals(splitWords("~/ed", ""), ["~/ed"]);
});

Deno.test("splitWords() splits as sh does what sh would not expand", async () => {
  const part = fc.constantFrom(..."'\"\\ \t~/-=.é\u00a0\u3000", "ed", "~/", "\\ ", "''", '"a b"');
  const lines = fc.sample(fc.array(part, { maxLength: 10 }).map((parts) => parts.join("")), 600)
    .flatMap((line) => splitWords(line, HOME) === undefined ? [] : [line]);
  const script = lines.map((line) => `printf '<%s>' ${line}\necho`).join("\n");
  const { out } = await run("sh", ["-fc", script], { env: { HOME } });
  const ours = lines.map((line) => {
    const words = splitWords(line, HOME)!;
    // Without a word, printf prints its format once.
    return (words.length === 0 ? [""] : words).map((word) => `<${word}>`).join("");
  });
  assertEquals(out.split("\n").slice(0, -1), ours);
});

Deno.test("splitWords() throws for no text, and finds no word that has a LF", () => {
  holds(fc.property(fc.string({ unit: "binary" }), (line) => {
    for (const word of splitWords(line, HOME) ?? []) assertEquals(word.includes("\n"), false);
  }));
});
