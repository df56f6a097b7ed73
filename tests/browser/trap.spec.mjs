/**
 * A broker whose wasm traps is replaced by a fresh one, and nothing acknowledged is lost; one that
 * traps again and again stays stopped and hands out what it keeps.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { logWith } from "./archive.mjs";
import { openPlayground, openProgram, running } from "./pages.mjs";

const createOrders = (page) =>
  page.evaluate(async () => (await inPage()).createTopic(window.partita, "orders", 2));

const keepSending = (page) =>
  page.evaluate(async () => (await inPage()).keepSending(window.partita, "orders"));

const stopSending = (page) => page.evaluate(async () => (await inPage()).stopSending());

/** Waits until so many more records were acknowledged. */
async function more(page, count) {
  const before = await page.evaluate(() => window.sending.count);
  await page.waitForFunction((wanted) => {
    if (window.sending.failed) throw window.sending.failed;
    return window.sending.count >= wanted;
  }, before + count);
}

/** Traps the broker; resolves when a fresh worker was started. */
async function trap(page) {
  const fresh = page.waitForEvent("worker");
  await page.evaluate(() => window.partitaTrap("broker"));
  await fresh;
}

test("clients go on over a trap, and every acknowledged record is there once", async (t) => {
  const { browser, page } = await openPlayground(t);
  browser.expectErrors();
  await createOrders(page);
  await keepSending(page);
  for (let traps = 1; traps <= 2; traps++) {
    await more(page, 50);
    await trap(page);
    await more(page, 50);
  }
  const sent = await stopSending(page);
  const stored = await page.evaluate(
    async (count) => (await inPage()).values(window.partita, "orders", count),
    Object.keys(sent).length,
  );
  assert.deepEqual(stored, sent);
});

test("after three traps within a minute the broker stays stopped, and its export has every record", async (t) => {
  const { browser, page } = await openPlayground(t);
  browser.expectErrors();
  await createOrders(page);
  await keepSending(page);
  await more(page, 100);
  const sent = await stopSending(page);
  for (let traps = 1; traps <= 2; traps++) {
    await trap(page);
    await running(page);
  }
  await page.evaluate(() => window.partitaTrap("broker"));
  const notice = page.getByRole("alert").filter({ hasText: /internal error/ });
  await notice.getByRole("button", { name: /export|download/i }).waitFor();

  const downloaded = page.waitForEvent("download");
  await notice.getByRole("button", { name: /export|download/i }).click();
  const archive = await readFile(await (await downloaded).path());
  for (const partition of [0, 1]) {
    const places = Object.entries(sent).filter(([place]) => place.startsWith(`orders-${partition}@`));
    assert.ok(places.length >= 20, "both partitions have records");
    const log = logWith(archive, 0, sent[`orders-${partition}@0`]);
    const exported = Array.from(log, ([offset, value]) => [`orders-${partition}@${offset}`, `${value}`]);
    assert.deepEqual(Object.fromEntries(exported), Object.fromEntries(places));
  }

  // A person may try again.
  await notice.getByRole("button", { name: /start/i }).click();
  await running(page);
  const stored = await page.evaluate(
    async (count) => (await inPage()).values(window.partita, "orders", count),
    Object.keys(sent).length,
  );
  assert.deepEqual(stored, sent);
});

test("a program hears that its broker was restarted, and that it has failed", async (t) => {
  const { browser, page } = await openProgram(t);
  browser.expectErrors();
  const heard = await page.evaluate(async () => {
    const { createTopic, ends, eventually, rejection } = await inPage();
    const broker = await Broker.open("trapped", { config: { "offsets.topic.num.partitions": 2 } });
    const notices = [];
    broker.on("notice", ({ notice, on }) => notices.push(`${notice} ${on}`));
    const kafka = new Kafka({ brokers: [broker], logLevel: 0 });
    await createTopic(kafka, "orders", 1);
    const trap = () => {
      const port = broker.connect();
      port.postMessage({ type: "trap" });
    };
    const heard = [];
    broker.on("status", (status) => heard.push(status));
    const told = (state, times) =>
      eventually(
        () => heard.filter((status) => status.state === state),
        ({ length }) => length >= times,
      );
    trap();
    const after = await ends(kafka, "orders");
    await told("running", 1);
    trap();
    await told("running", 2);
    trap();
    const [{ failure, message }] = await told("failed", 1);
    const admin = kafka.admin({ retry: { retries: 0 } });
    const refused = await rejection(admin.connect());
    return { after, notices, failure, message, refused };
  });
  assert.deepEqual(heard.after, { "orders-0": 0 });
  assert.equal(heard.failure, "trapped");
  assert.match(heard.message, /trapped on purpose/);
  assert.ok(heard.notices.includes("restarted true"), String(heard.notices));
  assert.equal(heard.refused.cause.code, "ECONNREFUSED");
});
