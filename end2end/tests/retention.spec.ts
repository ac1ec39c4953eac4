import { send } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

const DAY = 86_400_000;

/** A log of an endpoint of its own, so many days old. */
const old = (id: string, days: number) => ({
  id,
  created_at: new Date(Date.now() - days * DAY).toISOString(),
  method: "GET",
  url: `https://api.example.com/v1/retained/${id}?word=${id}`,
  status_code: 200,
  channel: "API",
});

test("a shorter retention asks, deletes in the background, and tells what it did", async ({ page, at, facts }) => {
  const mark = `old-${Date.now()}`;
  await send(facts, JSON.stringify([old(`${mark}-a`, 100), old(`${mark}-b`, 90), old(`${mark}-c`, 20), old(`${mark}-d`, 1)]));
  await open(page, at("settings/retention"));
  await expect(page.getByRole("heading", { name: "Retention", level: 1 })).toBeVisible();
  const kept = page.getByLabel("Logs are kept");
  await expect(kept).toHaveValue("instance");
  await expect(kept.getByRole("option", { name: "As this instance keeps them: 6 months (183 days)" })).toHaveCount(1);
  await expect(page.getByRole("heading", { name: "What the database holds" })).toBeVisible();
  await expect(page.getByRole("group", { name: "Bytes by table" })).toContainText("log_blocks");

  await kept.selectOption("Another number of days");
  await page.getByLabel("Days of logs").fill("none");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("Days of logs: a whole number from 1 to 3,650");
  await page.getByLabel("Days of logs").fill("30");
  await page.getByLabel("What they say is kept").selectOption("For fewer days");
  await page.getByLabel("Days of bodies").fill("31");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("no more than the logs are kept, 30 days");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
  await page.setViewportSize({ width: 1440, height: 900 });

  await page.getByLabel("Days of bodies").fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  const asks = page.getByRole("dialog", { name: "Delete what is older?" });
  await expect(asks).toContainText("2 logs older than");
  // Other tests have sent logs that are older than a week, too.
  await expect(asks).toContainText(/The bodies of about \d+ more logs? older than/);
  await expect(asks).toContainText("cannot be brought back");
  await checkAccessibility(page);
  await expect(asks.getByRole("button", { name: "Keep them" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(asks).toBeHidden();
  await page.getByRole("button", { name: "Save" }).click();
  await asks.getByRole("button", { name: "Save and delete" }).click();

  const past = page.getByRole("group", { name: "Last purges" });
  await expect(past.getByRole("row").nth(1)).toContainText("Done", { timeout: 30_000 });
  await expect(past.getByRole("row").nth(1)).toContainText("2 logs");
  await checkAccessibility(page);
  await past.getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "RETENTION.PURGE" })).toBeVisible();

  await open(page, at(`logs/${mark}-c`));
  await expect(page.getByRole("list", { name: "Notes" })).toContainText("expired: the bodies went before their log did");
  await open(page, at(`logs/${mark}-d`));
  await expect(page.getByRole("main")).toContainText(`word=${mark}-d`);
  await open(page, at(`logs/${mark}-a`), 404);

  await open(page, at("settings/retention"));
  await expect(page.getByLabel("Days of logs")).toHaveValue("30");
  await expect(page.getByText("There is nothing that could be deleted now.")).toBeVisible();
  await page.getByLabel("Logs are kept").selectOption({ value: "instance" });
  await page.getByLabel("What they say is kept").selectOption("As long as the logs");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("definition").filter({ hasText: /^6 months \(183 days\)$/ })).toBeVisible();
});

test("the project's menu leads there", async ({ page, at }) => {
  await open(page, at("logs"));
  await page.getByRole("button", { name: "Acme production" }).click();
  await page.getByRole("link", { name: "Retention" }).click();
  await expect(page.getByRole("heading", { name: "Retention", level: 1 })).toBeVisible();
});
