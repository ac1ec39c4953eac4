// A receiver of webhooks, and calls by the tests' key. It listens on 127.0.0.2, which the tests' server may send to.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import type { Facts } from "./data";

/** Answers as `answer` says, and remembers the `webhook-id` of every request. */
export class Receiver {
  readonly ids: string[] = [];
  url = "";

  private constructor(private readonly server: ReturnType<typeof createServer>) {}

  static async start(answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => void response.end()): Promise<Receiver> {
    const server = createServer((request, response) => {
      request.resume();
      receiver.ids.push(String(request.headers["webhook-id"]));
      answer(request, response);
    });
    const receiver = new Receiver(server);
    await new Promise<void>((ready) => server.listen(0, "127.0.0.2", ready));
    receiver.url = `http://127.0.0.2:${(server.address() as AddressInfo).port}/hook`;
    return receiver;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A call by the tests' key; its JSON. */
export async function call(facts: Facts, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${facts.address}/v1/${path}`, {
    method,
    headers: { "content-type": "application/json", "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
