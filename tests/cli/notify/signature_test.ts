import { parseWebhookSecrets, signWebhook } from "../../../cli/notify/message.ts";
import { SECRET } from "../../support/receiver.ts";
import { run } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { assertEquals } from "@std/assert";

const MESSAGE = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
};

function keysOf(text: string) {
  const keys = parseWebhookSecrets(text);
  if (typeof keys === "string") throw new Error(keys);
  return keys;
}

Deno.test("signWebhook() makes the signature that the specification's libraries are tested with", () => {
  assertEquals(
    signWebhook(MESSAGE, keysOf(SECRET)),
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

Deno.test("signWebhook() makes what Python's hmac makes, a signature for each secret", {
  ignore: isMissing("python3"),
}, async () => {
  const secrets = [24, 32, 64].map((length) =>
    "whsec_" + crypto.getRandomValues(new Uint8Array(length)).toBase64()
  );
  const program = `
import base64, hashlib, hmac, sys
content = sys.stdin.buffer.read()
print(*["v1," + base64.b64encode(hmac.new(base64.b64decode(s[6:]), content, hashlib.sha256).digest()).decode()
        for s in sys.argv[1:]])`;
  const { id, timestamp, body } = MESSAGE;
  const { out, err } = await run("python3", ["-c", program, ...secrets], {
    input: `${id}.${timestamp}.${body}`,
  });
  assertEquals([err, signWebhook(MESSAGE, keysOf(secrets.join("\n")))], ["", out.trim()]);
});

for (
  const [what, text, reason] of [
    ["nothing", "\n \n", "it is empty; write whsec_ and the base64 of 32 random bytes"],
    ["no prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "line 1 does not begin with whsec_"],
    ["no base64", `${SECRET}\nwhsec_%%%%`, "line 2 is not whsec_ and base64"],
    [
      "23 bytes",
      "whsec_" + new Uint8Array(23).toBase64(),
      "line 1 has 23 bytes, expected 24 to 64",
    ],
    [
      "65 bytes",
      "whsec_" + new Uint8Array(65).toBase64(),
      "line 1 has 65 bytes, expected 24 to 64",
    ],
    ["five lines", `${SECRET}\n`.repeat(5), "it has more than 4 lines; write one secret a line"],
    ["a PEM key", "-----BEGIN PRIVATE KEY-----\nx", "line 1 does not begin with whsec_"],
  ] as const
) {
  Deno.test(`parseWebhookSecrets() refuses ${what}, and repeats none of it`, () => {
    assertEquals(parseWebhookSecrets(text), reason);
  });
}
