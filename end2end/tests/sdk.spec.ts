// The official npm client of the product that this one follows, unchanged, against this server.
import sdk from "@voucherify/sdk";
import { expect, test } from "../support/test";

const { VoucherifyServerSide } = sdk;

/** Loosely typed: its types know only the exports of its own product. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const client = (facts: { address: string; key: { app_id: string; app_token: string } }): any =>
  VoucherifyServerSide({ apiUrl: facts.address, applicationId: facts.key.app_id, secretKey: facts.key.app_token });

test("exports are created, listed, fetched, downloaded and deleted", async ({ facts }) => {
  const { exports } = client(facts).distributions;
  const created = await exports.create({
    exported_object: "api_log",
    parameters: {
      order: "-created_at",
      fields: ["id", "status", "created_at"],
      filters: { junction: "AND", status: { conditions: { $is: ["FAILURE"] } } },
    },
  });
  expect(created).toMatchObject({ object: "export", status: "SCHEDULED", result: null, exported_object: "api_log" });
  expect(created.channel).toContain("SDK-v2.9.0");
  await expect.poll(async () => (await exports.get(created.id)).status).toBe("DONE");
  const done = await exports.get(created.id);
  const listed = await exports.list({ limit: 5, page: 1, order: "-created_at" });
  expect(listed).toMatchObject({ object: "list", data_ref: "exports" });
  expect(listed.exports.map((one: { id: string }) => one.id)).toContain(created.id);
  const file = await (await fetch(done.result.url)).text();
  expect(file.split("\r\n")[0]).toBe("id,status,created_at");
  expect(file).toContain("failed-redemption,FAILURE,");
  await exports.delete(created.id);
  const error = await exports.get(created.id).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 404, key: "not_found", resource_id: created.id, resource_type: "export" });
});

test("async actions are listed and fetched", async ({ facts }) => {
  const { asyncActions } = client(facts);
  const id = `aa_sdk-${Date.now()}`;
  const answer = await fetch(`${facts.address}/v1/async-actions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
    body: JSON.stringify({ type: "CUSTOMERS.IMPORT_CSV", id, status: "DONE", operation_status: "SUCCESS", result: { message: "ok", done_count: 1 } }),
  });
  expect(answer.status).toBe(201);
  const listed = await asyncActions.list({ limit: 10, end_date: new Date(Date.now() + 60_000).toISOString() });
  expect(listed).toMatchObject({ object: "list", data_ref: "async_actions" });
  const mine = listed.async_actions.find((action: { id: string }) => action.id === id);
  expect(mine).toMatchObject({ type: "CUSTOMERS.IMPORT_CSV", status: "DONE", progress: 100 });
  expect(await asyncActions.get(id)).toMatchObject({ id, result: { message: "ok", done_count: 1 }, operation_status: "SUCCESS" });
  const error = await asyncActions.get("aa_none").catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 404, key: "not_found" });
});

test("errors keep their code and key", async ({ facts }) => {
  const { exports } = client(facts).distributions;
  const wrongField = await exports
    .create({ exported_object: "api_log", parameters: { fields: ["nothing"] } })
    .catch((error: unknown) => error);
  expect(wrongField).toMatchObject({ code: 400, key: "invalid_export_fields" });
  const wrongKey = client({ ...facts, key: { ...facts.key, app_token: "wrong" } });
  const refused = await wrongKey.distributions.exports.list().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 401, key: "unauthorized" });
});
