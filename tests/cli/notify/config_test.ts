import {
  hostsIn,
  NotifyConfigError,
  parseNotifyConfig,
  parseReceiverUrl,
  readNotifyConfig,
  readSecretFile,
} from "../../../cli/notify/config.ts";
import { configure } from "../../support/receiver.ts";
import { tempDir } from "../../support/temp.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";

for (
  const [text, hostPort] of [
    ["https://hooks.example/a/b?c=d", "hooks.example:443"],
    ["https://hooks.example", "hooks.example:443"],
    ["https://hooks.example:8443/", "hooks.example:8443"],
    ["https://192.0.2.7/x", "192.0.2.7:443"],
    ["https://[2001:db8::1]:9/x", "[2001:db8::1]:9"],
    ["http://127.0.0.1:8080/x", "127.0.0.1:8080"],
    ["http://localhost/x", "localhost:80"],
    ["http://[::1]/x", "[::1]:80"],
    ["https://xn--bcher-kva.example/", "xn--bcher-kva.example:443"],
  ] as const
) {
  Deno.test(`parseReceiverUrl() takes ${text}`, () => {
    const url = parseReceiverUrl(text);
    assertEquals(typeof url === "string" ? url : url.hostPort, hostPort);
  });
}

for (
  const [text, reason] of [
    ["", "it is not a URL"],
    ["hooks.example/secret", "it is not a URL"],
    ["ftp://hooks.example/secret", "it is not an https URL"],
    ["file:///etc/secret", "it is not an https URL"],
    ["https://ada@hooks.example/secret", "it has a user"],
    ["https://:pw@hooks.example/secret", "it has a user"],
    ["https://hooks.example/secret#x", "it has a fragment"],
    ["https://hooks.example/secret#", "it has a fragment"],
    ["https://HOOKS.example/secret", "a parser would read it as another address"],
    ["https://hooks.example:443/secret", "a parser would read it as another address"],
    ["https://h\u00fcbsch.example/secret", "a parser would read it as another address"],
    ["https://ho\u200boks.example/secret", "a parser would read it as another address"],
    ["https://hooks.example\\@evil.example/secret", "a parser would read it as another address"],
    ["https:hooks.example/secret", "a parser would read it as another address"],
    [" https://hooks.example/secret", "a parser would read it as another address"],
    ["https://hooks.example/a/../secret", "a parser would read it as another address"],
    ["http://127.1/secret", "a parser would read it as another address"],
    ["http://0x7f.0.0.1/secret", "a parser would read it as another address"],
    // In a list of grants a comma separates, and a star means all.
    ["https://a,b.example/secret", "its host is not valid"],
    ["https://*.example/secret", "its host is not valid"],
    ["https://hooks.example./secret", "its host is not valid"],
    ["http://hooks.example/secret", "http is for localhost"],
    ["http://127.0.0.2/secret", "http is for localhost"],
    ["http://localhost.evil.example/secret", "http is for localhost"],
  ] as const
) {
  // Threat: C8
  Deno.test(`parseReceiverUrl() refuses ${JSON.stringify(text)}, and repeats none of it`, () => {
    const reason_ = parseReceiverUrl(text);
    assertStringIncludes(typeof reason_ === "string" ? reason_ : "it was taken", reason);
    assertEquals(/secret/.test(String(reason_)), false);
  });
}

for (
  const [config, message] of [
    ["{", "Cannot use F: it is not JSON; docs/notify.md has examples"],
    ["[]", "Cannot use F: it is not a JSON object"],
    ["null", "Cannot use F: it is not a JSON object"],
    [
      '{"webhok": {}}',
      'Cannot use F, field "webhok": there is no such field; expected "terminal", "webhook", "ntfy"',
    ],
    [
      '{"webhook": {"url": "https://h.example/", "secret": "whsec_x"}}',
      'Cannot use F, field "webhook.secret": there is no such field; expected "url", "secret_file"',
    ],
    [
      '{"ntfy": {"url": "https://h.example/t", "actions": []}}',
      'Cannot use F, field "ntfy.actions": there is no such field; expected "url", "token_file"',
    ],
    ['{"webhook": "x"}', 'Cannot use F, field "webhook": it is not a JSON object'],
    [
      '{"webhook": {}}',
      'Cannot use F, field "webhook.url": it is not a string; write https://host/path',
    ],
    [
      '{"terminal": "loud"}',
      'Cannot use F, field "terminal": expected one of auto, bell, osc9, osc777, osc99',
    ],
    [
      '{"ntfy": {"url": "https://h.example/"}}',
      'Cannot use F, field "ntfy.url": it does not end in a topic; write https://host/topic',
    ],
    [
      '{"ntfy": {"url": "https://h.example/t?up=1"}}',
      'Cannot use F, field "ntfy.url": it does not end in a topic; write https://host/topic',
    ],
  ] as const
) {
  Deno.test(`parseNotifyConfig() refuses ${config}`, () => {
    const error = assertThrows(() => parseNotifyConfig(config, "F"), NotifyConfigError);
    assertEquals(error.message, message);
  });
}

