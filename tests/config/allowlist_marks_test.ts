import { MAX_MARKS } from "../../internal_mod.ts";
import { marksFor, TOOL_PIPELOCK_BLOCK as TOOL, validateAllowlist } from "../../mod.ts";
import { type MarkedChange, marksInShort } from "../support/marks.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const IN_FORCE = `# What the build needs.
api.github.com
github.com
packages.example.org
depo.test
*.debian.org

# Ours
gitea
cdn1.example.co.uk
docs.microsoft.com
*.ngrok.io
xn--bcher-kva.example
team-a.github.io
`;

const LINE = IN_FORCE.split("\n").length;

const plus = (...hosts: string[]) => `${IN_FORCE}${hosts.join("\n")}\n`;

const line = (n: number) => `+${LINE + n - 1}`;

const NOTICED: readonly MarkedChange[] = [
  ["a wildcard", plus("*.boxes.test"), `high wildcard-host ${line(1)}`],
  ["a wildcard of a top-level domain", plus("*.com"), `high wildcard-host ${line(1)}`],
  [
    "a wildcard of a host in force",
    IN_FORCE.replace("\ngithub.com", "\n*.github.com"),
    "high wildcard-host +3",
    "low removed-host -3",
  ],
  ["a wildcard beside its host", plus("*.depo.test"), `high wildcard-host ${line(1)}`],
  ["a wildcard above one in force", plus("*.org"), `high wildcard-host ${line(1)}`],
  [
    "a known host as a subdomain",
    plus("api.github.com.evil.example"),
    `high lookalike-host ${line(1)}`,
  ],
  ["a known host behind a hyphen", plus("evil-github.com"), `high lookalike-host ${line(1)}`],
  [
    "a known host before a hyphen",
    plus("github.com-login.example"),
    `high lookalike-host ${line(1)}`,
  ],
  ["a known host at the end of a word", plus("mygithub.com"), `high lookalike-host ${line(1)}`],
  ["a short known host as a word", plus("x-depo.test"), `high lookalike-host ${line(1)}`],
  ["a letter left out", plus("gihub.com"), `high lookalike-host ${line(1)}`],
  ["a letter too many", plus("githubb.com"), `high lookalike-host ${line(1)}`],
  ["another letter", plus("api.githab.com"), `high lookalike-host ${line(1)}`],
  ["letters that changed places", plus("gihtub.com"), `high lookalike-host ${line(1)}`],
  ["another letter and another ending", plus("gitgub.dev"), `high lookalike-host ${line(1)}`],
  ["1 for i", plus("g1thub.com"), `high lookalike-host ${line(1)}`],
  ["0 for o and rn for m", plus("rnicr0soft.com"), `high lookalike-host ${line(1)}`],
  ["vv, cl and 5", plus("docs.rnicro5oft.com"), `high lookalike-host ${line(1)}`],
  ["a name of one label that is nearly ours", plus("gitee"), `high lookalike-host ${line(1)}`],
  [
    "another owner on a shared platform",
    plus("team-b.github.io"),
    `high lookalike-host ${line(1)}`,
  ],
  ["the same name under another ending", plus("github.dev"), `medium lookalike-host ${line(1)}`],
  ["the same name in another country", plus("example.com.au"), `medium lookalike-host ${line(1)}`],
  ["a part of a name", plus("github-releases.io"), `medium lookalike-host ${line(1)}`],
  ["punycode", plus("xn--gthub-n4a.com"), `high punycode-host ${line(1)}`],
  ["punycode in a later label", plus("www.xn--gthub-n4a.com"), `high punycode-host ${line(1)}`],
  [
    "punycode below a plain name",
    plus("xn--bcher-kva.shop.other.net"),
    `high punycode-host ${line(1)}`,
  ],
  ["a paste service", plus("pastebin.com"), `high paste-or-tunnel ${line(1)}`],
  ["a paste service's subdomain", plus("api.paste.ee"), `high paste-or-tunnel ${line(1)}`],
  ["a file drop", plus("transfer.sh"), `high paste-or-tunnel ${line(1)}`],
  ["a request bin", plus("webhook.site"), `high paste-or-tunnel ${line(1)}`],
  ["a tunnel", plus("a-b-c.trycloudflare.com"), `high paste-or-tunnel ${line(1)}`],
  [
    "every tunnel",
    plus("*.loca.lt"),
    `high wildcard-host ${line(1)}`,
    `high paste-or-tunnel ${line(1)}`,
  ],
  ["a removed host", IN_FORCE.replace("depo.test\n", ""), "low removed-host -5"],
  ["a removed wildcard", IN_FORCE.replace("*.debian.org\n", ""), "low removed-host -6"],
  [
    "a host instead of its wildcard",
    IN_FORCE.replace("*.debian.org", "deb.debian.org"),
    "low removed-host -6",
  ],
  [
    "several at once, the worst first",
    plus("boxes.test", "github.dev", "*.boxes.test").replace("gitea\n", ""),
    `high wildcard-host ${line(2)}`,
    `medium lookalike-host ${line(1)}`,
    "low removed-host -9",
  ],
  [
    "more hosts than anybody reads",
    plus(...Array.from({ length: 1200 }, (_, n) => `n${n}.example.net.xyz`)),
    `high too-many-hosts ${line(1001)}`,
  ],
  ["a commented host", IN_FORCE.replace("\ngithub.com", "\n# github.com"), "low removed-host -3"],
];

for (const [what, proposed, ...marks] of NOTICED) {
  // Threat: A10
  Deno.test(`marksFor() notices in an allowlist ${what}`, () => {
    assertEquals(validateAllowlist(proposed), []);
    assertEquals(marksInShort(TOOL, IN_FORCE, proposed), marks);
  });
}

const HARMLESS: readonly (readonly [what: string, proposed: string])[] = [
  ["nothing changed", IN_FORCE],
  ["a plain host", plus("boxes.test")],
  ["several plain hosts", plus("static.boxes.test", "index.boxes.test", "proxy.golang.org")],
  ["a subdomain of a host in force", plus("uploads.github.com")],
  ["a deep subdomain", plus("a.b.c.depo.test")],
  ["the parent of a host in force", plus("example.org")],
  ["a sibling", plus("files.depo.test")],
  ["what a wildcard in force allows", plus("security.debian.org")],
  ["a wildcard below a wildcard in force", plus("*.snapshot.debian.org")],
  ["a tunnel below a wildcard in force", plus("abc.ngrok.io")],
  ["a name with another number", plus("cdn2.example.co.uk")],
  ["a site with another number in its name", plus("cdn12.example.co.uk")],
  ["another site of the same country", plus("shop.other.co.uk")],
  ["a short name with a short neighbour", plus("rs.rs")],
  ["a long name that has nothing to do with any", plus("releases.hashicorp.com")],
  ["a name with a known one inside of a word", plus("hub.docker.com")],
  ["a new service of one label", plus("postgres")],
  ["a comment", `# more\n${IN_FORCE}`],
  ["a comment with a wildcard", `# *.evil.example pastebin.com\n${IN_FORCE}`],
  ["a changed comment", IN_FORCE.replace("What the build needs", "*.com")],
  ["no comments", IN_FORCE.replace(/^#.*\n/gm, "")],
  ["blank lines", IN_FORCE.replaceAll("\n", "\n\n")],
  ["no blank lines", IN_FORCE.replaceAll("\n\n", "\n")],
  ["the lines in another order", IN_FORCE.split("\n").toReversed().join("\n")],
  ["the wildcard first", `*.debian.org\n${IN_FORCE.replace("*.debian.org\n", "")}`],
  ["CRLF line ends", IN_FORCE.replaceAll("\n", "\r\n")],
  ["no LF at the end", IN_FORCE.trimEnd()],
  ["hosts that the wildcard beside them allows", plus("www.debian.org", "deb.debian.org")],
];

for (const [what, proposed] of HARMLESS) {
  Deno.test(`marksFor() finds nothing to notice in an allowlist: ${what}`, () => {
    assertEquals(marksInShort(TOOL, IN_FORCE, proposed), []);
  });
}

// deno-fmt-ignore
const OWNERS: readonly (readonly [what: string, inForce: string, proposed: string, ...marks: string[]])[] = [
  ["another owner on a platform that few know", "team-a.deno.dev", "team-b.deno.dev", "high lookalike-host +2"],
  ["another bucket in a region", "logs-1a.s3.eu-west-1.amazonaws.com", "logs-1b.s3.eu-west-1.amazonaws.com", "high lookalike-host +2"],
  ["another owner below a long ending", "acme.blob.core.windows.net", "acne.blob.core.windows.net", "high lookalike-host +2"],
  ["a host that contains one with a long ending", "acme.blob.core.windows.net", "acme.blob.core.windows.net.evil.example", "high lookalike-host +2"],
  ["a platform's user who contains the platform's owner", "login.windows.net", "acme.blob.core.windows.net", "high lookalike-host +2"],
  ["the same name below another country", "shop.com.co", "shop.com.br", "medium lookalike-host +2"],
  ["hosts of one owner on a platform", "a.acme.vercel.app", "b.acme.vercel.app"],
  ["the platform's own hosts", "ec2.amazonaws.com", "s3.eu-west-1.amazonaws.com"],
  ["two names in the same country", "alpha.com.co", "omega.com.co"],
  ["an underscore in a name", "a.acme.github.io", "a_b.acme.github.io", "medium invalid-file +2"],
];

for (const [what, inForce, proposed, ...marks] of OWNERS) {
  Deno.test(`marksFor() knows the owners of hosts by the public suffix list: ${what}`, () => {
    assertEquals(marksInShort(TOOL, `${inForce}\n`, `${inForce}\n${proposed}\n`), marks);
  });
}

Deno.test("a sidecar loads the validators, and no rule that judges a change", async () => {
  const modulesOf = async (file: string) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", new URL(`../../${file}`, import.meta.url).pathname],
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
      modules: readonly { readonly specifier: string }[];
    };
    return modules.map(({ specifier }) => specifier);
  };
  const [sidecar, library] = await Promise.all([modulesOf("sidecar/main.ts"), modulesOf("mod.ts")]);
  assert(sidecar.some((name) => name.endsWith("/src/config/dockerfile/check.ts")));
  for (const judge of ["/tldts", "/config/compare.ts", "/hosts/resemblance.ts", "/secrets.ts"]) {
    assert(library.some((name) => name.includes(judge)), judge);
    assert(!sidecar.some((name) => name.includes(judge)), judge);
  }
});

