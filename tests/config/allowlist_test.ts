import { validateAllowlist } from "../../src/config/allowlist/check.ts";
import { MAX_CONFIG_FILE_BYTES, MAX_PROBLEMS } from "../../src/records/problem.ts";
import { quote } from "../../src/text/quote.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";

const REAL = `# What the agent needs to build.
api.anthropic.com
registry.example.com

# GitHub, and its downloads
github.com
*.githubusercontent.com
  # an indented comment
xn--bcher-kva.example
`;

const VALID: readonly (readonly [what: string, text: string])[] = [
  ["a real file", REAL],
  ["CRLF line ends", REAL.replaceAll("\n", "\r\n")],
  ["an empty file", ""],
  ["comments and blank lines alone", "# nothing\n\n \t\n"],
  ["a last line without an end", "a.example"],
  ["a host and its wildcard", "a.example\n*.a.example\n"],
  ["a single label", "gitea\n"],
  ["a wildcard of a single label", "*.internal\n"],
  ["labels with digits at the ends", "0.1a.example\n4chan.org\n"],
  ["a last label that only looks numeric", "a.0xyz\na.1b\n"],
  ["a label of 63 characters", `${"a".repeat(63)}.example\n`],
  ["a name of 253 characters", `${"a.".repeat(126)}a\n`],
  ["any language in a comment", "# für später\n"],
];

for (const [what, text] of VALID) {
  Deno.test(`validateAllowlist() accepts ${what}`, () => {
    assertEquals(validateAllowlist(text), []);
  });
}

const BAD_LINES: readonly (readonly [line: string, part: string])[] = [
  ["https://api.example.com", "a bare host: write api.example.com"],
  ["https://u:p@API.example.com:443/v1?x#y", "nothing behind a host"],
  ["https://u:p@API.example.com:443/v1?x", "a bare host: write api.example.com"],
  ["https://", "a bare host: write the host alone"],
  ["api.example.com/v1", "without a path: write api.example.com"],
  ["//api.example.com", "without a path: write the host alone"],
  ["git@github.com", "without a user: write github.com"],
  ["git@github.com:a", "without a user: write the host alone"],
  ["api.example.com:443", "without a port: write api.example.com"],
  ["api.example.com:", "without a port: write api.example.com"],
  ["api.example.com.", "no dot at the end: write api.example.com"],
  ["api.example.com..", "no dot at the end: write the host alone"],
  ["API.example.com", 'write "api.example.com"'],
  ["api.example.com # why", "put the comment on a line"],
  ["api.example.com#why", "put the comment on a line"],
  [" api.example.com", "no spaces or tabs"],
  ["api.example.com\t", "no spaces or tabs"],
  ["a.example b.example", "one host on a line"],
  ["a.example,b.example", "one host on a line"],
  ["bücher.example", "its xn-- form"],
  ["gith\u200bub.com", "its xn-- form"],
  ["аpi.example.com", "its xn-- form"],
  ["\u00a0", "its xn-- form"],
  ["a\rb", "no line ends but LF and CRLF"],
  ["a.example\r\r", "no line ends but LF and CRLF"],
  ["# a\rb.example", "no line ends but LF and CRLF"],
  ["# a\u2028b.example", "no line ends but LF and CRLF"],
  ["# a\u0085b.example", "no line ends but LF and CRLF"],
  ["# a\u001b[2K", "no control characters"],
  ["127.0.0.1", "no IP address"],
  ["127.1", "no IP address"],
  ["2130706433", "no IP address"],
  ["0x7f.1", "no IP address"],
  ["0x7f000001", "no IP address"],
  ["a.0x", "no IP address"],
  ["*.1", "no IP address"],
  ["[::1]", "no IPv6 address"],
  ["::1", "no IPv6 address"],
  ["[::1]:443", "no IPv6 address"],
  ["*", "a wildcard only"],
  ["*.", "no dot at the end"],
  ["*.*.example", "a wildcard only"],
  ["api.*.example", "a wildcard only"],
  ["*api.example", "a wildcard only"],
  ["a..example", "remove the extra dot"],
  [".a.example", "remove the extra dot"],
  ["a_b.example", "lower-case letters"],
  ["-a.example", "lower-case letters"],
  ["a-.example", "lower-case letters"],
  ["%61.example", "lower-case letters"],
  [`${"a".repeat(64)}.example`, "at most 63"],
  [`${"a.".repeat(126)}ab`, "at most 253"],
];

