import { AUDITOR, PASSWORD } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

/** axe in both colours, and nothing wider than a small window. */
async function looksRight(page: Parameters<typeof checkAccessibility>[0]) {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
  await page.setViewportSize({ width: 1440, height: 900 });
}

test.describe("what is refused", () => {
  // Browsers tell every refusal in the console.
  test.use({ expectedErrors: /409/ });

  test("somebody is invited, comes in by the link, gets another role, and is taken out", async ({ page, at, browser }) => {
    const email = `new-${Date.now()}@example.com`;
    await open(page, at("settings/members"));
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await expect(page.getByRole("alert")).toContainText("belongs to this project already");
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Role", { exact: true }).selectOption("Auditor");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    const link = await page.getByLabel(`Link for ${email}`).inputValue();
    await expect(page.getByRole("heading", { name: "Invited" })).toBeVisible();
    await looksRight(page);
    await page.getByRole("button", { name: "I have sent it" }).click();

    const context = await browser.newContext({ javaScriptEnabled: false, storageState: { cookies: [], origins: [] } });
    const theirs = await context.newPage();
    await theirs.goto(link);
    await expect(theirs.getByRole("main")).toContainText("Acme production");
    await theirs.getByLabel("Your name").fill("New Person");
    await theirs.getByLabel("Choose a password").fill(PASSWORD);
    await theirs.getByRole("button", { name: "Join the project" }).click();
    await expect(theirs).toHaveURL(/\/projects\/.*\/logs/);
    await expect(theirs.getByRole("table").first()).toBeVisible();
    await theirs.goto(link);
    await expect(theirs.getByRole("main")).toContainText("leads nowhere any more");

    await open(page, at("settings/members"));
    const row = page.getByRole("listitem").filter({ hasText: email });
    await expect(row).toContainText("New Person");
    await row.getByLabel(`Role of ${email}`).selectOption("Member");
    await row.getByRole("button", { name: "Save role" }).click();
    await expect(row.getByRole("button", { name: "Save role" })).toHaveCount(0);
    await theirs.goto(at("tasks"));
    await expect(theirs.getByRole("button", { name: "Import" }).first()).toBeVisible();

    await row.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove them" }).click();
    await expect(row).toHaveCount(0);
    await expect(page.getByRole("heading", { name: "People" })).toBeFocused();
    expect((await theirs.goto(at("logs")))?.status()).toBe(404);
    await context.close();
  });

  test("the last owner stays one", async ({ page, facts }) => {
    await open(page, `${facts.address}/projects/${facts.empty}/settings/members`);
    await page.getByLabel("Role of ada@example.com").selectOption("Member");
    await page.getByRole("button", { name: "Save role" }).click();
    await expect(page.getByRole("alert")).toContainText("keeps an owner");
    await expect(page.getByLabel("Role of ada@example.com")).toHaveValue("owner");
  });
});

test("an invitation is taken back", async ({ page, at }) => {
  const email = `back-${Date.now()}@example.com`;
  await open(page, at("settings/members"));
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  const link = await page.getByLabel(`Link for ${email}`).inputValue();
  const row = page.getByRole("listitem").filter({ hasText: email });
  await row.getByRole("button", { name: "Take back" }).click();
  await page.getByRole("button", { name: "Take it back" }).click();
  await expect(row).toHaveCount(0);
  await open(page, link);
  await expect(page.getByRole("main")).toContainText("leads nowhere any more");
  await looksRight(page);
});

test("what a role may see is taken and given back", async ({ page, at, browser, facts }) => {
  await open(page, at("settings/members"));
  const bodies = page.getByRole("group", { name: "Auditors" }).getByRole("checkbox", { name: /^read:bodies/ });
  await expect(bodies).toBeChecked();
  const saved = () => page.waitForResponse((answer) => answer.url().endsWith("/set_role_rights"));
  const first = saved();
  await bodies.uncheck();
  await first;
  const context = await browser.newContext({ javaScriptEnabled: false, storageState: { cookies: [], origins: [] } });
  const theirs = await context.newPage();
  await theirs.goto(`${facts.address}/sign-in`);
  await theirs.getByLabel("E-mail").fill(AUDITOR);
  await theirs.getByLabel("Password").fill(PASSWORD);
  await theirs.getByRole("button", { name: "Sign in" }).click();
  await theirs.goto(at("logs/failed-redemption"));
  await expect(theirs.getByRole("main")).not.toContainText("customer-needle-77");
  const second = saved();
  await bodies.check();
  await second;
  await theirs.goto(at("logs/failed-redemption"));
  await expect(theirs.getByRole("main")).toContainText("customer-needle-77");
  await context.close();
});

test.describe("an auditor", () => {
  test.use({ person: AUDITOR });

  test("is told who settles members", async ({ page, at }) => {
    await open(page, at("settings/members"), 403);
    await expect(page.getByRole("main")).toContainText("an owner can");
    await open(page, at("settings/project"), 403);
    await expect(page.getByRole("main")).toContainText("an owner can");
  });
});
