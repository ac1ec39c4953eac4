import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { AUDITOR, type Facts } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

/** Has the chain's head signed, by API. */
async function signed(facts: Facts): Promise<{ number: number; digest: string; key: string }> {
  const answer = await fetch(`${facts.address}/v1/chain/head`, {
    headers: { "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { number: number; digest: string; key: string };
}

/** Clicks a link to a file, and reads the file. */
async function download(page: Page, name: string): Promise<{ called: string; head: Record<string, unknown> }> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name, exact: true }).click()]);
  return { called: file.suggestedFilename(), head: JSON.parse(readFileSync((await file.path())!, "utf8")) };
}

for (const role of ["owner", "auditor"] as const) {
  test.describe(`an ${role}`, () => {
    if (role === "auditor") test.use({ person: AUDITOR });

    test("sees where the chain ends and downloads a signed head", async ({ page, at, facts }) => {
      const known = await signed(facts);
      await open(page, at("settings/chain"));
      await expect(page.getByRole("heading", { name: "Chain", level: 1 })).toBeVisible();
      await expect(page.getByRole("heading", { name: "Latest signed head" })).toBeVisible();
      const main = page.getByRole("main");
      await expect(main).toContainText(known.digest);
      await expect(main).toContainText(known.key);
      await expect(page.getByRole("link", { name: "webhook endpoints" })).toHaveAttribute("href", /\/settings\/webhooks$/);

      const list = page.getByRole("group", { name: "Signed heads" });
      const figure = known.number.toLocaleString("en-GB");
      await expect(list.getByRole("row").filter({ has: page.getByRole("cell", { name: figure, exact: true }) })).toHaveCount(1);
      const one = await download(page, `Download head ${figure}`);
      expect(one.called).toBe(`audit-log-head-${facts.project}-${known.number}.json`);
      expect(one.head).toMatchObject({ project_id: facts.project, number: known.number, digest: known.digest, key: known.key });

      const latest = await download(page, "Download signed head");
      expect(latest.called).toBe(`audit-log-head-${facts.project}-${latest.head.number}.json`);
      expect(latest.head.number).toBeGreaterThanOrEqual(known.number);
      expect(latest.head.signature).toMatch(/^[0-9a-f]{128}$/);
    });
  });
}

test("the digest, the key and the command are copied", async ({ page, at, facts, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const known = await signed(facts);
  await open(page, at("settings/chain"));
  for (const [name, text] of [
    ["Copy Digest", known.digest],
    ["Copy Public key", known.key],
    ["Copy the command", `audit-log verify --project ${facts.project} --anchor FILE`],
  ] as const) {
    await page.getByRole("button", { name }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(text);
  }
});

test("it can be read in both lights, and on a telephone", async ({ page, at, facts }) => {
  await signed(facts);
  await open(page, at("settings/chain"));
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 740 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await checkAccessibility(page);
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/chain-${width}-${colorScheme}.png`, fullPage: true });
    }
    await checkWidth(page);
  }
});

test("the project's menu leads there", async ({ page, at }) => {
  await open(page, at("logs"));
  await page.getByRole("button", { name: "Acme production" }).click();
  await page.getByRole("link", { name: "Chain" }).click();
  await expect(page.getByRole("heading", { name: "Chain", level: 1 })).toBeVisible();
});
