import { PLAIN } from "../support/data";
import { expect, open, test } from "../support/test";

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