for (const [line, part] of BAD_LINES) {
  Deno.test(`validateAllowlist() rejects the line ${quote(line)}`, () => {
    const problems = validateAllowlist(`# hosts\nok.example\n${line}\n`);
    assertEquals(problems.map((problem) => problem.where), ["line 3"]);
    assertStringIncludes(problems[0]!.message, part);
  });
}

Deno.test("validateAllowlist() rejects a byte order mark", () => {
  const problems = validateAllowlist("\ufeffa.example\n");
  assertEquals(problems.map((problem) => problem.where), ["line 1"]);
  assertStringIncludes(problems[0]!.message, "byte order mark");
});

Deno.test("validateAllowlist() rejects a second line with the same host", () => {
  const problems = validateAllowlist("a.example\n# again\r\na.example\r\n");
  assertEquals(problems.map((problem) => problem.where), ["line 3"]);
  assertStringIncludes(problems[0]!.message, "line 1");
});

const HOSTILE: readonly (readonly [what: string, text: string, part: string])[] = [
  ["a line of 1 MiB", "a".repeat(MAX_CONFIG_FILE_BYTES), "at most 253"],
  ["a million dots", ".".repeat(1_000_000), "no dot at the end"],
  ["dots without an end", ".".repeat(500_000) + "x.", "no dot at the end"],
  ["a million spaces", " ".repeat(1_000_000) + "x", "no spaces or tabs"],
  ["a million colons", ":".repeat(1_000_000), "no IPv6 address"],
  ["a file over 1 MiB", "#".repeat(MAX_CONFIG_FILE_BYTES + 1), "1048576 bytes"],
  ["a NUL character", "# a\0b", "NUL"],
  ["half of a surrogate pair", "# \udc00", "surrogate"],
];

for (const [what, text, part] of HOSTILE) {
  Deno.test(`validateAllowlist() rejects ${what}`, () => {
    const problems = validateAllowlist(text);
    assertEquals(problems.length, 1);
    assertStringIncludes(problems[0]!.message, part);
  });
}

Deno.test("validateAllowlist() accepts a million blank lines", () => {
  assertEquals(validateAllowlist("\n".repeat(1_000_000)), []);
});

Deno.test("validateAllowlist() tells 20 problems and that more follow", () => {
  const problems = validateAllowlist("a\n".repeat(100_000));
  assertEquals(problems.length, MAX_PROBLEMS + 1);
  assertStringIncludes(problems[20]!.message, "more problems follow");
});

Deno.test("validateAllowlist() answers any text in printable ASCII, and never throws", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.domain(),
    fc.webUrl(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom("a", "A", ".", "*", ":", "@", "/", "#", " ", "\r", "1") }),
  );
  fc.assert(fc.property(fc.array(line), (lines) => {
    const problems = validateAllowlist(lines.join("\n"));
    assert(problems.length <= MAX_PROBLEMS + 1);
    for (const { where, message } of problems) assertMatch(where + message, /^[\x20-\x7e]+$/);
  }));
});

// Threat: A7
Deno.test("validateAllowlist() accepts no line that a URL parser reads as another host", () => {
  const line = fc.oneof(
    fc.domain(),
    fc.string({ unit: fc.constantFrom("a", "A", ".", "-", "0", "x", "1", "%", "é"), minLength: 1 }),
  );
  let passed = 0;
  fc.assert(
    fc.property(line, (line) => {
      if (line.includes("xn--") || validateAllowlist(line).length > 0) return;
      passed++;
      assertEquals(new URL(`http://${line}/`).hostname, line);
    }),
    { numRuns: 1000 },
  );
  assert(passed > 0, "no host passed");
});
