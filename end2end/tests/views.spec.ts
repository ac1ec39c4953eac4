import { type Page } from "@playwright/test";
import { AUDITOR } from "../support/data";
import { call } from "../support/receiver";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

const rows = "table.logs tbody tr";

const menu = (page: Page) => page.locator("#views");
const openMenu = (page: Page) => page.getByRole("button", { name: "Views", exact: true }).click();
const line = (page: Page) => page.getByRole("group", { name: "The view that is open" });

/** Saves what the page shows. */
async function save(page: Page, name: string, shared = false): Promise<void> {
  await openMenu(page);
  await menu(page).getByRole("button", { name: "Save view…" }).click();
  const dialog = page.getByRole("dialog", { name: "Save view" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  if (shared) await dialog.getByLabel("Everyone in the project").check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(line(page)).toContainText(name);
}

/** Deletes the view that is open. */
async function remove(page: Page): Promise<void> {
  await line(page).getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(line(page)).toHaveCount(0);
}

test("a view is saved, opened, changed, renamed and deleted", async ({ page, at }) => {
  await open(page, at("logs?status=FAILURE&from=-7d"));
  await openMenu(page);
  await expect(menu(page)).toContainText("No views yet");
  await menu(page).getByRole("button", { name: "Save view…" }).click();
  const dialog = page.getByRole("dialog", { name: "Save view" });
  await expect(dialog.getByLabel("Name", { exact: true })).toBeFocused();
  await expect(dialog).toContainText("from 7 days ago until now");
  await expect(dialog).toContainText("Failure");
  await dialog.getByLabel("Name", { exact: true }).fill("Failed requests");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\?view=view_\w+&from=-7d&status=FAILURE&order=-created_at$/);
  await expect(page.locator("#announce")).toHaveText("The view is saved");
  await expect(line(page)).toContainText("only for me");
  await expect(line(page).getByText("changed")).toHaveCount(0);
  const saved = page.url();

  // Another filter: the page began from the view and shows something else.
  await page.getByLabel("Method", { exact: true }).selectOption("DELETE");
  await expect(page.locator(rows)).toHaveCount(1);
  await expect(line(page).getByText("changed", { exact: true })).toBeVisible();
  await line(page).getByRole("link", { name: "Discard changes" }).click();
  await expect(page).toHaveURL(saved);
  await page.getByLabel("Method", { exact: true }).selectOption("DELETE");
  await line(page).getByRole("button", { name: "Save changes" }).click();
  await expect(line(page).getByText("changed", { exact: true })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Views", exact: true })).toBeFocused();

  // Taking every filter away stays within the view, and is no way back into it.
  for (const name of [/^Remove Status/, /^Remove Method/]) await page.getByRole("link", { name }).click();
  await page.reload();
  await expect(page.locator(rows)).toHaveCount(50);
  await expect(line(page).getByText("changed", { exact: true })).toBeVisible();

  await open(page, at("logs"));
  await openMenu(page);
  await menu(page).getByRole("link", { name: "Failed requests" }).click();
  await expect(page.locator(rows)).toHaveCount(1);
  await openMenu(page);
  await expect(menu(page).getByRole("link", { name: "Failed requests" })).toHaveAttribute("aria-current", "true");
  await page.keyboard.press("Escape");

  await line(page).getByRole("button", { name: "Rename…" }).click();
  const rename = page.getByRole("dialog", { name: "Rename view" });
  await expect(rename.getByLabel("Name", { exact: true })).toHaveValue("Failed requests");
  await rename.getByLabel("Name", { exact: true }).fill("Failed deletions");
  await rename.getByRole("button", { name: "Save" }).click();
  await expect(line(page)).toContainText("Failed deletions");

  const link = page.url();
  await remove(page);
  await expect(page.getByRole("button", { name: "Views", exact: true })).toBeFocused();
  await expect(page).toHaveURL(/logs\?from=-7d&status=FAILURE&method=DELETE$/);
  await expect(page.locator(rows)).toHaveCount(1);
  await open(page, link);
  await expect(page.getByRole("status").filter({ hasText: "The view of this link is not there" })).toBeVisible();
  await page.getByRole("link", { name: "Leave the view" }).click();
  await expect(page.getByText("The view of this link is not there")).toHaveCount(0);
});

test("a shared view is everybody's, by its link as well", async ({ page, at, browser, facts }) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: facts.address });
  await open(page, at("logs?code=404&columns=time,path&tz=Asia/Tokyo"));
  await save(page, "Not found", true);
  await expect(line(page)).toContainText("shared by me");
  expect(page.url(), "the zone is the reader's").toContain("tz=Asia/Tokyo");
  await line(page).getByRole("button", { name: "Copy link" }).click();
  await expect(page.locator("#announce")).toHaveText("Copied");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/\/logs\?view=view_\w+$/);

  const other = await browser.newContext({ storageState: await page.context().storageState() });
  const there = await other.newPage();
  await there.goto(link);
  await expect(there).toHaveURL(/\?view=view_\w+&code=404&order=-created_at&columns=time,path$/);
  await expect(there.locator(rows)).toHaveCount(1);
  await expect(there.getByRole("columnheader", { name: "Path" })).toBeVisible();
  await other.close();

  const shared = await call(facts, "GET", "views?tab=logs");
  expect(shared.data.map((view: { name: string; query: string }) => [view.name, view.query])).toEqual([["Not found", "code=404&columns=time,path"]]);
  await remove(page);
});

