/**
 * The sidecar's HTTP side: the MCP endpoint, its checks, the health check. The only file that knows MCP.
 *
 * @module
 */

import { SUPERVISE_HOSTNAME, type Tool } from "../sidecar_mod.ts";
import { changedFile, changeKeyOf } from "./changes.ts";
import {
  type HeldCall,
  type Holder,
  type HoldOptions,
  openHolder,
  type Outcome,
  type Refusal,
} from "./hold.ts";
import {
  cancelledId,
  health,
  type Incoming,
  parseMessage,
  plain,
  readHeaders,
  refuseOtherContent,
  refuseOtherHosts,
  refuseWithoutToken,
} from "./http.ts";
import {
  cancelResult,
  createdTask,
  declaresTasks,
  NO_SUCH_TASK,
  TASK_PARAMS,
  TASKS_CAPABILITY,
  taskState,
} from "./tasks.ts";
import {
  failed,
  INPUT_SCHEMAS,
  INSTRUCTIONS,
  OUTPUT_JSON_SCHEMA,
  OUTPUT_SCHEMA,
  problemsOf,
  questionOf,
  resultOf,
  STATUS_INPUT_SCHEMA,
  STATUS_OFFER,
  TOOL_OFFERS,
  type ToolInput,
} from "./tools.ts";
import {
  createMcpHandler,
  McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from "@modelcontextprotocol/server";

/** What a sidecar serves. */
export interface ServerOptions extends HoldOptions {
  /** The version it tells clients. */
  readonly version: string;
  /** Host names it may be addressed by, besides its own. */
  readonly allowedHosts: readonly string[];
  /** The bearer token that a client must send, if there is one. */
  readonly token: string | undefined;
}

/** A sidecar's request handler, and its end. */
export interface SidecarServer {
  /** Answers a request. */
  readonly handle: (incoming: Incoming) => Promise<Response>;
  /** Answers every held call with "pending". */
  readonly close: () => void;
}

/** The host names by which a sidecar may be addressed; any other may be DNS rebinding. */
const ALLOWED_HOSTS = [SUPERVISE_HOSTNAME, "localhost", "127.0.0.1", "[::1]"];

/** The header by which a client of the 2025 protocols says which session a message belongs to. */
const SESSION = "mcp-session-id";

/**
 * How many clients may listen for changes at once. There are none to tell of, and each costs a connection that
 * no bound of {@linkcode openHolder} counts.
 */
const MAX_SUBSCRIPTIONS = 16;

/** What a call needs of its request that the SDK does not get, because it keeps all it gets until the end. */
interface Received extends Pick<Incoming, "isTaken" | "nextTurn" | "giveBack"> {
  /** What the SDK keeps, in characters. */
  readonly characters: number;
  /** The texts of the proposal, once. */
  readonly takeTexts: () => Partial<ToolInput>;
}

/** Makes the handler of all requests. */
export function createServer(options: ServerOptions): SidecarServer {
  const holder = openHolder(options);
  const hosts = [...ALLOWED_HOSTS, ...options.allowedHosts].map((host) => host.toLowerCase());
  const received = new WeakMap<Request, Received>();
  const mcp = createMcpHandler(
    ({ era, requestInfo }) => createMcpServer(options, holder, era, received.get(requestInfo!)!),
    {
      // A comment every 15 s, so that a held call does not look like a dead one.
      responseMode: "sse",
      keepAliveMs: 15_000,
      maxSubscriptions: MAX_SUBSCRIPTIONS,
      onerror: (error) => options.log("protocol_error", { error: error.name }),
    },
  );

  async function serveMcp(incoming: Incoming, headers: Headers): Promise<Response> {
    if (incoming.method !== "POST") {
      return plain(405, "Cannot do that: /mcp answers POST", { allow: "POST" });
    }
    const refused = refuseOtherContent(headers);
    if (refused !== undefined) return refused;
    const body = await incoming.read();
    if (body instanceof Response) return body;
    const message = parseMessage(body);
    if (message instanceof Response) return message;
    const cancelled = cancelledId(message);
    const session = headers.get(SESSION);
    if (cancelled !== undefined && session !== null) holder.release(session, cancelled);
    // The SDK gets the value that was read here, so that no second reader sees another message.
    headers.set("content-type", "application/json");
    const request = new Request(`http://${SUPERVISE_HOSTNAME}/mcp`, { method: "POST", headers });
    const takeTexts = cutTexts(message);
    const characters = JSON.stringify(message).length;
    received.set(request, { ...incoming, takeTexts, characters });
    const response = await mcp.fetch(request, { parsedBody: message });
    // Nothing is kept of a session. Its name only tells apart whose calls a cancellation may release.
    if ("method" in message && message.method === "initialize") {
      response.headers.set(SESSION, crypto.randomUUID());
    }
    return response;
  }

  return {
    close: holder.close,
    async handle(incoming): Promise<Response> {
      const headers = readHeaders(incoming.rawHeaders);
      if (headers instanceof Response) return headers;
      const refused = refuseOtherHosts(headers, hosts);
      if (refused !== undefined) {
        options.log("refused", { status: refused.status });
        return refused;
      }
      switch (incoming.path) {
        case "/mcp":
          return refuseWithoutToken(headers, options.token) ?? await serveMcp(incoming, headers);
        case "/healthz":
          return health(incoming.method, options.queueDir);
        default:
          return plain(404, "Cannot find that: this server has /mcp and /healthz");
      }
    },
  };
}

/** Takes the texts of a proposal out of a message; the result gives them, once. */
function cutTexts(message: object): () => Partial<ToolInput> {
  const { params } = message as { params?: { arguments?: Record<string, unknown> } };
  const sent = params?.arguments;
  let texts: Partial<ToolInput> = {};
  for (const name of ["proposed_file", "justification", "patch"] as const) {
    const text = sent?.[name];
    if (typeof text !== "string") continue;
    texts[name] = text;
    sent![name] = "";
  }
  for (const name of ["add", "remove"] as const) {
    const list = sent?.[name];
    if (!Array.isArray(list)) continue;
    texts[name] = list;
    sent![name] = [];
  }
  return () => {
    const taken = texts;
    texts = {};
    return taken;
  };
}

/** A new server for each request: nothing of a client is kept in memory between two. */
function createMcpServer(
  options: ServerOptions,
  holder: Holder,
  era: "legacy" | "modern",
  received: Received,
): McpServer {
  const server = new McpServer(
    { name: "supervise", title: "Supervise", version: options.version },
    // The SDK would announce changes to the list of tools; it never changes.
    { instructions: INSTRUCTIONS, capabilities: { tools: { listChanged: false } } },
  );
  for (const { name, title, description } of TOOL_OFFERS) {
    const tool = server.registerTool(name, {
      title,
      description,
      inputSchema: INPUT_SCHEMAS[name],
      outputSchema: OUTPUT_SCHEMA,
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: true,
      },
    }, async (input, context) => {
      const result = await propose(options, holder, name, input, received, context);
      // A task has no output yet. This server serves one request, so no other call needs the schema.
      if ("taskId" in result) delete tool.outputSchema;
      return result;
    });
    tool.outputSchemaJson = OUTPUT_JSON_SCHEMA;
  }
  const status = server.registerTool(STATUS_OFFER.name, {
    title: STATUS_OFFER.title,
    description: STATUS_OFFER.description,
    inputSchema: STATUS_INPUT_SCHEMA,
    outputSchema: OUTPUT_SCHEMA,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
  }, ({ proposal_id, wait_seconds = 0 }, context) => {
    const call = heldCall(context, received);
    return guarded(options, STATUS_OFFER.name, call, async () => {
      const outcome = await holder.status(proposal_id, wait_seconds * 1000, call);
      return outcome === undefined
        ? failed("Cannot find that proposal: this bottle has proposed nothing with that id")
        : resultOf(outcome);
    });
  });
  status.outputSchemaJson = OUTPUT_JSON_SCHEMA;
  if (era === "modern") offerTasks(server, options, holder, received);
  return server;
}

