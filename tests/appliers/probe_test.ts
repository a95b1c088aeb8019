import type { ProbeSettings } from "../../appliers/config.ts";
import { planForHosts, planForRoutes, probe } from "../../appliers/probe.ts";
import { coversOf, reachOfAllowlist } from "../../internal_mod.ts";
import { ApplyError } from "../../mod.ts";
import { type FakeProxy, startFakeProxy } from "../support/fake_proxy.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";

const SETTINGS: ProbeSettings = {
  proxy: "127.0.0.1:1",
  url: "http://127.0.0.1:1",
  inARow: 3,
  withinMs: 60_000,
  denied: "canary.invalid",
};

/** What a probe of hosts expects: the allowed ones, and the denied ones. */
function expected(before: string | null, after: string | null, settings = SETTINGS) {
  const { expectations, unseen } = planForHosts(before, after, settings);
  const named = (isAllowed: boolean) =>
    expectations.filter((one) => one.isAllowed === isAllowed).map(({ what }) => what).sort();
  return { allowed: named(true), denied: named(false), unseen };
}

Deno.test("planForHosts() expects added hosts, below wildcards, an unchanged one; no canary, no neighbour", () => {
  assertEquals(expected("kept.test\n", "kept.test\nnew.test\n*.wild.test\n"), {
    allowed: ["kept.test", "new.test", "probe.wild.test"],
    denied: ["canary.invalid", "sub.new.test", "xnew.test", "xwild.test"],
    unseen: [],
  });
});

Deno.test("planForHosts() expects no removed host that nothing covers", () => {
  assertEquals(expected("a.test\n*.b.test\nc.d.test\n*.d.test\n", "*.d.test\n"), {
    allowed: ["probe.d.test"],
    denied: ["a.test", "b.test", "canary.invalid", "probe.b.test"],
    unseen: [],
  });
  assertEquals(expected("a.test\n", null).denied, ["a.test", "canary.invalid"]);
});

Deno.test("planForHosts() leaves out a neighbour that the list covers", () => {
  const { denied } = expected(null, "new.test\n*.new.test\nxnew.test\n");
  assertEquals(denied, ["canary.invalid", "sub.xnew.test", "xxnew.test"]);
});

Deno.test("planForHosts() leaves out names that are too long for a host", () => {
  const label = "a".repeat(63);
  assertEquals(expected(null, `${label}.test\n`), {
    allowed: [`${label}.test`],
    denied: ["canary.invalid", `sub.${label}.test`],
    unseen: [],
  });
});

Deno.test("planForHosts() bounds what it probes, and says of how many", () => {
  const many = Array.from({ length: 30 }, (_, n) => `h${n}.test\n`).join("");
  const { allowed, unseen } = expected("", many);
  assertEquals([allowed.length, unseen], [10, ["10 of 30 added hosts were probed"]]);
});

Deno.test("planForHosts() takes the unchanged host that apply.json names", () => {
  const { allowed } = expected("a.test\nb.test\n", "a.test\nb.test\nc.test\n", {
    ...SETTINGS,
    allowed: "b.test",
  });
  assertEquals(allowed, ["b.test", "c.test"]);
});

const routes = (...paths: string[]) =>
  JSON.stringify({ routes: paths.map((path) => ({ path, upstream: "https://a.example" })) });

Deno.test("planForRoutes() expects new paths and an unchanged one; no removed path, and says what it cannot see", () => {
  const settings = { ...SETTINGS, denied: "/none" };
  const { expectations, unseen, deniedStatus } = planForRoutes(
    routes("/kept/", "/gone/", "/npm/gone/"),
    routes("/kept/", "/npm/"),
    settings,
  );
  assertEquals(deniedStatus, 404);
  assertEquals(expectations.map(({ what, isAllowed }) => [what, isAllowed]), [
    ['"/none"', false],
    ['"/gone/"', false],
    ['"/npm/"', true],
    ['"/kept/"', true],
  ]);
  assertEquals(unseen, ['which route answers for "/npm/gone/" cannot be seen from outside']);
  assertEquals(planForRoutes(routes("/gh/"), routes("/gh/", "/gh/x/"), settings).unseen, [
    'which route answers for "/gh/x/" cannot be seen from outside',
  ]);
  const changed = routes("/kept/").replace("a.example", "b.example");
  assertEquals(planForRoutes(routes("/kept/"), changed, settings).unseen, [
    'where "/kept/" leads, and with which token, cannot be seen from outside',
  ]);
  // Agents choose the paths, and how many.
  const many = routes(...[1, 2, 3, 4, 5].map((n) => `/${n}${"x".repeat(200)}/`));
  const [said] = planForRoutes(many, many.replaceAll("a.example", "b.example"), settings).unseen;
  assertMatch(said!, /^where "\/1x{78}"\.\.\., "\/2x+"\.\.\., "\/3x+"\.\.\., and 2 more leads, /);
  const token = JSON.stringify({
    routes: [{ path: "/t/", upstream: "https://a.example", auth_scheme: "Bearer", token_env: "T" }],
  });
  assertEquals(planForRoutes(null, token, settings).unseen, [
    "which token was sent upstream cannot be seen from outside",
  ]);
});

