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

/** Every character beyond ASCII, and which of them Unicode folds to each of ASCII. */
const BEYOND_ASCII = Array.from(
  { length: 0x110000 - 0x80 },
  (_, n) => String.fromCodePoint(n + 0x80),
);
const FOLDED = Map.groupBy(BEYOND_ASCII, (character) => character.normalize("NFKC").toLowerCase());

/** Letters that are drawn like one of ASCII, of the scripts in which most are. */
const DRAWN_ALIKE: Readonly<Record<string, string>> = {
  a: "\u0430\u03b1\u0251\u237a\u13aa\ua4ee\u00e0\u0101",
  b: "\u042c\u0184\u13cf\ua4d0\u1e05",
  c: "\u0441\u03f2\u1d04\u13df\ua4da\u00e7",
  g: "\u0261\u0581\u018d\u13c0\ua4d6\u011f",
  h: "\u04bb\u0570\u13c2\ua4e7\u1e25",
  i: "\u0456\u0131\u03b9\u0269\u13a5\u00a1\u0627\u05d5",
  m: "\u043c\u13b7\ua4df\u1e43",
  o: "\u043e\u03bf\u0585\u05e1\u0665\u0966\u09e6\u0ae6\u0c66\u0d20\u0e50\u0ed0\u101d\u1040\u00b0\u25ef\u2b55\u{1f534}\ua4f3",
  p: "\u0440\u03c1\u2374\u13e2\ua4d1",
  t: "\u0442\u03c4\u13a2\ua4d4",
  u: "\u057d\u03c5\u028b\u144c\ua4f4\u00fc",
};

/** Punctuation and symbols beyond ASCII that can be taken for a dot, a slash or a hyphen; quotation marks and brackets cannot. */
const SEPARATORS = BEYOND_ASCII.filter((character) =>
  /[\p{P}\p{S}]/u.test(character) && !/[\p{Pi}\p{Pf}\p{Ps}\p{Pe}¡¿，！？；、]/u.test(character)
);

const withoutEscapes = (shown: string) => shown.replace(/⟨U\+[0-9A-F]{4,6}⟩/g, "");

// Threat: A7
Deno.test("visible() leaves nothing beyond ASCII in a host, path or address that could be taken for one in ASCII", () => {
  const host = fc.constantFrom(
    "api.github.com",
    "coco.co",
    "https://a.io/p",
    "10.0.0.1",
    "pip@github.com",
    "/bin/a",
    "-b",
  );
  const before = fc.constantFrom("", "(", "see ", "\u00ab", "\u3001");
  holds(
    fc.property(
      host,
      before,
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 1, max: 5 }),
      (host, before, numbers, share) => {
        const next = () => numbers.next().value as number;
        const imitation = [...host].map((character) => {
          const alike = [...FOLDED.get(character) ?? [], ...DRAWN_ALIKE[character] ?? []];
          const others = /[a-z0-9]/.test(character) ? alike : SEPARATORS;
          return others.length > 0 && next() % share === 0
            ? others[next() % others.length]
            : character;
        }).join("");
        assert(
          /^[\x20-\x7e]*$/.test(withoutEscapes(visible(before + imitation)).slice(before.length)),
          imitation,
        );
      },
    ),
    2000,
  );
});

// Threat: A7
Deno.test("visible() leaves no separator beyond ASCII before a Latin letter, Cyrillic or Greek one, and no word of it", () => {
  for (const separator of SEPARATORS) {
    for (const word of ["com", "\u0441\u043e", "\u03bf"]) {
      for (const text of [`${word}${separator}${word}`, `${word}.${word}${separator}${word}`]) {
        assertEquals(/^[\x20-\x7e]*$/.test(withoutEscapes(visible(text))), true, text);
      }
    }
  }
});

/** The right-to-left scripts of Unicode 16.0 (2024), the numbers of class AN, and the bidi controls. */
const RIGHT_TO_LEFT = new RegExp(
  `[\\p{Bidi_Control}${
    ("Hebrew Arabic Syriac Thaana Nko Samaritan Mandaic Adlam Mende_Kikakui Hanifi_Rohingya Yezidi Sogdian " +
      "Old_Sogdian Elymaic Chorasmian Old_Uyghur Cypriot Imperial_Aramaic Palmyrene Nabataean Hatran Phoenician Lydian " +
      "Meroitic_Hieroglyphs Meroitic_Cursive Kharoshthi Old_South_Arabian Old_North_Arabian Manichaean Avestan " +
      "Inscriptional_Parthian Inscriptional_Pahlavi Psalter_Pahlavi Old_Turkic Old_Hungarian Garay")
      .split(" ").map((script) => `\\p{Script=${script}}`).join("")
  }\u0600-\u0605\u0660-\u0669\u066b\u066c\u06dd\u08e2\u{10d30}-\u{10d39}\u{10e60}-\u{10e7e}]`,
  "u",
);

// Threat: A6
Deno.test("visible() leaves no character that a terminal could draw from right to left, so rows keep their order", () => {
  const characters = BEYOND_ASCII.filter((character) => RIGHT_TO_LEFT.test(character));
  assert(characters.length > 3000);
  for (const character of characters) {
    for (const text of [character, `a ${character} b`, `漢${character}`]) {
      assertEquals(RIGHT_TO_LEFT.test(visible(text)), false, text);
    }
  }
});

// Threat: A7
Deno.test("visible() leaves no letter or number that Unicode folds to ASCII or to another alphabet", () => {
  const kept = BEYOND_ASCII.filter((character) =>
    /[\p{L}\p{M}\p{N}]/u.test(character) &&
    (visible(character) === character || visible(`a${character}`).endsWith(character))
  );
  for (const character of kept) {
    assertEquals(/[ -~]/.test(character.normalize("NFKC")), false, character);
  }
  assert(kept.length > 1000);
});

// Threat: A6
Deno.test("wrap() and cut() keep within the screen, and every row behind its margin", () => {
  const margin = fc.constantFrom("", "│ ", "+", "-");
  const line = shortText.map(visibleLine).chain((text) => fc.constant(text.repeat(3)));
  holds(fc.property(line, margin, fc.integer({ min: 20, max: 100 }), (line, margin, columns) => {
    const rows = wrap(margin, line, columns);
    const sign = margin[0] ?? " ";
    assert(rows.every((row, n) => row.startsWith(n === 0 ? margin : `${sign}↪`)));
    // A blank that nobody would see has a sign.
    const blanks = (text: string) => text.replaceAll("·", " ");
    const joined = rows.map((row, n) => row.slice(n === 0 ? margin.length : 2)).join("");
    assertEquals(blanks(joined), blanks(line));
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
