import { PLAIN } from "../support/data";
import { alive, expect, open, test } from "../support/test";

const rows = "table.logs tbody tr";
const ids = `${rows} td.c-id a`;

test("there and back through every page: each log once, in order", async ({ page, at }) => {
  await open(page, at("logs"));
  const titles = () => page.locator(ids).evaluateAll((links) => links.map((link) => link.getAttribute("title")!));
  const older = page.getByRole("button", { name: "Older", exact: true });
  const newer = page.getByRole("button", { name: "Newer", exact: true });
  const total = Number(/of ([\d,]+)/.exec((await page.locator(".shown").textContent())!)![1].replace(",", ""));
  expect(total).toBeGreaterThanOrEqual(PLAIN + 5);

  const pages: string[][] = [await titles()];
  await expect(newer).toBeDisabled();
  while (await older.isEnabled()) {
    await older.click();
    await expect.poll(async () => (await titles())[0]).not.toBe(pages.at(-1)![0]);
    pages.push(await titles());
  }
  const seen = pages.flat();
  expect(seen.length).toBe(total);
  expect(new Set(seen).size).toBe(total);
  expect(pages.length).toBe(Math.ceil(total / 50));

  for (const page_before of pages.slice(0, -1).reverse()) {
    await newer.click();
    await expect.poll(titles).toEqual(page_before);
  }
  await page.goBack();
  await expect.poll(titles).toEqual(pages[1]);
  await page.reload();
  expect(await titles()).toEqual(pages[1]);
});

test("more rows a page, and the other order", async ({ page, at }) => {
  await open(page, at("logs"));
  await page.getByLabel("Rows", { exact: true }).selectOption("100");
  await expect(page.locator(rows)).toHaveCount(100);
  await page.getByRole("columnheader", { name: /^Time/ }).getByRole("link").click();
  await expect(page.getByRole("columnheader", { name: /^Time/ })).toHaveAttribute("aria-sort", "ascending");
  const times = await page.locator(`${rows} time`).evaluateAll((cells) => cells.map((cell) => cell.getAttribute("datetime")!));
  expect(times.length).toBe(100);
  expect([...times].sort()).toEqual(times);
});

test("a cursor that somebody edited is refused with a way out", async ({ page, at }) => {
  await open(page, at("logs?after=nonsense"), 400);
  await expect(page.getByRole("alert")).toContainText("after");
});

test("back from a log is back at the place in the list, and only then", async ({ page, at }) => {
  const list = page.getByRole("region", { name: "Logs" });
  const scrolled = () => list.evaluate((rows) => rows.scrollTop);
  const row = page.locator(ids).nth(30);
  await page.setViewportSize({ width: 1440, height: 600 });
  await open(page, at("logs?columns=time,status,path"));
  await page.getByRole("button", { name: "Older", exact: true }).click();
  await expect(page).toHaveURL(/after=/);
  const address = page.url();
  await expect(row).toBeAttached();
  const id = await row.getAttribute("title");
  await row.scrollIntoViewIfNeeded();
  const place = await scrolled();
  expect(place).toBeGreaterThan(300);

  const leave = async () => {
    await page.locator(rows).nth(30).locator("time").click();
    await expect(page.getByRole("region", { name: "Request", exact: true })).toBeVisible();
  };
  const isThere = async () => {
    await expect(page).toHaveURL(address);
    await expect(page.locator(`${ids}[title="${id}"]`)).toBeFocused();
    expect(await scrolled()).toBe(place);
  };
  await leave();
  await page.goBack();
  await isThere();
  await page.keyboard.press("j");
  await expect(page.locator(ids).nth(31)).toBeFocused();

  await leave();
  await page.getByRole("main").getByRole("link", { name: "Logs", exact: true }).click();
  await isThere();

  // Loaded anew on the way, as after a new version of the server.
  await leave();
  await page.reload();
  await alive(page);
  await page.goBack();
  await isThere();

  await page.getByRole("button", { name: "Newer", exact: true }).click();
  await expect(page.locator(`${ids}[title="plain-000"]`)).toBeAttached();
  expect(await scrolled()).toBe(0);
  await page.goBack();
  await isThere();

  await page.getByRole("navigation", { name: "Project" }).getByRole("link", { name: "Logs" }).click();
  await expect(page.locator(`${ids}[title="plain-000"]`)).toBeAttached();
  expect(await scrolled()).toBe(0);
});

test("where the page itself scrolls, the place is kept as well", async ({ page, at }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, at("logs"));
  await page.locator(ids).nth(30).scrollIntoViewIfNeeded();
  const place = await page.evaluate(() => window.scrollY);
  expect(place).toBeGreaterThan(1_000);
  await page.locator(ids).nth(30).click();
  await expect(page.getByRole("region", { name: "Request", exact: true })).toBeVisible();
  await page.goBack();
  await expect(page.locator(ids).nth(30)).toBeFocused();
  expect(await page.evaluate(() => window.scrollY)).toBe(place);
  await page.getByRole("button", { name: "Older", exact: true }).click();
  await expect(page).toHaveURL(/after=/);
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(0);
});
