import { lineAt, quote } from "../../src/text/quote.ts";
import { assertEquals } from "@std/assert";

Deno.test("quote() escapes and cuts", () => {
  assertEquals(quote('é\u001b"\ud83d\ude00'), '"\\u00e9\\u001b\\"\\ud83d\\ude00"');
  assertEquals(quote("abcdef", 3), '"abc"...');
});

Deno.test("lineAt() counts the line ends before a position", () => {
  assertEquals([0, 1, 2, 3].map((index) => lineAt("a\nb\r\nc", index)), [1, 1, 2, 2]);
});
