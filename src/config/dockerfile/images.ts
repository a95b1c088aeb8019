/**
 * What images a Dockerfile builds on. Pure.
 *
 * @module
 */

import { type Instruction, splitFlags, splitWords } from "./instructions.ts";

/** One FROM, and what it names once the variables are replaced by what the file says of them. */
export interface Stage {
  /** The line that names the image: of the FROM, or of the ARG that has the name. */
  readonly line: number;
  /** Where in the file's instructions the FROM stands. */
  readonly index: number;
  /** The earlier stage that it goes on from, or `undefined` if it begins with an image. */
  readonly base: Stage | undefined;
  /** The image, with tag and digest; empty if it begins with another stage. */
  readonly image: string;
  /** The image without tag and digest. */
  readonly repository: string;
  /** Whether every build gets the same image, or at least one of the same version. */
  readonly isPinned: boolean;
  /** Whether it names the image's content by its digest. */
  readonly hasDigest: boolean;
}

/** How many variables in one name are replaced, and how long it may get. */
const MAX_REPLACED = 16;

const MAX_IMAGE_CHARS = 1024;

/**
 * Reads what a Dockerfile builds on.
 *
 * @param instructions The file's instructions.
 * @param escape Its escape character.
 * @returns The stages, in order.
 */
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
    // Whoever builds gives the rest.
    image.includes("$") || tag !== undefined && tag !== "latest";
  return { line, index, base, image, repository, isPinned, hasDigest: digest !== undefined };
}

/**
 * The image that a stage goes back to.
 *
 * @param stage The stage.
 * @returns The stage that names it.
 */
export function rootOf(stage: Stage): Stage {
  let root = stage;
  while (root.base !== undefined) root = root.base;
  return root;
}
