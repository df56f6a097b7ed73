/**
 * The page's own producers and consumers, clicked together, and a page or a browser that is killed
 * while they work: what the page had shown as stored and as acknowledged is there afterwards.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMIT } from "./harness.mjs";
import { eventually, openPlayground, running } from "./pages.mjs";
import { Playground } from "./playground.mjs";

const PARTITIONS = ["orders-0", "orders-1", "orders-2"];

/** What the page shows now, read at one moment. */
const shown = (page) =>
  page.evaluate((partitions) => {
    const numbers = (read) => Object.fromEntries(partitions.map((name) => [name, read(name)]));
    const attribute = (selector, name) => Number(document.querySelector(selector)?.getAttribute(name) ?? -1);
    return {
      stored: numbers((name) => attribute(`[data-partition="${name}"]`, "data-high-watermark")),
      committed: numbers((name) => attribute(`[data-committed="billing/${name}"]`, "data-offset")),
      acknowledged: attribute('[data-committed="audit/orders-0"]', "data-offset"),
    };
  }, PARTITIONS);

const sum = (numbers) => Object.values(numbers).reduce((a, b) => a + b);

test("the page's own clients: a killed renderer and a killed browser lose nothing", async (t) => {
  const { browser, page, open } = await openPlayground(t);
  browser.expectErrors();
  let play = new Playground(page);
  await play.createTopic("orders", PARTITIONS.length);
  const producer = await play.addProducer();
  const first = await play.addConsumer({ group: "billing" });
  await play.addMember("billing");
  const byHand = await play.addConsumer({ group: "audit", byHand: true });
  await play.settled(first, 2);
  await play.settled(byHand, PARTITIONS.length);
  await play.sendSteadily(producer);
  await eventually(() => play.partition("orders-0"), ({ highWatermark }) => highWatermark > 0);
  await eventually(() => play.records(byHand), (records) => records.includes("orders-0@0"));
  await play.acknowledge(byHand, "orders-0@0");
  await play.committedIs("audit", "orders-0", 1);

  let round = 0;
  let before = { stored: {}, committed: {} };
  for (const kill of ["renderer", "browser"]) {
    const goal = round === 0 ? 10 : sum(before.committed) + 10;
    before = await eventually(() => shown(play.page), ({ committed }) => sum(committed) >= goal);
    if (kill === "browser") {
      await browser.kill();
      await browser.start();
    } else {
      await browser.killRenderers();
    }
    const tab = await open();
    await running(tab);
    play = new Playground(tab);
    // A consumer of the page takes a second for a record.
    await play.tenfold();
    const atLeast = (found, wanted) => PARTITIONS.every((name) => found[name] >= wanted[name]);
    await eventually(
      () => shown(tab),
      ({ stored, committed, acknowledged }) =>
        atLeast(stored, before.stored) && atLeast(committed, before.committed) && acknowledged === 1,
    );
    // A group of its own reads all that was stored, and none of it twice.
    round += 1;
    const reader = await play.addConsumer({ group: `reader-${round}` });
    const places = PARTITIONS.flatMap((name) =>
      Array.from({ length: before.stored[name] }, (_, offset) => `${name}@${offset}`),
    );
    // It takes its time for each, and shows the newest only; meanwhile there come more.
    const read = new Set();
    await eventually(
      async () => {
        const records = await play.records(reader);
        assert.equal(new Set(records).size, records.length, "a record was given twice");
        for (const place of records) read.add(place);
        return places.filter((place) => !read.has(place));
      },
      (missing) => missing.length === 0,
      { limit: 3 * LIMIT },
    );
  }
});
