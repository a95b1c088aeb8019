import { changeConfigFile } from "../../src/config/change.ts";
import { validateConfigFile } from "../../mod.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createTwoFilesPatch } from "diff";
import fc from "fast-check";

type Tool = Parameters<typeof changeConfigFile>[0];
type Change = Parameters<typeof changeConfigFile>[2];

/** The changed file; of a change that is refused, its problems, a line each. */
function changed(tool: Tool, text: string, change: Change): string {
  const result = changeConfigFile(tool, text, change);
  if ("text" in result) return result.text;
  return result.problems.map(({ where, message }) => `! ${where}: ${message}`).join("\n");
}

const HOSTS: readonly (readonly [what: string, text: string, change: Change, after: string])[] = [
  ["an empty file", "", { add: ["a.de"] }, "a.de\n"],
  ["comments stay on top", "# hosts\n", { add: ["b.de", "a.de"] }, "# hosts\nb.de\na.de\n"],
  [
    "a sorted file stays sorted",
    "a.de\n# c\nc.de\n",
    { add: ["d.de", "b.de"] },
    "a.de\nb.de\n# c\nc.de\nd.de\n",
  ],
  ["in front of all", "# b\nb.de\nc.de\n", { add: ["a.de"] }, "# b\na.de\nb.de\nc.de\n"],
  ["an unsorted file gets it last", "c.de\n\nb.de\n", { add: ["bb.de"] }, "c.de\n\nb.de\nbb.de\n"],
  ["CRLF stays CRLF", "c.de\r\nb.de\r\n", { add: ["d.de"], remove: ["c.de"] }, "b.de\r\nd.de\r\n"],
  ["a last line without an end", "c.de\nb.de", { add: ["d.de"] }, "c.de\nb.de\nd.de"],
  ["and with CRLF", "c.de\r\nb.de", { add: ["d.de"] }, "c.de\r\nb.de\r\nd.de"],
  [
    "removed, its comment stays",
    "# x\na.de\n# y\nb.de\n",
    { remove: ["a.de"] },
    "# x\n# y\nb.de\n",
  ],
  ["a wildcard made narrower", "*.x.de\n", { add: ["a.x.de"], remove: ["*.x.de"] }, "a.x.de\n"],
  ["a host made a wildcard", "a.x.de\n", { add: ["*.x.de"] }, "a.x.de\n*.x.de\n"],
  [
    "covered already",
    "a.de\n*.example.com\n",
    { add: ["dev.example.com", "a.de"] },
    '! add[0]: this bottle may reach "dev.example.com" already, by *.example.com on line 2: the block has another reason\n' +
    '! add[1]: this bottle may reach "a.de" already, by a.de on line 1: the block has another reason',
  ],
  [
    "covered by what is added too",
    "",
    { add: ["*.x.de", "a.x.de", "b.de", "b.de"] },
    '! add[1]: *.x.de in add[0] covers "a.x.de": leave it out\n! add[3]: b.de in add[2] covers "b.de": leave it out',
  ],
  [
    "not there",
    "*.x.de\n",
    { remove: ["a.x.de", "y.de"] },
    '! remove[0]: the file in force has no line "a.x.de"; *.x.de on line 1 covers it\n' +
    '! remove[1]: the file in force has no line "y.de"',
  ],
  [
    "added and removed",
    "",
    { add: ["a.de"], remove: ["a.de"] },
    '! remove[0]: found "a.de" in add too, expected it in one of the two',
  ],
  [
    "no host",
    "",
    { add: ["https://x.de/y"] },
    '! add[0]: found "https://x.de/y", expected a bare host: write x.de',
  ],
  [
    "two lines in one",
    "",
    { add: ["a.de\nb.de"] },
    "! add[0]: expected one host, as a line of the file has it",
  ],
  [
    "a comment",
    "",
    { add: ["# a.de"] },
    "! add[0]: expected one host, as a line of the file has it",
  ],
  [
    "no text",
    "",
    { add: [1], remove: [{}] },
    "! remove[0]: expected one host, as a line of the file has it\n! add[0]: expected one host, as a line of the file has it",
  ],
];

