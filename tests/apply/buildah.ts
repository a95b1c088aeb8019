import { ApplyError, TOOL_CAPABILITY_BLOCK } from "../../mod.ts";
import { parseApplyConfig } from "../../appliers/config.ts";
import { hookApplier } from "../../appliers/hooks.ts";
import { presetFiles } from "../../appliers/presets.ts";
import { run } from "../support/run.ts";
import { isMissing, mustSkip } from "../support/skip.ts";
import { tempDir } from "../support/temp.ts";
import { isRoot } from "../support/user.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const ignore = isMissing("buildah") ||
  mustSkip(isRoot ? undefined : "to build without a network needs root, or subordinate ids");

Deno.test("buildah: an image is built without a network and tried before its name moves", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("proxy/context"), { recursive: true });
  const { "apply.json": settings, ...files } = presetFiles("buildah", dir.at("proxy"))!;
  for (const [file, text] of Object.entries(files)) {
    await Deno.writeTextFile(dir.at("proxy", file), text);
  }
  const busybox = dir.at("proxy/context/busybox");
  await Deno.copyFile("/bin/busybox", busybox);
  const applier = hookApplier(parseApplyConfig(settings!, "apply.json"));
  const change = (before: string | null, after: string | null) => ({
    root: dir.path,
    bottleSlug: "dev-1",
    tool: TOOL_CAPABILITY_BLOCK,
    path: "unused",
    before,
    after,
  } as const);
  const buildah = async (...args: string[]) => {
    const stores = ["--root", dir.at("proxy/images"), "--runroot", dir.at("proxy/images.run")];
    return (await run("buildah", [...stores, "--storage-driver", "vfs", ...args])).out.trim();
  };
  const named = () => buildah("images", "--quiet", "--no-trunc", "localhost/dev-1");

  const base = 'FROM scratch\nCOPY busybox /bin/sh\nRUN ["/bin/sh", "-c", "';
  // A line for each device of the network, and two of headings: it has the loopback one alone.
  const good = `${base}while read -r _; do n=x$n; done < /proc/net/dev; [ $n = xxx ]"]\n`;
  await applier.check(change(null, good));
  assertEquals(await named(), "");
  await applier.apply(change(null, good));
  const first = await named();
  assertStringIncludes(first, "sha256:");

  const fails = await assertRejects(
    () => applier.check(change(good, `${base}exit 9"]\n`)),
    ApplyError,
  );
  assertEquals(fails.stage, "render");
  assertStringIncludes(fails.output, "exit status 9");
  // It is built, but nothing in it runs.
  const useless = await assertRejects(
    () => applier.check(change(good, "FROM scratch\nCOPY busybox /bin/other\n")),
    ApplyError,
  );
  assertEquals(useless.stage, "check");
  const pulls = await assertRejects(
    () => applier.check(change(good, "FROM registry.example/x\n")),
    ApplyError,
  );
  assertEquals(pulls.stage, "render");
  assertEquals(await named(), first);

  const other = `${base}true"]\n`;
  await applier.check(change(good, other));
  await applier.apply(change(good, other));
  const second = await named();
  assertEquals(second === first, false);
  await applier.restore(change(other, good));
  assertEquals([second, ""].includes(await named()), false);
  await buildah("rmi", "--all", "--force");
});
