/**
 * The repository's own lint rules. Their tables come first in each file: floors in `lint/floors.ts`,
 * packages in `lint/imports.ts`, file calls in `lint/file_calls.ts`.
 *
 * @module
 */

import { fileCallsInDisk } from "./lint/file_calls.ts";
import { importDirection } from "./lint/imports.ts";
import { soundTests } from "./lint/sound_tests.ts";

const plugin: Deno.lint.Plugin = {
  name: "supervise",
  rules: {
    "import-direction": importDirection,
    "file-calls-in-disk": fileCallsInDisk,
    "sound-tests": soundTests,
  },
};

export default plugin;
