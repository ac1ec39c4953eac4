import { ADA, fill } from "../support/data";
import { Server } from "../support/server";
import { alive, expect, signIn, test } from "../support/test";

test.use({ person: "", expectedErrors: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/ });

test("a dead server is a message and a retry, not a blank page", async ({ page }) => {
  const server = Server.create();
  try {
    const facts = await fill(server);
    await signIn(page, facts.address, ADA);
    await page.goto(`${facts.address}/projects/${facts.project}/logs`);
    await alive(page);
    await server.stop();
    await page.getByLabel("Status", { exact: true }).selectOption("FAILURE");
    await expect(page.getByRole("alert")).toContainText("could not be read");
    await expect(page).toHaveURL(/status=FAILURE/);
    await server.start();
    await page.getByRole("link", { name: "Try again" }).click();
    await expect(page.locator("table.logs tbody tr")).toHaveCount(2);
  } finally {
    await server.remove();
  }
});