/** Handles the requests about tasks. Clients of 2025 have methods of the same names with another meaning. */
function offerTasks(
  { server }: McpServer,
  options: ServerOptions,
  holder: Holder,
  received: Received,
): void {
  server.registerCapabilities(TASKS_CAPABILITY);
  const get = async (taskId: string, context: ServerContext, detached: boolean) => {
    if (!declaresTasks(context.mcpReq.envelope)) {
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: TASKS_CAPABILITY });
    }
    const call = { ...heldCall(context, received), tell: undefined, detached };
    const outcome = await holder.status(taskId, 0, call).catch((error: Error) => {
      options.log("failed", { tool: "tasks", error: error.name });
      throw new ProtocolError(ProtocolErrorCode.InternalError, QUEUE_FAILED);
    });
    if (outcome === undefined || outcome.kind === "refused") {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, NO_SUCH_TASK);
    }
    return outcome;
  };
  const params = { params: TASK_PARAMS };
  server.setRequestHandler("tasks/get", params, async ({ taskId }, context) => {
    const outcome = await get(taskId, context, false);
    return { ...taskState(outcome, resultOf(outcome)) };
  });
  server.setRequestHandler("tasks/cancel", params, async ({ taskId }, context) => {
    const outcome = await get(taskId, context, true);
    options.log("detached", { proposal_id: taskId, tool: outcome.proposal.tool });
    return cancelResult(outcome);
  });
  // A task here never waits for its client, so there is nothing to update: an empty acknowledgement.
  server.setRequestHandler("tasks/update", params, async ({ taskId }, context) => {
    await get(taskId, context, true);
    return {};
  });
}

