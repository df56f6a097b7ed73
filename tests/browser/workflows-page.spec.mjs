/**
 * Both workflows through the page, by clicking: one test for each statement, which names it.
 *
 * Each test has an origin of its own, so an empty broker; the browser is shared.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serve, startBrowser } from "./harness.mjs";
import { eventually, running } from "./pages.mjs";
import { Playground } from "./playground.mjs";

/** A statement, how many partitions the topic `orders` has, and how it is seen to hold. */
const statement = (words, partitions, act) => [words, partitions, act];

const PUBLISH_SUBSCRIBE = [
  statement("producers publish to a topic", 1, async (play, p1) => {
    const p2 = await play.addProducer();
    assert.equal(await play.send(p1, "first"), "orders-0@0");
    assert.equal(await play.send(p2, "second"), "orders-0@1");
    assert.deepEqual(await play.endIs("orders-0", 2), { start: 0, highWatermark: 2, logEnd: 2 });
  }),

  statement("keyless messages are shared equally between the partitions: two messages, two partitions, one each", 2, async (play, p1) => {
    const places = [await play.send(p1, "one"), await play.send(p1, "two")];
    assert.deepEqual(places.sort(), ["orders-0@0", "orders-1@0"]);
    await play.endIs("orders-0", 1);
    await play.endIs("orders-1", 1);
  }),

  statement("a consumer subscribes, is given its current offset, and that offset is saved", 1, async (play, p1) => {
    await play.send(p1, "before");
    const c1 = await play.addConsumer({ byHand: true, latest: true });
    assert.deepEqual(await play.settled(c1, 1), ["orders-0"]);
    await play.committedIs("billing", "orders-0", 1);
    assert.deepEqual(await play.records(c1), []);
    // Another group has an offset of its own.
    await play.addConsumer({ group: "audit", byHand: true });
    await play.committedIs("audit", "orders-0", 0);
    assert.equal(await play.committed("billing", "orders-0"), 1);
  }),

  statement("it polls at intervals, receives, processes, acknowledges", 1, async (play, p1) => {
    const c1 = await play.addConsumer();
    await play.settled(c1, 1);
    for (let offset = 0; offset < 3; offset++) {
      await eventually(() => play.memberState(c1), ({ state }) => state === "polling");
      await play.send(p1, `message ${offset}`);
      await play.committedIs("billing", "orders-0", offset + 1);
    }
    assert.deepEqual(await play.records(c1), ["orders-0@0", "orders-0@1", "orders-0@2"]);
  }),

  statement("the saved offset moves only on the acknowledgement", 1, async (play, p1) => {
    const c1 = await play.addConsumer({ byHand: true });
    await play.settled(c1, 1);
    await play.committedIs("billing", "orders-0", 0);
    for (const value of ["a", "b", "c"]) await play.send(p1, value);
    await play.received(c1, ["orders-0@0", "orders-0@1", "orders-0@2"]);
    assert.equal(await play.committed("billing", "orders-0"), 0);
    await play.acknowledge(c1, "orders-0@2");
    await play.committedIs("billing", "orders-0", 3);
  }),

  statement("so it reads the right next message even after a broker outage", 1, async (play, p1) => {
    const c1 = await play.addConsumer({ byHand: true });
    await play.settled(c1, 1);
    await play.send(p1, "acknowledged");
    await play.received(c1, ["orders-0@0"]);
    await play.acknowledge(c1, "orders-0@0");
    await play.committedIs("billing", "orders-0", 1);
    await play.send(p1, "read, not acknowledged");
    await play.received(c1, ["orders-0@0", "orders-0@1"]);
    await play.act(c1, "Crash");
    await play.stop();
    await play.start();
    // The page is told of the group a moment after the broker runs: what it shows first is right.
    const saved = await eventually(() => play.committed("billing", "orders-0"), (it) => it !== undefined);
    assert.equal(saved, 1);
    await play.page.getByRole("button", { name: `Start ${c1} again` }).click();
    await play.settled(c1, 1);
    // The unacknowledged one comes again, the acknowledged one does not.
    await eventually(() => play.records(c1), (records) => records.length === 3);
    assert.deepEqual(await play.records(c1), ["orders-0@0", "orders-0@1", "orders-0@1"]);
  }),

  statement("a consumer that lives through the outage reads on with the next message", 1, async (play, p1) => {
    const c1 = await play.addConsumer();
    await play.settled(c1, 1);
    await play.send(p1, "before");
    await play.committedIs("billing", "orders-0", 1);
    await play.stop();
    await play.page.getByRole("alert").filter({ hasText: "Nothing is lost" }).waitFor();
    await play.start();
    await play.send(p1, "after");
    await play.committedIs("billing", "orders-0", 2);
    assert.deepEqual(await play.records(c1), ["orders-0@0", "orders-0@1"]);
  }),

  statement("it can rewind or skip to any offset at any time", 1, async (play, p1) => {
    const c1 = await play.addConsumer({ byHand: true });
    await play.settled(c1, 1);
    for (const value of ["a", "b", "c", "d"]) await play.send(p1, value);
    const first = ["orders-0@0", "orders-0@1", "orders-0@2", "orders-0@3"];
    await play.received(c1, first);
    await play.seek(c1, "orders-0", 2);
    const second = [...first, "orders-0@2", "orders-0@3"];
    await play.received(c1, second);
    await play.seek(c1, "orders-0", "beginning");
    const third = [...second, ...first];
    await play.received(c1, third);
    // The saved offset has not moved by that.
    assert.equal(await play.committed("billing", "orders-0"), 0);
    await play.act(c1, "Pause");
    await play.send(p1, "skipped");
    await play.seek(c1, "orders-0", "end");
    await play.act(c1, "Resume");
    assert.equal(await play.send(p1, "read"), "orders-0@5");
    await play.received(c1, [...third, "orders-0@5"]);
  }),
];

