/**
 * The sidecar's log: one JSON line on stderr for each event.
 *
 * @module
 */

/** What is logged of an event. Ids, counts and names of ours; never a word of the agent's. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Logs one event. */
export type Log = (event: string, fields?: LogFields) => void;

/**
 * Logs to stderr.
 *
 * @param event The event's name.
 * @param fields What is known of it.
 */
export const logToStderr: Log = (event, fields = {}) => {
  console.error(JSON.stringify({ time: new Date().toISOString(), event, ...fields }));
};
