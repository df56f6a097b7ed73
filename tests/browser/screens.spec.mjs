/** The page on screens of all sizes: what can be hit, what can be told apart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlayground } from "./pages.mjs";
import { Playground } from "./playground.mjs";

const NARROW = { width: 360, height: 780 };

/** Opens a page of that size with topics as strips and as rows, and a client of each kind. */
async function open(t, { viewport, partitions }) {
  const { page } = await openPlayground(t);
  await page.setViewportSize(viewport);
  const play = new Playground(page);
  await play.createTopic("orders", partitions);
  const producer = await play.addProducer();
  const consumer = await play.addConsumer();
  await play.settled(consumer, partitions);
  return { page, play, producer, consumer };
}

/**
 * The controls that are smaller than a fingertip, each as its name and size. A cell has the width
 * that its offset has; a radio button is hit by its line.
 */
const small = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("button:not([data-cell]), select, input, [role=tab]")]
      .filter((it) => it.checkVisibility({ visibilityProperty: true }))
      .map((it) => {
        const target = it.type === "radio" ? it.closest("label") : it;
        const { width, height } = target.getBoundingClientRect();
        return [it.ariaLabel || it.textContent || it.name, width, height];
      })
      .filter(([, width, height]) => Math.min(width, height) < 44)
      .map(([name, width, height]) => `${name}: ${Math.round(width)} x ${Math.round(height)}`),
  );

for (const partitions of [2, 8]) {
  test(`on a small screen every control can be hit with a finger, ${partitions} partitions`, async (t) => {
    const { page, play, consumer, producer } = await open(t, { viewport: NARROW, partitions });
    await play.send(producer, "one", "de");
    assert.deepEqual(await small(page), []);
    const opened = [
      "Seek c1",
      "More for group billing",
      "More for topic orders",
      "Create a topic",
      "Add a consumer",
      "More for producer p1",
      "Keys and console",
    ];
    for (const name of opened) {
      await page.getByRole("button", { name, exact: true }).click();
      assert.deepEqual(await small(page), [], name);
    }
    await page.getByRole("button", { name: "Close the list of keys" }).click();
    await play.act(consumer, "Crash");
    for (let more = 0; more < 5; more++) await play.addConsumer();
    assert.deepEqual(await small(page), [], "members as rows");
  });
}

test("on a small screen it is seen which sheet is open", async (t) => {
  const { page } = await open(t, { viewport: NARROW, partitions: 2 });
  const marked = () =>
    page.getByRole("tab").evaluateAll((tabs) =>
      tabs
        .filter((tab) => {
          const { content, display, height } = getComputedStyle(tab, "::after");
          return content !== "none" && display !== "none" && parseFloat(height) > 0;
        })
        .map((tab) => tab.textContent),
    );
  assert.deepEqual(await marked(), []);
  for (const name of ["Traffic", "Offsets"]) {
    await page.getByRole("tab", { name }).click();
    await page.getByRole("tabpanel", { name }).waitFor();
    assert.deepEqual(await marked(), [name]);
  }
  await page.getByRole("tab", { name: "Offsets" }).click();
  await page.getByRole("tabpanel").waitFor({ state: "hidden" });
  assert.deepEqual(await marked(), []);
});

test("the heads of groups above rows stand apart, however long their names are", async (t) => {
  const viewport = { width: 1280, height: 800 };
  const { page, play } = await open(t, { viewport, partitions: 8 });
  for (const group of ["a-group-with-a-long-name", "another-group-with-a-long-name"]) {
    await play.settled(await play.addConsumer({ group }), 8);
  }
  const heads = await page.locator(".headrow .name").evaluateAll((all) =>
    all.map((it) => it.getBoundingClientRect()).map(({ left, right }) => ({ left, right })),
  );
  assert.equal(heads.length, 3);
  for (const [at, { left }] of heads.slice(1).entries()) {
    assert.ok(left - heads[at].right >= 8, JSON.stringify(heads));
  }
});
