/**
 * Several tabs of one origin: one hosts the broker, the others say so, and one of them takes over as
 * soon as the first is closed, reloaded, killed or frozen. So it is as well where there are no Web
 * Locks: on plain http from another machine.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlayground, openProgram, running, state } from "./pages.mjs";

const values = (page, count) =>
  page.evaluate(
    async (count) => (await inPage()).values(window.partita, "orders", count),
    count,
  );

const send = (page, value) =>
  page.evaluate(
    async (value) => (await inPage()).send(window.partita, "orders", [{ value }]),
    value,
  );

/** A tab that waits, and says for whom. */
async function waiting(page) {
  await state(page, "waiting");
  await page.getByRole("alert").filter({ hasText: "runs in another tab" }).waitFor();
}

for (const [so, where] of [
  ["", {}],
  [", without Web Locks", { elsewhere: true }],
]) {
  test(`a second tab takes over when the first is closed, reloaded, crashed or killed${so}`, async (t) => {
    const { browser, page, open } = await openPlayground(t, where);
    browser.expectErrors();
    await page.evaluate(async () => (await inPage()).createTopic(window.partita, "orders", 1));
    const goes = {
      closed: (page) => page.close(),
      reloaded: (page) => page.reload(),
      crashed: (page) => browser.crash(page),
      killed: async (page) => browser.signal(await browser.rendererOf(page), "SIGKILL"),
    };
    const wanted = {};
    let host = page;
    for (const [how, go] of Object.entries(goes)) {
      const next = await open();
      await waiting(next);
      await running(host);
      const place = `orders-0@${Object.keys(wanted).length}`;
      assert.deepEqual(await send(host, how), [place]);
      wanted[place] = how;
      await go(host);
      await running(next);
      assert.equal(await next.getByRole("alert").filter({ hasText: "another tab" }).count(), 0);
      assert.deepEqual(await values(next, Object.keys(wanted).length), wanted, how);
      if (how === "reloaded") {
        await waiting(host);
        await host.close();
      }
      host = next;
    }
  });

  test(`a frozen tab is replaced, and answers nobody when it comes back${so}`, async (t) => {
    const { browser, page, open } = await openPlayground(t, where);
    browser.expectErrors();
    await page.evaluate(async () => (await inPage()).createTopic(window.partita, "orders", 1));
    await send(page, "before");
    const other = await open();
    await waiting(other);

    // Sent while the tab is frozen, and still under way when it comes back.
    const renderer = await browser.rendererOf(page);
    browser.signal(renderer, "SIGSTOP");
    const late = send(page, "late").then(
      ([place]) => place,
      () => "nobody acknowledged it",
    );
    await running(other);
    assert.deepEqual(await send(other, "after"), ["orders-0@1"]);

    browser.signal(renderer, "SIGCONT");
    await waiting(page);
    await page.getByRole("alert").filter({ hasText: "taken the broker over" }).waitFor();
    assert.equal(await late, "nobody acknowledged it");
    assert.deepEqual(await values(other, 2), { "orders-0@0": "before", "orders-0@1": "after" });
    await other.close();
    await running(page);
    assert.deepEqual(await values(page, 2), { "orders-0@0": "before", "orders-0@1": "after" });
  });

  test(`a program may wait for the other tab, or be told at once${so}`, async (t) => {
    const { page, open } = await openProgram(t, where);
    await page.evaluate(async () => {
      const { createTopic } = await inPage();
      window.broker = await Broker.open("shop");
      await createTopic(new Kafka({ brokers: [window.broker] }), "orders", 3);
    });
    const other = await open();
    const refused = await other.evaluate(async () =>
      (await inPage()).rejection(Broker.open("shop", { wait: false })),
    );
    assert.equal(refused.failure, "inUse");
    assert.match(refused.help, /close the other tab/i);

    await other.evaluate(() => {
      window.heard = [];
      window.opening = Broker.open("shop", { onStatus: ({ state }) => window.heard.push(state) });
    });
    await other.waitForFunction(() => window.heard.includes("waiting"));
    await page.close();
    const ends = await other.evaluate(async () => {
      const broker = await window.opening;
      return (await inPage()).ends(new Kafka({ brokers: [broker] }), "orders");
    });
    assert.deepEqual(ends, { "orders-0": 0, "orders-1": 0, "orders-2": 0 });
    assert.equal(await other.evaluate(() => window.heard.at(-1)), "running");
  });
}

test("without Web Locks tabs wait in line, and who hears of another host stops at once", async (t) => {
  const { browser, page, open } = await openPlayground(t, { elsewhere: true });
  browser.expectErrors();
  const { secure, locks } = await page.evaluate(() => ({
    secure: isSecureContext,
    locks: "locks" in navigator,
  }));
  assert.deepEqual({ secure, locks }, { secure: false, locks: false });
  await page.evaluate(async () => (await inPage()).createTopic(window.partita, "orders", 1));
  assert.deepEqual(await send(page, "one"), ["orders-0@0"]);
  const second = await open();
  await waiting(second);
  const third = await open();
  await waiting(third);

  // As a tab says it that has asked in vain for long: here, because this one was only busy.
  await third.evaluate(() => new BroadcastChannel("partita:playground").postMessage("taken"));
  await page.getByRole("alert").filter({ hasText: "taken the broker over" }).waitFor();
  await waiting(page);
  await running(second);
  await waiting(third);
  assert.deepEqual(await values(second, 1), { "orders-0@0": "one" });
  await second.close();
  await running(third);
  await waiting(page);
});
