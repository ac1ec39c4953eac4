// The Logs tab, followed: what comes is shown as it comes, and moves nothing that somebody reads.
import type { Page } from "@playwright/test";
import { type Facts, fill, send } from "../support/data";
import { call } from "../support/receiver";
import { Server } from "../support/server";
import { checkAccessibility, checkWidth, expect, hide, open, test as shared } from "../support/test";

/** What comes here is on nobody else's pages. */
const test = shared.extend({
  facts: async ({}, use) => {
    const server = Server.create();
    try {
      await use(await fill(server));
    } finally {
      await server.remove();
    }
  },
});

const rows = (page: Page) => page.locator("table.logs tbody tr");
const live = (page: Page) => page.getByRole("button", { name: "Live" });
const news = (page: Page) => page.getByRole("button", { name: / new$/ });

let sent = 0;

/** Sends logs of one path; gives their ids. */
async function come(facts: Facts, path: string, count = 1, status_code = 200): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `live-${Date.now()}-${(sent += 1)}`);
  const lines = ids.map((id) => JSON.stringify({ id, method: "GET", url: `https://api.example.com${path}`, status_code }));
  await send(facts, lines.join("\n"), "application/x-ndjson");
  return ids;
}

/** A page of one path's logs that is followed, the pointer where it reads nothing. */
async function follow(page: Page, address: string): Promise<void> {
  await open(page, address);
  await live(page).click();
  await expect(live(page)).toHaveAttribute("aria-pressed", "true");
  await page.mouse.move(2, 2);
}

test("what comes is shown as it comes, counted, by the page's own filters", async ({ page, at, facts }) => {
  const path = `/v1/live-${Date.now()}`;
  await come(facts, path, 3);
  await follow(page, at(`logs?path=${path}`));
  await expect(rows(page)).toHaveCount(3);
  const [first] = await come(facts, path, 1, 500);
  await expect(rows(page)).toHaveCount(4);
  await expect(rows(page).first().locator("td.c-id a")).toHaveAttribute("title", first!);
  await expect(page.locator(".totals")).toHaveText("4 requests · 1 failed");
  // Of another path.
  await come(facts, `/v1/other-${Date.now()}`, 2);
  await come(facts, path, 1);
  await expect(rows(page)).toHaveCount(5);
  await live(page).click();
  await expect(live(page)).toHaveAttribute("aria-pressed", "false");
  await come(facts, path, 1);
  await page.evaluate(() => fetch("/health/live").then((answer) => answer.status));
  await expect(rows(page)).toHaveCount(5);
});

test("what comes while somebody reads waits until they ask", async ({ page, at, facts }) => {
  const path = `/v1/live-${Date.now()}`;
  await come(facts, path, 60);
  await page.setViewportSize({ width: 1280, height: 600 });
  await follow(page, at(`logs?path=${path}`));
  const there = rows(page).nth(20);
  await there.hover();
  const before = await there.boundingBox();
  const name = await there.locator("td.c-id a").getAttribute("title");
  await come(facts, path, 12);
  await expect(news(page)).toHaveText(/12 new/);
  await expect(page.getByText("paused while you read")).toBeVisible();
  expect(await there.boundingBox()).toEqual(before);
  await expect(there.locator("td.c-id a")).toHaveAttribute("title", name!);
  await checkAccessibility(page);
  await news(page).click();
  await expect(news(page)).toHaveCount(0);
  await expect(rows(page)).toHaveCount(62);
  await expect(page.locator(".totals")).toHaveText("72 requests");
});

test("more than a page has room for is read anew", async ({ page, at, facts }) => {
  const path = `/v1/live-${Date.now()}`;
  await come(facts, path, 2);
  await follow(page, at(`logs?path=${path}&limit=25`));
  await expect(rows(page)).toHaveCount(2);
  await come(facts, path, 120);
  await expect(page.locator(".totals")).toHaveText("122 requests");
  await expect(rows(page)).toHaveCount(25);
  await page.getByRole("button", { name: "Older", exact: true }).click();
  await expect(page).toHaveURL(/after=/);
  await expect(rows(page)).toHaveCount(25);
  // What is new never comes to be on that page.
  await expect(live(page)).toHaveCount(0);
});

test("a page that was out of sight goes on without a gap", async ({ page, at, facts }) => {
  const path = `/v1/live-${Date.now()}`;
  await come(facts, path, 1);
  let streams = 0;
  page.on("request", (request) => (streams += Number(new URL(request.url()).pathname.startsWith("/live/"))));
  await follow(page, at(`logs?path=${path}`));
  await come(facts, path, 1);
  await expect(rows(page)).toHaveCount(2);
  await hide(page, true);
  await come(facts, path, 3);
  await page.evaluate(() => fetch("/health/live").then((answer) => answer.status));
  await expect(rows(page)).toHaveCount(2);
  await hide(page, false);
  await expect(rows(page)).toHaveCount(5);
  expect(streams).toBe(2);
});

test("a list that is empty fills by itself, on a telephone and in the dark", async ({ page, at, facts }) => {
  const path = `/v1/live-${Date.now()}`;
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  await follow(page, at(`logs?path=${path}`));
  await expect(page.getByText("No log in this range matches")).toBeVisible();
  await come(facts, path, 2);
  await expect(rows(page)).toHaveCount(2);
  await checkWidth(page);
  await checkAccessibility(page);
});

test("tasks that begin elsewhere are there at once", async ({ page, at, facts }) => {
  const type = `LIVE.${Date.now()}`;
  await open(page, at(`tasks?type=${type}`));
  await page.mouse.move(2, 2);
  await expect(page.locator(".state")).toBeVisible();
  await call(facts, "POST", "async-actions", { type, status: "DONE", operation_status: "SUCCESS" });
  // Sooner than the list would be asked for by itself.
  await expect(page.locator("table.records tbody tr")).toHaveCount(1, { timeout: 3_000 });
});
