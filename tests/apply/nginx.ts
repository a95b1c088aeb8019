import { ApplyError, TOOL_CRED_PROXY_BLOCK } from "../../mod.ts";
import { setUp, testWithOrigin } from "../support/set_up.ts";
import { isMissing } from "../support/skip.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";

const ignore = isMissing("nginx", "-v");

/** What the origin was asked for, and with which token. */
const asked: string[] = [];

testWithOrigin(
  "nginx: a route is applied with its own token alone, and no old answer follows a new one",
  ignore,
  async (dir, origin) => {
    const upstream = `http://${origin}`;
    const plain = { path: "/plain/", upstream: `${upstream}/base` };
    const token = { path: "/npm/", upstream, auth_scheme: "Bearer", token_env: "NPM" };
    const write = (...routes: object[]) => JSON.stringify({ routes });
    await Deno.mkdir(dir.at("private"), { mode: 0o700 });
    const tokens = JSON.stringify({ token_env: { NPM: "s3cret" } });
    await Deno.writeTextFile(dir.at("private/tokens.json"), tokens, { mode: 0o600 });
    await using nginx = await setUp(dir, "nginx", write(plain), {
      port: 8081,
      tool: TOOL_CRED_PROXY_BLOCK,
    });
    const { address, applier, change, to } = nginx;
    const sees = async (path: string) => {
      const response = await fetch(`http://${address}${path}`, {
        headers: { connection: "close" },
      });
      await response.body?.cancel();
      return response.status;
    };

    assertEquals([await sees("/plain/x"), await sees("/npm/x"), await sees("/")], [200, 404, 404]);
    const added = change(write(plain), write(plain, token));
    await applier().check(added);
    assertEquals(await sees("/npm/x"), 404);
    assertMatch(
      await applier().apply(added),
      /allowed 2 and denied 1, 5 times in a row; which token was sent upstream cannot be seen/,
    );
    // Right behind a reload, old workers of nginx answer after new ones did: the probe waited for their end.
    for (let n = 0; n < 100; n++) assertEquals(await sees("/npm/x"), 200);
    assertEquals((await Deno.stat(to)).mode! & 0o777, 0o600);
    asked.length = 0;
    await sees("/npm/a/b");
    await sees("/plain/a");
    await sees("/npmx/a");
    assertEquals(asked, ["/a/b Bearer s3cret", "/base/a none"]);

    await applier().apply(change(write(plain, token), write(plain)));
    assertEquals([await sees("/npm/x"), await sees("/plain/x")], [404, 200]);

    const before = await Deno.readTextFile(to);
    const breaks = applier({ render: { argv: ["/bin/cp", "{config}", "{file}"] } });
    const error = await assertRejects(() => breaks.check(added), ApplyError);
    assertEquals([error.stage, error.exitCode], ["check", 1]);
    assertStringIncludes(error.output, "test failed");
    assertEquals(await Deno.readTextFile(to), before);

    // nginx looks names up when it reads its configuration, and each one must be there.
    const gone = { path: "/gone/", upstream: "http://gone.invalid" };
    const onTop = change(write(plain, gone), write(plain, gone, token));
    const lost = await assertRejects(() => applier().check(onTop), ApplyError);
    assertEquals([lost.stage, lost.exitCode], ["check", 1]);
    assertStringIncludes(lost.output, 'host not found in upstream "gone.invalid"');
    assertEquals([await sees("/plain/x"), await Deno.readTextFile(to)], [200, before]);
    const takenOut = change(write(plain, gone), write(plain));
    await applier().check(takenOut);
    await applier().apply(takenOut);

    // On a raw signal it keeps the old file, and the exit code is 0.
    const kept = applier({
      render: { argv: ["/bin/cp", "{config}", "{file}"] },
      reload: { argv: ["/usr/bin/pkill", "-HUP", "-F", dir.at("proxy/nginx.pid"), "nginx"] },
      probe: { url: `http://${address}`, within_seconds: 1 },
    });
    const unseen = await assertRejects(() => kept.apply(added), ApplyError);
    assertStringIncludes(unseen.message, '"/npm/" is not allowed (answered 404)');
    await applier().restore(change(write(plain, token), write(plain)));
    assertEquals([await sees("/npm/x"), await sees("/plain/x")], [404, 200]);
  },
  ({ url, headers }) => {
    asked.push(`${new URL(url).pathname} ${headers.get("authorization") ?? "none"}`);
    return new Response("origin");
  },
);
