import { validateDockerfile } from "../../src/config/dockerfile/check.ts";
import { outlineDockerfile } from "../../src/config/dockerfile/instructions.ts";
import { MAX_CONFIG_FILE_BYTES, MAX_PROBLEMS } from "../../src/records/problem.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";

const REAL = `# syntax=docker/dockerfile:1
# check=skip=JSONArgsRecommended

ARG BASE=debian:13-slim
FROM --platform=$BUILDPLATFORM golang:1.25 AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY --link go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod --network=default go mod download
COPY --chmod=u=rwX,go=rX --parents --exclude=*_test.go ./cmd/./agent ./
RUN --mount=type=secret,id=token,required \\
    --security=insecure \\
    # a comment in between
    GOOS=$TARGETOS GOARCH=\${TARGETARCH:-amd64} \\

    go build -o /out/agent ./cmd/agent

FROM \${BASE} AS tools
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN <<EOF
set -e
apt-get update
UNKNOWN would be an instruction outside
EOF
RUN python3 - <<-'PY' && echo done
	print("FROM nothing")
	PY
COPY <<"one.conf" <<two.conf /etc/agent/
NOT an instruction
one.conf
$NOR this
two.conf

FROM tools
maintainer somebody
env PATH="/opt/bin":$PATH A="x"y OLD='it is "quoted"'
ENV LEGACY a "quoted" value
ENV SHORT=\${BASE%%:*} DEFAULT=\${X:-y}
LABEL "org.example.name"="agent" org.example.text="over \\
two lines"
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d \\
    https://a.example/x.tar.gz /opt/
ADD --keep-git-dir=true https://git.example/repo.git#main /src
ADD --unpack=true https://a.example/y.tar.gz /opt/
COPY --from=build --chown=1000:1000 /out/agent /usr/local/bin/agent
COPY a b /no/slash/behind
COPY ["a b", "c d", "/e f/"]
ONBUILD RUN echo triggered
ONBUILD COPY . /app
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --start-interval=1s --retries=0 \\
  CMD curl -f "http://localhost:\${PORT}/" || exit 1
EXPOSE 80 443/udp 8000-8010/tcp $PORT
VOLUME ["/data"]
VOLUME /a /b
USER agent:agent
WORKDIR relative
STOPSIGNAL TERM
RUN echo $((1<<2)) "<<EOF" 'it is <<EOF'
RUN ["echo", "<<EOF"]
ENTRYPOINT ["agent"]
CMD ['--help']
`;

const VALID: readonly (readonly [what: string, text: string])[] = [
  ["a file with all of BuildKit's syntax", REAL],
  ["CRLF line ends", REAL.replaceAll("\n", "\r\n")],
  ["a single line", "FROM scratch"],
  ["a byte order mark", "\ufeffFROM scratch\n"],
  ["a backtick as the escape character", "# escape=`\nFROM a\nRUN dir `\n  C:\\\nCOPY a b\\\n"],
  ["two backslashes at the end of a line", "FROM a\nRUN echo \\\\\nRUN x\n"],
  ["a directive behind another comment, which is none", "# x\n# escape=x\nFROM a\n"],
  ["a continued last line", "FROM a\nRUN x \\\n"],
  ["indented instructions", "  FROM a\n\tRUN x\n  # comment\n"],
  ["a variable of 1,001 words", `FROM a\nENV NOTE ${"word ".repeat(1_001)}\n`],
  ["a stage named constructor", "FROM a AS constructor\nFROM constructor\n"],
  [
    "an image with registry, tag and digest",
    `FROM r.example:5000/a/b:1@sha256:${"4a".repeat(32)}\n`,
  ],
  ["an image made of variables", "ARG A\nFROM $A\nFROM x-${TARGETARCH}:${A}\nFROM ${B:-c}\n"],
  ["a build stage named by BuildKit's arguments", "FROM $TARGETARCH\nFROM ${BUILDVARIANT}\n"],
  ["a no-break space behind ONBUILD", "FROM a\nONBUILD \u00a0RUN x\n"],
  ["instructions cut in the middle", "FROM a\nR\\\nUN x\n"],
  ["a stage name twice", "FROM a AS b\nFROM a AS B\n"],
  ["a CR inside a line", "FROM a\n# x\rRUN y\nRUN x\ry\n"],
  ["a heredoc with a blank before its name", "FROM a\nRUN << EOF\nx\nEOF\n"],
  ["<< with empty quotes, which opens nothing", "FROM a\nRUN x <<''\nRUN y\n"],
  ["<< before a modifier, where BuildKit loses it", "FROM a\nRUN x <<E${X:-F}\nUSER b\n"],
  ["flags that BuildKit drops", "FROM a\nARG --x A\nSTOPSIGNAL --y TERM\n"],
  ["durations", "FROM a\nHEALTHCHECK --interval=1m0.5s --timeout=0 --retries=3 CMD x\n"],
  ["a mount with a variable", 'FROM a\nRUN --mount=type=cache,\\"target=/a,b\\",id=$X,ro x\n'],
  ["50,000 lines", `FROM a\n${"# x\n".repeat(49_999)}`],
];

