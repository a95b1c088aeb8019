/**
 * Runs the official MCP conformance suite, both of its generations, against a sidecar under its real
 * permissions. It comes from npm, so it is no `_test.ts` that every `deno test` would find:
 *
 * ```sh
 * deno test -A tests/conformance/suite.ts
 * ```
 *
 * Every scenario must pass, or be named in `not_applicable.ts` with the reason. The suite has a lock
 * file of its own beside this file, so that it is no dependency of the product's; after a change of
 * version, `deno cache --no-config --frozen=false --lock=tests/conformance/deno.lock` with both
 * specifiers writes it anew.
 *
 * @module
 */

import { REPO, run } from "../support/run.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { NOT_APPLICABLE, type SuiteVersion } from "./not_applicable.ts";
import { differences, readResults } from "./results.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

/** A version of the suite, and what it asks of a sidecar. */
interface Suite {
  readonly version: SuiteVersion;
  readonly flags: readonly string[];
  /** The scenarios that must pass. */
  readonly applicable: readonly string[];
}

const SUITES: readonly Suite[] = [
  {
    version: "0.1.16",
    flags: [],
    applicable: [
      "dns-rebinding-protection",
      "ping",
      "server-initialize",
      "server-sse-multiple-streams",
      "tools-list",
    ],
  },
  {
    version: "0.2.0-alpha.12",
    flags: ["--suite", "all", "--spec-version", "2026-07-28"],
    applicable: [
      "caching",
      "dns-rebinding-protection",
      "http-header-validation",
      "input-required-result-unsupported-methods",
      // Asks an unknown tool, and is content to be refused.
      "input-required-result-validate-input",
      "server-sse-multiple-streams",
      "server-stateless",
      "tools-list",
    ],
  },
];

/** Runs the suite, which may reach the sidecar and write its results, and nothing else. */
function runSuite({ version, flags }: Suite, port: string, outDir: string) {
  return run("deno", [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--frozen",
    `--lock=${join(REPO, "tests/conformance/deno.lock")}`,
    "--allow-read",
    "--allow-env",
    "--allow-sys",
    `--allow-write=${outDir}`,
    `--allow-net=localhost:${port}`,
    `npm:@modelcontextprotocol/conformance@${version}`,
    "server",
    "--url",
    `http://localhost:${port}/mcp`,
    ...flags,
    "--output-dir",
    outDir,
  ], { cwd: outDir });
}

for (const suite of SUITES) {
  Deno.test(`a sidecar conforms to suite ${suite.version}`, async () => {
    await using queue = await tempDir();
    await using results = await tempDir();
    await using sidecar = await startSidecar(queue.path);

    const { out, err } = await runSuite(suite, sidecar.url.port, results.path);
    // Its exit code says only that some scenario failed, as those that do not apply do.
    const complete = out.includes("=== SUMMARY ===");
    assertEquals(complete, true, `The suite did not come to its end:\n${out}\n${err}`);

    const found = await readResults(results.path, out);
    const { version, applicable } = suite;
    assertEquals(differences(found, applicable, NOT_APPLICABLE[version]), []);
    assertEquals(sidecar.noise, []);
  });
}
