// The browser half of `make bench`: Browse data beside DuckDB-wasm and Perspective, which open the same files in the same browser.
//
// Usage: `node benches/browser/run.mjs BINARY` (the release binary). BENCH_ROWS (1,000,000 unless said) sizes it; a fifth of the logs have bodies.
// Each contender opens each file RUNS times, in a browser of its own with nothing kept from before, and the medians are told; then once more under
// tracing, for the main thread's longest task alone. The peers' page gets the file from a plain server on this machine, Browse data from the product.
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { emptyPage, measured, traced } from "./browser.mjs";
import { BODIES, FILES, sendLogs } from "./logs.mjs";
import { Pages } from "./pages.mjs";
import { aims, merge, table } from "./report.mjs";
import { Server } from "./server.mjs";

const RUNS = 3;
const binary = resolve(process.argv[2] ?? "target/release/audit-log");
const rows = Number(process.env.BENCH_ROWS ?? 1_000_000);
if (!Number.isInteger(rows) || rows < 5_000) throw new Error("BENCH_ROWS is a number from 5,000 on");

const say = (text) => console.error(`== ${text}`);
const seconds = (since) => `${((performance.now() - since) / 1_000).toFixed(1)} s`;

mkdirSync("target", { recursive: true });
const folder = mkdtempSync(resolve("target/bench-browser-"));
const server = new Server(binary, folder);
const pages = new Pages(folder);

let over = false;
async function end() {
  if (over) return;
  over = true;
  await server.stop();
  await pages.stop();
  rmSync(folder, { recursive: true, force: true });
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end().then(() => process.exit(130)));

/** Has a file exported by the API, and saves it beside for the peers. */
async function exported(file, count) {
  const begun = performance.now();
  const filters = file.bodies ? { channel: { conditions: { $in: [BODIES] } } } : {};
  const id = await server.export({ format: "csv", fields: file.fields, order: "created_at", filters }, count);
  const path = join(folder, `${file.name}.csv`);
  await pipeline(Readable.fromWeb((await server.download(id)).body), createWriteStream(path));
  const bytes = statSync(path).size;
  say(`${file.name}: ${count} rows, ${bytes} bytes, ${Math.round(bytes / count)} a row, exported in ${seconds(begun)}`);
  return { ...file, id, count, bytes };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** All runs of one contender on one file: the medians, the longest of all tasks. */
async function contest(contender, file) {
  const runs = [];
  try {
    for (let run = 0; run < RUNS; run += 1) runs.push(await measured(contender, file));
    const task = await traced(contender, file);
    const figures = {};
    for (const name of ["first", "all", "search", "memory", "peak"]) figures[name] = median(runs.map((run) => run[name]));
    figures.task = Math.max(task, ...runs.map((run) => run.task));
    figures.tasks = runs.map((run) => run.tasks);
    figures.searches = runs.flatMap((run) => run.searches);
    figures.note = runs[0].note;
    say(`${file.name}, ${contender.name}: ${JSON.stringify(figures)}`);
    return { contender: contender.name, ...figures };
  } catch (error) {
    if (contender.own) throw error;
    say(`${file.name}, ${contender.name}: ${error.stack ?? error}`);
    return { contender: contender.name, error: String(error.message ?? error).split("\n")[0].replace(/^page\.\w+: (Error: )*/, "") };
  }
}

async function main() {
  await server.start();
  await pages.start();
  const begun = performance.now();
  say(`sending ${rows} logs, a fifth of them with bodies of 1 KB`);
  const known = await sendLogs(server, rows);
  say(`sent in ${seconds(begun)}`);
  const session = await server.signIn();

  const results = [];
  for (const kind of FILES) {
    const file = { ...(await exported(kind, kind.bodies ? known.withBodies : rows)), needles: known[kind.needles] };
    const contenders = [
      { name: "Browse data", own: true, url: server.browse(file.id), session, ...server.selectors },
      { name: "DuckDB-wasm", url: pages.url("duckdb", file), ...pages.selectors },
      { name: "DuckDB-wasm with threads", url: pages.url("duckdb", file, "&threads=yes"), ...pages.selectors },
      { name: "Perspective", url: pages.url("perspective", file), ...pages.selectors },
    ];
    const figures = [];
    for (const contender of contenders) figures.push(await contest(contender, file));
    results.push({ file: file.name, rows: file.count, bytes: file.bytes, figures });
    // The next file has the disk's cache for itself.
    rmSync(join(folder, `${file.name}.csv`));
  }
  const { version, memory: empty } = await emptyPage();
  return { versions: { ...pages.versions(), Chromium: version }, empty, aims, results };
}

try {
  const outcome = await main();
  console.log(table(outcome));
  merge("target/bench.json", outcome);
} catch (error) {
  console.error(`error: the browser half of the benchmark failed: ${error.stack ?? error}`);
  process.exitCode = 1;
} finally {
  await end();
}
