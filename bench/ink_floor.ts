/**
 * The least that a full screen costs: Ink paints as many rows, and rows that another key changes.
 *
 * @module
 */

import { Box, render, Text, useInput } from "ink";
// @ts-types="@types/react"
import { createElement, useState } from "react";

const ROWS = 40;

const COLUMNS = 100;

function View() {
  const [keys, setKeys] = useState(0);
  useInput(() => setKeys(keys + 1));
  const rows = Array.from(
    { length: ROWS },
    (_, n) => `${keys} pressed, row ${n}`.padEnd(COLUMNS, "."),
  );
  return createElement(
    Box,
    { flexDirection: "column" },
    ...rows.map((row, n) => createElement(Text, { key: n, wrap: "truncate-end" }, row)),
  );
}

render(createElement(View), {
  alternateScreen: true,
  interactive: true,
  patchConsole: false,
  incrementalRendering: true,
  maxFps: 60,
});
