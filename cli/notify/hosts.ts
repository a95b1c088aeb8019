/**
 * Prints which hosts and ports `notify.json` names, with commas, for the launcher to grant. A file that
 * cannot be used grants nothing; the command line then says why.
 *
 * ```sh
 * deno run --no-prompt --allow-read=$FILE --allow-sys=uid cli/notify/hosts.ts $FILE
 * ```
 *
 * @module
 */

import { readNotifyConfig } from "./config.ts";

/**
 * The hosts and ports that messages go to.
 *
 * @param path The path of `notify.json`.
 * @returns Each once; none if the file is not there, or cannot be used.
 */
export function hostsIn(path: string): readonly string[] {
  try {
    const config = readNotifyConfig(path);
    const urls = [config?.webhook?.url, config?.ntfy?.url];
    return [...new Set(urls.flatMap((url) => url === undefined ? [] : [url.hostPort]))];
  } catch {
    return [];
  }
}

if (import.meta.main) {
  const hosts = hostsIn(Deno.args[0] ?? "").join(",");
  if (hosts !== "") console.log(hosts);
}
