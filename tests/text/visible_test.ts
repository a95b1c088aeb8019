import { makeVisible, visibleCode, visibleLine, visibleSentence } from "../../internal_mod.ts";
import { visible } from "../../mod.ts";
import { assert, assertEquals } from "@std/assert";

const ESC = "\x1b";

for (
  const [what, text, shown] of [
    ["plain text", "Open api.github.com, please.\n", "Open api.github.com, please.\n"],
    ["accents, as one character or two", "naïve cafe\u0301", "naïve cafe\u0301"],
    ["a bidi override", "a\u202eb", "a⟨U+202E⟩b"],
    ["bidi isolates", "\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"],
    ["zero-width characters", "gith\u200bub\ufeff", "gith⟨U+200B⟩ub⟨U+FEFF⟩"],
    ["a colour", `${ESC}[31mred`, "⟨U+001B⟩[31mred"],
    ["a link", `${ESC}]8;;http://x${ESC}\\y`, "⟨U+001B⟩]8;;http://x⟨U+001B⟩\\y"],
    ["the clipboard", `${ESC}]52;c;eA==\x07`, "⟨U+001B⟩]52;c;eA==⟨U+0007⟩"],
    ["C1 controls", "\u009b31m", "⟨U+009B⟩31m"],
    ["carriage return", "safe\rEVIL", "safe⟨U+000D⟩EVIL"],
    ["backspace", "evil\b\b\b\bgood", "evil⟨U+0008⟩⟨U+0008⟩⟨U+0008⟩⟨U+0008⟩good"],
    ["a tab", "a\tb", "a⇥b"],
    ["a typed arrow", "a⇥b", "a⟨U+21E5⟩b"],
    ["a typed escape", "⟨U+202E⟩", "⟨U+27E8⟩U+202E⟨U+27E9⟩"],
    ["no-break space", "a\u00a0b", "a⟨U+00A0⟩b"],
    ["the braille blank", "\u2800", "⟨U+2800⟩"],
    ["the Hangul filler", "\u3164", "⟨U+3164⟩"],
    ["line and paragraph separators", "\u2028\u2029", "⟨U+2028⟩⟨U+2029⟩"],
    ["half a pair", "\ud800", "⟨U+D800⟩"],
    ["tag characters", "\u{e0041}", "⟨U+E0041⟩"],
    ["private use", "\ue000", "⟨U+E000⟩"],
    ["stacked marks", `a${"\u0301".repeat(5)}`, "a\u0301\u0301\u0301⟨U+0301⟩⟨U+0301⟩"],
    ["a mark without a base", "\u0301a\n\u0301", "⟨U+0301⟩a\n⟨U+0301⟩"],
    ["a mark behind what is escaped", "\u200b\u0301", "⟨U+200B⟩⟨U+0301⟩"],
    ["NUL and DEL", "\0\x7f", "⟨U+0000⟩⟨U+007F⟩"],
    ["a typed look-alike of the form", "〈U+202E〉", "⟨U+3008⟩U+202E⟨U+3009⟩"],
    ["a typed sign of a line end", "a↵b↪c", "a⟨U+21B5⟩b⟨U+21AA⟩c"],
    ["a progress bar", "10%\r100% \x1b[32m✓", "10%⟨U+000D⟩100% ⟨U+001B⟩[32m⟨U+2713⟩"],
    ["a Cyrillic letter in a Latin word", "p\u0430ypal", "p⟨U+0430⟩ypal"],
    ["a Latin letter in a Cyrillic word", "\u0434\u043ea", "⟨U+0434⟩⟨U+043E⟩a"],
    ["a Greek look-alike", "g\u03bf", "g⟨U+03BF⟩"],
    ["an Armenian look-alike", "g\u0585", "g⟨U+0585⟩"],
    ["Cherokee look-alikes", "\u13aa\u13a1T", "⟨U+13AA⟩⟨U+13A1⟩T"],
    ["a Hebrew look-alike", "g\u05e1", "g⟨U+05E1⟩"],
    ["a Thai zero in a Latin word", "g\u0e50", "g⟨U+0E50⟩"],
    ["a mixed word behind digits and marks", "a1_\u0301\u0430", "a1_⟨U+0301⟩⟨U+0430⟩"],
    ["a mixed word with nothing visible between", "a\u200b\u0430", "a⟨U+200B⟩⟨U+0430⟩"],
    ["a host of one foreign alphabet", "\u0441\u043e.com.", "⟨U+0441⟩⟨U+043E⟩.com."],
    ["a host with an accent", "b\u00fccher.de", "b⟨U+00FC⟩cher.de"],
    ["a host with another dot", "api。github。com", "api⟨U+3002⟩github⟨U+3002⟩com"],
    ["a file that ends in ASCII", "\u0444.txt", "⟨U+0444⟩.txt"],
    [
      "languages as they are",
      "Gr\u00f6\u00dfe, привет, γειά, Ա. т.е.",
      "Gr\u00f6\u00dfe, привет, γειά, Ա. т.е.",
    ],
    [
      "Japanese, Korean, Thai in one row with Latin",
      "使用npm。はいカナ API를 ใช้git",
      "使用npm。はいカナ API를 ใช้git",
    ],
    ["words joined by a hyphen", "API-ключ", "API-ключ"],
    ["a host with one-dot leaders", "api․github․com", "api⟨U+2024⟩github⟨U+2024⟩com"],
    ["a host with a middle dot", "github·com", "github⟨U+00B7⟩com"],
    ["a host with an emoji for an o", "g\u{1f534}gle.com", "g⟨U+1F534⟩gle.com"],
    ["a host with an inverted exclamation mark for an i", "¡mgur.com", "⟨U+00A1⟩mgur.com"],
    ["a host with a degree sign for an o", "evil.c°", "evil.c⟨U+00B0⟩"],
    ["full-width letters", "ｇit", "⟨U+FF47⟩it"],
    ["mathematical letters", "\u{1d420}it 𝟏", "⟨U+1D420⟩it ⟨U+1D7CF⟩"],
    [
      "circled, raised and squared letters",
      "ⓐ xª \u{1f170} \u{1f1e6}",
      "⟨U+24D0⟩ x⟨U+00AA⟩ ⟨U+1F170⟩ ⟨U+1F1E6⟩",
    ],
    [
      "slashes of mathematics",
      "https:∕∕x ∕etc ⁄etc",
      "https:⟨U+2215⟩⟨U+2215⟩x ⟨U+2215⟩etc ⟨U+2044⟩etc",
    ],
    ["a path of one foreign alphabet", "/\u0441\u043e", "/⟨U+0441⟩⟨U+043E⟩"],
    ["an option behind another hyphen", "–rf -\u0441", "⟨U+2013⟩rf -⟨U+0441⟩"],
    ["an address", "\u043e@\u0441\u043e", "⟨U+043E⟩@⟨U+0441⟩⟨U+043E⟩"],
    [
      "an IP address of letters",
      "\u043e.\u043e.\u043e.\u043e",
      "⟨U+043E⟩.⟨U+043E⟩.⟨U+043E⟩.⟨U+043E⟩",
    ],
    ["an IP address of digits and letters", "8.\u043e.8", "8.⟨U+043E⟩.8"],
    ["an abbreviation of two alphabets", "a.\u043e.", "a.⟨U+043E⟩."],
    [
      "a host that is all look-alikes",
      "\u0441\u043e\u0441\u043e.\u0441\u043e",
      "⟨U+0441⟩⟨U+043E⟩⟨U+0441⟩⟨U+043E⟩.⟨U+0441⟩⟨U+043E⟩",
    ],
    ["a script in which few write", "\ua4d6\ua4f8 \u13aa", "⟨U+A4D6⟩⟨U+A4F8⟩ ⟨U+13AA⟩"],
    ["phonetic letters", "\u0261it \u01c3", "⟨U+0261⟩it ⟨U+01C3⟩"],
    ["a Burmese letter in a Latin word", "g\u101dgle", "g⟨U+101D⟩gle"],
    [
      "Hebrew, Arabic, their digits and money",
      "\u05d0 \u0627\u0661 \u{10800} \u060b",
      "⟨U+05D0⟩ ⟨U+0627⟩⟨U+0661⟩ ⟨U+10800⟩ ⟨U+060B⟩",
    ],
    [
      "the whole word around a trick",
      "\u0441\u043e\u200b\u0441",
      "⟨U+0441⟩⟨U+043E⟩⟨U+200B⟩⟨U+0441⟩",
    ],
    [
      "bars, lines, ticks and other arrows",
      "│ ─ ┃ ✓ ↳ ⏎",
      "⟨U+2502⟩ ⟨U+2500⟩ ⟨U+2503⟩ ⟨U+2713⟩ ⟨U+21B3⟩ ⟨U+23CE⟩",
    ],
    ["a full stop of another script between Latin letters", "git.x。org", "git.x⟨U+3002⟩org"],
    ["Japanese that touches a host", "はapi.x.dev。次は", "⟨U+306F⟩api.x.dev⟨U+3002⟩次は"],
  ] as const
) {
  Deno.test(`visible() shows ${what}`, () => assertEquals(visible(text), shown));
}