/** A proxy that enforces a list. */
const enforces = (list: string): FakeProxy["answer"] => {
  const patterns = new Set(reachOfAllowlist(list).map(({ value }) => value));
  return (host) => coversOf(host).some((cover) => patterns.has(cover)) ? 200 : 403;
};

const OLD = "kept.test\n";
const NEW = "kept.test\nnew.test\n";

function probeHosts({ address }: FakeProxy, withinMs: number, before = OLD, after = NEW) {
  const settings = { ...SETTINGS, proxy: address, withinMs };
  return probe(planForHosts(before, after, settings), settings);
}

Deno.test("probe() sees a list that is in force, on a connection of its own each time", async () => {
  await using proxy = startFakeProxy(enforces(NEW));
  assertEquals(
    await probeHosts(proxy, 60_000),
    `${proxy.address} allowed 2 and denied 3, 3 times in a row`,
  );
  assertEquals(proxy.asked.length, 5 * 3);
});

// Threat: C12
Deno.test("probe() takes no change back because a host that it left as it was answers no more", async () => {
  await using proxy = startFakeProxy((host) => host === "kept.test" ? null : enforces(OLD)(host));
  const said = await probeHosts(proxy, 1_000, NEW, OLD);
  assertEquals(
    said,
    `${proxy.address} allowed 0 and denied 2, 3 times in a row; kept.test is not allowed (nothing ` +
      "answered), as it was before perhaps",
  );
  // One that the proxy denies is another matter, and so is one that a setting names.
  proxy.answer = () => 403;
  await assertRejects(
    () => probeHosts(proxy, 1_000, NEW, OLD),
    ApplyError,
    "kept.test is not allowed",
  );
  proxy.answer = (host) => host === "kept.test" ? null : enforces(OLD)(host);
  const settings = { ...SETTINGS, proxy: proxy.address, withinMs: 1_000, allowed: "kept.test" };
  const named = () => probe(planForHosts(NEW, OLD, settings), settings);
  await assertRejects(named, ApplyError, "nothing answered");
});

Deno.test("probe() takes every other status for allowed: that a host cannot be reached is another matter", async () => {
  await using proxy = startFakeProxy((host) => enforces(NEW)(host) === 403 ? 403 : 503);
  await probeHosts(proxy, 60_000);
});

// Threat: C11
Deno.test.each(
  [
    [
      "a reload that was swallowed: the old list",
      enforces(OLD),
      "new.test is not allowed (answered 403)",
    ],
    [
      "an ignored file: everything is allowed",
      () => 200,
      "canary.invalid is not denied (answered 200)",
    ],
    ["a broken file: everything is denied", () => 403, "kept.test is not allowed (answered 403)"],
    [
      "a pattern that matches too much",
      enforces("kept.test\n*.new.test\n"),
      "sub.new.test is not denied",
    ],
    [
      "a proxy that closes connections",
      () => null,
      "nothing answered at 127.0.0.1:",
    ],
  ] as const,
)("probe() catches %s", async (_what, answer, says) => {
  await using proxy = startFakeProxy(answer);
  const error = await assertRejects(() => probeHosts(proxy, 1_000), ApplyError);
  assertEquals(error.stage, "probe");
  assertStringIncludes(error.message, says);
});

// Threat: C11
Deno.test("probe() catches a worker that still answers the old way, among others that do not", async () => {
  let count = 0;
  await using proxy = startFakeProxy((host) => enforces(++count % 3 === 0 ? OLD : NEW)(host));
  // One expectation alone, so that every third of its own answers is old.
  const settings = { ...SETTINGS, proxy: proxy.address, withinMs: 1_000 };
  const plan = planForHosts(OLD, NEW, settings);
  const expectations = plan.expectations.filter(({ what }) => what === "new.test");
  const error = await assertRejects(() => probe({ ...plan, expectations }, settings), ApplyError);
  assertStringIncludes(error.message, "new.test is not allowed (answered 403)");
});

Deno.test("probe() waits for old answers to end, and for a proxy that is about to listen again", async () => {
  let left = 20;
  await using proxy = startFakeProxy((host) => {
    left--;
    return left > 10 ? null : enforces(left > 0 ? OLD : NEW)(host);
  });
  await probeHosts(proxy, 60_000);
});

Deno.test("probe() catches a removed host that is still allowed", async () => {
  await using proxy = startFakeProxy(enforces(NEW));
  const error = await assertRejects(() => probeHosts(proxy, 1_000, NEW, OLD), ApplyError);
  assertStringIncludes(error.message, "new.test is not denied (answered 200)");
});

Deno.test("probe() gives up on a proxy that is gone, and on one that never answers", async () => {
  const proxy = startFakeProxy(() => 200);
  const { address } = proxy;
  await proxy[Symbol.asyncDispose]();
  const gone = await assertRejects(() => probeHosts({ ...proxy, address }, 500), ApplyError);
  assertStringIncludes(gone.message, "nothing answered");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const silent = { ...proxy, address: `127.0.0.1:${listener.addr.port}` };
  await assertRejects(() => probeHosts(silent, 500), ApplyError, "nothing answered");
  listener.close();
});
