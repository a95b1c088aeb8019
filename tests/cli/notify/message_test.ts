import {
  type Arrival,
  arrivalMessage,
  arrivalOf,
  testMessage,
} from "../../../cli/notify/message.ts";
import { terminalBytes, terminalForm } from "../../../cli/notify/receivers.ts";
import { samplePending } from "../../support/records.ts";
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import fc from "fast-check";

const ID = "6da1c435-41d4-4bcd-9f70-63006c4dbbbf";

const at = (bottleSlug: string, proposalId = ID): Arrival => ({
  bottleSlug,
  proposalId,
  tool: "pipelock-block",
});

for (
  const [arrivals, waiting, text] of [
    [[at("dev-1")], 1, "1 proposal waits in dev-1 (6da1c435)"],
    [[at("dev-1")], 4, "1 proposal waits in dev-1 (6da1c435). 4 wait in all"],
    [[at("dev-1"), at("dev-1")], 2, "2 proposals wait in dev-1"],
    [[at("web.2"), at("dev-1")], 3, "2 proposals wait in 2 bottles: dev-1, web.2. 3 wait in all"],
    [
      ["e", "d", "c", "b", "a"].map((slug) => at(slug)),
      5,
      "5 proposals wait in 5 bottles: a, b, c and 2 more",
    ],
    // Whoever owns a sidecar chooses the ids: what is no UUID may be words.
    [[at("dev-1", "call-0800-EVIL-to-approve")], 1, "1 proposal waits in dev-1"],
    [[at("dev-1", ID.toUpperCase())], 1, "1 proposal waits in dev-1"],
  ] as const
) {
  Deno.test(`arrivalMessage() says "${text}"`, () => {
    assertEquals(arrivalMessage(arrivals, waiting, 0).text, text);
  });
}

Deno.test("arrivalMessage() has the same for programs, and nothing else", () => {
  const arrivals = [at("dev-1"), { ...at("web.2", "EVIL"), tool: "capability-block" as const }];
  const { body } = arrivalMessage(arrivals, 7, Date.UTC(2026, 10, 22));
  assertEquals(JSON.parse(body), {
    type: "proposals.arrived",
    timestamp: "2026-11-22T00:00:00.000Z",
    data: {
      text: "2 proposals wait in 2 bottles: dev-1, web.2. 7 wait in all",
      arrived: 2,
      waiting: 7,
      proposals: [
        { bottle_slug: "dev-1", id: ID, tool: "pipelock-block" },
        { bottle_slug: "web.2", id: null, tool: "capability-block" },
      ],
    },
  });
});

Deno.test("arrivalMessage() gives the same proposals the same id, in any order and at any time", () => {
  const [one, two] = [at("dev-1"), at("web.2")];
  const { id } = arrivalMessage([one, two], 2, 0);
  assertMatch(id, /^msg_[0-9a-f]{32}$/);
  assertEquals(arrivalMessage([two, one], 9, 1).id, id);
  assertNotEquals(arrivalMessage([one], 2, 0).id, id);
  assertNotEquals(testMessage(0).id, testMessage(0).id);
});

// Threat: A11
Deno.test("arrivalMessage() tells nothing of what an agent wrote, whatever it wrote", () => {
  const words = fc.string({ unit: "binary", minLength: 4, maxLength: 200 });
  fc.assert(fc.property(words, words, (justification, proposedFile) => {
    const told = (change: object) => arrivalMessage([arrivalOf(samplePending(change))], 1, 0);
    const id = ID;
    assertEquals(
      told({ id, justification, proposedFile, arrivalTimestamp: justification }),
      told({ id }),
    );
  }));
});

// Threat: A11
Deno.test("arrivalMessage() is short printable ASCII without a semicolon, however much arrived", () => {
  const slug = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/);
  const id = fc.stringMatching(/^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/);
  const arrivals = fc.array(
    fc.record({ bottleSlug: slug, proposalId: id, tool: fc.constant("pipelock-block") }),
    {
      minLength: 1,
      maxLength: 60,
    },
  );
  fc.assert(fc.property(arrivals, fc.nat(), (some, waiting) => {
    const { text, body } = arrivalMessage(some as readonly Arrival[], waiting, 0);
    assertMatch(text, /^[ -:<-~]{1,300}$/);
    assertMatch(body, /^[ -~]{1,6000}$/);
  }));
});

for (
  const [form, bytes] of [
    ["bell", "\x07"],
    ["osc9", "\x1b]9;supervise: 1 waits\x07"],
    ["osc777", "\x1b]777;notify;supervise;1 waits\x07"],
    ["osc99", "\x1b]99;;supervise: 1 waits\x1b\\"],
  ] as const
) {
  Deno.test(`terminalBytes() as ${form} is one sequence, and lets no other in`, () => {
    const decode = (text: string) => new TextDecoder().decode(terminalBytes(form, text));
    assertEquals(decode("1 waits"), bytes);
    assertEquals(decode("1\x1b\x07;\u009c"), bytes.replace("1 waits", "1????"));
  });
}

for (
  const [signal, term, program, form] of [
    ["auto", "xterm-256color", "", "bell"],
    ["auto", "", "", "bell"],
    ["auto", "dumb", "", "bell"],
    ["auto", "xterm-kitty", "", "osc99"],
    ["auto", "xterm-ghostty", "ghostty", "osc777"],
    ["auto", "foot", "", "osc777"],
    ["auto", "rxvt-unicode-256color", "", "osc777"],
    ["auto", "xterm-256color", "WezTerm", "osc777"],
    ["auto", "xterm-256color", "iTerm.app", "osc9"],
    ["auto", "tmux-256color", "tmux", "bell"],
    ["auto", "screen.xterm-kitty", "iTerm.app", "bell"],
    ["osc9", "xterm-256color", "", "osc9"],
    ["osc9", "xterm-256color", "tmux", "bell"],
    ["bell", "xterm-kitty", "", "bell"],
  ] as const
) {
  Deno.test(`terminalForm() makes of ${signal} ${form} in "${term}" "${program}"`, () => {
    assertEquals(terminalForm(signal, term, program), form);
  });
}
