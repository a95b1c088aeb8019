import { validateDockerfile } from "../../src/config/dockerfile/check.ts";
import { errorsIn } from "../../src/config/dockerfile/errors.ts";
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
RUN echo $((1 << 2)) "<<EOF" 'it is <<EOF'
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
  ["a stage named constructor", "FROM a AS constructor\nFROM constructor\n"],
  ["an image with registry, tag and digest", "FROM r.example:5000/a/b:1@sha256:abcdef\n"],
  ["an image made of variables", "ARG A\nFROM $A\nFROM x-${TARGETARCH}:${A}\nFROM ${B:-c}\n"],
  ["a build stage named by BuildKit's arguments", "FROM $TARGETARCH\nFROM ${BUILDVARIANT}\n"],
  ["a no-break space behind ONBUILD", "FROM a\nONBUILD \u00a0RUN x\n"],
  ["instructions cut in the middle", "FROM a\nR\\\nUN x\n"],
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
    "an unknown instruction that a comment would mute",
    "FROM a\n# dockerfile-utils: ignore\nRUM x\n",
    "line 3",
    "unknown instruction",
  ],
  ["an unknown instruction behind a heredoc", "FROM a\nRUN <<E\nx\nE\ny\n", "line 5", '"y"'],
  ["a heredoc without its end", "FROM a\nRUN <<EOF\nx\n EOF\n", "line 2", 'heredoc "EOF"'],
  ["a heredoc inside a word", "FROM a\nRUN cat<<EOF\nx\n", "line 3", 'instruction "x"'],
  ["FROM without an image", "FROM\n", "line 1", "has no arguments"],
  ["FROM with flags alone", "FROM --platform=x\n", "line 1", "has no arguments"],
  ["FROM with two arguments", "FROM a b\n", "line 1", "expected FROM image, or"],
  ["FROM with another word than AS", "FROM a IS b\n", "line 1", "expected FROM image, or"],
  ["FROM with an unknown flag", "FROM --x=y a\n", "line 1", "Unknown flag: x"],
  ["an invalid tag", "FROM a:!\n", "line 1", "invalid reference format"],
  ["an invalid stage name", "FROM a AS 1b\n", "line 1", 'the stage "1b"'],
  ["a stage name twice", "FROM a AS b\nFROM a AS B\n", "line 2", "of line 1 again"],
  ["an image of an undeclared ARG", "FROM ${BASE}\n", "line 1", 'expected ARG "BASE"'],
  ["an image of an ARG of a stage", "FROM a\nARG B\nFROM $B\n", "line 3", 'expected ARG "B"'],
  ["COPY with one argument", "FROM a\nCOPY x\n", "line 2", "COPY requires at least two"],
  ["COPY with an unknown flag", "FROM a\nCOPY --x=1 a b\n", "line 2", "Unknown flag: x"],
  ["ADD with an unknown flag", "FROM a\nADD --from=x a b\n", "line 2", "Unknown flag: from"],
  ["ENV without a value", "FROM a\nENV A\n", "line 2", "must have two arguments"],
  ["ENV with a word too many", "FROM a\nENV A=$x b\n", "line 2", "can't find = in"],
  ["ENV with an open quote", 'FROM a\nENV A="$x\n', "line 2", "matching double-quote"],
  ["LABEL with an open quote", "FROM a\nLABEL a='b\n", "line 2", "matching single-quote"],
  ["EXPOSE of a word", "FROM a\nEXPOSE http\n", "line 2", "Invalid containerPort: http"],
  ["EXPOSE of an unknown protocol", "FROM a\nEXPOSE 1/icmp\n", "line 2", "Invalid proto: icmp"],
  ["SHELL without JSON", "FROM a\nSHELL bash\n", "line 2", "JSON form"],
  ["HEALTHCHECK of an unknown type", "FROM a\nHEALTHCHECK x\n", "line 2", "Unknown type"],
  ["HEALTHCHECK without a command", "FROM a\nHEALTHCHECK CMD\n", "line 2", "Missing command"],
  ["an invalid duration", "FROM a\nHEALTHCHECK --interval=x CMD y\n", "line 2", "duration"],
  ["USER without a name", "FROM a\nUSER\n", "line 2", "has no arguments"],
  ["ONBUILD alone", "FROM a\nONBUILD\n", "line 2", "has no arguments"],
  [
    "ONBUILD with no plain space behind it",
    "FROM a\nONBUILD RUN\u00a0x\n",
    "line 2",
    "RUN\\u00a0x",
  ],
  ["ONBUILD FROM", "FROM a\nONBUILD from b\n", "line 2", "found ONBUILD from"],
  ["ONBUILD ONBUILD", "FROM a\nONBUILD ONBUILD RUN x\n", "line 2", "found ONBUILD ONBUILD"],
  ["ONBUILD with an unknown instruction", "FROM a\nONBUILD RUM x\n", "line 2", '"RUM"'],
  ["ONBUILD with a wrong instruction", "FROM a\nONBUILD COPY x\n", "line 2", "at least two"],
  ["another escape character", "# escape=x\nFROM a\n", "line 1", 'escape character "x"'],
  [
    "a directive twice",
    "# syntax=a\n# escape=`\n# Escape=`\nFROM a\n",
    "line 3",
    "a second escape",
  ],
  ["a CR inside a line", "FROM a\n# x\rRUN y\n", "line 2", "found a CR"],
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
  ["40,000 unknown instructions", MOST("X y\n"), 'unknown instruction "X"'],
  ["an instruction of 40,000 lines", MOST("R\\\n"), "unknown instruction"],
  ["a million blank lines", fill("\n"), "more than 50000 lines"],
  ["500,000 continued lines", fill("\\\n", "FROM a\nRUN x "), "more than 50000 lines"],
  ["500,000 comments", fill("#\n"), "more than 50000 lines"],
  ["a heredoc of 500,000 lines", fill("x\n", "FROM a\nRUN <<E\n"), "more than 50000 lines"],
  [
    "arguments of 1 MiB in all",
    fill(`COPY ${"a ".repeat(1900)}b/\n`),
    "more than 262144 characters",
  ],
  ["heredocs without their end", `FROM a\nRUN ${"<<E \\\n".repeat(40_000)}`, 'heredoc "E"'],
  // A pattern that tries every way to cut the name into pieces would not come back from this.
  ["a stage name that is nearly one", `FROM a AS ${"a".repeat(60_000)}!`, "found the stage"],
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

