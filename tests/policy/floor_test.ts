import type { Comparison, ReachItem, Tool } from "../../mod.ts";
import { compareConfigFiles } from "../../src/config/compare.ts";
import { BUILT_IN, findBreaches, type Floor, refusedAtOnce } from "../../src/policy/floor.ts";
import { belowBuiltIn } from "../../src/policy/inside.ts";
import { coversImage, openHostList } from "../../src/policy/match.ts";
import { assertEquals } from "@std/assert";

const NOTHING_ADDED: Pick<Comparison, "reach" | "added"> = { reach: "no-new-reach", added: [] };

/** What a change of a file would add below a floor. */
function breaches(
  floor: Partial<Floor>,
  tool: Tool,
  before: string | null,
  after: string,
  compared: Pick<Comparison, "reach" | "added"> = NOTHING_ADDED,
): string[] {
  return findBreaches({ hosts: [], ...floor }, { tool, before, after, ...compared })
    .map(({ value }) => value);
}

const allowlist = (floor: Partial<Floor>, before: string | null, after: string) =>
  breaches(floor, "pipelock-block", before, after);

const routes = (floor: Partial<Floor>, before: string | null, ...after: readonly object[]) =>
  breaches(floor, "cred-proxy-block", before, JSON.stringify({ routes: after }));

// Threat: A15
Deno.test.each<[string, string]>([
  ["127.0.0.1", "loopback"],
  ["127.8.8.8", "loopback"],
  ["0.0.0.0", "loopback"],
  ["[::1]", "loopback"],
  ["[::]", "loopback"],
  ["[0:0:0:0:0:0:0:1]", "loopback"],
  ["[::ffff:127.0.0.1]", "loopback"],
  ["[::ffff:7f00:1]", "loopback"],
  ["[64:ff9b::7f00:1]", "loopback"],
  ["[2002:7f00:1::]", "loopback"],
  ["localhost", "loopback"],
  ["a.b.localhost", "loopback"],
  ["ip6-localhost", "loopback"],
  ["169.254.0.1", "linkLocal"],
  ["[fe80::1]", "linkLocal"],
  ["[febf::1]", "linkLocal"],
  ["169.254.169.254", "metadata"],
  ["[::ffff:a9fe:a9fe]", "metadata"],
  ["[fd00:ec2::254]", "metadata"],
  ["[FD00:EC2:0::254]", "metadata"],
  ["100.100.100.200", "metadata"],
  ["metadata.google.internal", "metadata"],
  ["*.google.internal", "metadata"],
  ["*.internal", "metadata"],
  ["169-254-169-254.nip.io", "anyAddress"],
  ["*.nip.io", "anyAddress"],
  ["*.io", "anyAddress"],
])("the built-in floor is above %s", (host, inside) => {
  assertEquals(belowBuiltIn(host)?.inside, inside);
});

Deno.test("the built-in floor is below every other host", () => {
  const hosts = [
    "api.example.com",
    "*.example.com",
    "10.0.0.1",
    "128.0.0.1",
    "169.253.0.1",
    "[2606:4700::1111]",
    "[fec0::1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::808:808]",
    "localhost.example.com",
    "notlocalhost",
    "metadata.example.com",
    "nip.io.example.com",
  ];
  assertEquals(hosts.filter((host) => belowBuiltIn(host) !== undefined), []);
});

// Threat: A15
Deno.test("findBreaches() finds a host that a change adds, and none that is in force", () => {
  const floor = { hosts: ["*.corp.example", "vault.example"] };
  assertEquals(allowlist(floor, "a.example\n", "a.example\nb.corp.example\n"), ["b.corp.example"]);
  assertEquals(allowlist(floor, null, "corp.example\r\n"), ["corp.example"]);
  assertEquals(allowlist(floor, null, "*.example\n"), ["*.example"]);
  assertEquals(allowlist(floor, null, "# b.corp.example\na.example\n"), []);
  assertEquals(allowlist(floor, "b.corp.example\n", "b.corp.example\na.example\n"), []);
  // A host that a wildcard in force covers is in force.
  assertEquals(allowlist(floor, "*.corp.example\n", "*.corp.example\nb.corp.example\n"), []);
  assertEquals(allowlist(floor, "b.corp.example\n", "*.corp.example\n"), ["*.corp.example"]);
});

