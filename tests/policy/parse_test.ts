import { parsePolicy } from "../../src/policy/parse.ts";
import { PolicyError } from "../../src/policy/read.ts";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test("parsePolicy() reads a floor", () => {
  const floor = {
    hosts: ["*.corp.example", "10.1.2.3", "[fd00::1]"],
    credentials_only_to: ["api.example.com"],
    images_only: ["docker.io/library/node", "ghcr.io/team/*"],
  };
  assertEquals(parsePolicy(JSON.stringify({ version: 1, floor })).floor, {
    hosts: ["*.corp.example", "10.1.2.3", "[fd00::1]"],
    credentialsOnlyTo: ["api.example.com"],
    imagesOnly: ["docker.io/library/node", "ghcr.io/team/*"],
  });
  assertEquals(parsePolicy('{"version": 1}').floor, { hosts: [] });
});

// Threat: L13
Deno.test.each<[string, string]>([
  ["", "line 1: found the end of the file"],
  ["[]", "$: expected an object"],
  ["{}", "$: the key version is missing"],
  ['{"version": 2}', "$.version: expected 1"],
  ['{"version": 1, "version": 1}', "$.version: found this key a second time"],
  ['{"version": 1, "flor": {}}', "$.flor: there is no such key; expected version, floor, groups"],
  ['{"version": 1, "floor": []}', "$.floor: expected an object"],
  ['{"version": 1, "floor": {"host": []}}', "$.floor.host: there is no such key"],
  ['{"version": 1, "floor": {"hosts": "a.example"}}', "$.floor.hosts: expected a list"],
  ['{"version": 1, "floor": {"hosts": [1]}}', "$.floor.hosts[0]: expected a text"],
  ['{"version": 1, "floor": {"hosts": [" "]}}', "$.floor.hosts[0]: expected a text"],
  ['{"version": 1, "floor": {"hosts": ["A.example"]}}', '$.floor.hosts[0]: "A.example" is no host'],
  ['{"version": 1, "floor": {"hosts": ["a.example/x"]}}', "$.floor.hosts[0]"],
  ['{"version": 1, "floor": {"hosts": ["a.example\\nb"]}}', "$.floor.hosts[0]"],
  ['{"version": 1, "floor": {"hosts": ["a.*.example"]}}', "$.floor.hosts[0]"],
  ['{"version": 1, "floor": {"hosts": ["#"]}}', "$.floor.hosts[0]"],
  ['{"version": 1, "floor": {"hosts": ["[0::1]"]}}', "$.floor.hosts[0]"],
  ['{"version": 1, "floor": {"hosts": ["a.example:80"]}}', "$.floor.hosts[0]"],
  [
    '{"version": 1, "floor": {"images_only": ["a b"]}}',
    '$.floor.images_only[0]: "a b" is no image',
  ],
  ['{"version": 1, "floor": {"images_only": ["*"]}}', "$.floor.images_only[0]"],
  ['{"version": 1, "floor": {"images_only": ["Node"]}}', '"Node" is no image'],
  ['{"version": 1, "floor": {"images_only": ["ghcr.io/Team/*"]}}', '"ghcr.io/Team/*" is no image'],
  ['{"version": 1, "floor": {"images_only": ["node@sha256:1"]}}', "$.floor.images_only[0]"],
])("parsePolicy() refuses all of %s", (text, reason) => {
  assertThrows(() => parsePolicy(text), PolicyError, reason);
});
