import { type Check, differences } from "./results.ts";
import { assertEquals } from "@std/assert";

const PASSED: Check = { id: "a", status: "SUCCESS" };

const FAILED: Check = { id: "a", status: "FAILURE", errorMessage: "no" };

const WARNED: Check = { id: "a", status: "WARNING" };

const WIRE: Check = { id: "wire-schema-valid", status: "SUCCESS" };

const UNTESTABLE: Check = { id: "b", status: "FAILURE", errorMessage: "Not testable: no tool" };

const REASONS = { scenarios: { prompts: "It has none." }, checks: { ping: { b: "It has none." } } };

/** Results of `ping`, which must pass, and `prompts`, which does not apply. */
const CASES: [string, Record<string, Check[]>, string[]][] = [
  ["agrees when all is as listed", { ping: [PASSED, UNTESTABLE], prompts: [FAILED] }, []],
  ["finds a must that fails", { ping: [PASSED, FAILED, UNTESTABLE], prompts: [FAILED] }, [
    "ping: a FAILURE: no",
  ]],
  ["finds a must that warns", { ping: [PASSED, WARNED, UNTESTABLE], prompts: [FAILED] }, [
    "ping: a WARNING",
  ]],
  ["finds a must that checks nothing", { ping: [WIRE, UNTESTABLE], prompts: [FAILED] }, [
    "ping: nothing succeeded",
  ]],
  ["finds an excused check that passes", {
    ping: [PASSED, { id: "b", status: "SUCCESS" }],
    prompts: [FAILED],
  }, ["ping: b is excused, but now it is b SUCCESS"]],
  ["finds an excused check that really fails", {
    ping: [PASSED, UNTESTABLE, { ...FAILED, id: "b" }],
    prompts: [FAILED],
  }, ["ping: b is excused, but now it is b FAILURE: no"]],
  ["finds an excused check that is gone", { ping: [PASSED], prompts: [FAILED] }, [
    "ping: b is excused, but it is no more",
  ]],
  ["finds a listed scenario that passes", { ping: [PASSED, UNTESTABLE], prompts: [PASSED] }, [
    "prompts passes: take it off the list",
  ]],
  ["finds a listed scenario that is gone", { ping: [PASSED, UNTESTABLE] }, [
    "prompts is listed, but the suite did not run it",
  ]],
  ["finds a scenario that nobody lists", {
    ping: [PASSED, UNTESTABLE],
    prompts: [FAILED],
    roots: [PASSED],
  }, ["roots is neither among those that must pass nor in the list"]],
  ["finds a message against the schema, even where nothing applies", {
    ping: [PASSED, UNTESTABLE],
    prompts: [FAILED, { ...WIRE, status: "FAILURE" }],
  }, ["prompts: wire-schema-valid FAILURE"]],
];

Deno.test.each(CASES)("differences() %s", (_name, results, expected) => {
  assertEquals(differences(new Map(Object.entries(results)), ["ping"], REASONS), expected);
});
