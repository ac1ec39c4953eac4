import { expect, open, test } from "../support/test";

const ids = "table.logs tbody tr td.c-id a";

test("the whole way by keyboard", async ({ page, at }) => {
  await open(page, at("logs"));
  await page.keyboard.press("j");
  await expect(page.locator(ids).nth(0)).toBeFocused();
  await page.keyboard.press("j");
  await expect(page.locator(ids).nth(1)).toBeFocused();
  await page.keyboard.press("k");
  await expect(page.locator(ids).nth(0)).toBeFocused();

  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeHidden();

  await page.keyboard.press("/");
  const find = page.getByLabel("Find anywhere", { exact: true });
  await expect(find).toBeFocused();
  await page.keyboard.type("voucher_not_found j/?");
  await expect(find).toHaveValue("voucher_not_found j/?");
  await find.fill("voucher_not_found");
  await page.keyboard.press("Enter");
  await expect(page.locator(ids)).toHaveCount(1);
  await find.blur();
  await page.keyboard.press("j");
  await expect(page.locator(ids).nth(0)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/logs\/failed-redemption/);
});
