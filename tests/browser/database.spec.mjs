/**
 * What can befall the database: deleted, held open in an older form, stored in a newer one. Whoever
 * waits gets a typed error, and the page says what happened and what helps.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startBrowser, serve } from "./harness.mjs";
import { openPlayground, openProgram, running, state } from "./pages.mjs";

/** The playground with a page of the same origin that was there before it. */
async function withEarlierPage(t) {
  const files = { "blank.html": '<!doctype html><link rel="icon" href="data:," />' };
  const { url } = await serve(t, { files });
  const browser = await startBrowser(t);
  const earlier = await browser.open(`${url}blank.html`);
  return { browser, url, earlier };
}

const alert = (page, words) => page.getByRole("alert").filter({ hasText: words });

/** Opens a database of that version and holds it; resolves when it is open. */
const hold = (page, name, version) =>
  page.evaluate(
    ([name, version]) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open(name, version);
        request.onsuccess = () => resolve(void (window.held = request.result));
        request.onerror = () => reject(request.error);
      }),
    [name, version],
  );

/** Deletes a database; resolves when it is gone. */
const remove = (page, name) =>
  page.evaluate(
    (name) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(name);
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error);
      }),
    name,
  );

const release = (page) => page.evaluate(() => window.held.close());

test("a deleted database: whoever waits hears it, and the page offers to begin anew", async (t) => {
  const { browser, page } = await openPlayground(t);
  browser.expectErrors();
  await page.evaluate(async () => {
    const { createTopic, keepSending } = await inPage();
    await createTopic(window.partita, "orders", 1);
    await keepSending(window.partita, "orders");
  });
  await page.waitForFunction(() => window.sending.count > 10);
  await remove(page, "partita:playground");
  await state(page, "failed");
  await alert(page, /database was deleted/i).waitFor();
  const error = await page.evaluate(async () => (await inPage()).rejection(window.sending.ended));
  assert.equal(error.name, "KafkaJSNumberOfRetriesExceeded");
  assert.equal(error.cause.code, "ECONNREFUSED");
  assert.match(error.message, /database was deleted/);

  await alert(page, /database was deleted/i).getByRole("button", { name: /start/i }).click();
  await running(page);
  const topics = await page.evaluate(async () =>
    (await inPage()).withAdmin(window.partita, (admin) => admin.listTopics()),
  );
  assert.deepEqual(topics, []);
});

test("a tab that holds an older form open blocks the broker, which says so and goes on", async (t) => {
  const { browser, url, earlier } = await withEarlierPage(t);
  await hold(earlier, "partita:playground", 1);
  const page = await browser.open(url);
  await state(page, "blocked");
  await alert(page, /older form/i).waitFor();
  await release(earlier);
  await running(page);
  assert.equal(await alert(page, /older form/i).count(), 0);
});

test("what a newer version has stored is left alone, and the page says to reload", async (t) => {
  const { browser, url, earlier } = await withEarlierPage(t);
  browser.expectErrors();
  await hold(earlier, "partita:playground", 1000);
  const page = await browser.open(url);
  await state(page, "failed");
  await alert(page, /newer version/i).waitFor();
  const version = await page.evaluate(
    async () => (await indexedDB.databases()).find(({ name }) => name === "partita:playground").version,
  );
  assert.equal(version, 1000);
});

test("a broker that runs lets a newer version have the database", async (t) => {
  const { browser, url, earlier } = await withEarlierPage(t);
  browser.expectErrors();
  const page = await browser.open(url);
  await running(page);
  await hold(earlier, "partita:playground", 1000);
  await state(page, "failed");
  await alert(page, /newer version/i).waitFor();
});

test("a program's Broker.open is rejected with what happened and what helps", async (t) => {
  const { browser, page, open } = await openProgram(t);
  browser.expectErrors();
  const other = await open();
  await hold(other, "partita:newer", 1000);
  const newer = await page.evaluate(async () => (await inPage()).rejection(Broker.open("newer")));
  assert.equal(newer.name, "PartitaError");
  assert.equal(newer.failure, "newerFormat");
  assert.match(newer.help, /newer version/);

  await hold(other, "partita:older", 1);
  await page.evaluate(() => {
    window.heard = [];
    window.opening = Broker.open("older", { onStatus: ({ state }) => window.heard.push(state) });
  });
  await page.waitForFunction(() => window.heard.includes("blocked"));
  await release(other);
  await page.evaluate(async () => {
    window.older = await window.opening;
  });

  // A broker that served fails: its status tells, and its clients are refused with its words.
  await page.evaluate(() => {
    window.failed = new Promise((resolve) =>
      window.older.on("status", (status) => status.state === "failed" && resolve(status)),
    );
  });
  await remove(other, "partita:older");
  const { failure } = await page.evaluate(() => window.failed);
  assert.equal(failure, "databaseDeleted");
  const refused = await page.evaluate(async () => {
    const kafka = new Kafka({ brokers: [window.older], retry: { retries: 0 }, logLevel: 0 });
    return (await inPage()).rejection(kafka.admin().connect());
  });
  assert.match(refused.message, /database was deleted/);
});
