/** What people see and hear on the page beyond its state: motion, words, ways out, traffic. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serve, startBrowser } from "./harness.mjs";
import { eventually, running } from "./pages.mjs";
import { Playground } from "./playground.mjs";

/** Opens a page with the topic `orders` and one producer of single records. */
async function open(t, { partitions = 1, ...options } = {}) {
  const { url } = await serve(t);
  const browser = await startBrowser(t, options);
  const page = await browser.open(url);
  await running(page);
  const play = new Playground(page);
  await play.createTopic("orders", partitions);
  return { page, play, p1: await play.addProducer() };
}

/** Notes what flies from now on: `seen` is a list of ways and places, `most` how many at once. */
const watchFlights = (page) =>
  page.evaluate(() => {
    const flights = document.querySelector(".flights");
    window.flights = { seen: [], most: 0 };
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const { dataset } of addedNodes) window.flights.seen.push(`${dataset.flight} ${dataset.of}`);
      }
      window.flights.most = Math.max(window.flights.most, flights.childElementCount);
    }).observe(flights, { childList: true });
  });

const flights = (page) => page.evaluate(() => window.flights);

/** Which member has each partition's line: `{ "orders-0": "c1" }`. */
const lines = (page) =>
  page.locator("svg.wires [data-wire]:not(.going)").evaluateAll((all) =>
    Object.fromEntries(all.map(({ dataset }) => [dataset.wire, dataset.owner]).sort()),
  );

test("an acknowledged record flies to its partition, a delivered one on to its consumer", async (t) => {
  const { page, play, p1 } = await open(t);
  const c1 = await play.addConsumer();
  await play.settled(c1, 1);
  await watchFlights(page);
  await play.send(p1, "one", "de");
  await play.received(c1, ["orders-0@0"]);
  assert.deepEqual((await flights(page)).seen, ["in orders-0@0", "out orders-0@0"]);
  await eventually(() => page.locator(".flights > *").count(), (count) => count === 0);

  // What is not acknowledged does not fly.
  await play.stop();
  const form = page.getByRole("form", { name: `Send one record from ${p1}` });
  await form.getByRole("button", { name: "Send one record" }).click();
  await page.locator(`[data-producer=${p1}]`).getByText("1 record waits").waitFor();
  assert.equal((await flights(page)).seen.length, 2);
  await play.start();
  await play.received(c1, ["orders-0@0", "orders-0@1"]);
  assert.deepEqual((await flights(page)).seen.slice(2), ["in orders-0@1", "out orders-0@1"]);
});

test("there are never more than twelve in the air", async (t) => {
  const { page, p1 } = await open(t, { partitions: 2 });
  await watchFlights(page);
  const card = page.locator(`[data-producer=${p1}]`);
  await card.getByRole("button", { name: "Steadily" }).click();
  await card.getByRole("slider").fill("3.3");
  // So many records a second are shown as rows, and then none flies.
  await page.locator(".rowof[data-partition=orders-0]").waitFor();
  await eventually(() => page.locator(".flights > *").count(), (count) => count === 0);
  const { seen, most } = await flights(page);
  assert.ok(seen.length > 0 && most <= 12, `${seen.length} flew, ${most} at once`);
});

test("a rebalance moves the lines of ownership", async (t) => {
  const { page, play } = await open(t, { partitions: 2 });
  const c1 = await play.addConsumer();
  await play.settled(c1, 2);
  await eventually(() => lines(page), (now) => now["orders-0"] === c1 && now["orders-1"] === c1);
  await page.evaluate(() => {
    window.letGo = new Set();
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        if (target.classList.contains("going")) window.letGo.add(target.dataset.wire);
      }
    }).observe(document.querySelector("svg.wires"), { subtree: true, attributeFilter: ["class"] });
  });
  const c2 = await play.addMember("billing");
  await play.settled(c2, 1);
  const owners = await eventually(() => lines(page), (now) => Object.values(now).includes(c2));
  assert.deepEqual(Object.values(owners).sort(), [c1, c2]);
  const moved = Object.keys(owners).find((partition) => owners[partition] === c2);
  assert.ok(await page.evaluate((moved) => window.letGo.has(moved), moved));
  await eventually(() => page.locator("svg.wires .going").count(), (count) => count === 0);
});

