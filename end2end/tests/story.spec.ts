import { alive, expect, open, test } from "../support/test";

test("a failed request, read in three clicks", async ({ page, facts }) => {
  // The address that `make run` prints leads to the logs.
  await open(page, facts.address);
  await expect(page).toHaveURL(/\/projects\/prj_[^/]+\/logs/);
  await page.evaluate(() => Reflect.set(window, "samePage", true));

  // Two clicks of a person: the list, and the choice in it.
  await page.getByLabel("Status", { exact: true }).selectOption("FAILURE");
  await expect(page).toHaveURL(/[?&]status=FAILURE/);
  await expect(page.getByRole("table").first().getByRole("row")).toHaveCount(3);

  await page.getByRole("table").first().getByRole("link", { name: /failed/ }).click();
  await expect(page).toHaveURL(/\/logs\/failed-redemption/);
  const request = page.getByRole("region", { name: "Request", exact: true });
  const response = page.getByRole("region", { name: "Response", exact: true });
  await expect(request).toContainText("customer-needle-77");
  await expect(response).toContainText("voucher_not_found");
  const [left, right] = [await request.boundingBox(), await response.boundingBox()];
  expect(Math.abs(left!.y - right!.y), "side by side").toBeLessThan(4);
  expect(right!.x).toBeGreaterThan(left!.x + left!.width / 2);
  await expect(page.getByText("very-secret-token")).toHaveCount(0);

  expect(await page.evaluate(() => Reflect.get(window, "samePage")), "no reload on the way").toBe(true);
  await page.goBack();
  await expect(page.getByRole("table").first().getByRole("row")).toHaveCount(3);
});

test("the page is there before any script runs, and a click works after", async ({ page, at }) => {
  const answer = await page.request.get(at("logs"));
  expect(await answer.text()).toContain("plain-000");
  await page.goto(at("logs"));
  await alive(page);
  await page.getByRole("button", { name: "Columns" }).click();
  await expect(page.getByRole("dialog", { name: "Columns" })).toBeVisible();
});
