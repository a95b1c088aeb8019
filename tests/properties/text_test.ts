import { cut, wrap } from "../../cli/render/wrap.ts";
import { makeVisible, visibleCode, visibleLine } from "../../internal_mod.ts";
import { renderDiff, visible } from "../../mod.ts";
import { instantOf } from "../../src/records/audit_entry.ts";
import { anyText, shortText, textOf } from "../support/arbitraries.ts";
import { attempt, documented } from "../support/documented.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** What no terminal may get, half of a pair too. */
const HARMFUL = /(?!\n)[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;

/** The text of which something was shown: what nobody could type stands for what was there. */
function hadBack(shown: string): string {
  return shown.replace(/⟨U\+([0-9A-F]{4,6})⟩|⇥|↵/g, (sign, digits) => {
    if (sign === "⇥") return "\t";
    return sign === "↵" ? "\n" : String.fromCodePoint(parseInt(digits, 16));
  });
}

/** What has to do with words of several alphabets, hosts, marks, and our own signs. */
const deceptiveText = textOf(
  ..."a\u0430\u03bf\u0585\u05d0漢か한ก๐é\u0301\u200b\u202e\t\n.-。_ ⟨⟩⇥↵↪",
  "U+202E",
  ".com",
  "⟨U+0430⟩",
);

// Threat: A6
Deno.test("visible() and visibleLine() leave nothing harmful in any text, and every line a line", () => {
  holds(fc.property(anyText, (text) => {
    const shown = visible(text);
    assert(!HARMFUL.test(shown));
    assertEquals(shown.split("\n").length, text.split("\n").length);
    assert(!HARMFUL.test(visibleLine(text)) && !visibleLine(text).includes("\n"));
  }));
});

// Threat: A6
Deno.test("visible() and visibleCode() can be read back, so no text looks like another one", () => {
  holds(
    fc.property(fc.oneof(anyText, deceptiveText), (text) => {
      for (const kind of ["prose", "code"] as const) {
        assert(hadBack(makeVisible(text, { kind }).text) === text);
        assert(hadBack(visibleLine(text, kind)) === text);
      }
    }),
    500,
  );
});

Deno.test("makeVisible() counts each code point that it shows, and no more", () => {
  holds(fc.property(fc.oneof(anyText, deceptiveText), (text) => {
    for (const kind of ["prose", "code"] as const) {
      const shown = makeVisible(text, { kind });
      assertEquals(shown.text.split("⟨").length - 1, shown.escaped);
    }
  }));
});

// Threat: A7
Deno.test("visibleCode() leaves ASCII and our signs alone, and visible() shows no less of any line", () => {
  holds(fc.property(fc.oneof(anyText, deceptiveText), (text) => {
    assert(/^[\n\x20-\x7e⟨⟩⇥]*$/.test(visibleCode(text)));
    assertEquals(visible(text), text.split("\n").map(visible).join("\n"));
  }));
});

// Threat: A7
Deno.test("visible() leaves no word of Latin and Cyrillic or Greek letters unmarked", () => {
  holds(fc.property(deceptiveText, (text) => {
    const latin = "(?=\\p{L})\\p{Script=Latin}";
    const others = "(?=\\p{L})[\\p{Script=Greek}\\p{Script=Cyrillic}]";
    const between = "[\\p{M}0-9_]*";
    const mixed = new RegExp(`${latin}${between}${others}|${others}${between}${latin}`, "u");
    assert(!mixed.test(visible(text)));
  }));
});

// Threat: A6
Deno.test("wrap() and cut() keep within the screen, and every row behind its margin", () => {
  const margin = fc.constantFrom("", "│ ", "+", "-");
  const line = shortText.map(visibleLine).chain((text) => fc.constant(text.repeat(3)));
  holds(fc.property(line, margin, fc.integer({ min: 20, max: 100 }), (line, margin, columns) => {
    const rows = wrap(margin, line, columns);
    const sign = margin[0] ?? " ";
    assert(rows.every((row, n) => row.startsWith(n === 0 ? margin : `${sign}↪`)));
    assertEquals(
      rows.map((row, n) => row.slice(n === 0 ? margin.length : 2)).join(""),
      line,
    );
    for (const row of [...rows, cut(line, columns)]) {
      assert([...row].length <= columns);
      // No row shows half of an escape: it would pass for words.
      assert(!/⟨/.test(row.replace(/⟨U\+[0-9A-F]{4,6}⟩/g, "")));
    }
  }));
});

const timestamp = textOf(
  ..."0123456789:.-+TZ ",
  "2026-11-22T10:49:36",
  ".924880",
  "+00:00",
  "+05:30",
  "Z",
  "10:49:36",
  "275760-09-13T00:00:00",
  "Nov 22 2026",
);

Deno.test("instantOf() gives an instant or infinity, never NaN, for any text", () => {
  const contract = documented("src/records/audit_entry.ts", "instantOf");
  holds(fc.property(fc.oneof({ weight: 4, arbitrary: timestamp }, anyText), (text) => {
    const instant = attempt(contract, () => instantOf(text));
    assert(typeof instant === "number" && !Number.isNaN(instant));
  }));
});

Deno.test("instantOf() orders what either writer wrote by time", () => {
  const micros = fc.integer({ min: 0, max: 4e15 });
  const written = (us: number, python: boolean) => {
    const iso = new Date(Math.floor(us / 1000)).toISOString();
    const fraction = String(us % 1_000_000).padStart(6, "0");
    return python ? iso.replace(/\.\d+Z$/, `.${fraction}+00:00`) : iso;
  };
  holds(fc.property(micros, micros, fc.boolean(), (a, b, python) => {
    const [first, second] = [a, b].map((us) => instantOf(written(us, python)));
    const unit = python ? 1 : 1000;
    assertEquals(
      Math.sign(first! - second!),
      Math.sign(Math.floor(a / unit) - Math.floor(b / unit)),
    );
  }));
});

/** Lines, each with its LF, if it has one. */
const linesOf = (text: string) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** What a diff makes of the old file, by its line numbers and signs. */
function patched(before: string, diff: string): string {
  const old = linesOf(before);
  const out: string[] = [];
  let at = 0;
  const lines = diff.split("\n").slice(2, -1);
  for (const [n, line] of lines.entries()) {
    const text = line.slice(1) + (lines[n + 1]?.startsWith("\\") ? "" : "\n");
    if (line.startsWith("@")) {
      const [, from, count] = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@$/.exec(line)!;
      const start = count === "0" ? Number(from) : Number(from) - 1;
      while (at < start) out.push(old[at++]!);
    } else if (!line.startsWith("\\")) {
      if (!line.startsWith("+")) assertEquals(text, old[at++]);
      if (!line.startsWith("-")) out.push(text);
    }
  }
  return [...out, ...old.slice(at)].join("");
}

// Threat: A7
Deno.test("renderDiff() never fails, and its diff makes the new file of the old one, for any texts", () => {
  const contract = documented("mod.ts", "renderDiff");
  const near = fc.tuple(anyText, shortText, fc.nat(100))
    .map(([text, insert, at]) => [text, text.slice(0, at) + insert + text.slice(at + 3)] as const);
  holds(fc.property(fc.oneof(near, fc.tuple(anyText, anyText)), ([before, after]) => {
    const diff = attempt(contract, () => renderDiff(before, after))!;
    assertEquals(diff === "", before === after);
    if (diff !== "") assert(patched(before, diff) === after);
  }));
});