test("who wants less motion sees all at its end at once", async (t) => {
  const { page, play, p1 } = await open(t, { reducedMotion: "reduce" });
  const c1 = await play.addConsumer();
  await play.settled(c1, 1);
  await watchFlights(page);
  await play.send(p1, "one");
  await play.received(c1, ["orders-0@0"]);
  assert.deepEqual((await flights(page)).seen, []);
  const moving = await page.evaluate(
    () => document.getAnimations().filter(({ effect }) => effect.getComputedTiming().duration > 0).length,
  );
  assert.equal(moving, 0);
});

test("Kafka's terms explain themselves on hover and on focus", async (t) => {
  const { page, play } = await open(t);
  await play.settled(await play.addConsumer(), 1);
  const tip = page.getByRole("tooltip");
  const generation = page.locator("[data-group-id=billing] [data-term=generation]");
  assert.equal(await tip.isVisible(), false);
  await generation.hover();
  assert.match(await tip.textContent(), /goes up by one whenever the group assigns/);
  await page.mouse.move(0, 0);
  await tip.waitFor({ state: "hidden" });

  await generation.focus();
  await tip.waitFor();
  await page.keyboard.press("Escape");
  await tip.waitFor({ state: "hidden" });

  // Each has its line, which assistive tools read too.
  const silent = await page.locator("[data-term]").evaluateAll((all) =>
    all
      .map((it) => [it.dataset.term, it.getAttribute("tabindex") === null || it.getAttribute("aria-describedby")])
      .filter(([term, described]) => !document.getElementById(`term-${term}`)?.textContent || !described),
  );
  assert.deepEqual(silent, []);
});

test("a group's state is said aloud", async (t) => {
  const { page, play } = await open(t);
  const c1 = await play.addConsumer();
  const c2 = await play.addMember("billing");
  await play.settled(c1, 1);
  await eventually(() => play.memberState(c2), ({ state }) => state === "waiting");
  const said = page.locator("[data-group-id=billing]").getByRole("status");
  await said.filter({ hasText: /stable in generation \d+\. c1 owns orders-0\. c2 waits\./ }).waitFor();
});

test("a member that waits says why, and offers ways out", async (t) => {
  const { page, play } = await open(t);
  const c1 = await play.addConsumer();
  await play.settled(c1, 1);
  const c2 = await play.addMember("billing");
  await play.member(c2).getByText("orders has 1 partition").waitFor();
  await play.member(c2).getByRole("button", { name: "Add a second partition" }).click();
  await play.settled(c2, 1);
  const c3 = await play.addMember("billing");
  await play.member(c3).getByRole("button", { name: "Let c1 leave" }).click();
  await play.member(c1).waitFor({ state: "detached" });
  await play.settled(c3, 1);
});

test("a consumer reads several topics, or all that match a pattern", async (t) => {
  const { page, play } = await open(t);
  await play.createTopic("payments", 1);
  await page.getByRole("button", { name: "Add a consumer" }).click();
  const form = page.getByRole("form", { name: "Add a consumer" });
  await form.getByLabel("Group id").fill("both");
  await form.getByLabel("Topics").selectOption(["orders", "payments"]);
  await form.getByRole("button", { name: "Add consumer" }).click();
  assert.deepEqual(await play.settled("c1", 2), ["orders-0", "payments-0"]);

  await page.getByRole("button", { name: "Add a consumer" }).click();
  await form.getByLabel("Group id").fill("some");
  await form.getByLabel("or a pattern").fill("pay(");
  await form.getByRole("button", { name: "Add consumer" }).click();
  await form.getByRole("alert").filter({ hasText: "no regular expression" }).waitFor();
  await form.getByLabel("or a pattern").fill("pay.*");
  await form.getByRole("button", { name: "Add consumer" }).click();
  assert.deepEqual(await play.settled("c2", 1), ["payments-0"]);
  await play.createTopic("payouts", 1);
  assert.deepEqual(await play.settled("c2", 2), ["payments-0", "payouts-0"]);
});