test.describe("a refusal", () => {
  test.use({ expectedErrors: /status of 422/ });

  test("says why, in the dialog, and what was typed stays", async ({ page, at }) => {
    await open(page, at("tasks?status=FAILED"));
    await save(page, "Failed tasks");
    await openMenu(page);
    await menu(page).getByRole("button", { name: "Save view…" }).click();
    const dialog = page.getByRole("dialog", { name: "Save view" });
    await dialog.getByLabel("Name", { exact: true }).fill("FAILED TASKS");
    const refusal = page.waitForResponse(/save_view/);
    await dialog.getByRole("button", { name: "Save" }).click();
    expect((await refusal).status()).toBe(422);
    await expect(dialog.getByRole("alert")).toContainText("You have a view of this name");
    await expect(dialog.getByLabel("Name", { exact: true })).toHaveValue("FAILED TASKS");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("button", { name: "Views", exact: true })).toBeFocused();
    await remove(page);
  });
});

for (const tab of ["tasks", "exports", "sendouts"]) {
  test(`the tab ${tab} has views of its own`, async ({ page, at }) => {
    await open(page, at(`${tab}?id=none&order=created_at`));
    await save(page, `Of ${tab}`);
    await expect(page).toHaveURL(/\?view=view_\w+&id=none&order=created_at$/);
    await open(page, at("logs"));
    await openMenu(page);
    await expect(menu(page)).not.toContainText(`Of ${tab}`);
    await open(page, at(tab));
    await openMenu(page);
    await menu(page).getByRole("link", { name: `Of ${tab}` }).click();
    await expect(line(page)).toContainText(`Of ${tab}`);
    await remove(page);
  });
}

test.describe("an auditor", () => {
  test.use({ person: AUDITOR });

  test("has views of their own, and is told why they share none", async ({ page, at }) => {
    await open(page, at("logs?method=DELETE"));
    await openMenu(page);
    await menu(page).getByRole("button", { name: "Save view…" }).click();
    const dialog = page.getByRole("dialog", { name: "Save view" });
    await expect(dialog.getByLabel("Everyone in the project")).toBeDisabled();
    await expect(dialog).toContainText("a member or an owner can");
    await dialog.getByLabel("Name", { exact: true }).fill("Mine");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(line(page)).toContainText("only for me");
    await remove(page);
  });
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("views are opened by their links", async ({ page, at, browser }) => {
    // Saved by somebody who has some.
    const other = await browser.newContext({ storageState: await page.context().storageState(), javaScriptEnabled: true });
    const there = await other.newPage();
    await open(there, at("logs?code=5xx"));
    await save(there, "Server errors");
    await page.goto(at("logs"));
    await openMenu(page);
    await expect(menu(page).getByRole("button", { name: "Save view…" })).toBeHidden();
    await menu(page).getByRole("link", { name: "Server errors" }).click();
    await expect(page.locator(rows)).toHaveCount(1);
    await expect(line(page)).toContainText("Server errors");
    await page.getByLabel("Method", { exact: true }).selectOption("GET");
    await page.getByRole("button", { name: "Apply", exact: true }).click();
    await expect(line(page).getByText("changed", { exact: true })).toBeVisible();
    await remove(there);
    await other.close();
  });
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on views, and nothing is cut, ${colorScheme}`, async ({ page, at }) => {
    await page.emulateMedia({ colorScheme });
    await open(page, at("logs?status=FAILURE"));
    const name = `A name that is as long as names may be, since somebody wants it so, ${colorScheme}`;
    await save(page, name, true);
    await page.getByLabel("Method", { exact: true }).selectOption("DELETE");
    await expect(line(page).getByText("changed", { exact: true })).toBeVisible();
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 740 });
      await checkWidth(page);
      await checkAccessibility(page);
      await openMenu(page);
      await expect(menu(page)).toBeVisible();
      await checkAccessibility(page);
      await menu(page).getByRole("button", { name: "Save view…" }).click();
      await expect(page.getByRole("dialog", { name: "Save view" })).toBeVisible();
      await checkAccessibility(page);
      await checkWidth(page);
      await page.keyboard.press("Escape");
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await remove(page);
  });
}