for (
  const [what, text, shown] of [
    ["plain text", "+api.github.com\n", "+api.github.com\n"],
    ["a tab and a line end", "\tRUN x\r\n", "⇥RUN x⟨U+000D⟩\n"],
    ["a look-alike", "+\u0430pi.github.com", "+⟨U+0430⟩pi.github.com"],
    ["any letter beyond ASCII", "# Gr\u00f6\u00dfe 漢", "# Gr⟨U+00F6⟩⟨U+00DF⟩e ⟨U+6F22⟩"],
    ["a pair as one", "\u{1f680}\u{10ffff}", "⟨U+1F680⟩⟨U+10FFFF⟩"],
    ["a typed escape", "⟨U+202E⟩", "⟨U+27E8⟩U+202E⟨U+27E9⟩"],
  ] as const
) {
  Deno.test(`visibleCode() shows ${what}`, () => assertEquals(visibleCode(text), shown));
}

const SENTENCES = {
  English: "Please allow api.github.com — it’s “needed”… 20°, 5£, a → b, 🚀 (5 × 3 ≤ 15).",
  German: "Bitte öffnen Sie „größere“ Häuser – z. B. für Jürgens API-Schlüssel, § 5, 3 €.",
  French: "« L’accès à l’hôte », c’est-à-dire aujourd’hui ; ça coûte 5 € : où ?",
  Spanish: "¿Qué tal? ¡Está aquí! El niño pidió «más» señales.",
  Polish: "Proszę dodać „zażółć gęślą jaźń” – dziękuję…",
  Czech: "Přidejte ‚žluťoučký kůň‘, prosím.",
  Turkish: "Lütfen ağ erişimini açın; ışık, İstanbul’da.",
  Vietnamese: "Tôi cần truy cập máy chủ, được không? Tiếng Việt.",
  Greek: "Χρειάζεται πρόσβαση στον διακομιστή, π.χ. «δοκιμή»· ευχαριστώ;",
  Russian: "Нужен доступ к хосту — т.е. «тесты», и т.д. Что-то ещё?",
  Ukrainian: "Потрібен доступ до об’єкта, дякую їй.",
  Armenian: "Խնդրում եմ թույլ տալ։",
  Georgian: "გთხოვთ დართოთ ნება.",
  Amharic: "እባክዎ ይፍቀዱ።",
  Hindi: "कृपया मेज़बान जोड़ें, लड़का बड़ा है। धन्यवाद॥ \u0932\u095c\u0915\u093e",
  Bengali: "অনুগ্রহ করে গাড়ি যোগ করুন।",
  Tamil: "தயவுசெய்து அனுமதிக்கவும்.",
  Thai: "ขอเข้าถึงเครื่องแม่ข่าย ทำใช้git ครับ",
  Chinese: "需要访问网络，因为“测试”需要npm（很重要）。列夫·托尔斯泰说：「好」；《书》，是吗？好！",
  Japanese: "「テスト」のため、npmを使う。カタカナ・ひらがな、人々のー（例）",
  Korean: "허용 목록(allowlist)에 추가해 주세요. 문·이과, API를 씁니다…",
};

