/**
 * Both workflows through `window.partita`, in KafkaJS's words: one test for each statement, which
 * names it.
 *
 * Each test has an origin of its own, so an empty broker; the browser is shared. The functions run
 * in the page.
 */
import { test } from "node:test";
import { serve, startBrowser } from "./harness.mjs";
import { inPageScript, running, state } from "./pages.mjs";

const statement = (words, partitions, act) => [words, partitions, act];

/** Runs a function in the page, with everything of in-page.mjs. */
const run = (page, act, ...rest) =>
  page.evaluate(
    async ([text, rest]) => {
      const t = await inPage();
      return (0, eval)(`(${text})`)(window.partita, t, ...rest);
    },
    [String(act), rest],
  );

const PUBLISH_SUBSCRIBE = [
  statement("producers publish to a topic", 1, (page) =>
    run(page, async (kafka, { ends, same, send, values }) => {
      same(await send(kafka, "orders", [{ value: "first" }]), ["orders-0@0"]);
      same(await send(kafka, "orders", [{ value: "second" }]), ["orders-0@1"]);
      same(await ends(kafka, "orders"), { "orders-0": 2 });
      same(await values(kafka, "orders", 2), { "orders-0@0": "first", "orders-0@1": "second" });
    }),
  ),

  statement("keyless messages are shared equally between the partitions: two messages, two partitions, one each", 2, (page) =>
    run(page, async (kafka, { ends, same, send }) => {
      same(await send(kafka, "orders", [{ value: "one" }, { value: "two" }]), ["orders-0@0", "orders-1@0"]);
      // One by one as well, and for more of them.
      const producer = kafka.producer();
      await producer.connect();
      for (let n = 0; n < 10; n++) await producer.send({ topic: "orders", messages: [{ value: `${n}` }] });
      await producer.disconnect();
      same(await ends(kafka, "orders"), { "orders-0": 6, "orders-1": 6 });
    }),
  ),

  statement("a consumer subscribes, is given its current offset, and that offset is saved", 1, (page) =>
    run(page, async (kafka, { committed, committedIs, member, owns, received, same, send }) => {
      const asks = { byHand: true, commitInitialOffset: true };
      await send(kafka, "orders", [{ value: "before" }]);
      const one = await member(kafka, { ...asks, fromBeginning: false });
      same(await owns(one, 1), ["orders-0"]);
      // The end of the log is what it is given, and that is saved before it has read anything.
      await committedIs(kafka, "billing", "orders-0", 1);
      same(one.places, []);
      // It reads from there on, and moves nothing that it does not acknowledge.
      await send(kafka, "orders", [{ value: "after" }]);
      await received(one, ["orders-0@1"]);
      same(await committed(kafka, "billing", "orders"), { "orders-0": 1 });
      await one.consumer.disconnect();
      // The saved offset is what the next one is given, and stays where it is.
      const two = await member(kafka, { ...asks, fromBeginning: false });
      await received(two, ["orders-0@1"]);
      same(await committed(kafka, "billing", "orders"), { "orders-0": 1 });
      // Each group has an offset of its own.
      const audit = await member(kafka, { ...asks, groupId: "audit" });
      await committedIs(kafka, "audit", "orders-0", 0);
      await received(audit, ["orders-0@0", "orders-0@1"]);
      same(await committed(kafka, "audit", "orders"), { "orders-0": 0 });
    }),
  ),

  statement("it polls at intervals, receives, processes, acknowledges", 1, (page) =>
    run(page, async (kafka, { committedIs, listen, member, received, send }) => {
      const one = await member(kafka);
      const polls = listen(one.consumer, "FETCH");
      await polls.count(3);
      for (let offset = 0; offset < 3; offset++) {
        await send(kafka, "orders", [{ value: `message ${offset}` }]);
        await committedIs(kafka, "billing", "orders-0", offset + 1);
      }
      await received(one, ["orders-0@0", "orders-0@1", "orders-0@2"]);
    }),
  ),

  statement("the saved offset moves only on the acknowledgement", 1, (page) =>
    run(page, async (kafka, { committed, committedIs, member, received, same, send }) => {
      const one = await member(kafka, { byHand: true });
      await send(kafka, "orders", [{ value: "a" }, { value: "b" }]);
      await received(one, ["orders-0@0", "orders-0@1"]);
      same(await committed(kafka, "billing", "orders"), { "orders-0": -1 });
      await one.acknowledge();
      await committedIs(kafka, "billing", "orders-0", 2);
      await send(kafka, "orders", [{ value: "c" }]);
      await received(one, ["orders-0@0", "orders-0@1", "orders-0@2"]);
      same(await committed(kafka, "billing", "orders"), { "orders-0": 2 });
    }),
  ),

  statement("so it reads the right next message even after a broker outage", 1, async (page) => {
    await run(page, async (kafka, { member, received, send }) => {
      window.one = await member(kafka, { byHand: true });
      await send(kafka, "orders", [{ value: "acknowledged" }]);
      await received(window.one, ["orders-0@0"]);
      await window.one.acknowledge();
      await send(kafka, "orders", [{ value: "read, not acknowledged" }]);
      await received(window.one, ["orders-0@0", "orders-0@1"]);
      await window.one.consumer.stop();
    });
    await page.getByRole("button", { name: "Stop the broker" }).click();
    await state(page, "stopped");
    await page.locator("[data-broker]").getByRole("button", { name: "Start the broker" }).click();
    await running(page);
    await run(page, async (kafka, { committedIs, member, received, send }) => {
      await committedIs(kafka, "billing", "orders-0", 1);
      await window.one.consumer.disconnect();
      const two = await member(kafka);
      await received(two, ["orders-0@1"]);
      await send(kafka, "orders", [{ value: "next" }]);
      await received(two, ["orders-0@1", "orders-0@2"]);
    });
  }),

  statement("a consumer that lives through the outage reads on with the next message", 1, async (page) => {
    await run(page, async (kafka, { committedIs, member, send }) => {
      window.one = await member(kafka);
      await send(kafka, "orders", [{ value: "before" }]);
      await committedIs(kafka, "billing", "orders-0", 1);
    });
    await page.getByRole("button", { name: "Stop the broker" }).click();
    await state(page, "stopped");
    await page.locator("[data-broker]").getByRole("button", { name: "Start the broker" }).click();
    await running(page);
    await run(page, async (kafka, { committedIs, received, send }) => {
      await send(kafka, "orders", [{ value: "after" }]);
      await committedIs(kafka, "billing", "orders-0", 2);
      await received(window.one, ["orders-0@0", "orders-0@1"]);
    });
  }),

  statement("it can rewind or skip to any offset at any time", 1, (page) =>
    run(page, async (kafka, { committed, member, received, same, send }) => {
      const one = await member(kafka, { byHand: true });
      await send(kafka, "orders", ["a", "b", "c", "d"].map((value) => ({ value })));
      const first = ["orders-0@0", "orders-0@1", "orders-0@2", "orders-0@3"];
      await received(one, first);
      one.consumer.seek({ topic: "orders", partition: 0, offset: "2" });
      const second = [...first, "orders-0@2", "orders-0@3"];
      await received(one, second);
      one.consumer.seek({ topic: "orders", partition: 0, offset: "-2" });
      const third = [...second, ...first];
      await received(one, third);
      same(await committed(kafka, "billing", "orders"), { "orders-0": -1 });
      one.consumer.pause([{ topic: "orders" }]);
      await send(kafka, "orders", [{ value: "skipped" }]);
      one.consumer.seek({ topic: "orders", partition: 0, offset: "5" });
      one.consumer.resume([{ topic: "orders" }]);
      same(await send(kafka, "orders", [{ value: "read" }]), ["orders-0@5"]);
      await received(one, [...third, "orders-0@5"]);
    }),
  ),
];

