import { REPO, run } from "../../support/run.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

/** What localTime() makes of timestamps in a process of some time zone. */
async function localTimes(TZ: string, ...timestamps: string[]): Promise<string[]> {
  const module = new URL(`file://${join(REPO, "cli/render/time.ts")}`).href;
  const program = `import { localTime } from "${module}";
    for (const timestamp of ${JSON.stringify(timestamps)}) console.log(localTime(timestamp));`;
  const args = ["eval", "--quiet", "--config", join(REPO, "deno.json"), program];
  const { out, err } = await run(Deno.execPath(), args, { env: { TZ } });
  assertEquals(err, "");
  return out.split("\n").slice(0, -1);
}

Deno.test.each(
  [
    ["UTC", "2026-11-22 19:40:02 +00:00", "2026-07-01 00:00:00 +00:00"],
    ["Europe/Berlin", "2026-11-22 20:40:02 +01:00", "2026-07-01 02:00:00 +02:00"],
    ["America/St_Johns", "2026-11-22 16:10:02 -03:30", "2026-06-30 21:30:00 -02:30"],
    ["Asia/Kathmandu", "2026-11-23 01:25:02 +05:45", "2026-07-01 05:45:00 +05:45"],
  ] as const,
)("localTime() is the time in %s, with its offset at that time", async (zone, winter, summer) => {
  assertEquals(
    await localTimes(zone, "2026-11-22T19:40:02.816Z", "2026-07-01T02:00:00.123456+02:00"),
    [winter, summer],
  );
});

Deno.test("localTime() quotes what is no time, visible and short", async () => {
  assertEquals(
    await localTimes(
      "Asia/Kathmandu",
      "soon",
      "2026-01-01T\u202e",
      "x".repeat(60),
      "+275760-09-13T00:00:00Z",
    ),
    ['"soon"', '"2026-01-01T⟨U+202E⟩"', `"${"x".repeat(38)}…"`, '"+275760-09-13T00:00:00Z"'],
  );
});
