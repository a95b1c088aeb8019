/**
 * The set-ups of `examples/`, for an operator's own directory.
 *
 * @module
 */

import buildahApply from "../examples/buildah/apply.json" with { type: "text" };
import buildahSmoke from "../examples/buildah/smoke.Dockerfile" with { type: "text" };
import nginxApply from "../examples/nginx/apply.json" with { type: "text" };
import nginxCheck from "../examples/nginx/check.conf" with { type: "text" };
import nginxConf from "../examples/nginx/nginx.conf" with { type: "text" };
import pipelockApply from "../examples/pipelock/apply.json" with { type: "text" };
import pipelockBase from "../examples/pipelock/pipelock.yaml.base" with { type: "text" };
import squidApply from "../examples/squid/apply.json" with { type: "text" };
import squidCheck from "../examples/squid/check.conf" with { type: "text" };
import squidCommon from "../examples/squid/common.conf" with { type: "text" };
import squidConf from "../examples/squid/squid.conf" with { type: "text" };
import tinyproxyApply from "../examples/tinyproxy/apply.json" with { type: "text" };
import tinyproxyConf from "../examples/tinyproxy/tinyproxy.conf" with { type: "text" };

/** The directory that the examples name. */
const EXAMPLE_DIRECTORY = "/srv/proxy";

/** The files of each set-up: `apply.json`, and what the program reads besides. */
const PRESETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  squid: {
    "apply.json": squidApply,
    "squid.conf": squidConf,
    "check.conf": squidCheck,
    "common.conf": squidCommon,
  },
  tinyproxy: { "apply.json": tinyproxyApply, "tinyproxy.conf": tinyproxyConf },
  pipelock: { "apply.json": pipelockApply, "pipelock.yaml.base": pipelockBase },
  nginx: { "apply.json": nginxApply, "nginx.conf": nginxConf, "check.conf": nginxCheck },
  buildah: { "apply.json": buildahApply, "smoke.Dockerfile": buildahSmoke },
};

/**
 * The files of a set-up by their names; `undefined` if there is none of that name.
 *
 * @param name The enforcing program.
 * @param directory The directory that the files are in, which they name.
 */
export function presetFiles(
  name: string,
  directory: string,
): Readonly<Record<string, string>> | undefined {
  if (!Object.hasOwn(PRESETS, name)) return undefined;
  return Object.fromEntries(
    Object.entries(PRESETS[name]!).map(([file, text]) => [
      file,
      text.replaceAll(EXAMPLE_DIRECTORY, () => directory),
    ]),
  );
}
