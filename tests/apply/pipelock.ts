import { setUp, testWithOrigin } from "../support/set_up.ts";
import { hasProgram } from "../support/run.ts";
import { assertEquals } from "@std/assert";

/** pipelock is in no distribution: PIPELOCK names its binary, also in CI. */
const PIPELOCK = Deno.env.get("PIPELOCK") ?? "";
const ignore = PIPELOCK === "" || !hasProgram(PIPELOCK);
if (ignore) console.error("SKIPPED: PIPELOCK names no binary of pipelock");

testWithOrigin(
  "pipelock: denied, applied, allowed; and the last host is taken back, too",
  ignore,
  async (dir) => {
    const own = { port: 8888, program: ["/usr/local/bin/pipelock", PIPELOCK] as const };
    await using proxy = await setUp(dir, "pipelock", "kept.test\n", own);
    const { applier, change, address } = proxy;
    const added = change("kept.test\n", "kept.test\nnew.test\n");
    await applier().check(added);
    assertEquals((await applier().apply(added)).includes(`${address} allowed 2`), true);
    await applier().apply(change(added.after, null));
  },
);