Deno.test("parseNotifyConfig() fails only as it documents, for any text and any JSON", () => {
  const word = fc.constantFrom(
    "webhook",
    "ntfy",
    "terminal",
    "url",
    "secret_file",
    "__proto__",
    "",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      fc.constantFrom("https://h.example/t", "auto", "private/x"),
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(word, tie("tree"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.oneof(fc.string(), tree.map((value) => JSON.stringify(value))), (text) => {
      try {
        parseNotifyConfig(text, "F");
      } catch (error) {
        assertInstanceOf(error, NotifyConfigError);
      }
    }),
  );
});

Deno.test("parseReceiverUrl() takes no text that would grant more than one host and port", () => {
  const host = fc.stringMatching(/^[a-z0-9.,*:@%[\]\\/?#-]{1,12}$/);
  const scheme = fc.constantFrom("https://", "http://", "https:", "HTTPS://");
  const text = fc.tuple(scheme, host, fc.webPath()).map((parts) => parts.join(""));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(text, fc.webUrl({ validSchemes: ["https"] }), fc.string()), (text) => {
      const url = parseReceiverUrl(text);
      if (typeof url === "string") return;
      taken++;
      assertMatch(url.hostPort, /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\]):\d{1,5}$/);
      // What is granted is what is fetched.
      const { hostname, port, protocol } = new URL(url.href);
      assertEquals(url.hostPort, `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`);
    }),
  );
  assert(taken > 10);
});

for (
  const file of [
    "/etc/passwd",
    "../x",
    "private/../queue/dev-1/x",
    "private/a/b",
    "queue/dev-1/x",
    "current-config/dev-1/x",
    "private/",
    "private/.x",
    "",
    7,
  ]
) {
  // Threat: C8
  Deno.test(`parseNotifyConfig() reads no secret from ${JSON.stringify(file)}`, () => {
    const config = { webhook: { url: "https://h.example/", secret_file: file } };
    assertThrows(
      () => parseNotifyConfig(JSON.stringify(config), "F"),
      NotifyConfigError,
      'field "webhook.secret_file": it does not name a file in private',
    );
  });
}

// Threat: C8
Deno.test("readSecretFile() refuses what others may read or change, what is no file, and what is too large", async () => {
  await using dir = await tempDir();
  const file = dir.at("secret");
  await Deno.writeTextFile(file, "x", { mode: 0o600 });
  assertEquals(readSecretFile(file), "x");
  for (const mode of [0o644, 0o640, 0o620, 0o602]) {
    await Deno.chmod(file, mode);
    assertThrows(
      () => readSecretFile(file),
      NotifyConfigError,
      `(mode ${mode.toString(8)}); run chmod 600 on it`,
    );
  }
  await Deno.chmod(file, 0o600);
  await Deno.writeFile(file, new Uint8Array([0xff]));
  assertThrows(() => readSecretFile(file), NotifyConfigError, "it is not UTF-8");
  await Deno.writeFile(file, new Uint8Array(70_000));
  assertThrows(() => readSecretFile(file), NotifyConfigError, "more than the 65536 allowed");
  assertThrows(() => readSecretFile(dir.path), NotifyConfigError, "it is not a file");
  await new Deno.Command("mkfifo", { args: [dir.at("fifo")] }).output();
  assertThrows(() => readSecretFile(dir.at("fifo")), NotifyConfigError, "it is not a file");
  assertThrows(() => readSecretFile(`${file}/x`), NotifyConfigError, "it cannot be read");
  assertEquals(readSecretFile(dir.at("none")), undefined);
});

Deno.test("readSecretFile() refuses what belongs to somebody else", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("secret"), "x", { mode: 0o600 });
  await Deno.chown(dir.at("secret"), 65534, 65534);
  assertThrows(() => readSecretFile(dir.at("secret")), NotifyConfigError, "make it yours");
});

Deno.test("hostsIn() names each host once, and none of a file that cannot be used", async () => {
  await using dir = await tempDir();
  const file = dir.at("notify.json");
  assertEquals([readNotifyConfig(file), hostsIn(file)], [undefined, []]);
  await configure(dir, {
    webhook: { url: "https://h.example/x" },
    ntfy: { url: "https://h.example/t" },
  });
  assertEquals(hostsIn(file), ["h.example:443"]);
  await configure(dir, { terminal: "bell" });
  assertEquals(hostsIn(file), []);
  await configure(dir, { webhook: { url: "https://h.example/x" }, typo: 1 });
  assertEquals(hostsIn(file), []);
  await configure(dir, { webhook: { url: "https://h.example/x" } });
  await Deno.chmod(file, 0o644);
  assertEquals(hostsIn(file), []);
});
