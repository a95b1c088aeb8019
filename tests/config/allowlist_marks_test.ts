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
    "high paste-or-tunnel +3",
    "medium wildcard-host +3",
  ],
  ["a wildcard beside its host", plus("*.depo.test"), `medium wildcard-host ${line(1)}`],
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
  [
    "a name of one label that is nearly ours",
    plus("gitee"),
    `high lookalike-host ${line(1)}`,
    `medium inside-host ${line(1)}`,
  ],
  [
    "another owner on a shared platform",
    plus("team-b.github.io"),
    `high lookalike-host ${line(1)}`,
    `medium anybodys-host ${line(1)}`,
  ],
  ["the same name under another ending", plus("github.net"), `medium lookalike-host ${line(1)}`],
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
    "several at once, the worst first",
    plus("files.depo.test", "github.net", "*.boxes.test").replace("gitea\n", ""),
    `high wildcard-host ${line(2)}`,
    `medium lookalike-host ${line(1)}`,
    "low removed-host -9",
    `low new-host ${line(0)}`,
  ],
  [
    "more hosts than anybody reads, fifty of them by name",
    plus(...Array.from({ length: 1200 }, (_, n) => `n${n}.depo.test`)),
    `high too-many-hosts ${line(1001)}`,
    ...Array.from({ length: 49 }, (_, n) => `low new-host ${line(n + 1)}`),
    `low more-marks ${line(50)}`,
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

// deno-fmt-ignore
const NEW: readonly (readonly [mark: string, ...hosts: string[]])[] = [
  // One more host of an owner in force, or of a publisher who is known.
  ["low new-host", "uploads.github.com", "a.b.c.depo.test", "example.org", "files.depo.test", "cdn2.example.co.uk",
    "cdn12.example.co.uk", "proxy.golang.org", "releases.hashicorp.com", "hub.docker.com", "codeload.github.com"],
  // A new owner, known or not.
  ["medium new-owner", "boxes.test", "index.boxes.test", "shop.other.co.uk", "rs.rs", "unheard-of.dev", "dns.unheard-of.dev"],
  // Names that lead inside.
  ["medium inside-host", "postgres", "a"],
  ["high inside-host", "localhost", "metadata", "a.localhost", "metadata.google.internal", "db.internal", "printer.local",
    "api.default.svc.cluster.local", "vault.service.consul", "nas.home.arpa", "host.docker.internal", "metadata.goog",
    "10.0.0.1.nip.io", "169-254-169-254.unheard-of.dev", "app-127-0-0-1.unheard-of.dev", "x.192.168.1.2.boxes.test",
    "100-64-0-1.boxes.test", "172-31-0-9.boxes.test", "7f000001.rbndr.us"],
  ["medium new-owner", "v1-2-3-4.boxes.test", "172-32-0-9.boxes.test", "100-128-0-1.boxes.test", "110-0-0-1.boxes.test"],
  // Services that anybody receives with.
  ["high paste-or-tunnel", "hooks.zapier.com", "ntfy.sh", "files.catbox.moe", "gist.github.com", "derp1.tailscale.com", "x.onion"],
  ["high webhook-host", "hooks.slack.com", "ptb.discord.com", "api.telegram.org", "acme.webhook.office.com", "api.mailgun.net"],
  ["high dns-over-https", "dns.google", "dns11.quad9.net", "one.one.one.one", "mozilla.cloudflare-dns.com"],
  ["high open-proxy", "docs-rs.translate.goog", "web.archive.org", "r.jina.ai", "cors-anywhere.herokuapp.com"],
  // Platforms: by our list, and by the public suffix list.
  ["medium anybodys-host", "share.gradio.live", "x.firebaseio.com", "ec2-1-2-3-4.compute.amazonaws.com", "a.blob.core.windows.net",
    "x.workers.dev", "user.gitlab.io", "x.deno.dev", "s3.eu-west-1.amazonaws.com", "storage.googleapis.com"],
  // Wildcards: of one known owner; of a stranger; of several owners.
  ["medium wildcard-host", "*.depo.test", "*.files.depo.test", "*.npmjs.org", "*.team-a.github.io"],
  ["high wildcard-host", "*.boxes.test", "*.com", "*.co.uk", "*.github.io", "*.windows.net", "*.core.windows.net", "*.s3.amazonaws.com", "*.single"],
];

for (const [mark, ...hosts] of NEW) {
  for (const host of hosts) {
    // Threat: A10
    Deno.test(`marksFor() calls a new ${host} ${mark}`, () => {
      assertEquals(validateAllowlist(plus(host)), []);
      const marks = marksInShort(TOOL, IN_FORCE, plus(host));
      assert(marks.includes(`${mark} ${line(1)}`), marks.join());
      const [worst] = marks;
      assertEquals(worst!.split(" ")[0], mark.split(" ")[0], marks.join());
    });
  }
}

Deno.test("marksFor() names the worst service that a wildcard allows", () => {
  const [worst] = marksFor(TOOL, "app.google.com\n", "*.google.com\n");
  assertEquals([worst!.severity, worst!.rule.startsWith("wildcard")], ["high", false]);
  assertStringIncludes(worst!.message, '"*.google.com" allows "');
});

const HARMLESS: readonly (readonly [what: string, proposed: string])[] = [
  ["nothing changed", IN_FORCE],
  ["what a wildcard in force allows", plus("security.debian.org")],
  ["a wildcard below a wildcard in force", plus("*.snapshot.debian.org")],
  ["a tunnel below a wildcard in force", plus("abc.ngrok.io")],
  ["the host that a wildcard in force names", plus("debian.org", "ngrok.io")],
  ["the wildcard of hosts in force, and less", IN_FORCE.replace("*.debian.org", "deb.debian.org")],
  ["a narrower wildcard", IN_FORCE.replace("*.debian.org", "*.security.debian.org")],
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
  ["another owner on a platform that few know", "team-a.deno.dev", "team-b.deno.dev", "high lookalike-host +2", "medium anybodys-host +2"],
  ["another bucket in a region", "logs-1a.s3.eu-west-1.amazonaws.com", "logs-1b.s3.eu-west-1.amazonaws.com", "high lookalike-host +2", "medium anybodys-host +2"],
  ["another owner below a long ending", "acme.blob.core.windows.net", "acne.blob.core.windows.net", "high lookalike-host +2", "medium anybodys-host +2"],
  ["a host that contains one with a long ending", "acme.blob.core.windows.net", "acme.blob.core.windows.net.evil.example", "high lookalike-host +2"],
  ["a platform's user who contains the platform's owner", "login.windows.net", "acme.blob.core.windows.net", "high lookalike-host +2", "medium anybodys-host +2"],
  ["the same name below another country", "shop.com.co", "shop.com.br", "medium lookalike-host +2"],
  ["hosts of one owner on a platform", "a.acme.vercel.app", "b.acme.vercel.app", "low new-host +2"],
  ["a host of the platform that keeps everybody's data", "ec2.amazonaws.com", "s3.eu-west-1.amazonaws.com", "medium anybodys-host +2"],
  ["a wildcard over everybody's hosts, whose owner is in force", "login.windows.net", "*.windows.net", "high wildcard-host +2", "medium anybodys-host +2"],
  ["two names in the same country", "alpha.com.co", "omega.com.co", "medium new-owner +2"],
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
  assertEquals(marksInShort(TOOL, null, "api.github.com\napi.githab.com\n"), [
    "medium new-owner +1",
    "medium new-owner +2",
  ]);
  assertEquals(marksInShort(TOOL, null, "\n*.npmjs.org\n*.npnjs.org\n"), [
    "high wildcard-host +3",
    "medium wildcard-host +2",
  ]);
});

Deno.test("of a long first allowlist one mark is about all hosts of new owners, and each is judged else", () => {
  const hosts = ["a.one.example.com", "b.one.example.com", "two.dev", "github.com", "pastebin.com"];
  for (const before of [null, "", "# no host yet\n"]) {
    const marks = marksFor("pipelock-block", before, hosts.map((host) => `${host}\n`).join(""));
    assertEquals(marks.map(({ severity, rule, line }) => `${severity} ${rule} ${line}`), [
      "high paste-or-tunnel 5",
      "medium new-owner 1",
      ...["low new-host 2", "low new-host 3", "low new-host 4"],
    ]);
    const message = "4 hosts of 3 new owners: no host is in force yet";
    assertEquals(marks[1]?.message, message);
  }
  const later = marksFor("pipelock-block", "three.dev\n", "a.dev\nb.dev\nc.dev\nd.dev\n");
  assertEquals(later.filter(({ rule }) => rule === "new-owner").length, 4);
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