const CONSUMER_GROUP = [
  statement("a second consumer with the same group id switches the group to sharing", 2, (page) =>
    run(page, async (kafka, { member, owns, same }) => {
      const one = await member(kafka);
      same(await owns(one, 2), ["orders-0", "orders-1"]);
      const two = await member(kafka);
      await owns(one, 1);
      await owns(two, 1);
      same([...one.assigned, ...two.assigned].sort(), ["orders-0", "orders-1"]);
    }),
  ),

  statement("each message goes to one member, and is not removed once consumed", 2, (page) =>
    run(page, async (kafka, { committedIs, ends, member, owns, received, same, send }) => {
      const one = await member(kafka);
      const two = await member(kafka);
      const [[first], [second]] = [await owns(one, 1), await owns(two, 1)];
      for (let n = 0; n < 3; n++) await send(kafka, "orders", [{ value: "x" }, { value: "y" }]);
      const of = (partition) => [0, 1, 2].map((offset) => `${partition}@${offset}`);
      await received(one, of(first));
      await received(two, of(second));
      await committedIs(kafka, "billing", first, 3);
      await committedIs(kafka, "billing", second, 3);
      same(await ends(kafka, "orders"), { "orders-0": 3, "orders-1": 3 });
      const audit = await member(kafka, { groupId: "audit" });
      await received(audit, [...of(first), ...of(second)]);
    }),
  ),

  statement("this goes on until there are as many members as partitions; a further member waits without messages until one leaves", 3, (page) =>
    run(page, async (kafka, { committedIs, eventually, member, owns, same, send }) => {
      const members = [await member(kafka)];
      await owns(members[0], 3);
      const shares = { 2: [1, 2], 3: [1, 1, 1], 4: [0, 1, 1, 1] };
      for (const count of [2, 3, 4]) {
        members.push(await member(kafka));
        await eventually(
          () => JSON.stringify(members.map(({ assigned }) => assigned?.length ?? -1).sort()),
          (sizes) => sizes === JSON.stringify(shares[count]),
        );
      }
      const waits = members.find(({ assigned }) => assigned.length === 0);
      const work = members.filter((it) => it !== waits);
      const partitions = ["orders-0", "orders-1", "orders-2"];
      same(work.flatMap(({ assigned }) => assigned).sort(), partitions);
      const sendToAll = () =>
        send(kafka, "orders", [0, 1, 2].map((partition) => ({ partition, value: "x" })));
      await sendToAll();
      for (const partition of partitions) await committedIs(kafka, "billing", partition, 1);
      same(waits.places, []);

      await work[0].consumer.disconnect();
      await owns(waits, 1);
      await sendToAll();
      for (const partition of partitions) await committedIs(kafka, "billing", partition, 2);
      same(waits.places.length, 1);
    }),
  ),

  statement("a crashed member's partitions go to the others when its session ends", 2, (page) =>
    run(page, async (kafka, { committedIs, member, mortal, owns, received, same, send }) => {
      const one = await member(kafka);
      const doomed = mortal(kafka);
      const two = await member(doomed.kafka, { byHand: true });
      const [[kept], [lost]] = [await owns(one, 1), await owns(two, 1)];
      await send(kafka, "orders", [{ value: "first" }, { value: "second" }]);
      await received(one, [`${kept}@0`]);
      await received(two, [`${lost}@0`]);
      doomed.die();
      same(await owns(one, 2), ["orders-0", "orders-1"]);
      // What it had read and not acknowledged is the other's now, and so is what comes.
      await send(kafka, "orders", [{ value: "third" }, { value: "fourth" }]);
      await received(one, [kept, lost].flatMap((place) => [`${place}@0`, `${place}@1`]));
      for (const place of [kept, lost]) await committedIs(kafka, "billing", place, 2);
      same(two.places, [`${lost}@0`]);
    }),
  ),
];

for (const [workflow, statements] of Object.entries({
  "Publish-subscribe": PUBLISH_SUBSCRIBE,
  "Consumer group": CONSUMER_GROUP,
})) {
  test(`${workflow}, through window.partita`, async (t) => {
    const browser = await startBrowser(t);
    // KafkaJS's logger tells the console of connections that an outage has closed.
    browser.expectErrors(/"logger":"kafkajs"/);
    for (const [words, partitions, act] of statements) {
      await t.test(words, async (t) => {
        const { url } = await serve(t);
        const page = await browser.context.newPage();
        t.after(() => page.close());
        await page.addInitScript(inPageScript);
        await page.goto(url);
        await running(page);
        await run(page, (kafka, { createTopic }, partitions) => createTopic(kafka, "orders", partitions), partitions);
        await act(page);
      });
    }
  });
}
