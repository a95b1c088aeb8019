/**
 * Making text visible: what is usual, and the worst that an agent can send.
 *
 * @module
 */

import { visibleCode } from "../internal_mod.ts";
import { visible } from "../mod.ts";
import {
  median,
  medianRatio,
  type Row,
  showMs,
  type Subject,
  takeTurns,
  timeMs,
} from "./measure.ts";

const ROUNDS = 9;

const MAX_MS = 100;

const BYTES = 5_000_000;

const DEL = "\x7f";

/** What texts are made of. */
const SAMPLES: Readonly<Record<string, string>> = {
  "ASCII": "Open api.github.com, please.\n",
  "German": "Bitte größere Häuser öffnen, danke.\n",
  "Russian": "Нужен доступ к хосту, чтобы собрать проект.\n",
  "Chinese": "需要访问网络，才能用npm安装依赖。\n",
  "Trojan Source, a trick in 20": "if (isAdmin) { \u202e\u2066// begin\u2069\n",
  "every word of two alphabets": "p\u0430ypal ",
  "bidi controls alone": "\u202e\u2066",
  "C1 controls alone": "\u009b",
};

/** The least that any escaping must do: look at each character, and write those that are none. */
function replaceControls(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\p{Cf}]/gu, "?");
}

function repeated(sample: string): string {
  return sample.repeat(Math.floor(BYTES / new TextEncoder().encode(sample).length));
}

/** The time until the text can be read: one that is put together only then has not been made yet. */
function timeToRead(make: () => string): Promise<number> {
  return timeMs(() => make().charCodeAt(0));
}

async function compare(name: string, text: string): Promise<Row[]> {
  const samples = await takeTurns(ROUNDS, {
    floor: () => timeToRead(() => replaceControls(text)),
    prose: () => timeToRead(() => visible(text)),
    code: () => timeToRead(() => visibleCode(text)),
  });
  return (["prose", "code"] as const).map((kind) => ({
    what: `${name}, as ${kind}`,
    figure: showMs(median(samples[kind])),
    floor: showMs(median(samples.floor)),
    ratio: `${medianRatio(samples[kind], samples.floor).toFixed(1)} x`,
    aim: `<= ${MAX_MS} ms`,
    met: median(samples[kind]) <= MAX_MS,
  }));
}

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [name, sample] of Object.entries(SAMPLES)) {
    rows.push(...await compare(name, repeated(sample)));
  }
  // One byte each, eight characters written for it: there to be compared with, nobody reads it.
  const most = await takeTurns(ROUNDS, {
    code: () => timeToRead(() => visibleCode(DEL.repeat(BYTES))),
  });
  rows.push({
    what: "DEL alone, 40 million characters written",
    figure: showMs(median(most.code)),
  });
  return rows;
}

/** Text, made visible. */
export const visibleText: Subject = {
  title: "Visible text, 5 MB of UTF-8",
  about: "Floor: one pass of a regular expression that replaces controls by a question mark.",
  run,
};
