import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { AUDITOR } from "../support/data";
import { alive, checkAccessibility, checkWidth, expect, open, test } from "../support/test";

/** Presses *Create export*, and gives the export's id. */
async function create(page: Page): Promise<string> {
  const created = page.waitForResponse((answer) => answer.url().endsWith("/create_export"));
  await page.getByRole("button", { name: "Create export" }).click();
  return (await created).json();
}

/** The card that tells of an export: exports of other tests may be told beside it. */
const card = (page: Page, id: string) => page.locator(".notice-card").filter({ has: page.locator(`a[href$="/exports/${id}"]`) });

/** Begins an export of what the list shows, and goes to its page. */
async function begin(page: Page, choose: (dialog: ReturnType<Page["getByRole"]>) => Promise<void> = async () => {}) {
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Export logs" });
  await expect(dialog).toBeVisible();
  await choose(dialog);
  const id = await create(page);
  await expect(dialog).toBeHidden();
  await card(page, id).getByRole("link", { name: "Open the export" }).click();
  await expect(page).toHaveURL(new RegExp(`/exports/${id}`));
  await expect(page.getByRole("button", { name: "Download", exact: true })).toBeVisible();
}

/** The records of a CSV without line breaks in its cells. */
const lines = (text: string) => text.trim().split("\r\n");

test("what is filtered is exported, told, downloaded and deleted", async ({ page, at }) => {
  await open(page, at("logs?status=FAILURE&order=created_at"));
  const listed = await page.locator("table.logs tbody tr td.c-id a").evaluateAll((links) => links.map((link) => link.getAttribute("title")));
  await begin(page, async (dialog) => {
    await expect(dialog).toContainText("Failure");
    for (const field of ["request_body", "response_body"]) await dialog.getByRole("checkbox", { name: field, exact: true }).uncheck();
    await dialog.getByRole("checkbox", { name: "status_code", exact: true }).check();
    await checkAccessibility(page);
  });
  await expect(page.getByText("2", { exact: true }).first()).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download", exact: true }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^logs-.*\.csv$/);
  const [header, ...rows] = lines(readFileSync((await download.path())!, "utf8"));
  expect(header).toBe("id,created_at,status,request_id,channel,method,endpoint,url,user_email,app_id,client_app_id,request_duration,status_code");
  expect(rows.map((row) => row.split(",")[0])).toEqual(listed);
  await checkAccessibility(page);

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Keep it" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(page).toHaveURL(/\/exports(\?|$)/);
  await expect(page.getByRole("link", { name: download.suggestedFilename() })).toHaveCount(0);
});

test("the list of exports is filtered, linked and kind to small windows", async ({ page, at }) => {
  await open(page, at("logs?method=DELETE"));
  await begin(page, async (dialog) => void (await dialog.getByLabel("Format").selectOption("ndjson")));
  const id = /exp_[a-z0-9]+/i.exec(page.url())![0];
  await open(page, at("exports"));
  const row = page.getByRole("table").first().getByRole("row").nth(1);
  await expect(row).toContainText("NDJSON");
  const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("button", { name: "Download", exact: true }).click()]);
  expect(download.suggestedFilename()).toMatch(/^logs-.*\.ndjson$/);
  await expect(page).toHaveURL(/\/exports(\?|$)/);
  await page.getByLabel("Status", { exact: true }).selectOption("ERROR");
  await expect(page).toHaveURL(/status=ERROR/);
  await expect(page.getByRole("heading", { name: "No export matches" })).toBeVisible();
  await page.goBack();
  await expect(page.locator(`a[href*="${id}"]`).first()).toBeVisible();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
  await page.locator(`table a[href*="${id}"]`).first().click();
  await expect(page).toHaveURL(new RegExp(`/exports/${id}`));
  await checkWidth(page);
});

test("somebody who goes on working is told when the file is ready", async ({ page, at }) => {
  await open(page, at("logs"));
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const id = await create(page);
  await page.getByRole("link", { name: "Background tasks", exact: true }).click();
  const ready = card(page, id).getByText(/Export ready/);
  await expect(ready).toBeVisible({ timeout: 30_000 });
  await card(page, id).getByRole("button", { name: "Dismiss" }).click();
  await expect(ready).toHaveCount(0);
  await page.reload();
  await alive(page);
  await expect(page.getByRole("heading", { name: "Background tasks" })).toBeAttached();
  await expect(ready).toHaveCount(0);
});

test.describe("an auditor", () => {
  test.use({ person: AUDITOR });

  test("makes exports, and deletes none", async ({ page, at }) => {
    await open(page, at("logs?method=DELETE"));
    await begin(page);
    await expect(page.getByRole("button", { name: "Delete", exact: true })).toHaveCount(0);
    await open(page, at("tasks"));
    await expect(page.getByRole("button", { name: "Import" })).toHaveCount(0);
  });
});