test("a member's list has its newest 500 records, of which a few are seen", async (t) => {
  const { page, play } = await open(t);
  const c1 = await play.addConsumer();
  await play.settled(c1, 1);
  await page.getByRole("slider", { name: `Processing time of ${c1}, seconds` }).fill("0");
  const send = (count) =>
    page.evaluate(async (count) => {
      const producer = window.partita.producer();
      await producer.connect();
      const messages = Array.from({ length: count }, (_, at) => ({ value: String(at) }));
      await producer.send({ topic: "orders", messages });
      await producer.disconnect();
    }, count);
  const places = (from, to) => Array.from({ length: to - from }, (_, at) => `orders-0@${from + at}`);
  for (const [more, from, to] of [[500, 0, 500], [30, 30, 530]]) {
    await send(more);
    await eventually(() => play.records(c1), (records) => records.at(-1) === `orders-0@${to - 1}`);
    assert.deepEqual(await play.records(c1), places(from, to));
  }
  const seen = await play
    .member(c1)
    .locator("[data-record]")
    .evaluateAll((all) => all.filter((it) => !it.closest(".sr")).map((it) => it.dataset.record));
  assert.deepEqual(seen, places(523, 530));
});

test("a consumer reads on from a time", async (t) => {
  const { page, play, p1 } = await open(t);
  const c1 = await play.addConsumer({ byHand: true });
  await play.settled(c1, 1);
  await play.send(p1, "before");
  // A field for a time knows whole seconds.
  const from = Math.ceil(Date.now() / 1000 + 1) * 1000;
  await eventually(() => Date.now(), (now) => now > from);
  await play.send(p1, "after");
  await play.received(c1, ["orders-0@0", "orders-0@1"]);
  await play.member(c1).getByRole("button", { name: `Seek ${c1}` }).click();
  const form = page.getByRole("form", { name: `Seek ${c1}` });
  await form.locator("input[name=to][value=time]").check();
  const local = await page.evaluate((from) => {
    const zone = new Date(from).getTimezoneOffset() * 60_000;
    return new Date(from - zone).toISOString().slice(0, 19);
  }, from);
  await form.getByRole("textbox", { name: "Time" }).fill(local);
  await form.getByRole("button", { name: "Seek" }).click();
  await eventually(() => play.records(c1), (records) => records.length === 3);
  assert.deepEqual(await play.records(c1), ["orders-0@0", "orders-0@1", "orders-0@1"]);
});

test("traffic folds what comes all the time, and stands still while it is read", async (t) => {
  const { page, play } = await open(t);
  await play.settled(await play.addConsumer(), 1);
  const apis = async () => new Set(await page.locator(".traffic .api").allTextContents());
  await eventually(apis, (seen) => seen.has("SyncGroup v5"));
  assert.ok(![...(await apis())].some((api) => api.startsWith("Heartbeat")));
  await page.getByRole("button", { name: "All requests" }).click();
  await eventually(apis, (seen) => [...seen].some((api) => api.startsWith("Heartbeat")));
  await page.getByRole("button", { name: "All requests" }).click();

  const rows = () => page.locator(".traffic tbody").textContent();
  await page.getByRole("tabpanel").hover();
  const before = await rows();
  // By its key, for the pointer stays where it is.
  await page.keyboard.press("n");
  await page.getByText("new: they wait while you look").waitFor();
  assert.equal(await rows(), before);
  await page.mouse.move(0, 0);
  await eventually(rows, (now) => now.includes("writes 1 record to orders-0"));
});

