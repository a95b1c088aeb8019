import {
  ApplyError,
  decide,
  inspectProposal,
  newProposal,
  queueDirForSlug,
  readResponse,
  sha256Hex,
  SuperviseError,
  TOOL_PIPELOCK_BLOCK,
  writeProposal,
} from "../../mod.ts";
import { curl, type SetUp, setUp } from "../support/set_up.ts";
import { isMissing } from "../support/skip.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { becomeUser, ranAlone } from "../support/user.ts";
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
  Deno.test(name, { ignore }, async (t) => {
    if (await ranAlone(t)) return;
    const dir = await tempDir();
    await becomeUser(dir.path);
    await using _removed = dir;
    await using origin = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("origin"),
    );
    await Deno.writeTextFile(dir.at("hosts"), HOSTS.map((host) => `127.0.0.1 ${host}\n`).join(""));
    const lines = { "common.conf": `hosts_file ${dir.at("hosts")}\n` };
    await using squid = await setUp(dir, "squid", KEPT, { lines, port: 3128 });
    await test(squid, (host) => `http://${host}:${origin.addr.port}/`, dir);
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
  "squid: denied, asked, approved, told, allowed; and what does not take effect is not approved",
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

    await decide({ ...shown, root, ...words, applier: applier() });
    assertEquals((await readResponse(queueDir, shown.proposal.id)).status, "approved");
    assertEquals(await Deno.readTextFile(dir.at("current-config/dev-1/allowlist")), ADDED);
    assertEquals(await curl(address, url("new.test")), "200");
  },
);