Deno.test.each(HOSTS)("an allowlist is changed: %s", (_what, text, change, after) => {
  assertEquals(changed("pipelock-block", text, change), after);
});

Deno.test("an allowlist that is changed has the same lines in the same order, and what was asked for", () => {
  const host = fc.stringMatching(/^(\*\.)?[a-c]\.[a-c]\.de$/);
  const line = fc.oneof(host, fc.constantFrom("", "# c", " # d"));
  const lists = fc.tuple(
    fc.uniqueArray(line),
    fc.uniqueArray(host, { maxLength: 3 }),
    fc.uniqueArray(host, { maxLength: 2 }),
    fc.constantFrom("\n", "\r\n"),
    fc.boolean(),
  );
  let applied = 0;
  holds(
    fc.property(lists, ([lines, add, remove, end, isClosed]) => {
      const text = lines.join(end) + (isClosed && lines.length > 0 ? end : "");
      const result = changeConfigFile("pipelock-block", text, { add, remove });
      if ("problems" in result) return;
      applied++;
      const after = result.text.split("\n").map((line) => line.replace(/\r$/, ""));
      const rest = after.filter((line) => !add.includes(line));
      const before = text.split("\n").map((line) => line.replace(/\r$/, ""));
      const kept = before.filter((line) => !remove.includes(line));
      assertEquals(rest.filter(Boolean), kept.filter(Boolean));
      for (const host of add) assertEquals(after.filter((line) => line === host).length, 1);
      if (lines.length > 1) {
        assertEquals(/(^|[^\r])\n/.test(result.text), end === "\n" && result.text.includes("\n"));
      }
      assertEquals(validateConfigFile("pipelock-block", result.text), []);
    }),
    2_000,
  );
  assert(applied > 200);
});

const [A, B, C] = ["a", "b", "c"].map((name) => ({
  path: `/${name}/`,
  upstream: `https://${name}.example.com`,
}));

const ROUTES: readonly (readonly [what: string, text: string, change: Change, after: string])[] = [
  [
    "the first route",
    '{\n  "routes": []\n}\n',
    { add: [A] },
    '{\n  "routes": [\n    {\n      "path": "/a/",\n      "upstream": "https://a.example.com"\n    }\n  ]\n}\n',
  ],
  ["in one line", '{"routes":[]}', { add: [A] }, JSON.stringify({ routes: [A] })],
  [
    "as the one before it is written",
    '{"x": 1, "routes": [\r\n\t{ "path": "/a/", "upstream": "https://a.example.com" }\r\n], "y": [1 ,2]}',
    { add: [B] },
    '{"x": 1, "routes": [\r\n\t{ "path": "/a/", "upstream": "https://a.example.com" },' +
    '\r\n\t{ "path": "/b/", "upstream": "https://b.example.com" }\r\n], "y": [1 ,2]}',
  ],
  ["removed, the last one", '{"routes": [ {"path":"/a/","upstream":"https://a.de"} ]}', {
    remove: ["/a/"],
  }, '{"routes": []}'],
  [
    "replaced in one change",
    JSON.stringify({ routes: [A, B] }, null, "\t"),
    { add: [C], remove: ["/a/"] },
    JSON.stringify({ routes: [B, C] }, null, "\t"),
  ],
  [
    "brackets and quotes in strings",
    '{"routes": [{"path":"/a/","upstream":"https://a.de","n":"]}\\"["},{"path":"/b/","upstream":"https://b.de"}]}',
    { remove: ["/b/"] },
    '{"routes": [{"path":"/a/","upstream":"https://a.de","n":"]}\\"["}]}',
  ],
  [
    "not there",
    '{"routes":[]}',
    { remove: ["/a/"] },
    '! remove[0]: the file in force has no route with the path "/a/"',
  ],
  [
    "removed twice",
    JSON.stringify({ routes: [A] }),
    { remove: ["/a/", "/a/"] },
    '! remove[1]: found "/a/" twice',
  ],
  [
    "there already",
    JSON.stringify({ routes: [A, B] }),
    { add: [{ ...B, upstream: "https://other.example" }] },
    "! add[0].path: found the path of $.routes[1] in force, expected a new one: to change a route, send the whole file",
  ],
  [
    "added and removed",
    JSON.stringify({ routes: [A] }),
    { add: [A], remove: ["/a/"] },
    '! remove[0]: found "/a/" in add too, expected it in one of the two: to change a route, send the whole file\n' +
    "! add[0].path: found the path of $.routes[0] in force, expected a new one: to change a route, send the whole file",
  ],
  [
    "no route",
    '{"routes":[]}',
    { add: [1, { path: "x", upstream: "https://a.de" }], remove: [A] },
    '! remove[0]: expected the path of a route\n! add[0]: found the number "1", expected an object\n' +
    '! add[1].path: found "x", expected a path: put a "/" in front',
  ],
  [
    "a file that is none",
    '{"routes": 1}',
    { add: [A] },
    '! file: the file in force is not valid ($.routes: found the number "1", expected an array of routes), ' +
    "so no change can be made in it: send the whole file",
  ],
];

