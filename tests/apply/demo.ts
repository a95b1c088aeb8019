import { hookApplier } from "../../appliers/hooks.ts";
import { applyConfigPath, readApplyConfig } from "../../appliers/config.ts";
import { startProxy } from "../../demo/proxy.ts";
import { type ConfigChange, TOOL_PIPELOCK_BLOCK } from "../../mod.ts";
import { curl, testWithOrigin } from "../support/set_up.ts";
import { isMissing } from "../support/skip.ts";
import { assertEquals } from "@std/assert";

const ignore = isMissing("squid", "-v") || isMissing("curl");

testWithOrigin(
  "the demo's own Squid starts, enforces what is approved, and is ended",
  ignore,
  async (dir) => {
    const root = dir.path;
    const { program, address, target, stop } = (await startProxy(root))!;
    try {
      assertEquals([program, await curl(address, target)], ["/usr/sbin/squid", "403"]);
      const change: ConfigChange = {
        root,
        bottleSlug: "demo-1",
        tool: TOOL_PIPELOCK_BLOCK,
        path: "unused",
        before: "mirror.internal.example\n",
        after: "mirror.internal.example\nfiles.example.net\n",
      };
      const applier = hookApplier(readApplyConfig(applyConfigPath(root))!);
      await applier.check(change);
      await applier.apply(change);
      assertEquals(await curl(address, target), "200");
    } finally {
      await stop();
    }
    assertEquals(await curl(address, target), "000");
  },
);
