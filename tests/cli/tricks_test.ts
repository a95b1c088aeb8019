import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Proposal } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { REPO, supervise } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";

const FOLDER = join(REPO, "tests/testdata/screens");

const ESC = "\x1b";

/** A trick: what it is after, and the proposal that tries it. */
type Trick = readonly [about: string, attempt: Partial<Proposal>];

/** One trick a screen, by the screen's name. */
const TRICKS: Readonly<Record<string, Trick>> = {
  "trojan-source": [
    "Bidi controls: code that looks like a comment, a comment that looks like code.",
    {
      tool: "capability-block",
      proposedFile:
        "FROM debian:12\n# only for tests \u202e\u2066RUN rm -rf /var/log\u2069 \u2066\n" +
        "RUN echo ok # \u202d done\u202c \u2067x\u2068y\u2069\n",
      justification: "Access \u202elevel: resu\u202c only \u2066\u200e\u200f\u061c.",
    },
  ],
  colours: ["ANSI: colours, cleared lines, a cursor that moves up, by ESC and by C1.", {
    proposedFile: `api.example.com\n# ${ESC}[31mred${ESC}[0m ${ESC}[1A${ESC}[2K \u009b2J\n`,
    justification: `${ESC}[32mchecked${ESC}[0m${ESC}[3A\u009b1Gapproved ${ESC}c ${ESC}]0;title\x07`,
  }],
  links: ["OSC 8 and 52: a link that leads elsewhere, and the clipboard written.", {
    proposedFile:
      `# ${ESC}]8;;https://evil.example${ESC}\\https://api.example.com${ESC}]8;;${ESC}\\\n`,
    justification: `See ${ESC}]8;;https://evil.example\x07the docs${ESC}]8;;\x07. ` +
      `${ESC}]52;c;cm0gLXJmIH4=\x07 \u009d52;c;cm0=\u009c`,
  }],
  overwriting: ["CR and BS: a line that writes over itself.", {
    proposedFile: "evil.example\b\b\b\b\b\b\b\b\b\b\b\bgood.example\napi.example.com\r\n",
    justification: "Allow everything\rAllow one host  \nAllow *\b one host\x7f\v\f\0",
  }],
  "progress-bar": ["A bar that ends at 100 %, drawn over what was asked.", {
    proposedFile:
      "# [####......]  40%\r# [##########] 100%  all hosts were approved before\n*.example\n",
    justification: `[####......]  40%\r[##########] 100%${ESC}[K\r\nchecks passed\u2028▓▓▓▓ done`,
  }],
  "stacked-marks": [
    "Combining marks that grow over the lines around them, and marks without a base.",
    {
      proposedFile: `api.example.com\n\u0336\u0336\u0336# a${"\u0300".repeat(6)}\n`,
      justification: `\u0336struck${"\u0301".repeat(8)} out\n\u0332\u0332under, cafe\u0301 stays`,
    },
  ],
  "hosts-and-names": ["Look-alike letters and bidi in hosts and file names.", {
    proposedFile:
      "\u0430pi.github.com\ngith\u200bub.com\n# b\u00fccher.example \u05d0\u05d1.example\n" +
      "api\u3002example\uff0ecom\n",
    justification: "Only \u0430pi.github.com, \u0441\u043e.com and invoice\u202efdp.exe; " +
      "p\u0430ypal, G\u03bf\u03bfgle, g\u0585, \u13a1\u13a2K.\nПривет, API-ключ, 使用npm安装, שלום stay as they are.",
  }],
  "our-own-words": ["Our own prompt, warnings, badges and signs, typed.", {
    proposedFile: "api.example.com\n# ⟨U+0041⟩ ⇥ ↪ ↵ 〈U+0041〉 ‹U+0041›\n" +
      `#${" ".repeat(76)}+api.github.com\n++ allowlist (proposed)  [0 escaped]\n`,
    justification: "[0 escaped]\n│ ⟨U+0041⟩ ⇥ ↪ ↵ 〈U+0041〉\n" +
      `approve, modify, reject, skip, quit? [a/m/r/s/q] a${" ".repeat(30)}approved p1 (dev-1)\n` +
      "! The operator approved this.\n── 1 to review ──\n+++ allowlist (proposed)",
  }],
  invisible: [
    "Characters that nobody sees: blanks, fillers, tags, joiners, private use, half a pair.",
    {
      proposedFile: "api.example.com\u00a0\n#\u3164\u2800\u{e0041}\u{e0042}\ufeff\u00ad\n",
      justification:
        "a\u00a0b\u2003c\u3164d\u2800e\u{e0041}f\ue000g\ud800h\ufff9i\u115fj\ufe0f\ufeff\u2029",
    },
  ],
  plain: ["No trick: no badge, and prose in any language as it was written.", {
    justification: "Größere Häuser.\n日本語とAPI。한국어\nΚαλημέρα, привет, ใช้git",
  }],
};