for (const [what, text] of VALID) {
  Deno.test(`validateDockerfile() accepts ${what}`, () => {
    assertEquals(validateDockerfile(text), []);
  });
}

const INVALID: readonly (readonly [what: string, text: string, where: string, part: string])[] = [
  ["an empty file", "", "file", "found no FROM"],
  ["comments alone", "# FROM a\n\n", "file", "found no FROM"],
  ["ARG alone", "ARG A=1\n", "file", "found no FROM"],
  ["an instruction before FROM", "ARG A\n\nRUN x\nFROM a\n", "line 3", 'found "RUN" first'],
  ["an unknown instruction", "FROM a\nRUN x\nRUM y\n", "line 3", 'unknown instruction "RUM"'],
  [
    "a missing continuation",
    "FROM a\nRUN apt-get update &&\n  apt-get install x\n",
    "line 3",
    "end the line before it with a backslash",
  ],
  ["an instruction of look-alikes", "FROM a\nENTRYPO\u0131NT x\n", "line 2", "ENTRYPO\\u0131NT"],
  [
    "an unknown instruction behind a comment",
    "FROM a\n# x\nRUM x\n",
    "line 3",
    "unknown instruction",
  ],
  ["an unknown instruction behind a heredoc", "FROM a\nRUN <<E\nx\nE\ny\n", "line 5", '"y"'],
  ["a heredoc without its end", "FROM a\nRUN <<EOF\nx\n EOF\n", "line 2", 'heredoc "EOF"'],
  ["a heredoc inside a word", "FROM a\nRUN cat<<EOF\nx\n", "line 3", 'instruction "x"'],
  ["FROM without an image", "FROM\n", "line 1", "expected FROM and the name"],
  ["FROM with flags alone", "FROM --platform=x\n", "line 1", "expected FROM and the name"],
  ["FROM with two arguments", "FROM a b\n", "line 1", "expected FROM image, or"],
  ["FROM with another word than AS", "FROM a IS b\n", "line 1", "expected FROM image, or"],
  ["FROM with an unknown flag", "FROM --x=y a\n", "line 1", "expected one of --platform"],
  ["an invalid tag", "FROM a:!\n", "line 1", "expected the name of an image"],
  ["an invalid stage name", "FROM a AS 1b\n", "line 1", "expected a stage of a letter"],
  ["an image of an undeclared ARG", "FROM ${BASE}\n", "line 1", 'expected ARG "BASE"'],
  ["an image of an ARG of a stage", "FROM a\nARG B\nFROM $B\n", "line 3", 'expected ARG "B"'],
  ["COPY with one argument", "FROM a\nCOPY x\n", "line 2", "a source and a destination"],
  [
    "COPY with an unknown flag",
    "FROM a\nCOPY --x=1 a b\n",
    "line 2",
    'found "--x=1", expected one of',
  ],
  ["ADD with an unknown flag", "FROM a\nADD --from=x a b\n", "line 2", 'found "--from=x"'],
  ["ENV without a value", "FROM a\nENV A\n", "line 2", "expected ENV NAME=VALUE"],
  ["ENV with a word too many", "FROM a\nENV A=$x b\n", "line 2", "NAME=VALUE in each word"],
  ["ENV with an open quote", 'FROM a\nENV A="$x\n', "line 2", "each quote"],
  ["LABEL with an open quote", "FROM a\nLABEL a='b\n", "line 2", "each quote"],
  ["EXPOSE of a word", "FROM a\nEXPOSE http\n", "line 2", "ports up to 65535"],
  ["EXPOSE of an unknown protocol", "FROM a\nEXPOSE 1/icmp\n", "line 2", "ports up to 65535"],
  ["SHELL without JSON", "FROM a\nSHELL bash\n", "line 2", "JSON form"],
  ["HEALTHCHECK of an unknown type", "FROM a\nHEALTHCHECK x\n", "line 2", "or HEALTHCHECK NONE"],
  ["HEALTHCHECK without a command", "FROM a\nHEALTHCHECK CMD\n", "line 2", "a command behind CMD"],
  ["an invalid duration", "FROM a\nHEALTHCHECK --interval=x CMD y\n", "line 2", "duration"],
  ["USER without a name", "FROM a\nUSER\n", "line 2", "something behind USER"],
  ["ONBUILD alone", "FROM a\nONBUILD\n", "line 2", "something behind ONBUILD"],
  [
    "ONBUILD with no plain space behind it",
    "FROM a\nONBUILD RUN\u00a0x\n",
    "line 2",
    "RUN\\u00a0x",
  ],
  ["ONBUILD FROM", "FROM a\nONBUILD from b\n", "line 2", "found ONBUILD from"],
  ["ONBUILD ONBUILD", "FROM a\nONBUILD ONBUILD RUN x\n", "line 2", "found ONBUILD ONBUILD"],
  ["ONBUILD with an unknown instruction", "FROM a\nONBUILD RUM x\n", "line 2", '"RUM"'],
  [
    "ONBUILD with a wrong instruction",
    "FROM a\nONBUILD COPY x\n",
    "line 2",
    "a source and a destination",
  ],
  ["another escape character", "# escape=x\nFROM a\n", "line 1", 'escape character "x"'],
  [
    "a directive twice",
    "# syntax=a\n# escape=`\n# Escape=`\nFROM a\n",
    "line 3",
    "a second escape",
  ],
  ["a line that is a backslash alone at the end", "FROM a\n\\\n", "line 2", 'instruction ""'],
  ["EXPOSE of a port that there is not", "FROM a\nEXPOSE 80000\n", "line 2", "ports up to 65535"],
  ["EXPOSE of a range backwards", "FROM a\nEXPOSE 90-80\n", "line 2", "ports up to 65535"],
  ["an unknown kind of mount", "FROM a\nRUN --mount=type=volume x\n", "line 2", "type=bind or"],
  ["an unknown key of a mount", "FROM a\nRUN --mount=form=a x\n", "line 2", 'instead of "form"'],
  ["a mount from a variable", "FROM a\nRUN --mount=from=$X x\n", "line 2", "no variable"],
  ["a key of a mount without a value", "FROM a\nRUN --mount=target x\n", "line 2", "target=VALUE"],
  ["an open quote in a mount", 'FROM a\nRUN --mount=\\"a x\n', "line 2", "key=value pairs"],
  ["another network", "FROM a\nRUN --network=h\\ost2 x\n", "line 2", 'found "--network=host2"'],
  ["a flag twice", "FROM a\nCOPY --from=a --from=b c d\n", "line 2", "again, expected it once"],
  ["a switch with a value", "FROM a\nCOPY --link=1 c d\n", "line 2", "--link=true or"],
  ["a flag without a value", "FROM a\nCOPY --from c d\n", "line 2", "expected --from=VALUE"],
  [
    "a flag beyond ASCII behind ONBUILD",
    "FROM a\nONBUILD COPY --from=\u00e9 c d\n",
    "line 2",
    "ASCII",
  ],
  ["a flag beyond ASCII", "FROM a\nCOPY --from=\u00e9 c d\n", "line 2", "beyond ASCII"],
  ["an array of more than strings", "FROM a\nRUN [1]\n", "line 2", "strings alone"],
  ["a heredoc as a destination", "FROM a\nCOPY a <<E\nx\nE\n", "line 2", "no heredoc"],
  ["ARG without a name", "FROM a\nARG =x\n", "line 2", "a name before the ="],
  ["retries below zero", "FROM a\nHEALTHCHECK --retries=-1 CMD x\n", "line 2", "not negative"],
  ["less than a millisecond", "FROM a\nHEALTHCHECK --timeout=1us CMD x\n", "line 2", "a duration"],
  ["NONE with a command", "FROM a\nHEALTHCHECK NONE x\n", "line 2", "nothing behind NONE"],
  ["VOLUME of nothing", 'FROM a\nVOLUME [" "]\n', "line 2", "a directory"],
  ["an image in capitals", "FROM Debian\n", "line 1", "expected the name of an image"],
];

