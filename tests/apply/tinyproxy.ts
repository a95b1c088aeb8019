import { ApplyError } from "../../mod.ts";
import { curl, setUp, testWithOrigin } from "../support/set_up.ts";
import { isMissing } from "../support/skip.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";

const ignore = isMissing("tinyproxy", "-v") || isMissing("curl");

const KEPT = "kept.test\n";
const ADDED = `${KEPT}k9.test\n*.wild.test\n`;

/** Renders what has k9 in it so that tinyproxy ends on it. */
const BREAKS_NEW = {
  render: {
    argv: [
      "/bin/sh",
      "-c",
      'if grep -q k9 "$1"; then echo "(" > "$2"; else cat "$1" > "$2"; fi',
      "sh",
      "{config}",
      "{file}",
    ],
  },
};

const NAME = "tinyproxy: denied, applied, allowed, taken back; ended by a bad list, started again";

testWithOrigin(NAME, ignore, async (dir, origin) => {
  // The origin answers for every host: no name server is asked.
  const lines = { "tinyproxy.conf": `Upstream http ${origin}\n` };
  await using proxy = await setUp(dir, "tinyproxy", KEPT, { lines, port: 8888 });
  const { address, applier, change } = proxy;
  const sees = async (host: string) => await curl(address, `http://${host}/`);

  assertEquals([await sees("kept.test"), await sees("k9.test")], ["200", "403"]);
  await applier().apply(change(KEPT, ADDED));
  for (const host of ["kept.test", "k9.test", "wild.test", "a.wild.test"]) {
    assertEquals([host, await sees(host)], [host, "200"]);
  }
  // A dot in an expression would match any character.
  for (const host of ["k9xtest.test", "k9xtest", "xk9.test", "a.k9.test", "k9.test.evil.test"]) {
    assertEquals([host, await sees(host)], [host, "403"]);
  }
  await applier().apply(change(ADDED, KEPT));
  assertEquals([await sees("kept.test"), await sees("k9.test")], ["200", "403"]);

  const breaks = applier({ ...BREAKS_NEW, probe: { proxy: address, within_seconds: 1 } });
  const error = await assertRejects(() => breaks.apply(change(KEPT, ADDED)), ApplyError);
  assertEquals(error.stage, "probe");
  assertStringIncludes(error.message, "nothing answered");
  assertEquals(await sees("kept.test"), "000");
  const without = applier({
    ...BREAKS_NEW,
    start: undefined,
    probe: { proxy: address, within_seconds: 1 },
  });
  await assertRejects(() => without.restore(change(ADDED, KEPT)), ApplyError);
  assertMatch(
    await breaks.restore(change(ADDED, KEPT)),
    /; started again: .* allowed 1 and denied /,
  );
  assertEquals([await sees("kept.test"), await sees("k9.test")], ["200", "403"]);
});
