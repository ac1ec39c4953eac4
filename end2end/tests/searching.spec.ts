import type { Page } from "@playwright/test";
import { ADA, type Facts, fill, send } from "../support/data";
import { Server } from "../support/server";
import { alive, checkAccessibility, expect, signIn, test } from "../support/test";

test.use({ person: "" });

const rows = "table.logs tbody tr";
const searched = (page: Page) => page.locator(".searched");

/** A server whose searches stop at once, so that each gets a block or two further. */
async function slow(page: Page, use: (facts: Facts) => Promise<void>) {
  const server = Server.create({ AUDIT_LOG_SEARCH_MS: "1" });
  try {
    const facts = await fill(server);
    // Each call makes a block of its own, until they are merged.
    for (let n = 0; n < 40; n += 1) {
      const created_at = new Date(Date.now() - (200 + n) * 60_000).toISOString();
      await send(facts, JSON.stringify({ id: `old-${n}`, created_at, method: "GET", url: `/v1/old?needle=the-${n}th-needle`, status_code: 200 }));
    }
    await signIn(page, facts.address, ADA);
    await use(facts);
  } finally {
    await server.remove();
  }
}

test("a search that has found nothing yet goes on by itself, as one step of the history", async ({ page }) => {
  await slow(page, async (facts) => {
    const logs = `${facts.address}/projects/${facts.project}/logs`;
    await page.goto(`${logs}?status=FAILURE`);
    await alive(page);
    let looks = 0;
    page.on("request", (request) => {
      if (new URL(request.url()).pathname === "/api/logs") looks += 1;
    });
    await page.goto(`${logs}?q=the-39th-needle`);
    await expect(page.locator(rows)).toHaveCount(1);
    await expect(page.locator("table.logs")).toContainText("/v1/old");
    expect(looks).toBeGreaterThan(1);
    await page.goBack();
    await expect(page).toHaveURL(`${logs}?status=FAILURE`);

    await page.goto(`${logs}?q=what-nobody-ever-sent`);
    await expect(page.getByText("No log in this range matches")).toBeVisible();
    await expect(searched(page)).toHaveCount(0);
  });
});

test("somebody stops it, and lets it go on", async ({ page }) => {
  await slow(page, async (facts) => {
    let release = () => {};
    const held = new Promise<void>((done) => (release = done));
    await page.route("**/api/logs?*", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`${facts.address}/projects/${facts.project}/logs?q=what-nobody-ever-sent`);
    await expect(searched(page)).toContainText("Searched back to");
    const stop = searched(page).getByRole("button", { name: "Stop" });
    await expect(stop).toBeVisible();
    await expect(searched(page).getByRole("link")).toHaveCount(0);
    await stop.click();
    release();
    const on = searched(page).getByRole("link", { name: "Go on" });
    await expect(on).toBeVisible();
    await expect(stop).toHaveCount(0);
    await checkAccessibility(page);
    // Stopped, it waits; let on, it comes to the end.
    await on.click();
    await expect(page.getByText("No log in this range matches")).toBeVisible();
  });
});
