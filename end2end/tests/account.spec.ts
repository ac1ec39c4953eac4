import { PASSWORD } from "../support/data";
import { alive, checkAccessibility, checkWidth, expect, open, signIn, test } from "../support/test";

/** Makes a person by an invitation, and signs them in on this page. */
async function newcomer(page: Parameters<typeof signIn>[0], address: string, link: string) {
  await page.context().clearCookies();
  await page.goto(link);
  await page.getByLabel("Choose a password").fill(PASSWORD);
  await page.getByRole("button", { name: "Join the project" }).click();
  await expect(page).toHaveURL(/\/projects\/.*\/logs/);
  await page.goto(`${address}/account`);
  await alive(page);
}

test("a password is changed, sign-ins are ended, and all of them at once", async ({ page, at, browser, facts }) => {
  const email = `own-${Date.now()}@example.com`;
  await open(page, at("settings/members"));
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  await newcomer(page, facts.address, await page.getByLabel(`Link for ${email}`).inputValue());
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
  await page.setViewportSize({ width: 1440, height: 900 });

  await page.locator("#current-password").fill("not the password");
  await page.getByLabel("New password").fill("another battery staple");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("alert")).toContainText("The current password is wrong");

  const context = await browser.newContext({ javaScriptEnabled: false, storageState: { cookies: [], origins: [] } });
  const elsewhere = await context.newPage();
  await signIn(elsewhere, facts.address, email);
  await page.goto(`${facts.address}/account`);
  await alive(page);
  await expect(page.getByText("This one", { exact: true })).toHaveCount(1);
  await page.getByRole("button", { name: /^End the sign-in of Chrome on/ }).click();
  await expect(page.getByRole("status").first()).toContainText("That sign-in has ended");
  await elsewhere.goto(`${facts.address}/account`);
  await expect(elsewhere).toHaveURL(/\/sign-in/);

  await signIn(elsewhere, facts.address, email);
  await page.locator("#current-password").fill(PASSWORD);
  await page.getByLabel("New password").fill("another battery staple");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("status").first()).toContainText("Your password is changed");
  await elsewhere.goto(`${facts.address}/account`);
  await expect(elsewhere).toHaveURL(/\/sign-in/);

  await signIn(elsewhere, facts.address, email, "another battery staple");
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByRole("status").first()).toContainText("signed out everywhere");
  await elsewhere.goto(`${facts.address}/account`);
  await expect(elsewhere).toHaveURL(/\/sign-in/);
  await context.close();
});
