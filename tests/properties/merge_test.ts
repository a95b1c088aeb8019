import { mergeChange } from "../../src/config/merge.ts";
import { mergeLines } from "../../src/text/merge.ts";
import { validateConfigFile } from "../../mod.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** An allowlist, with comments between: some edit of a common one is likely to be another of these. */
const allowlist = fc.array(
  fc.constantFrom("a.de", "b.de", "c.de", "*.d.de", "e.de", "# x", "# y", ""),
  { maxLength: 9 },
).chain((lines) => {
  const once = lines.filter((line, n) => !/^[a-z*]/.test(line) || lines.indexOf(line) === n);
  return fc.constantFrom("\n", "\r\n").map((end) => once.map((line) => line + end).join(""));
});

const hostsIn = (text: string) => text.split(/\r?\n/).filter((line) => /^[a-z*]/.test(line));

Deno.test("merged allowlists have today's hosts, minus what the agent removed, plus what it added", () => {
  let clean = 0;
  holds(
    fc.property(allowlist, allowlist, allowlist, (base, current, proposed) => {
      const result = mergeChange("pipelock-block", base, current, proposed);
      const [was, asked] = [hostsIn(base), hostsIn(proposed)];
      const isSame = was.toSorted().join() === asked.toSorted().join();
      // Only comments, blanks or the order changed: these may be in each other's way.
      if ("conflict" in result) return assert(isSame, result.conflict);
      clean++;
      const wanted = new Set(hostsIn(current));
      for (const host of was) if (!asked.includes(host)) wanted.delete(host);
      for (const host of asked) if (!was.includes(host)) wanted.add(host);
      assertEquals(hostsIn(result.merged).toSorted(), [...wanted].toSorted());
      assertEquals(validateConfigFile("pipelock-block", result.merged), []);
    }),
    1000,
  );
  assert(clean > 20, `only ${clean} merged`);
});

Deno.test("a merged allowlist keeps today's lines in today's order, comments too", () => {
  holds(
    fc.property(allowlist, allowlist, allowlist, (base, current, proposed) => {
      const result = mergeChange("pipelock-block", base, current, proposed);
      if ("conflict" in result) return;
      const removed = hostsIn(base).filter((host) => !hostsIn(proposed).includes(host));
      const linesOf = (text: string) => text.split(/\r?\n/).filter((line) => line !== "");
      // The agent may have removed a comment or moved a host; what it left alone is in today's order.
      const left = linesOf(current).filter((line) =>
        !removed.includes(line) && !linesOf(base).includes(line)
      );
      let at = 0;
      for (const line of linesOf(result.merged)) if (line === left[at]) at++;
      assertEquals(at, left.length, result.merged);
    }),
    1000,
  );
});

interface Route {
  readonly path: string;
  readonly upstream: string;
  readonly role?: string;
}

const routes = fc.uniqueArray(
  fc.record({
    path: fc.constantFrom("/a/", "/b/", "/c/", "/d/"),
    upstream: fc.constantFrom("https://a.example.com", "https://b.example.com"),
    role: fc.constantFrom("x", "y"),
  }, { requiredKeys: ["path", "upstream"] }),
  { selector: ({ path }) => path, maxLength: 4 },
);

const routesFile = fc.tuple(
  routes,
  fc.constantFrom<unknown>(undefined, 1, 2),
  fc.constantFrom("", " ", "  ", "\t"),
).map(([routes, more, space]) =>
  JSON.stringify({ ...(more !== undefined && { more }), routes }, null, space)
);

const byPath = (text: string) =>
  new Map((JSON.parse(text).routes as Route[]).map((route) => [route.path, JSON.stringify(route)]));

Deno.test("merged routes have each path as the side that changed it; who both changed, is a conflict", () => {
  let clean = 0;
  holds(
    fc.property(routesFile, routesFile, routesFile, (base, current, proposed) => {
      const result = mergeChange("cred-proxy-block", base, current, proposed);
      const [was, is, asked] = [base, current, proposed].map(byPath);
      const moreOf = (text: string) => JSON.parse(text).more as unknown;
      const paths = ["/a/", "/b/", "/c/", "/d/"];
      const isClash = paths.some((path) => {
        const [before, now, after] = [was, is, asked].map((side) => side!.get(path));
        return before !== now && before !== after && now !== after;
      });
      const asksMore = moreOf(base) !== moreOf(proposed);
      // Other keys of the file are merged only where their lines are.
      if ("conflict" in result) return assert(isClash || asksMore, result.conflict);
      assert(!isClash);
      clean++;
      const found = byPath(result.merged);
      for (const path of paths) {
        const [before, now, after] = [was, is, asked].map((side) => side!.get(path));
        assertEquals(found.get(path), before === after ? now : after, path);
      }
      assertEquals(moreOf(result.merged), asksMore ? moreOf(proposed) : moreOf(current));
      assertEquals(validateConfigFile("cred-proxy-block", result.merged), []);
    }),
    2000,
  );
  assert(clean > 20, `only ${clean} merged`);
});

/** A text of few different lines, so that changes meet, and lines occur twice. */
const text = fc.tuple(
  fc.array(fc.constantFrom("a", "b", "c", "", "d \\"), { maxLength: 12 }),
  fc.boolean(),
).map(([lines, isOpen]) => lines.join("\n") + (isOpen || lines.length === 0 ? "" : "\n"));

