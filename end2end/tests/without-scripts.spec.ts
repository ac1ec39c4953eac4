import { expect, test } from "../support/test";

test.use({ javaScriptEnabled: false });

const rows = "table.logs tbody tr";

test("reading, filtering and paging need no scripts", async ({ page, at }) => {
  await page.goto(at("logs"));
  await expect(page.locator(rows)).toHaveCount(50);
  const first = await page.locator(`${rows} a`).first().getAttribute("title");

  await page.getByRole("button", { name: "Older", exact: true }).click();
  await expect(page.locator(rows)).toHaveCount(50);
  expect(await page.locator(`${rows} a`).first().getAttribute("title")).not.toBe(first);
  await page.getByRole("button", { name: "Newer", exact: true }).click();
  expect(await page.locator(`${rows} a`).first().getAttribute("title")).toBe(first);

  await page.getByLabel("Status", { exact: true }).selectOption("FAILURE");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(page.locator(rows)).toHaveCount(2);
  await page.getByRole("link", { name: /^Remove Status/ }).click();
  await expect(page.locator(rows)).toHaveCount(50);

  await page.goto(at("logs?status=FAILURE&code=404"));
  await page.locator(`${rows} a`).first().click();
  await expect(page).toHaveURL(/logs\/failed-redemption/);
  await expect(page.getByRole("main")).toContainText("customer-needle-77");
  await expect(page.getByRole("main")).toContainText("voucher_not_found");
});
