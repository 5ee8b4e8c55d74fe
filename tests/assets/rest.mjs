// Runs contentguard-rest.js as the worker that it is in a browser: tickets in, what it posts out, one line each.
import { readFileSync } from "node:fs";

const { code, tickets } = JSON.parse(readFileSync(0, "utf8"));
globalThis.self = globalThis;
for (const ticket of tickets) {
  const said = [];
  globalThis.postMessage = (data) => said.push(data);
  await new Promise((done) => {
    globalThis.close = done;
    (0, eval)(code);
    globalThis.onmessage({ data: ticket });
  });
  console.log(JSON.stringify(said));
}