/** A text, and two edits of it. */
const edits = fc.tuple(
  fc.uniqueArray(fc.nat(40), { minLength: 3, maxLength: 25 }),
  fc.array(
    fc.tuple(fc.constantFrom(0, 1), fc.nat(24), fc.nat(2), fc.array(fc.nat(9), { maxLength: 2 })),
    {
      maxLength: 4,
    },
  ),
).map(([base, changes]) => {
  const sides = [0, 1].map((side) => {
    const lines: (string | undefined)[] = base.map((n) => `line ${n}`);
    const added = base.map((): string[] => []);
    for (const [whose, at, count, news] of changes) {
      if (whose !== side || at >= base.length) continue;
      for (let n = at; n < Math.min(base.length, at + count); n++) lines[n] = undefined;
      added[at]!.push(...news.map((n) => `new ${side} ${n}`));
    }
    return base.flatMap((_, n) => [...added[n]!, ...(lines[n] === undefined ? [] : [lines[n]])]);
  });
  return { base: base.map((n) => `line ${n}`), sides };
});

const whole = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

Deno.test("mergeLines() of a side that did not change is the other one, and of two equal sides is that", () => {
  holds(
    fc.property(text, text, (base, other) => {
      assertEquals(mergeLines(base, base, other), { merged: other });
      assertEquals(mergeLines(base, other, base), { merged: other });
      assertEquals(mergeLines(base, other, other), { merged: other });
    }),
    1000,
  );
});

Deno.test("mergeLines() is the same, whichever side comes first", () => {
  holds(
    fc.property(text, text, text, (base, one, other) => {
      assertEquals(mergeLines(base, one, other), mergeLines(base, other, one));
    }),
    1000,
  );
});

Deno.test("mergeLines() loses no line of a change, invents none, and merges nothing that both changed", () => {
  let clean = 0;
  holds(
    fc.property(edits, ({ base, sides: [one, other] }) => {
      const result = mergeLines(whole(base), whole(one!), whole(other!));
      // Each line of the base is there once, so that a set says what each side did with it.
      const gone = (side: readonly string[]) => base.map((line) => !side.includes(line));
      const [goneA, goneB] = [gone(one!), gone(other!)];
      /** In front of which line of the base a side added something. */
      const added = (side: readonly string[], isGone: readonly boolean[]) => {
        const places = new Map<number, string[]>();
        let at = 0;
        for (const line of side) {
          const n = base.indexOf(line);
          if (n >= 0) at = n + 1;
          else places.set(at, [...places.get(at) ?? [], line]);
        }
        // Among lines that went, the place is any of these.
        return new Map(
          [...places].map(([at, lines]) => {
            let end = at;
            while (end < base.length && isGone[end]) end++;
            return [at, { end, lines }] as const;
          }),
        );
      };
      const [addedA, addedB] = [added(one!, goneA), added(other!, goneB)];
      /** The places that a change covers, and the ones beside them: 2n for the gap before line n, 2n+1 for it. */
      const covered = (isGone: readonly boolean[], places: ReturnType<typeof added>) => {
        const all = new Set<number>();
        isGone.forEach((is, n) =>
          is && [2 * n, 2 * n + 1, 2 * n + 2].forEach((each) => all.add(each))
        );
        for (const [at, { end }] of places) for (let n = 2 * at; n <= 2 * end; n++) all.add(n);
        return all;
      };
      const meets = !covered(goneA, addedA).isDisjointFrom(covered(goneB, addedB));
      const isAlike = JSON.stringify(one) === JSON.stringify(other);
      if ("conflictLine" in result) return assert(meets && !isAlike);
      clean++;
      const lines = result.merged.split("\n").slice(0, -1);
      // Where they meet, both took out the same lines, and neither added any.
      const [allA, allB] = [covered(goneA, addedA), covered(goneB, addedB)];
      const isGone = (n: number) => goneA[n] === true && goneB[n] === true;
      for (const place of allA.intersection(allB)) {
        const n = Math.floor(place / 2);
        assert(place % 2 === 1 ? isGone(n) : isGone(n) || isGone(n - 1), `place ${place}`);
      }
      assert(covered([], addedA).isDisjointFrom(allB) && covered([], addedB).isDisjointFrom(allA));
      assertEquals(
        base.map((line) => !lines.includes(line)),
        base.map((_, n) => goneA[n]! || goneB[n]!),
      );
      const news = lines.filter((line) => !base.includes(line));
      const ofSides = [...one!, ...other!].filter((line) => !base.includes(line));
      assertEquals(news.toSorted(), ofSides.toSorted());
    }),
    2000,
  );
  assert(clean > 20, `only ${clean} merged`);
});

Deno.test("mergeLines() merges no change that could as well be elsewhere, if the other side changed something there", () => {
  for (
    const [one, other] of [
      ["x\nx\ny\n", "x\nnew\nx\nx\ny\n"], // Which x went?
      ["x\nx\nx\nx\ny\n", "new\nx\nx\nx\ny\n"], // Which x came?
    ] as const
  ) {
    assert("conflictLine" in mergeLines("x\nx\nx\ny\n", one, other), one);
    assert("conflictLine" in mergeLines("x\nx\nx\ny\n", other, one), one);
  }
  const far = mergeLines("x\nx\nx\ny\nz\n", "x\nx\ny\nz\n", "x\nx\nx\ny\nz\nnew\n");
  assertEquals(far, { merged: "x\nx\ny\nz\nnew\n" });
});
