import { alive, checkAccessibility, checkWidth, expect, open, test } from "../support/test";

test.describe("a project of one's own", () => {
  // Browsers tell every refusal in the console.
  test.use({ expectedErrors: /409/ });

  test("is made, renamed, and deleted by its name", async ({ page, facts, at }) => {
    const name = `Trial ${Date.now()}`;
    await open(page, at("logs"));
    await page.getByRole("button", { name: "Acme production" }).click();
    await page.getByRole("link", { name: "New project…" }).click();
    await expect(page).toHaveURL(/\/account#new-project/);
    await alive(page);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Time zone").fill("Nowhere");
    await page.getByRole("button", { name: "Make the project" }).click();
    await expect(page.getByRole("alert")).toContainText("no such time zone");
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Time zone").fill("Europe/Berlin");
    await page.getByRole("button", { name: "Make the project" }).click();
    await expect(page).toHaveURL(/\/projects\/prj_.*\/logs/);
    await alive(page);
    const project = /\/projects\/([^/]+)/.exec(page.url())![1];

    await page.getByRole("button", { name }).click();
    await page.getByRole("link", { name: "Project", exact: true }).click();
    await expect(page.getByLabel("Time zone", { exact: true })).toHaveValue("Europe/Berlin");
    await alive(page);
    await page.getByLabel("Route templates").fill("v1/wrong");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toContainText("no route template");
    await page.getByLabel("Route templates").fill("/v1/vouchers/{code}");
    await page.getByLabel("Name", { exact: true }).fill(`${name} renamed`);
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(page.locator("#announce")).toContainText("The project is saved");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await checkAccessibility(page);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await checkWidth(page);
    await page.setViewportSize({ width: 1440, height: 900 });

    await open(page, `${facts.address}/projects/${project}/settings/project`);
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue(`${name} renamed`);
    await expect(page.getByLabel("Route templates")).toHaveValue("/v1/vouchers/{code}");
    await page.getByRole("button", { name: "Delete the project" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete this project?" });
    await checkAccessibility(page);
    await dialog.getByRole("textbox").fill(name);
    await dialog.getByRole("button", { name: "Delete it" }).click();
    await expect(dialog.getByRole("alert")).toContainText("Type the project's name");
    await dialog.getByRole("textbox").fill(`${name} renamed`);
    await dialog.getByRole("button", { name: "Delete it" }).click();
    await expect(page).toHaveURL(/\/logs/);
    await alive(page);
    await page.getByRole("button", { name: /^(Acme production|Nothing yet)$/ }).click();
    await expect(page.getByRole("link", { name: `${name} renamed` })).toHaveCount(0);
  });
});
