/** The npm package in a page, without a bundler: its README's program, two tabs, a trap. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { serve, startBrowser } from "./harness.mjs";

const PACKAGE = fileURLToPath(new URL("../../dist/npm/", import.meta.url));

const page = (script) => `<!doctype html>
<title>-</title>
<link rel="icon" href="data:,">
<script type="importmap">{ "imports": { "partita": "./partita/index.js" } }</script>
<script type="module">${script}</script>`;

/** Serves the package with two pages beside it: one runs the README's program, one has nothing. */
async function site(t) {
  const folder = await mkdtemp(join(tmpdir(), "partita-package-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp(PACKAGE, join(folder, "partita"), { recursive: true });
  const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
  const [, program] = /^```js\n\/\/ page\.mjs\n(.*?)^```$/ms.exec(readme);
  await writeFile(join(folder, "index.html"), page(program));
  await writeFile(join(folder, "empty.html"), page('window.partita = await import("partita");'));
  return serve(t, { folder });
}

/** Opens the page without a program, for a test to run its own in. */
async function open(browser, url) {
  const tab = await browser.open(`${url}empty.html`);
  await tab.waitForFunction(() => window.partita);
  return tab;
}

test("the README's program keeps its records over a reload", async (t) => {
  const { url } = await site(t);
  const browser = await startBrowser(t);
  const tab = await browser.open(url);
  await tab.waitForFunction(() => document.title === "orders-0@0");
  await tab.reload();
  await tab.waitForFunction(() => document.title === "orders-0@1");
});

test("a second tab waits, or is refused if it does not want to, and takes over", async (t) => {
  const { url } = await site(t);
  const browser = await startBrowser(t);
  const first = await open(browser, url);
  await first.evaluate(async () => {
    window.broker = await partita.Broker.open("shop");
    const producer = new partita.Kafka({ brokers: [window.broker] }).producer();
    await producer.connect();
    await producer.send({ topic: "orders", messages: [{ value: "one" }] });
  });
  const second = await open(browser, url);
  const refused = await second.evaluate(() =>
    partita.Broker.open("shop", { wait: false }).catch(({ name, failure, message }) => ({
      name,
      failure,
      message,
    })),
  );
  assert.deepEqual([refused.name, refused.failure], ["PartitaError", "inUse"]);
  assert.match(refused.message, /another tab/);
  const given = await second.evaluate(async () => {
    const giveUp = new AbortController();
    const onStatus = ({ state }) => state === "waiting" && giveUp.abort(new Error("given up"));
    const { signal } = giveUp;
    return partita.Broker.open("shop", { signal, onStatus }).catch(({ message }) => message);
  });
  assert.equal(given, "given up");

  await second.evaluate(() => {
    window.heard = [];
    const onStatus = ({ state }) => window.heard.push(state);
    window.opening = partita.Broker.open("shop", { onStatus });
  });
  await second.waitForFunction(() => window.heard.includes("waiting"));
  await first.close();
  const offsets = await second.evaluate(async () => {
    const broker = await window.opening;
    const admin = new partita.Kafka({ brokers: [broker] }).admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets("orders");
    await admin.disconnect();
    await broker.close();
    return offsets;
  });
  assert.deepEqual(offsets, [{ partition: 0, offset: "1", high: "1", low: "0" }]);
});

test("a page has one broker of a name: opening it again is refused, unless the first is going", async (t) => {
  const { url } = await site(t);
  const browser = await startBrowser(t);
  const tab = await open(browser, url);
  const found = await tab.evaluate(async () => {
    const { Broker } = partita;
    const failure = (promise) =>
      promise.then(
        ({ status }) => status.state,
        ({ name, failure, message }) => ({ name, failure, message }),
      );
    const found = {};

    let [first, second] = [Broker.open("shop"), Broker.open("shop")];
    found.meanwhile = await failure(second);
    found.atOnce = await failure(Broker.open("shop", { wait: false }));
    found.afterwards = await failure(Broker.open("shop"));
    found.other = await failure(Broker.open("another shop"));

    (await first).close();
    first = Broker.open("shop");
    found.closing = await failure(first);
    await (await first).close();

    // As a component does that is mounted twice and tidies up between.
    first = Broker.open("shop");
    first.then((broker) => broker.close());
    second = Broker.open("shop");
    found.closedAsSoonAsOpen = await failure(second);
    await (await second).close();

    const giveUp = new AbortController();
    first = failure(Broker.open("shop", { signal: giveUp.signal }));
    const impatient = failure(Broker.open("shop", { signal: giveUp.signal }));
    second = Broker.open("shop");
    giveUp.abort(new Error("given up"));
    found.givenUp = [(await first).message, (await impatient).message];
    found.afterThat = await failure(second);

    // One that failed makes room, as its error says.
    const broker = await second;
    const failed = new Promise((resolve) => {
      broker.on("status", ({ state, failure }) => state === "failed" && resolve(failure));
    });
    indexedDB.deleteDatabase("partita:shop");
    found.failed = await failed;
    found.anew = await failure(Broker.open("shop", { wait: false }));
    return found;
  });
  const { meanwhile, atOnce, afterwards, ...others } = found;
  for (const refused of [meanwhile, atOnce, afterwards]) {
    assert.deepEqual([refused.name, refused.failure], ["PartitaError", "alreadyOpen"]);
    assert.match(refused.message, /"shop".*close it first/);
  }
  assert.deepEqual(others, {
    other: "running",
    closing: "running",
    closedAsSoonAsOpen: "running",
    givenUp: ["given up", "given up"],
    afterThat: "running",
    failed: "databaseDeleted",
    anew: "running",
  });
});

test("a page cannot listen, and says so", async (t) => {
  const { url } = await site(t);
  const browser = await startBrowser(t);
  const tab = await open(browser, url);
  const failures = await tab.evaluate(async () => {
    const broker = await partita.Broker.open("shop", { storage: "memory" });
    const failure = (promise) => promise.catch(({ name, failure }) => `${name} ${failure}`);
    return [
      await failure(broker.listen()),
      await failure(partita.Broker.open("shop", { storage: { directory: "d" } })),
      await failure(partita.Broker.open("shop", { config: { "num.partitons": 3 } })),
    ];
  });
  assert.deepEqual(failures, [
    "PartitaError unsupported",
    "PartitaError unsupported",
    "PartitaError invalidOptions",
  ]);
});

test("what a page without Buffer is given: bytes that print like one", async (t) => {
  const { url } = await site(t);
  const browser = await startBrowser(t);
  const tab = await open(browser, url);
  const given = await tab.evaluate(async () => {
    const broker = await partita.Broker.open("shop", { storage: "memory" });
    const kafka = new partita.Kafka({ brokers: [broker] });
    const producer = kafka.producer();
    await producer.connect();
    const key = new TextEncoder().encode("clé");
    await producer.send({ topic: "orders", messages: [{ key, value: "one piano", headers: { to: "Ada" } }] });
    const consumer = kafka.consumer({ groupId: "billing" });
    await consumer.subscribe({ topic: "orders", fromBeginning: true });
    const message = await new Promise((resolve) =>
      consumer.run({ eachMessage: async ({ message }) => resolve(message) }),
    );
    await Promise.all([producer.disconnect(), consumer.disconnect()]);
    await broker.close();
    let refused;
    try {
      message.key.toString("utf16le");
    } catch ({ name, message }) {
      refused = `${name}: ${message}`;
    }
    return {
      buffer: typeof Buffer,
      bytes: message.key instanceof Uint8Array && message.value instanceof Uint8Array,
      equal: message.key.equals(key),
      refused,
      text: `${message.key} ${message.value} ${message.headers.to}`,
      json: JSON.stringify(message.headers.to),
      key: ["utf8", "latin1", "ascii", "base64", "hex"].map((encoding) => message.key.toString(encoding)),
    };
  });
  assert.deepEqual(given, {
    buffer: "undefined",
    bytes: true,
    equal: true,
    refused: "TypeError: Unknown encoding: utf16le",
    text: "clé one piano Ada",
    json: '{"type":"Buffer","data":[65,100,97]}',
    key: ["utf8", "latin1", "ascii", "base64", "hex"].map((encoding) => Buffer.from("clé").toString(encoding)),
  });
});

test("a broker whose wasm traps is started anew, and its clients go on", async (t) => {
  const { url } = await site(t);
  const browser = await startBrowser(t);
  browser.expectErrors();
  const tab = await open(browser, url);
  const { offsets, notice } = await tab.evaluate(async () => {
    const broker = await partita.Broker.open("shop");
    const noticed = new Promise((resolve) => broker.on("notice", resolve));
    const producer = new partita.Kafka({ brokers: [broker] }).producer();
    await producer.connect();
    const send = async () => {
      const [{ baseOffset }] = await producer.send({ topic: "t", messages: [{ value: "v" }] });
      return baseOffset;
    };
    const before = await send();
    broker.connect().postMessage({ type: "trap" });
    const { notice } = await noticed;
    const after = await send();
    await producer.disconnect();
    await broker.close();
    return { offsets: [before, after], notice };
  });
  assert.deepEqual(offsets, ["0", "1"]);
  assert.equal(notice, "restarted");
});
