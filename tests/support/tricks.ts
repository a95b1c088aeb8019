/**
 * Tricks that a proposal can play on a reader's eye.
 *
 * @module
 */

import type { Proposal } from "../../mod.ts";

const ESC = "\x1b";

/** A trick: what it is after, and the proposal that tries it. */
export type Trick = readonly [about: string, attempt: Partial<Proposal>];

/** One trick a screen, by the screen's name. */
export const TRICKS: Readonly<Record<string, Trick>> = {
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
      "p\u0430ypal, G\u03bf\u03bfgle, g\u0585, \u13a1\u13a2K.\nПривет, API-ключ, 使用npm安装 stay as they are.\n" +
      "api․github․com, ｇit, \u{1d420}it, https:∕∕x.example, שלום and ١٢٣ do not.",
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
