import { openKeyGuard } from "../../../cli/review/key_guard.ts";
import { openClock } from "../../support/clock.ts";
import { assertEquals } from "@std/assert";

/** What a guard did with some keys. */
function tried(script: string): string {
  const clock = openClock(0);
  const log: string[] = [];
  const guard = openKeyGuard(clock.now, clock.later, (why) => log.push(why.split(" ")[0]!));
  for (const word of script.split(" ")) {
    if (word === "shift") guard.shifted();
    else if (word === "other") guard.otherKey();
    else if (word === "a") guard.deciding(() => log.push("acted"));
    else clock.pass(Number(word));
  }
  return log.join(" ");
}

for (
  const [what, script, expected] of [
    ["acts on a key that stands alone", "a 40", "acted"],
    ["waits until it knows that the key stands alone", "a 39", ""],
    ["acts once on each of two keys with time between them", "a 40 a 40", "acted acted"],
    ["refuses a key right behind another", "other 39 a 1000", "Several"],
    ["takes a key that came long enough behind another", "other 40 a 40", "acted"],
    ["refuses a key with another right behind it", "a 39 other 1000", "Several"],
    ["refuses both of two that decide", "a 39 a 1000", "Several"],
    ["refuses all of a held key", "a 30 a 30 a 30 a 1000", "Several Several Several"],
    ["refuses a key that came when the screen had just changed", "shift 299 a 1000", "The"],
    ["takes a key once the screen was still", "shift 300 a 40", "acted"],
    ["refuses a key if the list moves before it is acted on", "a 39 shift 1000", "The"],
    ["counts from the last change", "shift 200 shift 299 a 1000", "The"],
    ["leaves alone what was acted on before the change", "a 40 shift 1000", "acted"],
  ] as const
) {
  Deno.test(`openKeyGuard() ${what}`, () => assertEquals(tried(script), expected));
}
