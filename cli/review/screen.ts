/**
 * The full screen, in Ink: the only file that knows it. It is loaded by `review` alone.
 *
 * @module
 */

import process from "node:process";
// @ts-types="@types/react"
import { createElement, type ReactElement, useSyncExternalStore } from "react";
import { Box, render, Text, useApp, useInput, usePaste, useWindowSize } from "ink";
import { keyName } from "./key_name.ts";
import type { Seat } from "./seat.ts";

/** The full screen. */
export interface Screen {
  /** Draws the seat's screen, soon. */
  readonly draw: () => void;
  /** Clears the terminal, and draws it whole. */
  readonly repaint: () => void;
  /** Hands the terminal to somebody else, and takes it back. */
  readonly lend: <T>(use: () => Promise<T>) => Promise<T>;
  /** Gives the terminal back as it was. */
  readonly close: () => void;
  /** Settles when the terminal is given back; rejects if that is because of an error. */
  readonly closed: Promise<unknown>;
}

type Suspend = ReturnType<typeof useApp>["suspendTerminal"];

/** Draws at most so often a second. */
const MOST_FRAMES = 60;

/** Clears the whole screen, and goes to its beginning. */
const CLEAR = "\x1b[2J\x1b[H";

/** What follows is shown when it ends, as Ink's first frame says: by terminals that know of such things. */
const BEGIN_UPDATE = "\x1b[?2026h";

/** How long after the last change of its size the terminal is drawn whole. */
const RESIZED_MS = 50;

/** What is written goes out at the end, one piece right behind the other. */
function inOneGo<T>(write: () => T): T {
  process.stdout.cork();
  try {
    return write();
  } finally {
    process.stdout.uncork();
  }
}

/**
 * Takes the terminal over; its first screen is painted.
 *
 * @param seat What keys go to, and what is drawn.
 * @returns The screen.
 */
export function openScreen(seat: Seat): Screen {
  let version = 0;
  let scheduled = false;
  const listeners = new Set<() => void>();
  let suspend: Suspend | undefined;

  function View(): ReactElement {
    useSyncExternalStore(
      (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      () => version,
    );
    const { columns, rows } = useWindowSize();
    suspend = useApp().suspendTerminal;
    useInput((input, key) => {
      const name = keyName(input, key);
      if (name === undefined) seat.burst(input);
      else seat.press(name);
    });
    usePaste((text) => seat.paste(text));
    return createElement(
      Box,
      { flexDirection: "column" },
      ...seat.frame({ columns, rows }).map((row, n) =>
        createElement(Text, { key: n, wrap: "truncate-end" }, row === "" ? " " : row)
      ),
    );
  }

  const draw = () => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      version++;
      for (const listener of listeners) listener();
    });
  };

  // Ink clears the terminal first and paints after; what stands there already is not to flicker.
  const instance = inOneGo(() => {
    process.stdout.write(BEGIN_UPDATE + CLEAR);
    return render(createElement(View), {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      alternateScreen: true,
      interactive: true,
      exitOnCtrlC: false,
      patchConsole: false,
      incrementalRendering: true,
      isScreenReaderEnabled: false,
      maxFps: MOST_FRAMES,
    });
  });

  const repaint = () => {
    instance.clear();
    process.stdout.write(CLEAR);
    draw();
  };
  // A terminal moves rows about when its size changes, and Ink draws only those that are others than
  // before: what is left over would stand between the rows of a proposal.
  let settled: ReturnType<typeof setTimeout> | undefined;
  let lent = false;
  const onResize = () => {
    clearTimeout(settled);
    settled = setTimeout(() => {
      if (!lent) repaint();
    }, RESIZED_MS);
  };
  process.stdout.on("resize", onResize);
  const closed = instance.waitUntilExit().finally(() => {
    clearTimeout(settled);
    process.stdout.off("resize", onResize);
  });

  return {
    draw,
    repaint,
    async lend(use) {
      let result: { value: Awaited<ReturnType<typeof use>> } | undefined;
      lent = true;
      try {
        await suspend!(async () => {
          // Ink stops listening, and goes on reading: what is typed next would be taken from an editor.
          process.stdin.pause();
          result = { value: await use() };
        });
      } finally {
        lent = false;
        process.stdin.resume();
      }
      return result!.value;
    },
    close: () => instance.unmount(),
    closed,
  };
}
