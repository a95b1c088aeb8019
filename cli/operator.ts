/**
 * Who decides.
 *
 * @module
 */

import { hostname, userInfo } from "node:os";

/**
 * The operator as the audit log names them, `user@host`: what the system says of the process, not what
 * a variable says.
 *
 * Needs `--allow-sys=hostname,uid,gid,userInfo`.
 *
 * @returns The name; the user's number where the system knows no name for it.
 */
export function operatorAccount(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid${Deno.uid()}`;
  }
}