// Threat: A15
Deno.test("findBreaches() finds an upstream, whatever its key and notation", () => {
  const found = (route: object) => routes(BUILT_IN, null, { path: "/x/", ...route });
  assertEquals(found({ upstream: "http://127.0.0.1:8080/a" }), ["127.0.0.1"]);
  assertEquals(found({ upstream: "http://[0:0::1]/" }), ["[::1]"]);
  assertEquals(found({ Upstream: "https://metadata.google.internal" }), [
    "metadata.google.internal",
  ]);
  assertEquals(found({ fallback: { to: ["169.254.169.254:80"] } }), ["169.254.169.254"]);
  assertEquals(found({ proxy: "localhost:3128" }), ["localhost"]);
  assertEquals(found({ upstream: "https://evil@localhost/" }), ["localhost"]);
  assertEquals(found({ upstream: "https://api.example.com", token_env: "LOCALHOST", n: "1" }), []);
  assertEquals(found({ upstream: "https://api.example.com", version: "0.1.0" }), []);
  const inForce = JSON.stringify({ routes: [{ path: "/y/", upstream: "http://localhost:1" }] });
  assertEquals(routes(BUILT_IN, inForce, { path: "/x/", upstream: "http://localhost:2" }), []);
});

// Threat: A15
Deno.test("findBreaches() lets a new credential go to listed hosts alone", () => {
  const floor = { credentialsOnlyTo: ["api.example.com", "*.example.org"] };
  const route = (upstream: string, token = "A") => ({
    path: `/${upstream.length}/`,
    upstream,
    auth_scheme: "Bearer",
    token_env: token,
  });
  const other = route("https://other.example");
  const inForce = JSON.stringify({ routes: [other] });
  assertEquals(routes(floor, null, route("https://api.example.com:8443")), []);
  assertEquals(routes(floor, null, route("https://a.example.org")), []);
  assertEquals(routes(floor, null, other), ["other.example"]);
  assertEquals(routes(floor, inForce, other), []);
  assertEquals(routes(floor, inForce, route("https://other.example", "B")), ["other.example"]);
  assertEquals(routes(floor, null, { path: "/", upstream: "https://other.example" }), []);
  const oddKey = { path: "/", upstream: "https://other.example", "Token_Env ": "A" };
  assertEquals(routes(floor, null, oddKey), ["other.example"]);
  assertEquals(routes({ credentialsOnlyTo: [] }, null, route("https://api.example.com")), [
    "api.example.com",
  ]);
});

// Threat: A15
Deno.test("findBreaches() lets listed images in alone, and none if it is not known which there are", () => {
  const floor = { imagesOnly: ["node", "ghcr.io/team/*", "docker.io/library/debian:12"] };
  const found = (reach: Comparison["reach"], ...added: readonly ReachItem[]) =>
    breaches(floor, "capability-block", null, "FROM x\n", { reach, added });
  const image = (value: string): ReachItem => ({ kind: "image", value, line: 1 });
  const digest = `@sha256:${"0".repeat(64)}`;
  for (const value of ["node:22", `docker.io/library/node${digest}`, "ghcr.io/team/a/b:1"]) {
    assertEquals(found("new-reach", image(value)), []);
  }
  for (const value of ["evil/node", "ghcr.io/team", "ghcr.io/teams/a", "debian:11", "x.io/node"]) {
    assertEquals(found("new-reach", image(value)), [value]);
  }
  assertEquals(found("new-reach", { kind: "frontend", value: "evil/x:1", line: 1 }), ["evil/x:1"]);
  assertEquals(found("new-reach", { kind: "command", value: "true", line: 1 }), []);
  assertEquals(found("unknown"), ["the file"]);
  assertEquals(
    breaches({}, "capability-block", null, "FROM x\n", { reach: "unknown", added: [] }),
    [],
  );
});

/** The images below a floor that a change of a Dockerfile would add. */
function imagesOutside(imagesOnly: string[], before: string, after: string): string[] {
  const floor = { imagesOnly };
  const compared = compareConfigFiles("capability-block", before, after);
  return breaches(floor, "capability-block", before, after, compared);
}