Deno.test("marksFor() judges an allowlist where none is in force by itself", () => {
  assertEquals(marksInShort(TOOL, null, "api.github.com\napi.githab.com\n"), []);
  assertEquals(marksInShort(TOOL, null, "\n*.github.com\n"), ["high wildcard-host +2"]);
});

Deno.test("marksFor() names what resembles what, and who owns it", () => {
  const [mark] = marksFor(TOOL, IN_FORCE, plus("api.github.com.evil.example"));
  assertEquals(
    mark!.message,
    '"api.github.com.evil.example" contains "github.com" of the file in force, ' +
      'and belongs to "evil.example"',
  );
});

// Threat: A10
Deno.test("marksFor() lets no flood of small marks hide a high one, and says how many there are", () => {
  const many = Array.from({ length: 400 }, (_, n) => `host-${n}.example`).join("\n");
  const marks = marksFor(TOOL, many, "pastebin.com\n");
  assertEquals(marks.length, MAX_MARKS + 1);
  assertEquals(marks[0]!.rule, "paste-or-tunnel");
  const { rule, severity, message } = marks.at(-1)!;
  assertEquals([rule, severity], ["more-marks", "low"]);
  assertStringIncludes(message, "351 more marks");
  const wild = Array.from({ length: 400 }, (_, n) => `*.host-${n}.example`).join("\n");
  const last = marksFor(TOOL, null, wild).at(-1)!;
  assertEquals([last.rule, last.severity, last.line], ["more-marks", "high", MAX_MARKS + 1]);
});

Deno.test("marksFor() shows the end of a long host, which says whose it is", () => {
  const host = `api.github.com.${"a".repeat(60)}.${"b".repeat(60)}.evil.example`;
  const [mark] = marksFor(TOOL, IN_FORCE, plus(host));
  assert(mark!.message.includes(host));
});