Deno.test.each(ROUTES)("routes are changed: %s", (_what, text, change, after) => {
  assertEquals(changed("cred-proxy-block", text, change), after);
});

Deno.test("a routes.json that is changed reads as asked, and is the same around and in what stays", () => {
  const space = fc.constantFrom("", " ", "\n", "\r\n\t", "\n    ");
  const extra = fc.dictionary(
    fc.stringMatching(/^[x-z]$/),
    fc.constantFrom<unknown>(1, ']}\\"', null, [{ x: [] }, 2], {}),
  );
  const routeOf = (path: string) =>
    extra.map((more) => ({ path, upstream: "https://u.example", ...more }));
  const spaced = (value: unknown, space: string) =>
    JSON.stringify(value, null, 1).replace(/\n */g, space);
  const files = fc.tuple(
    fc.uniqueArray(fc.constantFrom("/a", "/b/", "/c")).chain((paths) =>
      fc.tuple(...paths.map(routeOf))
    ),
    fc.uniqueArray(fc.constantFrom("/d", "/e/")).chain((paths) => fc.tuple(...paths.map(routeOf))),
    fc.subarray(["/a", "/b/", "/c"]),
    space,
    extra,
  );
  holds(
    fc.property(files, ([routes, add, wanted, space, more]) => {
      const remove = wanted.filter((path) => routes.some((route) => route.path === path));
      const written = routes.map((route) => spaced(route, space));
      const before = `{${space}"more": ${spaced(more, space)}, "routes"${space}:[${space}`;
      const after = `${space}],"last":[{ }]${space}}${space}`;
      const text = before + written.join(`${space},${space}`) + after;
      const result = changed("cred-proxy-block", text, { add, remove });
      const kept = routes.filter(({ path }) => !remove.includes(path));
      assertEquals(JSON.parse(result), { ...JSON.parse(text), routes: [...kept, ...add] });
      assert(result.startsWith(before.trimEnd()) && result.endsWith(after.trimStart()));
      for (const [index, route] of routes.entries()) {
        if (!remove.includes(route.path)) assertStringIncludes(result, written[index]!);
      }
    }),
    500,
  );
});

const FILE = "FROM debian:12\nRUN a\nRUN b\nRUN a\n";

