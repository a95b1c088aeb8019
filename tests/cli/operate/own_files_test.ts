import { decide } from "../../../mod.ts";
import { must } from "../../support/planted.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

/** Own files of dev-1 that no verb may wait for, and what an approval there says of each. */
const OWN = [
  ["current-config/dev-1/allowlist", /allowlist: it is not a regular file/],
  ["audit/pipelock-dev-1.log", /pipelock-dev-1\.log: it is not a regular file/],
  ["private/heads/pipelock-dev-1", /heads\/pipelock-dev-1: it is not a regular file/],
  ["private/intents/dev-1.json", /dev-1\.json: it is not a regular file/],
  ["private/locks/dev-1.lock", /dev-1\.lock: it is not a regular file/],
] as const;

Deno.test.each(OWN)("a FIFO at $0 hangs no verb, and hides no other bottle", async (path, says) => {
  await using dir = await tempDir();
  const root = dir.at("root");
  // With an end, so that a verb that hangs fails: then its exit code is 124.
  const launch = (...words: string[]) =>
    run("timeout", ["60", "sh", `${REPO}/cli/supervise.sh`, "--root", root, ...words]);
  const { proposalSha256 } = await queueSample(root, { id: "first" });
  await decide({
    root,
    bottleSlug: "dev-1",
    proposalId: "first",
    proposalSha256,
    verdict: { status: "approved" },
    notes: "",
    operator: "ada@host",
  });
  const waiting = await queueSample(root, { id: "p1" });
  await queueSample(root, { id: "p2", bottleSlug: "dev-2" });
  const at = `${root}/${path}`;
  await must("sh", "-c", `mkdir -p -m 700 "$(dirname ${at})"; rm -f ${at}; mkfifo -m 600 ${at}`);

  const listed = await launch("list", "--json");
  assertEquals(listed.code, 0, listed.err);
  assertStringIncludes(listed.out, '"p2"');
  const approved = await launch("approve", "p1", "--sha256", waiting.proposalSha256);
  assertEquals(approved.code, 1, approved.err);
  assertMatch(approved.err.replaceAll(/\n *↪?/g, ""), says);
  const doctor = await launch("doctor", "--json");
  assertEquals(doctor.code, 1, doctor.err);
  const named = JSON.parse(doctor.out).findings
    .filter((one: { state: string; says: string }) =>
      one.state === "bad" && one.says.includes(path)
    );
  assertEquals(named.length >= 1, true, doctor.out);
});
