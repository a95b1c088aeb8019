/**
 * Who decides.
 *
 * @module
 */

/**
 * The operator as the audit log names them, `user@host`: what the system says, not what is asked.
 *
 * Needs `--allow-env=USER,LOGNAME` and `--allow-sys=hostname,uid`.
 *
 * @returns The name.
 */
export function operatorName(): string {
  const user = Deno.env.get("USER") || Deno.env.get("LOGNAME") || `uid${Deno.uid()}`;
  return `${user}@${Deno.hostname()}`;
}