Deno.test("validateDockerfile() reports every error that dockerfile-utils finds in an instruction", () => {
  // deno-fmt-ignore
  const word = fc.constantFrom(
    "a", "A", "z9", "/", ".", "..", "-", "--", "--from", "--link", "_", "=", "A=", "A_B=c", ":", "a:1", "@", "AS",
    "a.b/c", "0", "65536", "$", "{", '"', "'", "[", "]", "<<", "#", "\\", "`", " ", " ", "\t", "\u00e9",
  );
  const args = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join("").trim());
  const keyword = fc.constantFrom(
    "ARG",
    "COPY",
    "ENV",
    "EXPOSE",
    "LABEL",
    "USER",
    "VOLUME",
    "WORKDIR",
  );
  fc.assert(
    fc.property(keyword, args, (keyword, args) => {
      const [instruction] = outlineDockerfile(`${keyword} ${args}`).instructions;
      const errors = errorsIn(keyword, instruction?.args ?? "", "\\");
      const problems = validateDockerfile(`FROM a\n${keyword} ${args}\n`);
      assert(errors.length === 0 || problems.length > 0, errors.join());
    }),
    { numRuns: 5_000 },
  );
  fc.assert(fc.property(args, (args) => {
    const errors = errorsIn("FROM", args, "\\");
    assert(errors.length === 0 || validateDockerfile(`FROM ${args}\n`).length > 0, errors.join());
  }));
});

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
  const text = "FROM a\nRUN x \\\n # no\n\n  y\ncopy <<E z\nE2\nE\nUSER b\n";
  assertEquals(outlineDockerfile(text).instructions, [
    { line: 1, name: "FROM", args: "a", starts: [[0, 1]], heredocs: [] },
    { line: 2, name: "RUN", args: "x   y", starts: [[0, 2], [2, 5]], heredocs: [] },
    {
      line: 6,
      name: "copy",
      args: "<<E z",
      starts: [[0, 6]],
      heredocs: [{ line: 7, text: "E2", starts: [[0, 7]] }],
    },
    { line: 9, name: "USER", args: "b", starts: [[0, 9]], heredocs: [] },
  ]);
});
