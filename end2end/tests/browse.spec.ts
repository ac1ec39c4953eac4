import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { type Facts } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

const headers = (facts: Facts) => ({ "content-type": "application/json", "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token });

/** Has an export made, and gives its id once its file is there. */
async function made(facts: Facts, parameters: object): Promise<string> {
  const body = JSON.stringify({ exported_object: "api_log", parameters });
  const begun = await fetch(`${facts.address}/v1/exports`, { method: "POST", headers: headers(facts), body });
  const { id } = await begun.json();
  await expect
    .poll(async () => (await (await fetch(`${facts.address}/v1/exports/${id}`, { headers: headers(facts) })).json()).status)
    .toBe("DONE");
  return id;
}

const rows = (page: Page) => page.getByRole("table", { name: "Rows of the file" }).locator("tbody tr");
const search = (page: Page) => page.getByLabel("Search in all rows");

for (const format of ["csv", "ndjson", "parquet"]) {
  test(`a ${format} export is opened from its page, searched, sorted and read`, async ({ page, at, facts }) => {
    const fields = ["id", "method", "status", "url", "request_body", "response_body"];
    const id = await made(facts, { format, fields, order: "created_at", filters: { method: { conditions: { $in: ["POST", "DELETE"] } } } });
    await open(page, at(`exports/${id}`));
    await page.getByRole("button", { name: "Browse data" }).click();
    await expect(page).toHaveURL(new RegExp(`/exports/${id}/browse`));
    await expect(rows(page)).not.toHaveCount(0);
    for (const field of fields) await expect(page.getByRole("columnheader", { name: field })).toBeVisible();
    await expect(page.getByRole("columnheader", { name: "channel" })).toHaveCount(0);

    await search(page).fill("CUSTOMER-needle-77");
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page)).toContainText("failed-redemption");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download found rows as CSV" }).click(),
    ]);
    const saved = readFileSync((await download.path())!, "utf8");
    expect(saved.startsWith(`${fields.join(",")}\r\nfailed-redemption,POST,FAILURE,`)).toBe(true);
    expect(saved).toContain('""source_id"":""customer-needle-77""');

    await rows(page).getByText("customer-needle-77").dblclick();
    const cell = page.getByRole("dialog", { name: /request_body/ });
    await expect(cell).toContainText('"source_id"');
    await checkAccessibility(page);
    await cell.getByRole("button", { name: "Close" }).click();
    await expect(cell).toBeHidden();

    await search(page).fill("nothing says this");
    await expect(page.getByText("No row has what is searched and filtered for")).toBeVisible();
    await page.getByRole("button", { name: "Show all rows" }).click();
    await page.getByRole("button", { name: "Sort by id" }).or(page.getByRole("button", { name: "id", exact: true })).first().click();
    await expect(page.getByRole("columnheader", { name: /^id/ })).toHaveAttribute("aria-sort", "ascending");
    const ids = await rows(page).locator("td:nth-child(2)").allTextContents();
    expect(ids).toEqual([...ids].sort());

    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await checkAccessibility(page);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await checkWidth(page);
  });
}

test("a search is true to the cell", async ({ page, at, facts }) => {
  const log = (id: string, body: string) => ({
    id,
    // Long ago: other tests count what is recent.
    created_at: new Date(Date.now() - 10 * 86_400_000).toISOString(),
    method: "POST",
    url: "https://api.example.com/v1/cells",
    status_code: 200,
    channel: "Cells",
    request: { headers: { "content-type": "text/plain" }, body },
    response: { body: "after" },
  });
  const logs = [log("cell-1", 'say "hello",\nworld'), log("cell-2", "=SUM(A1)"), log("cell-3", "'=not guarded")];
  const sent = await fetch(`${facts.address}/v1/logs`, { method: "POST", headers: headers(facts), body: JSON.stringify(logs) });
  expect([200, 201]).toContain(sent.status);
  const filters = { channel: { conditions: { $in: ["Cells"] } } };
  for (const csv_formulas of ["guarded", "raw"]) {
    const id = await made(facts, { csv_formulas, fields: ["id", "request_body", "response_body"], order: "created_at", filters });
    await open(page, at(`exports/${id}/browse`));
    await expect(rows(page)).toHaveCount(3);
    for (const [text, found] of [
      ['say "HELLO",', 1],
      ['""hello', 0],
      ["world,after", 0],
      ["=sum(", 1],
      ["'=", 1],
    ] as const) {
      await search(page).fill(text);
      await expect(rows(page), `${csv_formulas}: ${text}`).toHaveCount(found);
    }
  }
});

test("what cannot be browsed says why", async ({ page, at, facts }) => {
  const id = await made(facts, { format: "csv", fields: ["id"] });
  const tasks = await fetch(`${facts.address}/v1/exports`, {
    method: "POST",
    headers: headers(facts),
    body: JSON.stringify({ exported_object: "async_action" }),
  });
  const other = (await tasks.json()).id;
  await open(page, at(`exports/${other}/browse`));
  await expect(page.getByRole("heading", { name: "This file cannot be browsed" })).toBeVisible();
  await open(page, at(`exports/${other}`));
  await expect(page.getByText("Only exports of logs that were made here can be browsed.")).toBeVisible();
  await open(page, at(`exports/${id}`));
  await expect(page.getByRole("button", { name: "Browse data" })).toBeVisible();
});
