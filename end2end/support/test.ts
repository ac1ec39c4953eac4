// `test` and `expect` for every file here: a page that is signed in, and that fails its test on any error or warning in the console.
import AxeBuilder from "@axe-core/playwright";
import { type Browser, type BrowserContext, type Page, test as base, expect } from "@playwright/test";
import { ADA, type Facts, PASSWORD } from "./data";

export { expect };

interface Options {
  /** Who is signed in; empty: nobody. */
  person: string;
  /** Messages of the console that this test brings about itself, such as a failed request while the server is down. */
  expectedErrors: RegExp | undefined;
}

interface Fixtures {
  facts: Facts;
  /** What the console and uncaught exceptions said so far. */
  errors: string[];
  /** The address of a page of the project with the logs. */
  at: (path: string) => string;
}

/** Waits until the browser half has taken the page over. */
export async function alive(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement.hasAttribute("data-awake"));
}

/** Addresses whose pages are meant to come with a status of refusal; the console tells of it. */
const refused = new Set<string>();

/** Opens a page, checks its status, and waits until it is alive. */
export async function open(page: Page, address: string, status = 200): Promise<void> {
  if (status >= 400) refused.add(address);
  const answer = await page.goto(address);
  expect(answer?.status()).toBe(status);
  await alive(page);
}

/** The page goes out of sight, or comes back, as when another tab is chosen. */
export async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    Object.defineProperty(document, "visibilityState", { value: hidden ? "hidden" : "visible", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** Fails on anything axe finds. */
export async function checkAccessibility(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => node.html.slice(0, 160)) }))).toEqual([]);
}

/** Fails where the page is wider than its window. */
export async function checkWidth(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(content, "no sideways scrolling of the page").toBeLessThanOrEqual(window);
}

const sessions = new Map<string, Awaited<ReturnType<BrowserContext["storageState"]>>>();

/** Signs in through the form, once a person. */
async function session(browser: Browser, address: string, person: string) {
  const key = `${address} ${person}`;
  const known = sessions.get(key);
  if (known) return known;
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page, address, person);
  const state = await context.storageState();
  await context.close();
  sessions.set(key, state);
  return state;
}

/** Fills in the sign-in form and sends it. */
export async function signIn(page: Page, address: string, person = ADA, password = PASSWORD): Promise<void> {
  await page.goto(`${address}/sign-in`);
  await page.getByLabel("E-mail").fill(person);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/sign-in" || url.searchParams.has("error"));
}

export const test = base.extend<Options & Fixtures>({
  person: [ADA, { option: true }],
  expectedErrors: [undefined, { option: true }],

  facts: async ({}, use) => {
    await use(JSON.parse(process.env.AUDIT_LOG_FACTS!) as Facts);
  },

  at: async ({ facts }, use) => {
    await use((path) => `${facts.address}/projects/${facts.project}/${path}`);
  },

  storageState: async ({ browser, facts, person }, use) => {
    await use(person ? await session(browser, facts.address, person) : { cookies: [], origins: [] });
  },

  errors: async ({}, use) => {
    await use([]);
  },

  page: async ({ page, errors, expectedErrors }, use) => {
    const note = (text: string) => {
      if (!expectedErrors?.test(text)) errors.push(text);
    };
    page.on("console", (message) => {
      const told = message.text().startsWith("Failed to load resource") && refused.has(message.location().url);
      if (["error", "warning"].includes(message.type()) && !told) note(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => note(String(error.stack ?? error)));
    await use(page);
    expect(errors, "errors and warnings in the browser's console").toEqual([]);
  },
});