test("every control has a name, and the keyboard reaches it", async (t) => {
  const { page, play } = await open(t, { partitions: 2 });
  await play.settled(await play.addConsumer(), 2);
  await page.getByRole("button", { name: "Add a consumer" }).click();
  await page.getByRole("button", { name: "Seek c1" }).click();
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const controls = ["button", "textbox", "combobox", "slider", "radio", "spinbutton", "tab", "listbox", "image"];
  const nameless = nodes.filter(
    ({ ignored, role, name }) => !ignored && controls.includes(role?.value) && !name?.value,
  );
  assert.deepEqual(nameless, []);

  const controlsOf = () =>
    [...document.querySelectorAll("button:not([data-cell]), select, input")].filter(
      (it) => !it.disabled && it.checkVisibility({ visibilityProperty: true }),
    );
  await page.evaluate(`window.reached = new Set(); window.controlsOf = ${controlsOf}`);
  const count = await page.evaluate(() => {
    document.addEventListener("focusin", ({ target }) => window.reached.add(target));
    document.activeElement.blur();
    return controlsOf().length;
  });
  for (let press = 0; press < 2 * count + 40; press++) await page.keyboard.press("Tab");
  const missed = await page.evaluate(() =>
    controlsOf()
      // Of a group of radio buttons the keyboard reaches one; arrows lead to the others.
      .filter((it) => !window.reached.has(it) && it.type !== "radio")
      .map((it) => it.outerHTML),
  );
  assert.deepEqual(missed, []);
});

test("records are coloured by what the group one turns to has read", async (t) => {
  const { page, play, p1 } = await open(t);
  await play.settled(await play.addConsumer(), 1);
  await play.settled(await play.addConsumer({ group: "shipping", byHand: true }), 1);
  await play.send(p1, "one");
  await play.committedIs("billing", "orders-0", 1);
  const record = (words) => page.getByRole("button", { name: `orders-0 offset 0, ${words}` });
  await record("acknowledged").waitFor();
  await play.received("c2", ["orders-0@0"]);
  await page.locator("[data-group-id=shipping] h3").click();
  await record("not read yet").waitFor();
  await page.getByText("acknowledged by shipping").waitFor();
});

test("on a small screen nothing flies, and the drawer comes when it is asked for", async (t) => {
  const { page, play, p1 } = await open(t, { viewport: { width: 360, height: 740 } });
  await play.send(p1, "one");
  assert.equal(await page.locator(".flights > *").count(), 0);
  assert.equal(await page.getByRole("tabpanel").isVisible(), false);
  await page.getByRole("tab", { name: "Traffic" }).click();
  await page.getByText("writes 1 record to orders-0").waitFor();
  await page.getByRole("tab", { name: "Traffic" }).click();
  await page.getByRole("tabpanel").waitFor({ state: "hidden" });
});

test("the bar of a record in work grows as time goes, however often the page is drawn", async (t) => {
  const { page, play, p1 } = await open(t);
  const c1 = await play.addConsumer();
  await play.settled(c1, 1);
  await page.getByRole("slider", { name: "Speed", exact: true }).fill("-1");
  await play.send(p1, "one");
  const bar = play.member(c1).locator(".grow");
  await bar.waitFor();
  const sample = () =>
    bar.evaluate((bar) => {
      const { progress, duration } = bar.getAnimations()[0].effect.getComputedTiming();
      return { at: document.timeline.currentTime, done: progress * duration };
    });
  const before = await sample();
  for (const value of ["two", "three", "four"]) await play.send(p1, value);
  const after = await sample();
  const off = after.done - before.done - (after.at - before.at);
  assert.ok(after.at > before.at && Math.abs(off) < 1, `${off} ms off`);
});
