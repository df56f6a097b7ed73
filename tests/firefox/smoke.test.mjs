/**
 * Both products in Firefox: publish and subscribe, a group of two, offsets that stay over a reload
 * and a killed browser, a second tab that takes over.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PACKAGE, serve } from "../browser/harness.mjs";
import { PROGRAM } from "../browser/pages.mjs";
import { executable, startFirefox } from "./firefox.mjs";

const options = { skip: executable() ? false : "no Firefox is installed (or named in FIREFOX)" };

/** Whether the playground's broker serves. */
const running = () => document.querySelector("[data-broker=running]") !== null;

/** A group of two reads what is sent; resolves to who read what, and what is committed. */
const work = async (first) => {
  const { committed, committedIs, createTopic, member, owns, received, send } = await import(
    "/tests/browser/in-page.mjs"
  );
  const kafka = window.partita ?? window.kafka;
  if (first === 0) await createTopic(kafka, "orders", 2);
  const members = [await member(kafka), await member(kafka)];
  await Promise.all(members.map((it) => owns(it, 1)));
  await send(kafka, "orders", [{ value: "one" }, { value: "two" }]);
  for (const it of members) await received(it, [`${it.assigned[0]}@${first}`]);
  for (const place of ["orders-0", "orders-1"]) await committedIs(kafka, "billing", place, first + 1);
  await Promise.all(members.map(({ consumer }) => consumer.disconnect()));
  return committed(kafka, "billing", "orders");
};

const after = (offset) => ({ "orders-0": offset, "orders-1": offset });

test("the playground in Firefox", options, async (t) => {
  const { url } = await serve(t);
  const firefox = await startFirefox(t);
  let tab = await firefox.open(url);
  await tab.until(running);
  assert.deepEqual(await tab.evaluate(work, 0), after(1));
  const shown = await tab.until(() =>
    ["orders-0", "orders-1"].every(
      (name) =>
        document.querySelector(`[data-partition="${name}"]`)?.dataset.highWatermark === "1" &&
        document.querySelector(`[data-committed="billing/${name}"]`)?.dataset.offset === "1",
    ),
  );
  assert.ok(shown);
  await tab.reload();
  await tab.until(running);
  assert.deepEqual(await tab.evaluate(work, 1), after(2));

  await firefox.kill();
  await firefox.start();
  tab = await firefox.open(url);
  await tab.until(running);
  assert.deepEqual(await tab.evaluate(work, 2), after(3));
});

test("the package in Firefox, and a second tab that takes over", options, async (t) => {
  const { url } = await serve(t, { folder: PACKAGE, files: { "program.html": PROGRAM } });
  const firefox = await startFirefox(t);
  const open = async () => {
    const tab = await firefox.open(`${url}program.html`);
    await tab.until(() => window.loaded);
    return tab;
  };
  const first = await open();
  await first.evaluate(async () => {
    window.kafka = new Kafka({ brokers: [await Broker.open("firefox")], logLevel: 0 });
  });
  assert.deepEqual(await first.evaluate(work, 0), after(1));

  const second = await open();
  await second.evaluate(() => {
    window.states = [];
    const onStatus = ({ state }) => window.states.push(state);
    Broker.open("firefox", { onStatus }).then((broker) => {
      window.kafka = new Kafka({ brokers: [broker], logLevel: 0 });
    });
  });
  await second.until(() => window.states.includes("waiting"));
  await first.close();
  await second.until(() => window.kafka !== undefined);
  assert.deepEqual(await second.evaluate(work, 1), after(2));
});
