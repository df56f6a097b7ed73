/**
 * Under a strict Content-Security-Policy: no inline script, no `eval`, no worker from a blob. What
 * web/README.md and CONTRIBUTING.md say a page must allow is all that is allowed here.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PACKAGE, serve, startBrowser } from "./harness.mjs";
import { Playground } from "./playground.mjs";
import { running } from "./pages.mjs";

/** What a page with the package must allow, and nothing else. */
const STRICT = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

/** The playground places what it draws with style attributes, and its icon is an empty `data:` URL. */
const DRAWS = `${STRICT}; style-src-attr 'unsafe-inline'; img-src 'self' data:`;

const header = (policy) => ({ "content-security-policy": policy });

/** Collects what the policy forbids, from the page's first moment on. */
const watchPolicy = () => {
  window.violations = [];
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    window.violations.push(`${violatedDirective} ${blockedURI}`),
  );
};

const PROGRAM = `
  import { Broker, Kafka } from "./index.js";

  const run = async (storage) => {
    const broker = await Broker.open("strict", { storage });
    const kafka = new Kafka({ brokers: [broker] });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: "orders", messages: [{ key: "42", value: "one piano" }] });
    const consumer = kafka.consumer({ groupId: "billing" });
    await consumer.connect();
    await consumer.subscribe({ topic: "orders", fromBeginning: true });
    const value = await new Promise((resolve) =>
      consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }),
    );
    await Promise.all([producer.disconnect(), consumer.disconnect()]);
    await broker.close();
    return storage + ": " + value;
  };
  const failed = ({ name, message }) => name + ": " + message;
  window.ran = [await run("memory").catch(failed), await run("indexeddb").catch(failed)];
`;

const PAGE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>A program</title><link rel="icon" href="/icon.svg" /></head>
  <body><script type="module" src="./program.js"></script></body>
</html>`;

/** Serves a page on the package under that policy, and opens it. */
async function openProgram(t, policy) {
  const icon = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  const files = { "program.html": PAGE, "program.js": PROGRAM, "icon.svg": icon };
  const { url } = await serve(t, { folder: PACKAGE, files, headers: header(policy) });
  const browser = await startBrowser(t);
  const page = await browser.context.newPage();
  await page.addInitScript(watchPolicy);
  await page.goto(`${url}program.html`);
  return { browser, page };
}

test("the package produces and consumes under a strict policy", async (t) => {
  const { page } = await openProgram(t, STRICT);
  await page.waitForFunction(() => window.ran);
  const seen = await page.evaluate(() => ({ ran: window.ran, violations: window.violations }));
  const ran = ["memory: one piano", "indexeddb: one piano"];
  assert.deepEqual(seen, { ran, violations: [] });
});

test("under a policy that forbids wasm or workers, opening a broker is rejected", async (t) => {
  const noWorkers = STRICT.replace("worker-src 'self'", "worker-src 'none'");
  for (const [policy, directive] of [["default-src 'self'", "script-src"], [noWorkers, "worker-src"]]) {
    const { browser, page } = await openProgram(t, policy);
    browser.expectErrors();
    await page.waitForFunction(() => window.ran);
    const { ran, violations } = await page.evaluate(() => ({
      ran: window.ran,
      violations: window.violations,
    }));
    assert.ok(violations.some((it) => it.startsWith(directive)), `${violations}`);
    for (const outcome of ran) assert.match(outcome, /Error: .*(WebAssembly|worker)/);
  }
});

test("the playground works under a strict policy", async (t) => {
  const { url } = await serve(t, { headers: header(DRAWS) });
  const browser = await startBrowser(t);
  const page = await browser.context.newPage();
  await page.addInitScript(watchPolicy);
  await page.goto(url);
  await running(page);
  const playground = new Playground(page);
  await playground.createTopic("orders", 2);
  const producer = await playground.addProducer();
  const places = [await playground.send(producer, "one piano"), await playground.send(producer, "two")];
  const consumer = await playground.addConsumer();
  await playground.received(consumer, places);
  await page.reload();
  await running(page);
  await playground.endIs("orders-0", 1);
  assert.deepEqual(await page.evaluate(() => window.violations), []);
});

test("the policies that are tested here are those that are written down", async () => {
  const text = (file) => readFile(new URL(`../../${file}`, import.meta.url), "utf8");
  assert.ok((await text("web/README.md")).includes(STRICT));
  assert.ok((await text("CONTRIBUTING.md")).includes(DRAWS.slice(STRICT.length + 2)));
});