/** The client's side of a call: its end, and, if it sent a progress token, how to tell it that it waits. */
function heldCall({ mcpReq, http }: ServerContext, received: Received): HeldCall {
  const progressToken = mcpReq._meta?.progressToken;
  const { signal, id: requestId } = mcpReq;
  return {
    signal,
    session: http?.req?.headers.get(SESSION) ?? undefined,
    requestId,
    characters: received.characters,
    onHeld: received.giveBack,
    nextTurn: received.nextTurn,
    tell: progressToken === undefined ? undefined : async (elapsedMs, message) => {
      // Else the messages to a client that reads none would pile up.
      if (!received.isTaken()) return;
      // The protocol wants numbers that increase: whole seconds, ten apart.
      const params = { progressToken, progress: Math.round(elapsedMs / 1000), message };
      await mcpReq.notify({ method: "notifications/progress", params });
    },
  };
}

/** Asks, or says what is wrong. No `async` function: that would keep the file for as long as the call is held. */
function ask(
  { queueDir, log }: ServerOptions,
  holder: Holder,
  tool: Tool,
  input: ToolInput,
  received: Received,
  call: HeldCall,
): Promise<Outcome> {
  const whole = { ...input, ...received.takeTexts() };
  const refuse = (problems: readonly string[]): Refusal => {
    log("malformed", { tool, problems: problems.length });
    const count = `${problems.length} problem${problems.length === 1 ? "" : "s"}`;
    const list = problems.map((problem) => `\n- ${problem}`).join("");
    const reason = `the proposal has ${count}. Nothing was queued. Fix it and call again.${list}`;
    return { kind: "refused", reason };
  };
  const problems = problemsOf(tool, whole);
  if (problems.length > 0) return Promise.resolve(refuse(problems));
  const key = changeKeyOf(tool, whole);
  if (key === undefined) return holder.ask(questionOf(tool, whole), call);
  const work = () => {
    const file = changedFile(queueDir, tool, whole);
    return Array.isArray(file) ? refuse(file) : questionOf(tool, { ...whole, ...file });
  };
  return holder.askChange(key, work, call);
}

async function propose(
  options: ServerOptions,
  holder: Holder,
  tool: Tool,
  input: ToolInput,
  received: Received,
  context: ServerContext,
) {
  const detached = declaresTasks(context.mcpReq.envelope);
  const call = { ...heldCall(context, received), detached };
  const asked = ask(options, holder, tool, input, received, call);
  return await guarded(options, tool, call, async () => {
    const outcome = await asked;
    if (!detached || outcome.kind === "refused") return resultOf(outcome);
    // The SDK requires content in every result of a call.
    return { content: [], ...createdTask(outcome) };
  });
}

const QUEUE_FAILED =
  "Cannot ask the operator: the sidecar could not use its queue directory. This " +
  "is not your fault; tell the operator, or try again later.";

/** Runs a call. If the queue fails, the agent is told so in words. */
async function guarded<T>(
  options: ServerOptions,
  tool: string,
  { signal }: HeldCall,
  run: () => Promise<T>,
): Promise<T | ReturnType<typeof failed>> {
  try {
    return await run();
  } catch (error) {
    if (signal.aborted) throw error;
    options.log("failed", { tool, error: error instanceof Error ? error.name : "unknown" });
    return failed(QUEUE_FAILED);
  }
}
