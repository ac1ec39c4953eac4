// One page in one browser, from the start of its navigation on.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (!executablePath) throw new Error("no Chromium found: `make setup` installs it, or set CHROMIUM to its path");

/** As end2end/ starts it. */
export const options = {
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

const PATIENCE_MS = 180_000;
const watch = fileURLToPath(new URL("watch.js", import.meta.url));
const words = (count) => `${count.toLocaleString("en-GB")} rows`;

/** A page that is signed in, in a browser that has nothing from before; `act` has it and the browser. */
async function alone(contender, act) {
  const browser = await chromium.launch(options);
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", storageState: contender.session });
    await context.addInitScript({ path: watch });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const crashed = new Promise((_, failed) => page.once("crash", () => failed(new Error("the page crashed"))));
    const late = new Promise((_, failed) => setTimeout(() => failed(new Error(`not done after ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS).unref());
    return await Promise.race([act(page, browser), crashed, late]);
  } finally {
    await browser.close();
  }
}

/** The renderer that holds the page: the one with the most memory, of a browser with a single page. */
async function renderer(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => ({ pid: id, ...resident(id) }));
  if (renderers.length === 0) throw new Error("no renderer among the browser's processes");
  return renderers.reduce((most, other) => (other.peak > most.peak ? other : most));
}

/** Bytes resident, now and at most so far (proc(5)). What the page could say of itself it says only where it is cross-origin isolated. */
function resident(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1_024;
  const found = { memory: bytes("VmRSS"), peak: bytes("VmHWM") };
  if (!(found.memory > 0 && found.peak > 0)) throw new Error(`no memory in /proc/${pid}/status`);
  return found;
}

/** Opens the file and waits for its first rows and for all of them. */
async function load(page, contender, file) {
  const answer = await page.goto(contender.url, { waitUntil: "commit" });
  if (!answer?.ok()) throw new Error(`${contender.url}: ${answer?.status()}`);
  const { rows, count, problem } = contender;
  return page.evaluate((what) => window.watch.loaded(what), { rows, count, problem, all: words(file.count) });
}

/** Searches for a text that one row alone has, in another case than it has there. */
async function search(page, { count, search, problem }, file, needle) {
  const what = { text: needle.toUpperCase(), found: `1 of ${words(file.count)}`, all: words(file.count), count, search, problem };
  return page.evaluate((what) => window.watch.searched(what), what);
}

/** Times in milliseconds, memory in bytes. */
export async function measured(contender, file) {
  return alone(contender, async (page, browser) => {
    const { first, all } = await load(page, contender, file);
    // What is still going on is no longer part of loading, and not yet of a search.
    await page.waitForTimeout(1_000);
    const searches = [];
    for (const needle of file.needles) searches.push(await search(page, contender, file, needle));
    const { memory, peak } = await renderer(browser);
    const { tasks, note } = await page.evaluate(() => ({ tasks: window.watch.tasks(), note: window.note }));
    const task = Math.max(0, ...tasks.map(({ ms }) => ms));
    return { first, all, search: [...searches].sort((a, b) => a - b)[Math.floor(searches.length / 2)], searches, memory, peak, task, tasks, note };
  });
}

/** The longest task on the page's main thread, loading and one search, in milliseconds. Tasks under 50 ms are in a trace alone. */
export async function traced(contender, file) {
  return alone(contender, async (page, browser) => {
    await browser.startTracing(page, { categories: ["toplevel"] });
    await load(page, contender, file);
    await search(page, contender, file, file.needles[0]);
    const { pid } = await renderer(browser);
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
    const main = traceEvents.find((event) => event.name === "thread_name" && event.pid === pid && event.args.name === "CrRendererMain");
    const tasks = traceEvents.filter((event) => event.pid === pid && event.tid === main?.tid && event.ph === "X" && event.name.endsWith("RunTask"));
    if (tasks.length === 0) throw new Error("no task of the page's main thread in the trace");
    return tasks.reduce((longest, { dur }) => Math.max(longest, dur / 1_000), 0);
  });
}

/** What a page without any of it takes. */
export async function emptyPage() {
  return alone({}, async (page, browser) => {
    await page.goto("data:text/html,<p>empty");
    return { version: browser.version(), memory: (await renderer(browser)).memory };
  });
}
