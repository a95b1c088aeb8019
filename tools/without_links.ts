/**
 * Takes the stand-ins for `@std` out of a checkout, so that it resolves `@std` from JSR: for the run
 * of the suite against the real packages, and before the package is published. It changes `deno.json`
 * and removes `links/`; run it in a throw-away checkout, then `deno install --frozen=false`.
 *
 * @module
 */

const config = JSON.parse(await Deno.readTextFile("deno.json"));

delete config.links;

await Deno.writeTextFile("deno.json", JSON.stringify(config, null, 2) + "\n");

await Deno.remove("links", { recursive: true });
