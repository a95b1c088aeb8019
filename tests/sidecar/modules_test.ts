import * as respond from "../../src/queue/respond.ts";
import { copyFiles, filesOf } from "../support/checkout.ts";
import { REPO, run } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import { join, toFileUrl } from "@std/path";

/** The sidecar's two programs: what the container runs, and its health check. */
const ENTRIES = ["sidecar/main.ts", "sidecar/health.ts"];

/** What they may load from the checkout. A name that ends in `/` is a folder. */
const ALLOWED = [
  "deno.json",
  "links/",
  "sidecar/",
  "sidecar_mod.ts",
  "src/config/",
  "src/disk/known_names.ts",
  "src/disk/layout.ts",
  "src/disk/read_own.ts",
  "src/disk/read_untrusted.ts",
  "src/disk/watch.ts",
  "src/disk/write.ts",
  "src/disk/write_together.ts",
  "src/policy/floor.ts",
  "src/policy/inside.ts",
  "src/policy/match.ts",
  "src/policy/named_hosts.ts",
  "src/queue/files.ts",
  "src/queue/recent.ts",
  "src/queue/underway.ts",
  "src/queue/wait.ts",
  "src/records/",
  "src/text/",
];

const covers = (entry: string, file: string) =>
  entry.endsWith("/") ? file.startsWith(entry) : file === entry;

/** The files of a checkout that a program loads, at once or later, types included. */
async function loadedBy(entry: string, checkout: string): Promise<string[]> {
  const { code, out, err } = await run(Deno.execPath(), ["info", "--json", entry], {
    cwd: checkout,
  });
  assertEquals(code, 0, err);
  const root = toFileUrl(checkout).href.replace(/\/?$/, "/");
  const { modules } = JSON.parse(out) as { modules: { specifier: string; error?: string }[] };
  assertEquals(modules.flatMap(({ error }) => error ?? []), []);
  return modules.map(({ specifier }) => specifier).filter((url) => url.startsWith("file:"))
    .map((url) => url.startsWith(root) ? url.slice(root.length) : url).sort();
}

const strangersIn = (files: readonly string[]) =>
  files.filter((file) => !ALLOWED.some((entry) => covers(entry, file)));

Deno.test.each(ENTRIES.map((entry) => [entry]))(
  "%s loads nothing that decides, signs or answers",
  async (entry) => {
    const loaded = await loadedBy(entry, REPO);
    assert(loaded.includes(entry));
    assertEquals(strangersIn(loaded), []);
  },
);

Deno.test("writeResponse() is in the one file of the queue's that no sidecar may load", () => {
  assertEquals(Object.keys(respond), ["writeResponse"]);
  assertEquals(strangersIn(["src/queue/respond.ts"]), ["src/queue/respond.ts"]);
});

/** What somebody might add, and to which file that the sidecar loads. */
const PLANTS = [
  ["src/queue/files.ts", `export { writeResponse } from "./respond.ts";`, "src/queue/respond.ts"],
  [
    "src/queue/wait.ts",
    `export type { AppendOptions } from "../log/append.ts";`,
    "src/log/append.ts",
  ],
  ["src/records/names.ts", `export const key = () => import("../log/key.ts");`, "src/log/key.ts"],
  ["sidecar_mod.ts", `export { decide } from "./mod.ts";`, "src/decision/decide.ts"],
  ["sidecar/health.ts", `import "../src/queue.ts";`, "src/queue/respond.ts"],
] as const;

// Threat: B1
Deno.test("an import of decide, the key or writeResponse in a file that the sidecar loads is found", async () => {
  await using dir = await tempDir();
  const copied = [
    "deno.json",
    "deno.lock",
    "links/",
    "mod.ts",
    "sidecar/",
    "sidecar_mod.ts",
    "src/",
  ];
  copyFiles(filesOf().filter((file) => copied.some((entry) => covers(entry, file))), dir.path);
  for (const [file, code, stranger] of PLANTS) {
    await Deno.writeTextFile(dir.at(file), `\n${code}\n`, { append: true });
    const loaded = await Promise.all(ENTRIES.map((entry) => loadedBy(entry, dir.path)));
    assert(strangersIn(loaded.flat()).includes(stranger), code);
    await Deno.copyFile(join(REPO, file), dir.at(file));
  }
});

Deno.test("Containerfile copies what the sidecar loads, and no folder that decides, signs or answers", async () => {
  const text = await Deno.readTextFile(join(REPO, "Containerfile"));
  const copied = [...text.matchAll(/^COPY --chmod=\S+ (.+) \S+$/gm)]
    .flatMap(([, sources]) => sources!.split(" "));
  const loaded = (await Promise.all(ENTRIES.map((entry) => loadedBy(entry, REPO)))).flat();
  assertEquals(loaded.filter((file) => !copied.some((entry) => covers(entry, file))), []);
  assertEquals(
    copied.filter((entry) => !loaded.some((file) => covers(entry, file))),
    ["deno.lock"],
  );

  // The other way round: what is not listed never reaches the build.
  const ignore = (await Deno.readTextFile(join(REPO, ".dockerignore"))).split("\n");
  assertEquals(ignore.filter((line) => !/^(#.*)?$/.test(line)), [
    "*",
    ...copied.map((entry) => `!${entry}`),
    "src/disk/lock.ts",
    "src/queue/respond.ts",
    "**/*_test.ts",
  ]);
});