for (const [what, text, where, part] of INVALID) {
  Deno.test(`validateDockerfile() rejects ${what}`, () => {
    const problems = validateDockerfile(text);
    assertEquals(problems[0]?.where, where);
    assertStringIncludes(problems[0]!.message, part);
    assert(problems.every((problem) => problem.where === where || problem.where === "file"));
  });
}

/** As many copies as fit into a file. */
function fill(unit: string, before = "FROM a\n"): string {
  return before + unit.repeat((MAX_CONFIG_FILE_BYTES - before.length) / unit.length);
}

/** Nearly as many lines as are allowed. */
const MOST = (line: string) => "FROM a\n" + line.repeat(40_000);

const HOSTILE: readonly (readonly [what: string, text: string, part: string])[] = [
  ["one line of 1 MiB", fill("x", "FROM a\nRUN "), "more than 65535 bytes"],
  ["a line of 65,536 bytes in fewer characters", `FROM a\n# ${"é".repeat(32_768)}`, "65535 bytes"],
  ["40,000 instructions", MOST("RUN x\n"), "more than 1000 instructions"],
  ["1,001 variables", `FROM a\nENV ${"A=b ".repeat(1_001)}`, "more than 1000 variables"],
  ["40,000 unknown instructions", MOST("X y\n"), 'unknown instruction "X"'],
  ["an instruction of 40,000 lines", MOST("R\\\n"), "unknown instruction"],
  ["a million blank lines", fill("\n"), "more than 50000 lines"],
  ["500,000 continued lines", fill("\\\n", "FROM a\nRUN x "), "more than 50000 lines"],
  ["500,000 comments", fill("#\n"), "more than 50000 lines"],
  ["a heredoc of 500,000 lines", fill("x\n", "FROM a\nRUN <<E\n"), "more than 50000 lines"],
  ["50,001 lines", `FROM a\n${"# x\n".repeat(50_000)}`, "more than 50000 lines"],
  ["variables in each other", `FROM a\nENV A=${"${a:-".repeat(9_000)}`, "each quote"],
  ["heredocs without their end", `FROM a\nRUN ${"<<E \\\n".repeat(40_000)}`, 'heredoc "E"'],
  // A pattern that tries every way to cut the name into pieces would not come back from this.
  [
    "a stage name that is nearly one",
    `FROM a AS ${"a".repeat(60_000)}!`,
    "expected a stage of a letter",
  ],
  ["such a name behind words that look like flags", `FROM -- -- ${"a".repeat(99)}!`, "FROM image"],
  ["a file over 1 MiB", fill("\n") + "\n\n", "1048576 bytes"],
  ["a NUL character", "FROM a\nRUN \0", "NUL"],
  ["half of a surrogate pair", "FROM a\nRUN \ud800", "surrogate"],
];

