/**
 * What of the conformance suite is about something that a sidecar does not have, and why: its four
 * tools and the transport are all that it offers. What is not named here applies, and must pass.
 *
 * @module
 */

/** What does not apply of one version of the suite. */
export interface NotApplicable {
  /** Scenarios, each with the reason. */
  readonly scenarios: Readonly<Record<string, string>>;
  /** Single checks of scenarios that apply otherwise, each with the reason. */
  readonly checks: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Versions of the suite, as its package has them. */
export type SuiteVersion = "0.1.16" | "0.2.0-alpha.12";

/** What both versions ask for. */
const IN_BOTH = {
  "completion-complete": "It has no prompts and no resource templates to complete arguments of.",
  "prompts-get-embedded-resource": "It has no prompts.",
  "prompts-get-simple": "It has no prompts.",
  "prompts-get-with-args": "It has no prompts.",
  "prompts-get-with-image": "It has no prompts.",
  "prompts-list": "It has no prompts.",
  "resources-list": "It has no resources.",
  "resources-read-binary": "It has no resources.",
  "resources-read-text": "It has no resources.",
  "resources-templates-read": "It has no resources, and no templates of them.",
  "tools-call-audio": "Calls the suite's own tool; ours never return audio.",
  "tools-call-embedded-resource": "Calls the suite's own tool; ours never return resources.",
  "tools-call-error": "Calls the suite's own tool; tests/sidecar/ covers the errors of ours.",
  "tools-call-image": "Calls the suite's own tool; ours never return images.",
  "tools-call-mixed-content": "Calls the suite's own tool; ours return text alone.",
  "tools-call-simple-text": "Calls the suite's own tool; tests/sidecar/ covers the text of ours.",
  "tools-call-with-progress": "Calls the suite's own tool; tests/sidecar/ covers progress of ours.",
};

/** The scenarios and checks that do not apply, by version of the suite. */
export const NOT_APPLICABLE: Readonly<Record<SuiteVersion, NotApplicable>> = {
  "0.1.16": {
    scenarios: {
      ...IN_BOTH,
      "elicitation-sep1034-defaults": "It never asks the client: the operator decides.",
      "elicitation-sep1330-enums": "It never asks the client: the operator decides.",
      "logging-set-level": "It sends clients no log; the operator has its log.",
      "resources-subscribe": "It has no resources.",
      "resources-unsubscribe": "It has no resources.",
      "tools-call-elicitation": "It never asks the client: the operator decides.",
      "tools-call-sampling": "It never uses the client's model.",
      "tools-call-with-logging": "It sends clients no log; the operator has its log.",
    },
    checks: {},
  },
  "0.2.0-alpha.12": {
    scenarios: {
      ...IN_BOTH,
      "http-custom-header-server-validation": "No parameter of its tools is sent as a header.",
      "input-required-result-basic-elicitation": "It never asks the client for input.",
      "input-required-result-basic-list-roots": "It never asks the client for input.",
      "input-required-result-basic-sampling": "It never asks the client for input.",
      "input-required-result-capability-check": "It never asks the client for input.",
      "input-required-result-ignore-extra-params": "It never asks the client for input.",
      "input-required-result-missing-input-response": "It never asks the client for input.",
      "input-required-result-multi-round": "It never asks the client for input.",
      "input-required-result-multiple-input-requests": "It never asks the client for input.",
      "input-required-result-non-tool-request": "It has no prompts, and never asks for input.",
      "input-required-result-request-state": "It never asks the client for input.",
      "input-required-result-result-type": "It never asks the client for input.",
      "input-required-result-tampered-state": "It never hands state out, so none comes back.",
      "json-schema-2020-12": "Calls the suite's own tool, json_schema_2020_12_tool.",
      "sep-2164-resource-not-found": "It has no resources, so the whole method is unknown.",
    },
    checks: {
      "caching": {
        "sep-2549-prompts-list-caching-hints": "It has no prompts.",
        "sep-2549-resources-list-caching-hints": "It has no resources.",
        "sep-2549-resources-templates-list-caching-hints": "It has no resources.",
      },
      "server-stateless": {
        "sep-2575-server-rejects-undeclared-capability":
          "Calls the suite's own tool, test_missing_capability; ours need nothing of a client.",
        "sep-2575-missing-capability-http-400":
          "Calls the suite's own tool, test_missing_capability; ours need nothing of a client.",
        "sep-2575-http-server-no-independent-requests-on-stream":
          "Calls the suite's own tool, test_streaming_elicitation; ours send no requests.",
        "sep-2575-server-no-log-without-loglevel":
          "Calls the suite's own tool, test_logging_tool; ours send clients no log.",
      },
    },
  },
};
