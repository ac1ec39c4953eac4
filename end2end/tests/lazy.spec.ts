// The code of pages, which comes in parts: with the page that needs it, once, and never at the price of the page.
import type { Page } from "@playwright/test";
import { alive, expect, open, test } from "../support/test";

const list = "table.logs tbody tr";

/** The parts that were fetched since the page was loaded, by their names. */
const fetched = (page: Page) =>
  page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map(({ name }) => name.split("/").pop()!)
      .filter((name) => /^(split|chunk)_.*\.wasm$/.test(name)),
  );

test("a page's own code comes with it, once, and another page's when it is opened", async ({ page, at }) => {
  await open(page, at("logs?status=FAILURE"));
  const asked = await page
    .locator('link[rel="preload"][href*="/split_"], link[rel="preload"][href*="/chunk_"]')
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")!.split("/").pop()!));
  const first = await fetched(page);
  expect(asked.length).toBeGreaterThan(0);
  expect([...first].sort(), "what the head asked for, no part twice, and no other").toEqual([...asked].sort());
  expect(first.some((name) => name.startsWith("split_bodies-"))).toBe(false);

  await page.locator(`${list} a`).first().click();
  await expect(page.getByRole("region", { name: "Request", exact: true })).toBeVisible();
  const then = await fetched(page);
  expect(then.some((name) => name.startsWith("split_bodies-"))).toBe(true);
  expect(new Set(then).size, "no part twice").toBe(then.length);
});

test("until another page's code is there, the page stays", async ({ page, at }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let asked = () => {};
  const request = new Promise<void>((resolve) => (asked = resolve));
  await open(page, at("logs?status=FAILURE"));
  await page.route("**/split_bodies-*.wasm", async (route) => {
    asked();
    await held;
    await route.continue();
  });
  await page.locator(`${list} a`).first().click();
  await request;
  await expect(page.locator(list)).toHaveCount(2);
  await expect(page.getByLabel("Status", { exact: true })).toBeVisible();
  release();
  await expect(page.getByRole("region", { name: "Request", exact: true })).toBeVisible();
  await expect(page.locator(list)).toHaveCount(0);
});

test.describe("without its code", () => {
  test.use({ expectedErrors: /ERR_FAILED|Failed to fetch|Failed to load resource/ });

  test("a page is loaded whole, as after a new version of the server", async ({ page, at }) => {
    await open(page, at("logs?status=FAILURE"));
    await page.evaluate(() => Reflect.set(window, "samePage", true));
    let isGone = true;
    page.on("request", (request) => {
      if (request.isNavigationRequest()) isGone = false;
    });
    await page.route("**/split_bodies-*.wasm", (route) => (isGone ? route.abort() : route.continue()));
    await page.locator(`${list} a`).first().click();
    await expect(page.getByRole("region", { name: "Request", exact: true })).toBeVisible();
    await expect(page).toHaveURL(/\/logs\/failed-redemption.*status=FAILURE/);
    expect(await page.evaluate(() => Reflect.get(window, "samePage")), "loaded whole").toBeUndefined();
    await page.waitForFunction(() => document.documentElement.hasAttribute("data-awake"));
  });

  test("a page that was just loaded stays readable, and its links lead on", async ({ page, at }) => {
    await page.route("**/split_logs-*.wasm", (route) => route.abort());
    await page.goto(at("logs?status=FAILURE"), { waitUntil: "networkidle" });
    await expect(page.locator(list)).toHaveCount(2);
    await expect(page.locator("html")).not.toHaveAttribute("data-awake");
    await page.locator(`${list} a`).first().click();
    await expect(page.getByRole("region", { name: "Request", exact: true })).toBeVisible();
  });
});

test("who goes back before the page wakes gets the page of that address", async ({ page, at }) => {
  await open(page, at("logs"));
  await expect(page.locator(list)).toHaveCount(50);
  await page.getByLabel("Status", { exact: true }).selectOption("FAILURE");
  await expect(page.locator(list)).toHaveCount(2);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let asked = () => {};
  const request = new Promise<void>((resolve) => (asked = resolve));
  await page.route("**/split_logs-*.wasm", async (route) => {
    asked();
    await held;
    await route.continue().catch(() => undefined);
  });
  await page.reload({ waitUntil: "commit" });
  await request;
  await page.evaluate(() => history.back());
  release();
  await expect(page).toHaveURL(/\/logs$/);
  await expect(page.locator(list)).toHaveCount(50);
  await alive(page);
});
