import {
  ApplyError,
  decide,
  endOverdueGrants,
  inspectProposal,
  newProposal,
  queueDirForSlug,
  readResponse,
  sha256Hex,
  SuperviseError,
  TOOL_PIPELOCK_BLOCK,
  writeProposal,
} from "../../mod.ts";
import { curl, type SetUp, setUp, testWithOrigin } from "../support/set_up.ts";
import { isMissing } from "../support/skip.ts";
import type { TempDir } from "../support/temp.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";

const ignore = isMissing("squid", "-v") || isMissing("curl");

const KEPT = "kept.test\n";

const HOSTS = [
  "kept.test",
  "new.test",
  "probe.wild.test",
  "a.wild.test",
  "xnew.test",
  "sub.new.test",
];

/** Runs a test as an ordinary user, with Squid and an origin that answers by any made-up name. */
function withSquid(
  name: string,
  test: (squid: SetUp, url: (host: string) => string, dir: TempDir) => Promise<void>,
) {
  testWithOrigin(name, ignore, async (dir, origin) => {
    const port = origin.split(":")[1];
    await Deno.writeTextFile(dir.at("hosts"), HOSTS.map((host) => `127.0.0.1 ${host}\n`).join(""));
    // A tunnel may lead to the origin, too.
    const lines = { "common.conf": `hosts_file ${dir.at("hosts")}\nacl tls port ${port}\n` };
    await using squid = await setUp(dir, "squid", KEPT, { lines, port: 3128 });
    await test(squid, (host) => `http://${host}:${port}/`, dir);
  });
}

withSquid("squid: denied, applied, allowed; and taken back, denied", async (squid, url) => {
  const { address, applier, change } = squid;
  const added = change(KEPT, `${KEPT}new.test\n*.wild.test\n`);
  assertEquals(await curl(address, url("new.test")), "403");
  assertEquals(await curl(address, url("kept.test")), "200");
  await applier().check(added);
  assertEquals(await curl(address, url("new.test")), "403");
  assertMatch(await applier().apply(added), /allowed 3 and denied 4, 5 times in a row$/);
  for (const host of ["new.test", "kept.test", "a.wild.test"]) {
    assertEquals([host, await curl(address, url(host))], [host, "200"]);
  }
  for (const host of ["xnew.test", "sub.new.test"]) {
    assertEquals([host, await curl(address, url(host))], [host, "403"]);
  }
  const taken = await applier().apply(change(added.after, KEPT));
  assertStringIncludes(taken, "connections that were open stay open");
  assertEquals(await curl(address, url("new.test")), "403");
  assertEquals(await curl(address, url("a.wild.test")), "403");
  // The last host goes, too.
  await applier().apply(change(KEPT, null));
  assertEquals(await curl(address, url("kept.test")), "403");
});

const ADDED = `${KEPT}new.test\n`;

/** Renders what has new.test in it so that Squid cannot read it: an entry that another one covers. */
const BREAKS_NEW = {
  render: {
    argv: [
      "/bin/sh",
      "-c",
      'cat "$1" > "$2"; if grep -q new "$1"; then echo .new.test >> "$2"; fi',
      "sh",
      "{config}",
      "{file}",
    ],
  },
};

withSquid(
  "squid: a list that it cannot read is refused by the check, and the old one stays",
  async (squid, url) => {
    const { address, applier, change, to } = squid;
    const before = await Deno.readTextFile(to);
    const error = await assertRejects(
      () => applier(BREAKS_NEW).check(change(KEPT, ADDED)),
      ApplyError,
    );
    assertEquals([error.stage, error.exitCode], ["check", 1]);
    assertStringIncludes(error.output, "new.test");
    assertEquals(await Deno.readTextFile(to), before);
    assertEquals(await curl(address, url("kept.test")), "200");
  },
);

withSquid(
  "squid: a raw signal with a list that it cannot read is seen, and the old one answers again",
  async (squid, url, dir) => {
    const { address, applier, change } = squid;
    const pkill = ["/usr/bin/pkill", "-HUP", "-F", dir.at("proxy/squid.pid"), "squid"];
    const raw = applier({
      ...BREAKS_NEW,
      reload: { argv: pkill },
      probe: { proxy: address, within_seconds: 3 },
    });
    const broken = await assertRejects(() => raw.apply(change(KEPT, ADDED)), ApplyError);
    assertEquals(broken.stage, "probe");
    assertStringIncludes(broken.message, "nothing answered");
    // Its first process starts the second one again, a few times: then it is gone, too, and "start" is used.
    assertMatch(
      await raw.restore(change(ADDED, KEPT)),
      /allowed 1 and denied 2, 5 times in a row; connections that were open stay open$/,
    );
    assertEquals(await curl(address, url("kept.test")), "200");
    assertEquals(await curl(address, url("new.test")), "403");
  },
);