Deno.test.each(Object.entries(SENTENCES))("visible() leaves %s as it is", (_, sentence) => {
  assertEquals(visible(sentence), sentence);
});

/** Our own signs, and what is drawn like them. */
const LIKE_OUR_SIGNS = "⟨⟩⇥↵↪│─〈〉〈〉❬❭❰❱⧼⧽‹›⟪⟫≺≻ᐸᐳ˂˃＜＞﹤﹥❮❯⟬⟭⦑⦒⪡⪢↦⇤↩↲↳⏎⮐┃┆╎▏｜￨∣ǀ┄━✓✔";

// Threat: A6
Deno.test.each([...LIKE_OUR_SIGNS])(
  "visible() leaves no %s, which is drawn like one of this program's signs",
  (sign) => {
    for (const text of [sign, `a ${sign} b`, `${sign}U+0041${sign}`, `文${sign}字`, `é${sign}é`]) {
      assert(!visible(text).replace(/⟨U\+[0-9A-F]{4,6}⟩/g, "").includes(sign), text);
    }
  },
);

Deno.test("visible() and visibleCode() show a comment that hides code by bidi controls in its real order", () => {
  const source = "/*\u202e } \u2066if (isAdmin)\u2069 \u2066 begin admins only */";
  const shown = "/*⟨U+202E⟩ } ⟨U+2066⟩if (isAdmin)⟨U+2069⟩ ⟨U+2066⟩ begin admins only */";
  assertEquals([visible(source), visibleCode(source)], [shown, shown]);
});

