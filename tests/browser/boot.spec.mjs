/** What the page's bootstrap answers for: `window.partita`, and a page or a broker that has trapped. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { serve, startBrowser } from "./harness.mjs";

async function open(t) {
  const { url } = await serve(t);
  const browser = await startBrowser(t);
  const page = await browser.open(url);
  await page.locator("[data-broker=running]").waitFor();
  return { browser, page };
}

/** Creates `orders` with two partitions and sends two records without keys, as KafkaJS does. */
const sendTwo = (page) =>
  page.evaluate(async () => {
    const admin = window.partita.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: "orders", numPartitions: 2 }] });
    await admin.disconnect();
    const producer = window.partita.producer();
    await producer.connect();
    const messages = [{ value: "one" }, { value: "two" }];
    const results = await producer.send({ topic: "orders", messages });
    await producer.disconnect();
    return results.map(({ partition, baseOffset }) => `${partition}@${baseOffset}`).sort();
  });

const ends = (page) =>
  page.evaluate(async () => {
    const admin = window.partita.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets("orders");
    await admin.disconnect();
    return offsets.map(({ partition, high }) => `${partition}@${high}`).sort();
  });

test("window.partita is a Kafka on the page's broker", async (t) => {
  const { page } = await open(t);
  assert.deepEqual(await sendTwo(page), ["0@0", "1@0"]);
  await page.reload();
  await page.locator("[data-broker=running]").waitFor();
  assert.deepEqual(await ends(page), ["0@1", "1@1"]);
});

test("window.partita finds the broker again after its worker has trapped", async (t) => {
  const { browser, page } = await open(t);
  browser.expectErrors();
  await sendTwo(page);
  await page.evaluate(() => window.partitaTrap("broker"));
  assert.deepEqual(await ends(page), ["0@1", "1@1"]);
});

test("a broker that has trapped three times refuses connections until it is started", async (t) => {
  const { browser, page } = await open(t);
  browser.expectErrors();
  await sendTwo(page);
  for (let traps = 1; traps <= 3; traps++) {
    const gone = page.waitForEvent("worker");
    await page.evaluate(() => window.partitaTrap("broker"));
    if (traps < 3) await gone;
    else gone.catch(() => {});
  }
  // Not merely not running: between two traps it starts.
  await page.locator("[data-broker=failed]").waitFor();
  const refused = await page.evaluate(async () => {
    const admin = window.partita.admin({ retry: { retries: 0 } });
    return admin.connect().then(
      () => "connected",
      (error) => error.message,
    );
  });
  assert.match(refused, /ECONNREFUSED/);
});

test("a page that has trapped says so; the broker lives on, and its data can be had", async (t) => {
  const { browser, page } = await open(t);
  browser.expectErrors();
  await sendTwo(page);
  await page.evaluate(() => window.partitaTrap("page"));
  const notice = page.getByRole("alert").filter({ hasText: "internal error" });
  await notice.waitFor();
  assert.equal(page.workers().length, 1);
  assert.equal(await page.evaluate(() => window.partita), undefined);

  const downloaded = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the data" }).click();
  const download = await downloaded;
  assert.equal(download.suggestedFilename(), "playground.tar");
  const stored = await readFile(await download.path());
  assert.ok(stored.includes("one") && stored.includes("two"), "the records are in the file");

  await page.getByRole("button", { name: "Load the page again" }).click();
  await page.locator("[data-broker=running]").waitFor();
  assert.deepEqual(await ends(page), ["0@1", "1@1"]);
});