/** Opens a tunnel through a proxy; gives what its end answers to each request, `""` if it is closed. */
async function openTunnel(proxy: string, target: string) {
  const [hostname, port] = proxy.split(":") as [string, string];
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const ask = async (request: string) => {
    const bytes = new Uint8Array(4_096);
    try {
      await connection.write(new TextEncoder().encode(`${request}\r\nHost: x\r\n\r\n`));
      const length = await connection.read(bytes) ?? 0;
      return new TextDecoder().decode(bytes.subarray(0, length)).slice(0, 12);
    } catch {
      return "";
    }
  };
  assertEquals(await ask(`CONNECT ${target} HTTP/1.1`), "HTTP/1.1 200");
  return {
    get: () => ask("GET / HTTP/1.1"),
    [Symbol.dispose]: () => connection.close(),
  };
}

// Threat: C11
withSquid(
  "squid: an open tunnel outlives its host, and ends with stop_connections; the proxy runs on",
  async (squid, url, dir) => {
    const { address, applier, change } = squid;
    const both = `${KEPT}new.test\n`;
    const { host } = new URL(url("new.test"));
    await applier().apply(change(KEPT, both));
    {
      using tunnel = await openTunnel(address, host);
      const taken = await applier().apply(change(both, KEPT));
      assertStringIncludes(taken, "; connections that were open stay open");
      assertEquals([await tunnel.get(), await curl(address, url("new.test"))], [
        "HTTP/1.1 200",
        "403",
      ]);
    }
    await applier().apply(change(KEPT, both));
    using tunnel = await openTunnel(address, host);
    assertEquals(await tunnel.get(), "HTTP/1.1 200");
    // As docs/apply.md has it: its first process starts the one again that is ended.
    const [pkill, conf] = ["/usr/bin/pkill", dir.at("proxy/squid.conf")];
    const argv = [pkill, "-KILL", "-f", "-x", `\\(squid-1\\) .*-f ${conf}`];
    const ended = await applier({ stop_connections: { argv } }).apply(change(both, KEPT));
    assertMatch(
      ended,
      /; connections that were open were ended; .* allowed 1 and denied 2, 5 times in a row$/,
    );
    assertEquals([await tunnel.get(), await curl(address, url("kept.test"))], ["", "200"]);
  },
);

// Threat: C11
withSquid(
  "squid: a reload that is swallowed is caught by the probe, and taken back",
  async (squid, url) => {
    const { address, applier, change } = squid;
    const added = change(KEPT, `${KEPT}new.test\n`);
    const swallowed = applier({
      reload: { argv: ["/bin/true"] },
      probe: { proxy: address, within_seconds: 1 },
    });
    const error = await assertRejects(() => swallowed.apply(added), ApplyError);
    assertEquals(error.stage, "probe");
    assertStringIncludes(error.message, "new.test is not allowed (answered 403)");
    await applier().restore(change(added.after, KEPT));
    assertEquals(await curl(address, url("new.test")), "403");
    assertEquals(await curl(address, url("kept.test")), "200");
  },
);

withSquid(
  "squid: denied, asked, approved, told, allowed, and denied at the end of that; what does not take effect is not approved",
  async (squid, url, dir) => {
    const { address, applier } = squid;
    const root = dir.path;
    await Deno.mkdir(dir.at("current-config/dev-1"), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config/dev-1/allowlist"), KEPT);
    const queueDir = queueDirForSlug("dev-1", { root });
    const ask = async (proposedFile: string) => {
      const proposal = newProposal({
        bottleSlug: "dev-1",
        tool: TOOL_PIPELOCK_BLOCK,
        proposedFile,
        justification: "the tests read it",
        currentFileHash: sha256Hex(KEPT),
      });
      await writeProposal(queueDir, proposal);
      return await inspectProposal({ root, bottleSlug: "dev-1", proposalId: proposal.id });
    };
    const verdict = { status: "approved" } as const;
    const words = { verdict, notes: "", operator: "ada@host" };

    const shown = await ask(ADDED);
    const deaf = applier({
      reload: { argv: ["/bin/true"] },
      probe: { proxy: address, within_seconds: 1 },
    });
    assertEquals(await curl(address, url("new.test")), "403");
    await assertRejects(() => decide({ ...shown, root, ...words, applier: deaf }), SuperviseError);
    // The reload of the old list is swallowed, too, but the old list is what Squid has.
    assertEquals(await Deno.readTextFile(dir.at("current-config/dev-1/allowlist")), KEPT);
    assertEquals(await readResponse(queueDir, shown.proposal.id).catch(() => null), null);

    // For a time: its end is seen from outside, too.
    const grant = { forMs: 3_600_000 };
    await decide({ ...shown, root, ...words, grant, applier: applier() });
    assertEquals((await readResponse(queueDir, shown.proposal.id)).status, "approved");
    assertEquals(await Deno.readTextFile(dir.at("current-config/dev-1/allowlist")), ADDED);
    assertEquals(await curl(address, url("new.test")), "200");
    const over = { now: new Date(Date.now() + 3_700_000), operator: "ada@host" };
    const { ended } = await endOverdueGrants({ root, applier: applier(), ...over });
    assertMatch(ended[0]!.applied!, / denied \d+, 5 times in a row/);
    assertEquals(await Deno.readTextFile(dir.at("current-config/dev-1/allowlist")), KEPT);
    assertEquals(await curl(address, url("new.test")), "403");
  },
);