for (const [what, text, part] of HOSTILE) {
  Deno.test(`validateDockerfile() rejects ${what}`, () => {
    const problems = validateDockerfile(text);
    assert(problems.length <= MAX_PROBLEMS + 1);
    assertStringIncludes(problems[0]!.message, part);
  });
}

const LARGE: readonly (readonly [what: string, text: string])[] = [
  ["40,000 blank lines", MOST("\n")],
  ["49,999 continued lines", `FROM a\nRUN x ${"\\\n".repeat(49_998)}`],
  ["40,000 comments between continued lines", `FROM a\nRUN x \\\n${"# x\n".repeat(40_000)}`],
  ["a heredoc of 40,000 lines", `FROM a\nRUN <<E\n${"x\n".repeat(40_000)}E\n`],
  ["an instruction of 50,000 arguments", `FROM a\n${"COPY "}${"a ".repeat(30_000)}b/`],
];

for (const [what, text] of LARGE) {
  Deno.test(`validateDockerfile() accepts ${what}`, () => {
    assertEquals(validateDockerfile(text), []);
  });
}

Deno.test("validateDockerfile() answers any text in printable ASCII, and never throws", () => {
  // deno-fmt-ignore
  const word = fc.constantFrom(
    "ADD", "ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "ONBUILD", "RUN",
    "SHELL", "STOPSIGNAL", "USER", " ", " ", "\n", "\n", "\\\n", "#", "<<E", "E", "--", "-", "=", "$",
    "${", "}", '"', "'", "[", "]", "`", "a", ":", "@", "# escape=`", "AS", "\r", "\ue000", "\u00a0",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(word, { maxLength: 60 }).map((words) => "FROM a\n" + words.join("")),
    fc.array(word, { maxLength: 60 }).map((words) => words.join(" ")),
  );
  fc.assert(
    fc.property(text, (text) => {
      const problems = validateDockerfile(text);
      assert(problems.length <= MAX_PROBLEMS + 1);
      for (const { where, message } of problems) {
        assertMatch(where + message, /^[\x20-\x7e]+$/);
        assert(!message.includes("cannot be read"), message);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("outlineDockerfile() joins continued lines and leaves out comments and heredocs", () => {
  const text = "FROM a\nRUN x \\\n # no\n\n  y\ncopy --link <<E z\nE2\nE\nUSER b\n";
  const none = { flags: [], heredocs: [] };
  assertEquals(outlineDockerfile(text).instructions, [
    { ...none, line: 1, text: "FROM a", name: "FROM", args: "a", starts: [[0, 1]] },
    { ...none, line: 2, text: "RUN x   y", name: "RUN", args: "x   y", starts: [[0, 2], [2, 5]] },
    {
      ...{ line: 6, text: "copy --link <<E z", name: "copy", args: "<<E z", starts: [[0, 6]] },
      flags: [{ text: "--link", line: 6 }],
      heredocs: [{ name: "E", line: 7, text: "E2", starts: [[0, 7]] }],
    },
    { ...none, line: 9, text: "USER b", name: "USER", args: "b", starts: [[0, 9]] },
  ]);
});

/** What BuildKit reads of a Dockerfile. */
interface Reading {
  readonly dockerfile: string;
  readonly accepted: boolean;
  readonly instructions?: readonly {
    readonly line: number;
    readonly keyword: string;
    readonly text: string;
    readonly flags?: readonly string[];
    readonly heredocs?: readonly string[];
  }[];
  readonly frontend?: string;
}

// Threat: A7
Deno.test("what is accepted of 2,252 Dockerfiles is read as BuildKit reads it, and 2 % are refused at most", async () => {
  const path = new URL("../testdata/buildkit_reads.jsonl", import.meta.url);
  const readings = (await Deno.readTextFile(path)).trimEnd().split("\n")
    .map((line): Reading => JSON.parse(line));
  assertEquals(readings.length, 2252);
  let refused = 0;
  for (const { dockerfile, accepted, instructions, frontend } of readings) {
    const isValid = validateDockerfile(dockerfile).length === 0;
    if (accepted && !isValid) refused++;
    if (!isValid) continue;
    assert(accepted, dockerfile);
    const read = outlineDockerfile(dockerfile);
    assertEquals(
      [
        read.instructions.map(({ line, name, text, flags, heredocs }) => ({
          ...{ line, keyword: name.toUpperCase(), text },
          ...(flags.length > 0 && { flags: flags.map(({ text }) => text) }),
          ...(heredocs.length > 0 && { heredocs: heredocs.map(({ name }) => name) }),
        })),
        read.syntax?.image,
      ],
      [instructions, frontend],
      dockerfile,
    );
  }
  assert(refused <= 0.02 * readings.filter(({ accepted }) => accepted).length, `${refused}`);
});
