// Before all tests: a server with known data. The tests read where it is from the environment.
import { fill } from "./data";
import { Server } from "./server";

export default async function setup(): Promise<() => Promise<void>> {
  const server = Server.create();
  try {
    process.env.AUDIT_LOG_FACTS = JSON.stringify(await fill(server));
  } catch (error) {
    await server.remove();
    throw error;
  }
  return () => server.remove();
}