const PATCHES: readonly (readonly [what: string, patch: string, after: string])[] = [
  [
    "where its header says",
    "--- a\n+++ b\n@@ -2,1 +2,2 @@ FROM\n RUN a\n+RUN c\n",
    "FROM debian:12\nRUN a\nRUN c\nRUN b\nRUN a\n",
  ],
  [
    "at the only place that fits",
    "@@ -9 +9,2 @@\n RUN b\n+RUN c\n",
    "FROM debian:12\nRUN a\nRUN b\nRUN c\nRUN a\n",
  ],
  ["behind the last line", "@@ -4,0 +5 @@\n+RUN c", FILE + "RUN c\n"],
  [
    "two hunks, a blank line between",
    "@@ -1 +1 @@\n-FROM debian:12\n+FROM debian:13\n\n@@ -4 +4 @@\n-RUN a\n+RUN c\n",
    "FROM debian:13\nRUN a\nRUN b\nRUN c\n",
  ],
  [
    "no end of line",
    "@@ -4 +4 @@\n-RUN a\n+RUN c\n\\ No newline at end of file\n",
    "FROM debian:12\nRUN a\nRUN b\nRUN c",
  ],
  [
    "several places",
    "@@ -9 +9,2 @@\n RUN a\n+RUN c\n",
    "! patch: hunk 1 does not apply: its lines are not at line 9, and more than once elsewhere, at lines 2 and 4: show more lines around the change",
  ],
  [
    "another line there",
    "@@ -1 +1 @@\n-FROM debian:12\n+FROM debian:13\n@@ -2,2 +2,2 @@\n RUN a\n-RUN x\n+RUN c\n",
    '! patch: hunk 2 does not apply: line 3 of the file in force is "RUN b", and the diff has "RUN x"',
  ],
  [
    "no fuzz",
    "@@ -2,3 +2,4 @@\n RUN a\n RUN b\n+RUN c\n RUN z\n",
    '! patch: hunk 1 does not apply: line 4 of the file in force is "RUN a", and the diff has "RUN z"',
  ],
  [
    "behind the end",
    "@@ -4,2 +4,2 @@\n RUN a\n-RUN q\n+RUN c\n",
    '! patch: hunk 1 does not apply: line 5 of the file in force is behind its end, and the diff has "RUN q"',
  ],
  [
    "far behind the end",
    "@@ -90,0 +91 @@\n+RUN c\n",
    "! patch: hunk 1 does not apply: line 91 is behind the end of the file, or before the end of the hunk above",
  ],
  [
    "cut off",
    "@@ -2,3 +2,4 @@\n RUN a\n+RUN c\n",
    "! patch: hunk 1 has not the lines that its header counts: 3 of the file and 4 of the new one",
  ],
  [
    "of two files",
    "@@ -2 +2 @@\n-RUN a\n+RUN c\n--- other\n+++ other\n@@ -1 +1 @@\n-x\n+y\n",
    '! patch: found "--- other" where hunk 2 begins, expected "@@ -LINE,COUNT +LINE,COUNT @@", and one file alone',
  ],
  [
    "no diff",
    "RUN c\n",
    '! patch: found no line that begins with "@@", expected a diff as diff -u prints it',
  ],
];

Deno.test.each(PATCHES)("a Dockerfile is patched: %s", (_what, patch, after) => {
  assertEquals(changed("capability-block", FILE, { patch }), after);
  const ofCrlf = FILE.replaceAll("\n", "\r\n");
  const expected = after.startsWith("!") ? after : after.replaceAll("\n", "\r\n");
  assertEquals(changed("capability-block", ofCrlf, { patch }), expected);
});

Deno.test("a patch makes of a file what another program's diff says", () => {
  const text = fc.tuple(
    fc.array(fc.constantFrom("", "a", "b", "cc", "-", "+x", "@@"), { maxLength: 12 }),
    fc.boolean(),
  )
    .map(([lines, isClosed]) => lines.join("\n") + (isClosed ? "\n" : ""));
  let applied = 0;
  holds(
    fc.property(text, text, fc.nat(3), (before, after, context) => {
      const patch = createTwoFilesPatch("x", "x", before, after, "", "", { context });
      // Of equal texts there is no hunk.
      if (!patch.includes("\n@@")) return;
      applied++;
      assertEquals(changed("capability-block", before, { patch }), after, patch);
    }),
    3_000,
  );
  assert(applied > 1_000);
});

Deno.test("a patch of a long file whose lines are all the same finds its place, or none", () => {
  const text = "RUN a\n".repeat(150_000);
  const lines = " RUN a\n".repeat(70_000);
  const patch = `@@ -1,70002 +1,70002 @@\n${lines}-RUN z\n+RUN y\n RUN a\n`;
  assertStringIncludes(
    changed("capability-block", text, { patch }),
    "hunk 1 does not apply: line 70001",
  );
});
