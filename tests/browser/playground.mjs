/**
 * The playground as a person uses it: controls by their names, state by the attributes that
 * DESIGN.md fixes.
 */
import { eventually, running, state } from "./pages.mjs";

export class Playground {
  constructor(page) {
    this.page = page;
  }

  #button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  #form(name) {
    return this.page.getByRole("form", { name, exact: true });
  }

  /** Creates a topic, and waits until all its partitions are seen. */
  async createTopic(name, partitions) {
    const form = this.#form("Create a topic");
    if (!(await form.isVisible())) await this.#button("Create a topic").click();
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Partitions").fill(String(partitions));
    await form.getByRole("button", { name: "Create topic" }).click();
    for (let number = 0; number < partitions; number++) {
      await this.page.locator(`[data-partition="${name}-${number}"]`).waitFor();
    }
  }

  /** Adds a producer for one record at a time; returns its name. */
  async addProducer() {
    const producers = this.page.locator("[data-producer]");
    const name = `p${(await producers.count()) + 1}`;
    await this.#button("Add a producer").click();
    await this.page.locator(`[data-producer="${name}"]`).waitFor();
    return name;
  }

  /** Sends one record; resolves to its place, such as `orders-0@3`, when it is acknowledged. */
  async send(producer, value, key = "") {
    const form = this.#form(`Send one record from ${producer}`);
    const place = () =>
      this.page
        .locator(`[data-producer="${producer}"] [data-last]`)
        .evaluateAll(([last]) => last?.dataset.last);
    const before = await place();
    await form.getByLabel("Key").fill(key);
    await form.getByLabel("Value").fill(value);
    await form.getByRole("button", { name: "Send one record" }).click();
    return eventually(place, (place) => place !== undefined && place !== before);
  }

  /** Has a producer send at its rate, until it is told otherwise. */
  async sendSteadily(producer) {
    const ways = this.page.getByRole("group", { name: `How ${producer} sends`, exact: true });
    await ways.getByRole("button", { name: "Steadily" }).click();
  }

  /** Adds a consumer with the form; `byHand`: a person acknowledges. Returns its name. */
  async addConsumer({ group = "billing", topic = "orders", byHand = false, latest = false } = {}) {
    const name = await this.#nextMember();
    const form = this.#form("Add a consumer");
    if (!(await form.isVisible())) await this.#button("Add a consumer").click();
    await form.getByLabel("Group id").fill(group);
    await form.getByLabel("Topic").selectOption(topic);
    await form.getByLabel("Acknowledges").selectOption(byHand ? "hand" : "self");
    await form.getByLabel("Starts at").selectOption(latest ? "latest" : "earliest");
    await form.getByRole("button", { name: "Add consumer" }).click();
    await this.member(name).waitFor();
    return name;
  }

  /** Adds another member to a group, with the settings of those it has. */
  async addMember(group) {
    const name = await this.#nextMember();
    await this.#button(`Add a member to ${group}`).click();
    await this.member(name).waitFor();
    return name;
  }

  async #nextMember() {
    const names = await this.page
      .locator("[data-member]")
      .evaluateAll((all) => all.map((it) => Number(/^c(\d+)$/.exec(it.dataset.member)?.[1] ?? 0)));
    return `c${Math.max(0, ...names) + 1}`;
  }

  member(name) {
    return this.page.locator(`[data-member="${name}"]`);
  }

  /** What a member of the page is doing: `{ state, assigned }`. */
  async memberState(name) {
    // Read at one moment, as all that belongs together: the page goes on between two questions.
    const { state, assigned } = await this.member(name).evaluate(({ dataset }) => ({ ...dataset }));
    return { state, assigned: assigned.split(",").filter(Boolean).sort() };
  }

  /** Waits until a member has as many partitions as that, and does not join any more. */
  async settled(name, count) {
    const wanted = ({ state, assigned }) =>
      assigned.length === count && !["starting", "joining", "revoking", "retrying"].includes(state);
    return (await eventually(() => this.memberState(name), wanted)).assigned;
  }

  /** The records that a member was given, in order: `["orders-0@0", …]`. */
  records(name) {
    return this.member(name)
      .locator("[data-record]")
      .evaluateAll((all) => all.map((it) => it.dataset.record));
  }

  /** Waits until a member was given exactly these, in whatever order. */
  async received(name, places) {
    const wanted = JSON.stringify([...places].sort());
    return eventually(
      async () => JSON.stringify([...(await this.records(name))].sort()),
      (records) => records === wanted,
    );
  }

  /** The saved offset of a group in a partition; undefined if there is none. */
  async committed(group, partition) {
    const flags = this.page.locator(`[data-committed="${group}/${partition}"]`);
    const offset = await flags.evaluateAll(([flag]) => flag?.dataset.offset);
    return offset === undefined ? undefined : Number(offset);
  }

  committedIs(group, partition, wanted) {
    return eventually(() => this.committed(group, partition), (offset) => offset === wanted);
  }

  /** `{ start, highWatermark, logEnd }` of a partition. */
  async partition(name) {
    return this.page.locator(`[data-partition="${name}"]`).evaluate(({ dataset }) => ({
      start: Number(dataset.logStartOffset),
      highWatermark: Number(dataset.highWatermark),
      logEnd: Number(dataset.logEndOffset),
    }));
  }

  endIs(name, wanted) {
    return eventually(() => this.partition(name), ({ highWatermark }) => highWatermark === wanted);
  }

  /** Acknowledges what was read up to that record, by its button. */
  acknowledge(member, place) {
    return this.member(member).getByRole("button", { name: `Acknowledge ${place}` }).click();
  }

  /** Has a member read on from elsewhere: `beginning`, `end` or an offset. */
  async seek(member, partition, to) {
    await this.#more(member, `Seek ${member}`);
    await this.#button(`Seek ${member}`).click();
    const form = this.#form(`Seek ${member}`);
    await form.getByLabel("Partition").selectOption(partition);
    if (typeof to === "number") {
      await form.locator('input[name="to"][value="offset"]').check();
      await form.getByRole("spinbutton", { name: "Offset" }).fill(String(to));
    } else {
      await form.locator(`input[name="to"][value="${to}"]`).check();
    }
    await form.getByRole("button", { name: "Seek" }).click();
  }

  /** One of a member's actions: `Pause`, `Resume`, `Leave`, `Crash`. */
  async act(member, action) {
    await this.#more(member, `${action} ${member}`);
    await this.#button(`${action} ${member}`).click();
  }

  /** Opens a card that is shown as a row, if the control is not to be seen. */
  async #more(member, control) {
    if (!(await this.#button(control).isVisible())) {
      await this.#button(`More for member ${member}`).click();
    }
  }

  async stop() {
    await this.#button("Stop the broker").click();
    await state(this.page, "stopped");
  }

  async start() {
    await this.page.locator("[data-broker]").getByRole("button", { name: "Start the broker" }).click();
    await running(this.page);
  }

  /** Has the page's time run ten times as fast. */
  async tenfold() {
    await this.page.getByRole("slider", { name: "Speed", exact: true }).fill("1");
  }

  /** A group's state by Kafka's name, and its generation. */
  async group(name) {
    const group = this.page.locator(`[data-group-id="${name}"]`);
    return group.evaluate(({ dataset: { state, generation } }) => ({ state, generation: Number(generation) }));
  }
}
