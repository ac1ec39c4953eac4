// Pages as Lighthouse sees them under its desktop profile, for `make bench-large`.
//
// Usage: `node benches/browser/lighthouse.mjs` with {"cookie", "pages": [{"name", "url"}]} on standard input; says on standard output what it saw, as JSON.
// Each page is opened RUNS times in a browser that keeps nothing, signed in by its cookie; the medians are told, and which audits cost points.
import { readFileSync } from "node:fs";
import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";
// Lighthouse's own way to the browser.
import puppeteer from "puppeteer-core";
import { options } from "./browser.mjs";

const RUNS = 3;
const RETRIES = 2;
const CATEGORIES = ["performance", "accessibility", "best-practices"];
const { cookie, pages } = JSON.parse(readFileSync(0, "utf8"));

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Audits with a weight that did not get all of their points, by category. */
function missed({ categories, audits }) {
  const short = ({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 1;
  return CATEGORIES.flatMap((name) => categories[name].auditRefs.filter(short).map(({ id }) => `${id} ${audits[id].score}`));
}

/** Signs the browser in: Lighthouse clears its caches before each look, but leaves cookies as they are. */
async function signIn(browser) {
  const driver = await puppeteer.connect({ browserURL: `http://127.0.0.1:${browser.port}` });
  const { hostname } = new URL(pages[0].url);
  for (const one of cookie.split("; ")) {
    const [name, ...value] = one.split("=");
    await driver.setCookie({ name, value: value.join("="), domain: hostname, path: "/", httpOnly: true });
  }
  await driver.disconnect();
}

/** One look at a page. */
async function look(browser, url) {
  const flags = { port: browser.port, logLevel: "error", output: "json", onlyCategories: CATEGORIES };
  let { lhr } = await lighthouse(url, flags, desktopConfig);
  // Now and then the browser's trace lacks its own beginning, which says nothing of the page.
  for (let more = 0; lhr.runtimeError?.code === "NO_NAVSTART" && more < RETRIES; more += 1) ({ lhr } = await lighthouse(url, flags, desktopConfig));
  if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
  // Whoever is not signed in is shown the sign-in, which is quick, too.
  if (lhr.finalDisplayedUrl !== url) throw new Error(`${url} led to ${lhr.finalDisplayedUrl}`);
  const number = (id) => lhr.audits[id]?.numericValue;
  return {
    version: lhr.lighthouseVersion,
    scores: CATEGORIES.map((name) => Math.round(lhr.categories[name].score * 100)),
    paint: number("largest-contentful-paint"),
    interactive: number("interactive"),
    bytes: number("total-byte-weight"),
    blocked: number("total-blocking-time"),
    shift: number("cumulative-layout-shift"),
    missed: missed(lhr),
  };
}

async function main() {
  const browser = await launch({ chromePath: options.executablePath, chromeFlags: ["--headless=new", ...options.args], logLevel: "error" });
  try {
    const { Browser } = await (await fetch(`http://127.0.0.1:${browser.port}/json/version`)).json();
    await signIn(browser);
    let version;
    const seen = [];
    for (const { name, url } of pages) {
      const looks = [];
      for (let run = 0; run < RUNS; run += 1) looks.push(await look(browser, url));
      version = looks[0].version;
      const figures = { name };
      for (const [place, category] of CATEGORIES.entries()) figures[category] = median(looks.map(({ scores }) => scores[place]));
      for (const figure of ["paint", "interactive", "bytes", "blocked", "shift"]) figures[figure] = median(looks.map((one) => one[figure]));
      const short = looks.filter(({ missed }) => missed.length > 0);
      figures.missed = short.length > looks.length / 2 ? short[0].missed : [];
      console.error(`${name}: ${JSON.stringify(figures)}`);
      seen.push(figures);
    }
    console.log(JSON.stringify({ lighthouse: `Lighthouse ${version}`, browser: Browser, pages: seen }));
  } finally {
    browser.kill();
  }
}

await main();
