// Alerts: made from a shared view, firing as logs come, told by event and by mail, muted, tested and deleted.
import type { Page } from "@playwright/test";
import { createServer, type Server as MailServer } from "node:net";
import { type AddressInfo } from "node:net";
import { AUDITOR, type Facts, fill, send } from "../support/data";
import { call } from "../support/receiver";
import { Server } from "../support/server";
import { checkAccessibility, checkWidth, expect, open, test as shared } from "../support/test";

/** A mail server that takes everything; the mails as they came. */
async function mailServer(): Promise<{ server: MailServer; url: string; mails: string[] }> {
  const mails: string[] = [];
  const server = createServer((socket) => {
    let read = "";
    let writing = false;
    socket.on("error", () => undefined);
    socket.write("220 mailbox\r\n");
    socket.on("data", (bytes) => {
      read += bytes.toString();
      for (;;) {
        const end = writing ? read.indexOf("\r\n.\r\n") : read.indexOf("\r\n");
        if (end < 0) return;
        const said = read.slice(0, end);
        read = read.slice(end + (writing ? 5 : 2));
        if (writing) mails.push(said);
        const begins = !writing && said === "DATA";
        socket.write(begins ? "354 go on\r\n" : said === "QUIT" ? "221 bye\r\n" : "250 fine\r\n");
        writing = begins;
      }
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, mails };
}

/** What comes here is on nobody else's pages. */
const test = shared.extend<{ mails: string[]; mailbox: { server: MailServer; url: string; mails: string[] } }>({
  mailbox: async ({}, use) => {
    const mailbox = await mailServer();
    await use(mailbox);
    mailbox.server.close();
  },
  mails: async ({ mailbox }, use) => use(mailbox.mails),
  facts: async ({ mailbox }, use) => {
    const server = Server.create({ AUDIT_LOG_SMTP_URL: mailbox.url, AUDIT_LOG_SMTP_FROM: "audit-log@example.com" });
    try {
      await use(await fill(server));
    } finally {
      await server.remove();
    }
  },
});

async function fail(facts: Facts, count: number): Promise<void> {
  const line = JSON.stringify({ method: "PATCH", url: "https://api.example.com/v1/orders/9", status_code: 500 });
  await send(facts, Array.from({ length: count }, () => line).join("\n"), "application/x-ndjson");
}

/** Saves failures as a view that everyone has. */
async function saveView(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Views", exact: true }).click();
  await page.locator("#views").getByRole("button", { name: "Save view…" }).click();
  const dialog = page.getByRole("dialog", { name: "Save view" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("Everyone in the project").check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("group", { name: "The view that is open" })).toContainText(name);
}

const form = (page: Page) => page.getByRole("form", { name: "Add alert" });
const history = (page: Page) => page.locator(".alert-history > li");

/** Makes an alert from the view that is open. */
async function add(page: Page, name: string, logs: string, mail = ""): Promise<void> {
  await form(page).getByLabel("Name").fill(name);
  await form(page).getByLabel("Logs", { exact: true }).fill(logs);
  await form(page).getByLabel("Within, in minutes").fill("5");
  await form(page).getByLabel("Mail to").fill(mail);
  await form(page).getByRole("button", { name: "Add alert" }).click();
  await expect(page.getByRole("article", { name })).toContainText("Normal since");
}

test("an alert is made from a view, fires as logs come, and tells", async ({ page, at, facts, mails }) => {
  await open(page, at("settings/alerts"));
  await expect(page.getByText("There is no alert yet")).toBeVisible();
  await expect(page.getByText("An alert watches a view. Save one on the")).toBeVisible();

  await open(page, at("logs?status=FAILURE&from=-7d"));
  await saveView(page, "Failed requests");
  await page.getByRole("link", { name: "Alert…" }).click();
  await expect(page).toHaveURL(/\/settings\/alerts\?view=view_\w+#add-title$/);
  await expect(form(page).getByLabel("View").locator("option:checked")).toHaveText("Failed requests");
  await add(page, "Too many failures", "3", "ops@example.com");

  await call(facts, "POST", "webhooks", { target_url: "https://hooks.example.com/in", events: ["alert.*"], active: false });
  await page.getByRole("link", { name: "Too many failures" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Too many failures" })).toBeVisible();
  await expect(page.getByText("0 of 3 logs")).toBeVisible();
  await fail(facts, 3);
  await expect(page.getByText(/^Firing since/)).toBeVisible();
  await expect(page.getByText("3 of 3 logs", { exact: true })).toBeVisible();
  const fired = history(page).filter({ hasText: "Fired" });
  await expect(fired).toContainText("Mails: 1 sent");
  expect(mails.length).toBe(1);
  expect(mails[0]).toContain("Fired: Too many failures");
  await fired.getByRole("link", { name: "Logs of this window" }).click();
  await expect(page).toHaveURL(/\/logs\?view=view_\w+&from=.*&to=.*&status=FAILURE/);
  await expect(page.locator("table.logs tbody tr")).toHaveCount(3);

  const told = await call(facts, "GET", "webhook-sendouts?type=alert.fired");
  expect(told.data.length).toBe(1);
});

test("an alert is tested, muted, changed, switched off and deleted", async ({ page, at, mails }) => {
  await open(page, at("logs?status=FAILURE&from=-7d"));
  await saveView(page, "Failed requests");
  await page.getByRole("link", { name: "Alert…" }).click();
  await add(page, "Failures", "100", "ops@example.com, boss@example.com");
  await page.getByRole("link", { name: "Failures", exact: true }).click();

  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "No webhook endpoint wants alert.fired" })).toBeVisible();
  await expect(history(page).filter({ hasText: "Tested" })).toContainText("Mails: 2 sent");
  expect(mails.every((mail) => mail.includes("Test: Failures"))).toBe(true);

  await page.getByLabel("Send nothing").selectOption("For 8 hours");
  await page.getByRole("button", { name: "Mute", exact: true }).click();
  await expect(page.getByText(/^Muted until/)).toBeVisible();
  await page.getByRole("button", { name: "Unmute" }).click();
  await expect(page.getByText(/^Muted until/)).toHaveCount(0);

  await page.getByRole("button", { name: "Edit" }).click();
  const edit = page.getByRole("form", { name: "Save" });
  await edit.getByLabel("Fires at").selectOption("At least such a share of failures");
  await edit.getByLabel("Share of failures, in percent").fill("7.5");
  await edit.getByLabel("Logs at least").fill("40");
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(edit).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Edit" })).toBeFocused();
  await expect(page.getByText("At least 7.5 % failures within 5 minutes, of 40 logs or more").first()).toBeVisible();

  await page.getByRole("button", { name: "Switch off" }).click();
  await expect(page.getByText("Off: it counts nothing")).toBeVisible();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(page).toHaveURL(/\/settings\/alerts$/);
  await expect(page.getByText("There is no alert yet")).toBeVisible();
});

test.describe("a refusal", () => {
  test.use({ expectedErrors: /status of (422|409)/ });

  test("says why, and what was typed stays; a view that is watched stays, too", async ({ page, at }) => {
    await open(page, at("logs?status=FAILURE&from=-7d"));
    await saveView(page, "Failed requests");
    const view = page.url();
    await page.getByRole("link", { name: "Alert…" }).click();
    await form(page).getByLabel("Name").fill("Failures");
    await form(page).getByLabel("Logs", { exact: true }).fill("many");
    await form(page).getByRole("button", { name: "Add alert" }).click();
    await expect(form(page).getByRole("alert")).toHaveText("Logs: a whole number from 1.");
    await form(page).getByLabel("Logs", { exact: true }).fill("2");
    await form(page).getByLabel("Mail to").fill("nobody");
    await form(page).getByRole("button", { name: "Add alert" }).click();
    await expect(form(page).getByRole("alert")).toContainText("nobody is no e-mail address");
    await expect(form(page).getByLabel("Name")).toHaveValue("Failures");
    await form(page).getByLabel("Mail to").fill("");
    await form(page).getByRole("button", { name: "Add alert" }).click();
    await expect(page.getByRole("article", { name: "Failures" })).toBeVisible();

    await open(page, view);
    const line = page.getByRole("group", { name: "The view that is open" });
    await line.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await expect(line.getByRole("alert")).toContainText("The alert “Failures” watches this view");
  });
});

test.describe("an auditor", () => {
  test.use({ person: AUDITOR });

  test("is told who can make alerts", async ({ page, at }) => {
    await open(page, at("settings/alerts"));
    await expect(page.getByText("A member or an owner of the project can.")).toBeVisible();
    await expect(page.getByRole("heading", { name: "Add an alert" })).toHaveCount(0);
  });
});

test("axe finds nothing on the pages of alerts, and they fit 360 px", async ({ page, at, facts }) => {
  await open(page, at("logs?status=FAILURE&from=-7d"));
  await saveView(page, "Failed requests");
  await page.getByRole("link", { name: "Alert…" }).click();
  await add(page, "A name that is as long as names may be, since somebody wants it so", "1");
  await fail(facts, 1);
  const alert = page.getByRole("article");
  await expect(alert).toContainText("Firing since");
  const pages = [page.url().replace(/#.*/, ""), (await alert.getByRole("link").first().getAttribute("href"))!];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const address of pages) {
      for (const width of [1440, 360]) {
        await page.setViewportSize({ width, height: 740 });
        await open(page, address.startsWith("http") ? address : `${facts.address}${address}`);
        await checkAccessibility(page);
        await checkWidth(page);
      }
    }
    await page.getByRole("button", { name: "Edit" }).click();
    await checkAccessibility(page);
    await checkWidth(page);
  }
});
