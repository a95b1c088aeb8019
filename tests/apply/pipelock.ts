import { setUp } from "../support/set_up.ts";
import { hasProgram } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { becomeUser, ranAlone } from "../support/user.ts";
import { assertEquals } from "@std/assert";

/** pipelock is in no distribution: PIPELOCK names its binary, also in CI. */
const PIPELOCK = Deno.env.get("PIPELOCK") ?? "";
const ignore = PIPELOCK === "" || !hasProgram(PIPELOCK);
if (ignore) console.error("SKIPPED: PIPELOCK names no binary of pipelock");

Deno.test(
  "pipelock: denied, applied, allowed; and the last host is taken back, too",
  { ignore },
  async (t) => {
    if (await ranAlone(t)) return;
    const dir = await tempDir();
    await becomeUser(dir.path);
    await using _removed = dir;
    const own = { port: 8888, program: ["/usr/local/bin/pipelock", PIPELOCK] as const };
    await using proxy = await setUp(dir, "pipelock", "kept.test\n", own);
    const { applier, change, address } = proxy;
    const added = change("kept.test\n", "kept.test\nnew.test\n");
    await applier().check(added);
    assertEquals((await applier().apply(added)).includes(`${address} allowed 2`), true);
    await applier().apply(change(added.after, null));
  },
);
