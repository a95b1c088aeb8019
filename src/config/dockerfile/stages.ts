/**
 * Reads the stages of a Dockerfile: the images they build on, and the users they run as. Pure.
 *
 * @module
 */

import { type Outline, splitFlags, splitWords } from "./instructions.ts";

interface User {
  readonly line: number;
  readonly name: string;
  readonly isRoot: boolean;
}

/** What one FROM names, with the file's own values in the place of variables. */
interface Image {
  /** The line that names the image: of the FROM, or of the ARG that holds the name. */
  readonly line: number;
  readonly image: string;
  /** The image without tag and digest. */
  readonly repository: string;
  /** Whether every build gets the same image, or at least one of the same version. */
  readonly isPinned: boolean;
  readonly hasDigest: boolean;
}

export interface Stages {
  /** The images that stages begin with, in order. */
  readonly images: readonly Image[];
  /** The image on which the last stage is based, through other stages. */
  readonly base: Image | undefined;
  readonly users: readonly User[];
  /** The user that the last stage ends with, if the file names it. */
  readonly finalUser: User | undefined;
}

/** The image on which a stage is based, and the user that it runs as so far. */
interface Stage {
  readonly base: Image | undefined;
  user: User | undefined;
}

/** An ARG before the first FROM. */
interface Global {
  readonly value: string;
  readonly line: number;
}

/** How many variables in one name are replaced. */
const MAX_REPLACED = 16;

const MAX_IMAGE_CHARS = 1024;

export function readStages({ instructions, escape }: Outline): Stages {
  const images: Image[] = [];
  const users: User[] = [];
  const globals = new Map<string, Global>();
  const byName = new Map<string, Stage>();
  let stage: Stage = { base: undefined, user: undefined };
  for (const { name, args, line } of instructions) {
    const keyword = name.toUpperCase();
    if (keyword === "ARG" && images.length === 0) {
      for (const word of splitWords(args, escape)) {
        const [, key, value] = /^(\w+)=["']?(.*?)["']?$/s.exec(word) ?? [];
        if (key !== undefined) globals.set(key, { value: value!.slice(0, MAX_IMAGE_CHARS), line });
      }
    } else if (keyword === "USER") {
      const user = args.replace(/["']/g, "").trim();
      stage.user = { line, name: user, isRoot: /^(?:root|0+)(?::|$)/.test(user) };
      users.push(stage.user);
    } else if (keyword === "FROM") {
      const [written = "", , stageName] = splitFlags(args).words;
      const image = readImage(written, line, globals);
      const earlier = byName.get(image.image.toLowerCase());
      if (earlier === undefined) images.push(image);
      stage = earlier === undefined ? { base: image, user: undefined } : { ...earlier };
      if (stageName !== undefined) byName.set(stageName.toLowerCase(), stage);
    }
  }
  return { images, base: stage.base, users, finalUser: stage.user };
}

function readImage(written: string, line: number, globals: ReadonlyMap<string, Global>): Image {
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
  const [named = "", digest] = image.split("@", 2);
  const [, repository = named, tag] = /^(.*):([^/:]*)$/.exec(named) ?? [];
  const isPinned = digest !== undefined || image === "scratch" || image === "" ||
    // The person who builds supplies the rest.
    image.includes("$") || tag !== undefined && tag !== "latest";
  return { line: place, image, repository, isPinned, hasDigest: digest !== undefined };
}
