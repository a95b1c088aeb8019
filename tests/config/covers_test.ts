import { validateAllowlist } from "../../mod.ts";
import { compareAllowlist, reachOfAllowlist } from "../../src/config/allowlist/compare.ts";
import { isCovered } from "../../src/config/hosts/covers.ts";
import { readHostAnswers } from "../support/enforcers.ts";
import { assert, assertEquals } from "@std/assert";

const ANSWERS = readHostAnswers();

/** Whether we read a list so that it allows a host. */
const allows = (list: string, host: string): boolean =>
  isCovered(host, new Set(reachOfAllowlist(list).map(({ value }) => value)));

const isValid = (text: string) => validateAllowlist(text).length === 0;

/** A host as enforcers take it too: in upper case. A dot at the end or a port is refused by the check of an allowlist. */
const isHost = (host: string) => !host.startsWith("*") && isValid(host.toLowerCase());

for (const enforcer of ["pipelock-matchdomain", "squid", "tinyproxy", "nginx"]) {
  Deno.test(`isCovered() reads every valid allowlist as ${enforcer} does`, () => {
    const rows = ANSWERS.filter((row) =>
      row.enforcer === enforcer && row.allowed !== null && isValid(row.pattern) && isHost(row.host)
    );
    assert(rows.length >= 60, `${rows.length} rows`);
    const differ = rows.filter(({ pattern, host, allowed }) =>
      allows(pattern, host.toLowerCase()) !== allowed
    );
    // nginx as it was set up has no room for the longest names, and so allows less.
    const isShort = ({ pattern, allowed }: typeof rows[number]) => allowed || pattern.length < 60;
    assertEquals(differ.filter((row) => enforcer !== "nginx" || isShort(row)), []);
  });
}

Deno.test("what no program or one program alone reads in a file in force allows nothing", () => {
  for (const text of ["k9.test # why", " k9.test", "\ufeffk9.test", ".k9.test", "*", "k9.test."]) {
    assertEquals(compareAllowlist(text, "k9.test\n").added.length, 1, text);
  }
  assertEquals(compareAllowlist("K9.Test\r\n", "k9.test\n").added, []);
});
