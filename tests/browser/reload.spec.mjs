/**
 * The page's own clients over a reload and over a change of tabs: they begin anew beside what they
 * were, and what a tab remembers of them is what the one with the broker saved last.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openPlayground, running, state } from "./pages.mjs";
import { Playground } from "./playground.mjs";

/** Notes, from the first moment on, what the page says of members that have vanished. */
function watch() {
  const seen = { former: {}, why: [], words: [] };
  window.seen = seen;
  new MutationObserver(() => {
    for (const { dataset, textContent } of document.querySelectorAll("[data-state=former]")) {
      seen.former[dataset.former] = { id: dataset.member, text: textContent };
    }
    for (const { textContent } of document.querySelectorAll(".why p")) seen.why.push(textContent);
    for (const { textContent } of document.querySelectorAll(".member .st")) {
      if (!seen.words.includes(textContent)) seen.words.push(textContent);
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });
}

const seen = (page) => page.evaluate(() => window.seen);

const members = (page) =>
  page.locator("[data-member]").evaluateAll((all) => all.map((it) => it.dataset.member).sort());

const memberId = (play, name) => play.member(name).getAttribute("data-member-id");

test("after a reload former members are shown as what they are, until their sessions have run out", async (t) => {
  const { page } = await openPlayground(t);
  const play = new Playground(page);
  await play.createTopic("orders", 2);
  const c1 = await play.addConsumer();
  const c2 = await play.addMember("billing");
  for (const name of [c1, c2]) await play.settled(name, 1);
  const ids = [await memberId(play, c1), await memberId(play, c2)];

  await page.addInitScript(watch);
  await page.reload();
  await running(page);
  await eventually(() => members(page), (names) => names.length === 2 && names.join() === `${c1},${c2}`);
  for (const name of [c1, c2]) await play.settled(name, 1);

  const { former, why, words } = await seen(page);
  assert.deepEqual([former.c1?.id, former.c2?.id], ids);
  for (const { text } of Object.values(former)) {
    assert.match(text, /before the reload/);
    assert.match(text, /sent no LeaveGroup, so it stays a member for \d s more, until session\.timeout\.ms ends/);
  }
  const waits = /It waits for the former sessions of c[12] and c[12] to run out, as Kafka does for members that vanished: \d s more\./;
  assert.ok(why.some((text) => waits.test(text)), why.join("\n"));
  assert.ok(!words.includes("from elsewhere"), words.join("\n"));
});

test("a crashed consumer that starts again stands beside what it was", async (t) => {
  const { page } = await openPlayground(t);
  const play = new Playground(page);
  await play.createTopic("orders", 1);
  const c1 = await play.addConsumer();
  await play.settled(c1, 1);
  const before = await memberId(play, c1);
  await page.evaluate(watch);
  await play.act(c1, "Crash");
  await page.getByRole("button", { name: "Start c1 again" }).click();
  await play.settled(c1, 1);
  await eventually(() => members(page), (names) => names.length === 1);
  const { former, why } = await seen(page);
  assert.equal(former.c1?.id, before);
  assert.match(former.c1.text, /before it crashed/);
  assert.ok(why.some((text) => /c1’s former session to run out/.test(text)), why.join("\n"));
});

/** The clients that this origin remembers: `{ producers: ["p1"], consumers: ["c1 billing"] }`. */
const remembered = (page) =>
  page.evaluate(() => {
    const { producers, consumers } = JSON.parse(localStorage.getItem("partita.playground"));
    return {
      producers: producers.map(({ number }) => `p${number}`),
      consumers: consumers.map(({ number, group }) => `c${number} ${group}`),
    };
  });

test("a tab that waits for another one's broker leaves its clients alone, and goes on with them", async (t) => {
  const { page, open } = await openPlayground(t);
  const host = new Playground(page);
  await host.createTopic("orders", 2);
  const p1 = await host.addProducer();
  await host.settled(await host.addConsumer(), 2);
  await host.sendSteadily(p1);

  const tab = await open();
  const other = new Playground(tab);
  await state(tab, "waiting");
  const group = tab.locator("[data-group-id=billing]");
  await group.getByText("Its coordinator is the broker, and that runs in another tab.").waitFor();
  assert.equal(await tab.getByText("No coordinator").count(), 0);

  // Both tabs have p1; only that with the broker sends.
  const { highWatermark } = await host.partition("orders-0");
  await eventually(() => host.partition("orders-0"), (now) => now.highWatermark >= highWatermark + 3);
  assert.equal(await tab.locator(`[data-producer=${p1}]`).getByText(/records? waits?/).count(), 0);

  await other.addMember("billing");
  assert.deepEqual(await remembered(page), { producers: ["p1"], consumers: ["c1 billing"] });
  await host.addProducer();
  await host.settled(await host.addConsumer({ group: "audit" }), 2);
  const saved = { producers: ["p1", "p2"], consumers: ["c1 billing", "c2 audit"] };
  assert.deepEqual(await remembered(page), saved);
  const id = await memberId(host, "c1");

  await tab.evaluate(watch);
  await page.close();
  await running(tab);
  // What was added in the tab that waited is there too; its number was taken meanwhile.
  await eventually(() => members(tab), (names) => names.join() === "c1,c2,c3");
  await other.settled("c1", 1);
  await other.settled("c2", 2);
  await other.settled("c3", 1);
  const after = { producers: saved.producers, consumers: [...saved.consumers, "c3 billing"] };
  assert.deepEqual(await remembered(tab), after);
  assert.equal(await tab.locator("[data-producer]").count(), 2);
  const { former } = await seen(tab);
  assert.equal(former.c1?.id, id);
  assert.match(former.c1.text, /in the other tab/);

  await tab.reload();
  await running(tab);
  await eventually(() => members(tab), (names) => names.join() === "c1,c2,c3");
});
