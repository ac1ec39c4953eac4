// The table, and the same figures as JSON.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { FILES } from "./logs.mjs";

/** In milliseconds, for Browse data; the peers have none. */
export const aims = { first: 300, all: 2_500, search: 100, task: 50 };

const COLUMNS = [
  ["first", "first rows", (ms) => `${(ms / 1_000).toFixed(2)} s`],
  ["all", "all rows", (ms) => `${(ms / 1_000).toFixed(2)} s`],
  ["search", "search, every column", (ms) => `${(ms / 1_000).toFixed(3)} s`],
  ["task", "longest task on the main thread", (ms) => `${Math.round(ms)} ms`],
  ["memory", "memory", (bytes) => `${Math.round(bytes / 1e6)} MB`],
  ["peak", "at its peak", (bytes) => `${Math.round(bytes / 1e6)} MB`],
];

const line = (cells) => `| ${cells.join(" | ")} |`;
const count = (number) => number.toLocaleString("en-GB");

/** Markdown. */
export function table({ versions, empty, results }) {
  const lines = [];
  for (const { file, rows, bytes, figures } of results) {
    const { title } = FILES.find(({ name }) => name === file);
    lines.push("", `Browse data, ${title}: ${count(rows)} rows, ${(bytes / 1e6).toFixed(0)} MB of CSV, ${Math.round(bytes / rows)} bytes a row`, "");
    lines.push(line(["", ...COLUMNS.map(([, title]) => title)]), line(Array(COLUMNS.length + 1).fill("---")));
    lines.push(line(["aim", ...COLUMNS.map(([name, , write]) => (aims[name] ? `at most ${write(aims[name])}` : ""))]));
    for (const [place, figure] of figures.entries()) {
      const name = versions[figure.contender] ? `${figure.contender} ${versions[figure.contender]}` : figure.contender;
      if (figure.error) {
        lines.push(line([name, `cannot: ${figure.error.replaceAll("|", "\\|")}`, ...Array(COLUMNS.length - 1).fill("")]));
        continue;
      }
      const judged = (name) => (place === 0 && aims[name] ? (figure[name] <= aims[name] ? " held" : " MISSED") : "");
      lines.push(line([figure.note ? `${name} (${figure.note})` : name, ...COLUMNS.map(([name, , write]) => write(figure[name]) + judged(name))]));
    }
  }
  const about = `Medians of three runs, the longest task of all runs; memory is the page's process, which has ${Math.round(empty / 1e6)} MB when empty; Chromium ${versions.Chromium}.`;
  return [...lines, "", about].join("\n");
}

/** Puts the figures into the file as "browser", beside those of the server where they are there. */
export function merge(path, outcome) {
  let all = {};
  if (existsSync(path)) {
    const read = JSON.parse(readFileSync(path, "utf8"));
    all = Array.isArray(read) ? { server: read } : read;
  }
  writeFileSync(path, `${JSON.stringify({ ...all, browser: outcome }, null, 2)}\n`);
}