const CONSUMER_GROUP = [
  statement("a second consumer with the same group id switches the group to sharing", 2, async (play) => {
    const c1 = await play.addConsumer();
    assert.deepEqual(await play.settled(c1, 2), ["orders-0", "orders-1"]);
    const { generation } = await play.group("billing");
    const c2 = await play.addMember("billing");
    const shares = [await play.settled(c1, 1), await play.settled(c2, 1)];
    assert.deepEqual(shares.flat().sort(), ["orders-0", "orders-1"]);
    const after = await eventually(() => play.group("billing"), ({ state }) => state === "Stable");
    assert.ok(after.generation > generation);
  }),

  statement("each message goes to one member, and is not removed once consumed", 2, async (play, p1) => {
    const c1 = await play.addConsumer();
    const c2 = await play.addMember("billing");
    const [[one], [two]] = [await play.settled(c1, 1), await play.settled(c2, 1)];
    for (let n = 0; n < 6; n++) await play.send(p1, `message ${n}`);
    const of = (partition) => [0, 1, 2].map((offset) => `${partition}@${offset}`);
    await play.received(c1, of(one));
    await play.received(c2, of(two));
    for (const partition of [one, two]) {
      await play.committedIs("billing", partition, 3);
      assert.deepEqual(await play.partition(partition), { start: 0, highWatermark: 3, logEnd: 3 });
    }
    // Another group gets all of them.
    const c3 = await play.addConsumer({ group: "audit" });
    await play.received(c3, [...of(one), ...of(two)]);
  }),

  statement("this goes on until there are as many members as partitions; a further member waits without messages until one leaves", 3, async (play, p1) => {
    const members = [await play.addConsumer()];
    await play.settled(members[0], 3);
    const shares = { 2: [2, 1], 3: [1, 1, 1] };
    for (const count of [2, 3]) {
      members.push(await play.addMember("billing"));
      const sizes = await eventually(
        async () => (await Promise.all(members.map((name) => play.memberState(name)))).map(({ assigned }) => assigned.length).sort(),
        (sizes) => JSON.stringify(sizes) === JSON.stringify([...shares[count]].sort()),
      );
      assert.equal(sizes.length, count);
    }
    const waits = await play.addMember("billing");
    await eventually(() => play.memberState(waits), ({ state }) => state === "waiting");
    assert.deepEqual(await play.settled(waits, 0), []);
    for (const name of members) await play.settled(name, 1);
    await play.member(waits).getByText("waits: more members than partitions").waitFor();
    for (let n = 0; n < 3; n++) await play.send(p1, `message ${n}`);
    for (const partition of ["orders-0", "orders-1", "orders-2"]) {
      await play.committedIs("billing", partition, 1);
    }
    assert.deepEqual(await play.records(waits), []);

    const [freed] = await play.settled(members[1], 1);
    await play.act(members[1], "Leave");
    await play.member(members[1]).waitFor({ state: "detached" });
    await play.settled(waits, 1);
    for (let n = 3; n < 6; n++) await play.send(p1, `message ${n}`);
    for (const partition of ["orders-0", "orders-1", "orders-2"]) {
      await play.committedIs("billing", partition, 2);
    }
    assert.equal((await play.records(waits)).length, 1, `one of those who stay reads ${freed}`);
  }),

  statement("a crashed member's partitions go to the others when its session ends", 2, async (play, p1) => {
    await play.tenfold();
    const c1 = await play.addConsumer();
    const c2 = await play.addMember("billing");
    await play.settled(c1, 1);
    await play.settled(c2, 1);
    await play.act(c2, "Crash");
    await eventually(() => play.memberState(c2), ({ state }) => state === "crashed");
    await play.settled(c1, 2);
    await play.send(p1, "one");
    await play.send(p1, "two");
    await play.received(c1, ["orders-0@0", "orders-1@0"]);
  }),
];

for (const [workflow, statements] of Object.entries({
  "Publish-subscribe": PUBLISH_SUBSCRIBE,
  "Consumer group": CONSUMER_GROUP,
})) {
  test(`${workflow}, through the page`, async (t) => {
    const browser = await startBrowser(t);
    for (const [words, partitions, act] of statements) {
      await t.test(words, async (t) => {
        const { url } = await serve(t);
        const page = await browser.open(url);
        t.after(() => page.close());
        await running(page);
        const play = new Playground(page);
        await play.createTopic("orders", partitions);
        await act(play, await play.addProducer());
      });
    }
  });
}