// Threat: A15
Deno.test("an image is of the registry from which BuildKit would take it, wherever a file names it", () => {
  const before = "FROM docker.io/library/debian:13\n";
  const from = (after: string) => imagesOutside(["docker.io/*"], before, after);
  assertEquals(from("FROM team/img:1\n"), []);
  // A first part in upper case is a registry.
  assertEquals(from("FROM Evil/img:1\n"), ["Evil/img:1"]);
  assertEquals(from(`${before}COPY --from=EVIL/img:1 /x /x\n`), ["EVIL/img:1"]);
  assertEquals(
    from("# syntax=Evil/dockerfile:1\nFROM debian:13\n").includes("Evil/dockerfile:1"),
    true,
  );
  for (const image of ["evil.example/img:1", "Evil/img:1"]) {
    const uses = [`COPY --from=${image} /x /x`, `RUN --mount=from=${image},target=/m /m/x`];
    for (const line of uses.flatMap((use) => [use, `ONBUILD ${use}`])) {
      assertEquals(from(`${before}${line}\n`), [image], line);
    }
  }
});

// Threat: A15
Deno.test("an image that depends on what the file does not say is on no list of images", () => {
  const list = ["docker.io/*", "debian"];
  const before = "FROM docker.io/library/debian:13\n";
  for (
    const [begin, image] of [
      ["ARG A=evil-example\n", "${A/-/.}/img:1"],
      ["ARG R\n", "${R}/img:1"],
      ["ARG T\n", "debian:${T}"],
    ]
  ) assertEquals(imagesOutside(list, before, `${begin}FROM ${image}\n`), [image], image);
  // What ONBUILD says is read in another build, with other values.
  const trigger = "ARG X=debian\nONBUILD COPY --from=$X /x /x\n";
  assertEquals(imagesOutside(list, before, before + trigger), ["$X"]);
  // The same name with another value is another image.
  const named = (value: string) => `ARG A=${value}\nFROM \${A/-/.}/img:1\n`;
  assertEquals(imagesOutside(list, named("a-example"), named("evil-example")), ["${A/-/.}/img:1"]);
  assertEquals(imagesOutside(list, named("a-example"), `${named("a-example")}RUN make\n`), []);
});

Deno.test("refusedAtOnce() names what no file may have, and leaves what an operator may have written", () => {
  const sentences = refusedAtOnce(
    "pipelock-block",
    "a.example\nmetadata.google.internal\nlocalhost\n*.internal\n",
  );
  assertEquals(sentences, [
    '"metadata.google.internal" is below the floor, and no approval lets it in: it is instance ' +
    "metadata, which gives away the machine's credentials",
  ]);
  const routes = JSON.stringify({ routes: [{ path: "/", upstream: "http://169.254.9.9/" }] });
  assertEquals(refusedAtOnce("cred-proxy-block", routes).length, 1);
  assertEquals(refusedAtOnce("capability-block", "FROM a\nRUN curl http://169.254.9.9/\n"), []);
});

Deno.test("a wildcard covers its own host and all below it, and nothing else", () => {
  const { covers, meets } = openHostList(["*.b.example", "c.example"]);
  const hosts = ["b.example", "a.b.example", "*.a.b.example", "ab.example", "*.c.example"];
  assertEquals(hosts.map(covers), [true, true, true, false, false]);
  assertEquals(hosts.map(meets), [
    "*.b.example",
    "*.b.example",
    "*.b.example",
    undefined,
    "c.example",
  ]);
  assertEquals(meets("*.example"), "c.example");
});

Deno.test("an image has one name, however it is spelt", () => {
  const of = (digit: string) => `localhost:5000/x@sha256:${digit.repeat(64)}`;
  const list = ["index.docker.io/library/node", of("1"), "team/*"];
  const images = ["node", "library/node:22", "docker.io/node", of("1"), "docker.io/team/a:1"];
  assertEquals(images.map((image) => coversImage(list, image)), images.map(() => true));
  for (const image of [of("2"), "Team/a:1", "team.example/a", "NODE:22", "node:$T", "node:22 x"]) {
    assertEquals(coversImage(list, image), false, image);
  }
});
