/**
 * The least that a full screen costs: a program without modules that paints as many rows in one write, and
 * paints them anew for each key.
 *
 * @module
 */

const ROWS = 40;

const COLUMNS = 100;

let keys = 0;

function paint(): void {
  const rows = Array.from(
    { length: ROWS },
    (_, n) => `${keys} pressed, row ${n}`.padEnd(COLUMNS, "."),
  );
  Deno.stdout.writeSync(new TextEncoder().encode(`\x1b[H${rows.join("\r\n")}`));
}

Deno.stdin.setRaw(true);
paint();
for await (const _ of Deno.stdin.readable) {
  keys++;
  paint();
}