Deno.test("visibleLine() gives one line", () => {
  assertEquals(visibleLine("a\nb"), "a↵b");
  assertEquals(visibleLine("é\n\u0301", "code"), "⟨U+00E9⟩↵⟨U+0301⟩");
});

Deno.test("makeVisible() counts what is shown by its code point, and neither tabs nor line ends", () => {
  const text = "a\tb\n\u0430\u202e⟨ é p\u0430y";
  assertEquals(makeVisible(text).escaped, 4);
  assertEquals(makeVisible(text, { oneLine: true }).escaped, 4);
  assertEquals(makeVisible(text, { kind: "code" }).escaped, 5);
  assertEquals(makeVisible("[3 escaped]\n", { oneLine: true }), {
    text: "[3 escaped]↵",
    escaped: 0,
  });
});

Deno.test("makeVisible() is right where long parts, long runs of escapes and pairs meet", () => {
  const long = `${"é".repeat(70)} `;
  const run = "\u202e".repeat(20_000);
  const { text, escaped } = makeVisible(`${long}${run}\u{1f680} ${long}${run}x`);
  const shown = "⟨U+202E⟩".repeat(20_000);
  assert(text === `${long}${shown}⟨U+1F680⟩ ${long}${shown}x`);
  assertEquals(escaped, 40_001);
});

// Threat: A7
Deno.test.each(
  [
    ["Cannot read /home/jürgen/f: no", "/home/jürgen/f", "Cannot read /home/jürgen/f: no"],
    ["in /home/jürgen/queue/x.json (so)", "/home/jürgen", "in /home/jürgen/queue/x.json (so)"],
    ['use "ü" and ü, --file ü', "ü", 'use "ü" and ü, --file ü'],
    // Not where the operator's path is a part of another name, and no trick in the path itself.
    [
      "xx/home/jürgen, /home/jürgen.evil",
      "/home/jürgen",
      "xx/home/j⟨U+00FC⟩rgen, /home/j⟨U+00FC⟩rgen.evil",
    ],
    ["gith.üb.com üb.com", "üb", "gith.⟨U+00FC⟩b.com ⟨U+00FC⟩b.com"],
    ["/ü\u202e\x1b", "/ü\u202e\x1b", "/ü⟨U+202E⟩⟨U+001B⟩"],
    ["/ü/ev\u0456l.com", "/ü", "/ü/ev⟨U+0456⟩l.com"],
    ["/(ü|a)+ /üa", "/(ü|a)+", "/(ü|a)+ /⟨U+00FC⟩a"],
    ["évil.com", "/tmp", "⟨U+00E9⟩vil.com"],
  ] as const,
)("visibleSentence() of %o keeps the letters of %o", (text, own, expected) => {
  assertEquals(visibleSentence(text, ["/plain", own]), expected);
});
