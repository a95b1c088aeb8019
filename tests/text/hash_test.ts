import { hmacSha256 } from "../../src/text/hash.ts";
import { holds } from "../support/properties.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createHmac } from "node:crypto";

Deno.test("hmacSha256() gives what node:crypto's HMAC gives, for any key and any pieces", () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  holds(fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(bytes), (key, parts) => {
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    assertEquals(hmacSha256(key, ...parts).toHex(), hmac.digest("hex"));
  }));
});