/** What differs from run to run. */
function settle(text: string): string {
  return text.replace(/\b\d+ [smhd](?= ago| )/g, "AGE").replace(/^sha256 .*$/m, "sha256  SHA256");
}

async function screenOf([about, attempt]: Trick): Promise<string> {
  await using dir = await tempDir();
  const arrivalTimestamp = "2026-01-01T10:00:00.000Z";
  await queueSample(dir.path, { id: "p1", arrivalTimestamp, ...attempt });
  let screen = `# ${about}\n`;
  for (const args of [["list"], ["show", "p1"]]) {
    const { code, out, err } = await supervise(dir.path, args);
    assertEquals([code, err], [0, ""]);
    screen += `\n$ supervise ${args.join(" ")}\n${settle(out)}`;
  }
  return screen;
}

for (const [name, trick] of Object.entries(TRICKS)) {
  Deno.test(`list and show show ${name} as the screen of that name has it`, async () => {
    const file = join(FOLDER, `${name}.txt`);
    const actual = await screenOf(trick);
    if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(file, actual);
    else assertEquals(actual, await Deno.readTextFile(file));
  });
}

Deno.test("each screen is of a trick, and each row of it that an agent wrote stands behind a sign", async () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  assertEquals(names, Object.keys(TRICKS).map((name) => `${name}.txt`).sort());
  const ours =
    /^(#|\$ supervise|ID +BOTTLE|p1 +dev-1|arrived |sha256 |The agent says:|In the diff:|$)/;
  for (const name of names) {
    for (const row of (await Deno.readTextFile(join(FOLDER, name))).split("\n")) {
      assert(ours.test(row) || /^[│+\-@! ]/.test(row), `${name}: ${row}`);
    }
  }
});

Deno.test("--json has what is shown and the count beside the raw text, in list, show and audit show", async () => {
  await using dir = await tempDir();
  const justification = "a\u202e\n\u0430b";
  const proposedFile = "# gr\u00f6n\tx\napi.example.com\n";
  await queueSample(dir.path, { id: "p1", justification, proposedFile });
  const json = async (...args: string[]) => {
    const { code, out } = await supervise(dir.path, [...args, "--json"]);
    assertEquals(code, 0, out);
    assert(/^[\n\x20-\x7e]*$/.test(out));
    return JSON.parse(out);
  };
  const why = {
    justification,
    justification_visible: "a⟨U+202E⟩\n⟨U+0430⟩b",
    justification_escaped: 2,
  };
  const has = (found: Record<string, unknown>, expected: Record<string, unknown>) =>
    assertEquals(
      Object.fromEntries(Object.keys(expected).map((key) => [key, found[key]])),
      expected,
    );
  has((await json("list")).pending[0], why);
  const shown = await json("show", "p1");
  has(shown, {
    ...why,
    proposed_file: proposedFile,
    proposed_file_visible: "# gr⟨U+00F6⟩n⇥x\napi.example.com\n",
    proposed_file_escaped: 1,
    current_file: null,
    current_file_visible: null,
    current_file_escaped: null,
    diff_escaped: 1,
    agent_diff_visible: null,
  });
  assert(shown.diff.includes("+# gr\u00f6n\tx\n"));
  assert(shown.diff_visible.includes("+# gr⟨U+00F6⟩n⇥x\n"));
  await json("reject", "p1", "--notes", "no\u00a0way");
  const [entry] = (await json("audit", "show")).entries;
  has(entry, {
    ...why,
    operator_notes: "no\u00a0way",
    operator_notes_visible: "no⟨U+00A0⟩way",
    operator_notes_escaped: 1,
    diff: shown.diff,
    diff_visible: shown.diff_visible,
    diff_escaped: 1,
  });
  const { out } = await supervise(dir.path, ["audit", "show"]);
  for (const heading of ["notes:  [1 escaped]", "said:  [2 escaped]", "diff:  [1 escaped]"]) {
    assert(out.includes(heading), out);
  }
});
