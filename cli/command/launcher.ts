/**
 * The launcher that `supervise launcher` prints. For a release it is `cli/supervise.sh` with the release
 * in the place of the checkout, so that both grant the same.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import script from "../supervise.sh" with { type: "text" };
import { shellWord } from "./split_words.ts";
import { fromFileUrl } from "@std/path";

const LOCATION = /^# <location>[^]*^# <\/location>\n/m;

/**
 * Makes the launcher.
 *
 * A release's launcher names its version. It takes no configuration from the directory in which it is
 * started: an agent may have written there what maps imports to other files.
 *
 * @param from The address of a module in `cli/command/`.
 * @throws {Error} If that is neither in a checkout nor in this version at JSR.
 */
export function makeLauncher(from: string = import.meta.url): string {
  if (from.startsWith("file:")) {
    // The checkout's own script, so that this one is right after an update, too.
    return `#!/bin/sh\nexec ${shellWord(fromFileUrl(new URL("../supervise.sh", from)))} "$@"\n`;
  }
  const { name, version } = config;
  const { pathname } = new URL(from);
  if (!pathname.startsWith(`/${name}/${version}/`)) {
    throw new Error(`Cannot print a launcher: ${from} is neither in a checkout nor at JSR`);
  }
  const lines = `# Made by "supervise launcher" of this version; each version prints its own.
cd -P .
here=jsr:${name}@${version}/cli
appliers=jsr:${name}@${version}/appliers
extension=
config=--no-config
lock=--no-lock
`;
  return script.replace(LOCATION, () => lines);
}
