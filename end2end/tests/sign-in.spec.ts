import { ADA } from "../support/data";
import { alive, checkAccessibility, checkWidth, expect, signIn, test } from "../support/test";

test.describe("somebody who is not signed in", () => {
  test.use({ person: "" });

  test("is asked who they are, and comes back to the page they wanted", async ({ page, at }) => {
    await page.goto(at("logs?status=FAILURE"));
    await expect(page).toHaveURL(/\/sign-in\?next=/);
    await page.getByLabel("E-mail").fill(ADA);
    await page.getByLabel("Password").fill("correct horse battery staple");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(at("logs?status=FAILURE"));
    await expect(page.getByRole("table").first()).toBeVisible();
  });

  test("is told that something is wrong, and not whether it is the address or the password", async ({ page, facts }) => {
    await signIn(page, facts.address, ADA, "not the password");
    const words = await page.getByRole("alert").textContent();
    await expect(page.getByLabel("Password")).toHaveValue("");
    await signIn(page, facts.address, "nobody@example.com");
    await expect(page.getByRole("alert")).toHaveText(words!);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`sees a sign-in page that axe finds nothing on, ${colorScheme}`, async ({ page, facts }) => {
      await page.emulateMedia({ colorScheme });
      await page.goto(`${facts.address}/sign-in`);
      await alive(page);
      await checkAccessibility(page);
      await page.setViewportSize({ width: 360, height: 700 });
      await checkWidth(page);
    });
  }

  test("is signed out for good after signing out", async ({ page, facts, at }) => {
    await signIn(page, facts.address);
    await page.goto(at("logs"));
    await alive(page);
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL(/\/sign-in/);
    await page.goto(at("logs"));
    await expect(page).toHaveURL(/\/sign-in\?next=/);
    await page.goBack();
    await expect(page.getByRole("row")).toHaveCount(0);
  });
});
