/**
 * Reads which images a Dockerfile builds on. Pure.
 *
 * @module
 */

import { type Instruction, splitFlags, splitWords } from "./instructions.ts";

/** One FROM, with the file's own values in the place of variables. */
export interface Stage {
  /** The line that names the image: of the FROM, or of the ARG that holds the name. */
  readonly line: number;
  /** The index of the FROM among the file's instructions. */
  readonly index: number;
  /** The earlier stage that it continues, or `undefined` if it begins with an image. */
  readonly base: Stage | undefined;
  /** The image with tag and digest; empty if it continues a stage. */
  readonly image: string;
  /** The image without tag and digest. */
  readonly repository: string;
  /** Whether every build gets the same image, or at least one of the same version. */
  readonly isPinned: boolean;
  readonly hasDigest: boolean;
}

/** How many variables in one name are replaced. */
const MAX_REPLACED = 16;

const MAX_IMAGE_CHARS = 1024;

/** Reads the stages of a Dockerfile, in order. */
export function readStages(instructions: readonly Instruction[], escape: string): readonly Stage[] {
  const stages: Stage[] = [];
  const byName = new Map<string, Stage>();
  const globals = new Map<string, { readonly value: string; readonly line: number }>();
  for (const [index, { name, args, line }] of instructions.entries()) {
    const keyword = name.toUpperCase();
    if (keyword === "ARG" && stages.length === 0) {
      for (const word of splitWords(args, escape)) {
        const [, key, value] = /^(\w+)=["']?(.*?)["']?$/s.exec(word) ?? [];
        if (key !== undefined) globals.set(key, { value: value!, line });
      }
    }
    if (keyword !== "FROM") continue;
    const [written = "", , stageName] = splitFlags(args).words;
    let place = line;
    let replaced = 0;
    const image = written.slice(0, MAX_IMAGE_CHARS).replace(
      /\$(?:(\w+)|\{(\w+)(?::?-([^{}]*))?\})/g,
      (whole, bare: string | undefined, braced: string | undefined, otherwise?: string) => {
        const outer = globals.get(bare ?? braced!);
        if (++replaced > MAX_REPLACED) return whole;
        if (outer === undefined || outer.value === "") return otherwise ?? whole;
        place = outer.line;
        return outer.value;
      },
    ).slice(0, MAX_IMAGE_CHARS);
    const stage = readStage(image, byName.get(image.toLowerCase()), place, index);
    stages.push(stage);
    if (stageName !== undefined) byName.set(stageName.toLowerCase(), stage);
  }
  return stages;
}

function readStage(image: string, base: Stage | undefined, line: number, index: number): Stage {
  if (base !== undefined) {
    const nothing = { image: "", repository: "", isPinned: true, hasDigest: false };
    return { line, index, base, ...nothing };
  }
  const [named = "", digest] = image.split("@", 2);
  const [, repository = named, tag] = /^(.*):([^/:]*)$/.exec(named) ?? [];
  const isPinned = digest !== undefined || image === "scratch" || image === "" ||
    // The person who builds supplies the rest.
    image.includes("$") || tag !== undefined && tag !== "latest";
  return { line, index, base, image, repository, isPinned, hasDigest: digest !== undefined };
}

/** The stage that names the image on which a stage is based. */
export function rootOf(stage: Stage): Stage {
  let root = stage;
  while (root.base !== undefined) root = root.base;
  return root;
}
