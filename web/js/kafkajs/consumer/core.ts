/**
 * A consumer's life: connecting, running, stopping, and what follows a crash. The group, positions,
 * fetching and commits are in the wasm; the handlers' loop is `run.ts`.
 */
import { Client } from "../client.js";
import { KafkaJSError, KafkaJSNumberOfRetriesExceeded } from "../errors.js";
import type { ConsumerClient, ConsumerEvent, Outcome, Way } from "../glue.js";
import type { PartitionMetadata } from "../producer-types.js";
import type { RetryOptions, Session } from "../session.js";
import { ConsumerAssigners } from "./assigners.js";
import { events } from "./events.js";
import { Run } from "./run.js";
import type { RunHost } from "./run.js";
import { asError, fromWire } from "../wire.js";
import type { ConsumerConfig, ConsumerRunConfig } from "./types.js";

/** KafkaJS's default wait before a restart, in milliseconds. */
const RESTART_AFTER = 300;

/** Whether an error, or the first cause of all behind it, may pass. */
function mayPass(error: Error): boolean {
  if (error instanceof KafkaJSNumberOfRetriesExceeded) return true;
  let first = error;
  while (first.cause instanceof Error) first = first.cause;
  return (first as Partial<KafkaJSError>).retriable === true;
}

export class ConsumerCore extends Client<ConsumerEvent | Outcome, ConsumerClient> {
  /** The topics subscribed to, each with whether it is read from its beginning. */
  readonly topics = new Map<string, boolean>();
  #session: Session;
  #config: ConsumerConfig;
  #retry: RetryOptions;
  #assigners: ConsumerAssigners;
  #run: Run | undefined;
  /** How often `stop` was called. */
  #ends = 0;
  #restart: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, config: ConsumerConfig, assigners: ConsumerConfig["partitionAssigners"]) {
    super(session, "consumer", events);
    this.#session = session;
    this.#config = config;
    this.#retry = session.retry(config.retry);
    this.#assigners = new ConsumerAssigners(assigners ?? [], {
      groupId: config.groupId,
      logger: this.emitter.logger,
      cluster: { findTopicPartitionMetadata: (topic) => this.#partitions(topic) },
    });
  }

  protected create(way: Way, cluster: Record<string, unknown>, ready: () => void): ConsumerClient {
    const { partitionAssigners, rackId, retry: _, ...config } = this.#config;
    const { metadataMaxAge, allowAutoTopicCreation, maxInFlightRequests, ...own } = config;
    const assigners = this.#assigners.options;
    const { restartOnFailure, ...retry } = this.#retry;
    const shared = { metadataMaxAge, allowAutoTopicCreation, maxInFlightRequests, retry };
    const options = { cluster: { ...cluster, ...shared }, ...own, assigners };
    return new this.#session.instance.glue.ConsumerClient(way, options, ready);
  }

  /** The run there is, from `run` to the end of `stop`. */
  get current(): Run | undefined {
    return this.#run;
  }

  async connect(): Promise<void> {
    if (await this.reach()) this.emitter.emit(events.CONNECT);
  }

  async disconnect(): Promise<void> {
    await this.close(this.stop());
    this.emitter.emit(events.DISCONNECT);
  }

  /** Subscribes to topics beside those before; their start counts from now on. */
  async subscribe(wanted: (string | RegExp)[], fromBeginning: boolean): Promise<void> {
    await this.open();
    const patterns = wanted.filter((one) => one instanceof RegExp);
    const all =
      patterns.length > 0 ? await this.operation<string[]>((wasm) => wasm.topics()) : [];
    const topics = wanted.flatMap((one) =>
      typeof one === "string" ? [one] : all.filter((topic) => one.test(topic)),
    );
    for (const topic of topics) this.topics.set(topic, fromBeginning);
    const list = topics.map((topic) => ({ topic, fromBeginning }));
    if (list.length > 0) await this.operation((wasm) => wasm.subscribe(list));
  }

  /** Begins to consume, unless that is so already; resolves when the group is joined. */
  async run(config: ConsumerRunConfig): Promise<void> {
    const { logger } = this.emitter;
    const { groupId } = this.#config;
    if (this.#run) {
      logger.warn("consumer#run was called, but the consumer is already running", { groupId });
      return;
    }
    clearTimeout(this.#restart);
    await this.#start(new Run(this.#host, config));
  }

  #start(run: Run): Promise<void> {
    this.#run = run;
    this.emitter.logger.info("Starting", { groupId: this.#config.groupId });
    run.started = this.#join(run).catch((error: Error) => this.#host.crash(run, error));
    return run.started;
  }

  /** Connects and joins; less of it if the run is stopped meanwhile. */
  async #join(run: Run): Promise<void> {
    const reached = await this.reach();
    if (!run.running) return;
    if (!reached) throw new KafkaJSError("The consumer is disconnected");
    this.emitter.emit(events.CONNECT);
    // Listeners may have stopped it.
    if (!run.running) return;
    const topics = [...this.topics].map(([topic, fromBeginning]) => ({ topic, fromBeginning }));
    // A topic that is not there does not keep from those that are.
    if (topics.length > 0) this.call((wasm) => wasm.subscribe(topics));
    const joined = this.operation<void>((wasm) => wasm.start(run.commits));
    run.begun = true;
    for (const act of run.early) this.call(act);
    await joined;
  }

  /** Ends consuming, once; resolves when the handlers are done and the group is left. */
  stop(): Promise<void> {
    this.#ends += 1;
    clearTimeout(this.#restart);
    const run = this.#run;
    if (run) return (run.stopped ??= this.#stop(run));
    this.emitter.logger.info("Stopped", { groupId: this.#config.groupId });
    return Promise.resolve();
  }

  async #stop(run: Run): Promise<void> {
    run.running = false;
    if (run.begun && this.wasm) await this.operation((wasm) => wasm.stop());
    run.end();
    this.#run = undefined;
    this.emitter.emit(events.STOP);
    this.emitter.logger.info("Stopped", { groupId: this.#config.groupId });
  }

  /** Does something with the run: as soon as the wasm knows of it, if that is not so yet. */
  withRun(run: Run, act: (wasm: ConsumerClient) => void): void {
    if (run.begun) this.call(act);
    else if (run.running) run.early.push(act);
  }

  /** The assigned partitions that are paused: pairs of a topic and its partitions. */
  paused(): [topic: string, partitions: number[]][] {
    return this.#run?.begun ? this.call((wasm) => wasm.paused()) : [];
  }

  async commit(run: Run, offsets: object[]): Promise<void> {
    await run.started;
    if (!run.running || offsets.length === 0) return;
    try {
      await this.operation((wasm) => wasm.commit(offsets));
    } catch (error) {
      if (run.running) throw error;
    }
  }

  /** Asked by the user's assigners, which may know nothing of types. */
  #partitions(topic: string): PartitionMetadata[] {
    return this.wasm && typeof topic === "string" ? this.call((wasm) => wasm.partitions(topic)) : [];
  }

  /** What a run needs of this consumer. */
  #host: RunHost = {
    emitter: this.emitter,
    call: (act) => this.call(act),
    operate: async (begin) => {
      const op = this.call(begin);
      if (op !== undefined) await this.operation(() => op);
    },
    crash: (run, error) => (run.crashed ??= this.#crash(run, error)),
  };

  /** Disconnects, tells, and starts again after a while if that may help. */
  async #crash(run: Run, error: Error): Promise<void> {
    if (run !== this.#run || !run.running) return;
    const { emitter } = this;
    const { groupId } = this.#config;
    const { retryCount, retryTime } = error as Partial<KafkaJSNumberOfRetriesExceeded>;
    const { stack } = error;
    emitter.logger.error(`Crash: ${error.name}: ${error.message}`, { groupId, retryCount, stack });
    const disconnected = this.disconnect();
    // From here on, who stops it ends it for good, be it while this disconnects.
    const ends = this.#ends;
    try {
      await disconnected;
    } catch (failure) {
      // A trap, which was told as a crash of its own.
      return emitter.logger.error(`Caught error when disconnecting: ${String(failure)}`, { groupId });
    }
    const wanted = mayPass(error) && (await this.#mayRestart(error));
    const restart = wanted && ends === this.#ends;
    // Somebody may have started it meanwhile; listeners still may end it.
    if (restart && !this.#run) {
      const wait = retryTime || this.#retry.initialRetryTime || RESTART_AFTER;
      emitter.logger.error(`Restarting the consumer in ${wait}ms`, { retryCount, groupId });
      this.#restart = setTimeout(() => void this.#start(run.again()), wait);
    }
    emitter.emit(events.CRASH, { error, groupId, restart });
  }

  async #mayRestart(error: Error): Promise<boolean> {
    const { restartOnFailure } = this.#config.retry ?? this.#retry;
    if (!restartOnFailure) return true;
    try {
      return await restartOnFailure(error);
    } catch (failure) {
      const message =
        'Caught error when invoking user-provided "restartOnFailure" callback. Defaulting to restarting.';
      const { groupId } = this.#config;
      this.emitter.logger.error(message, { error: String(failure), cause: error.message, groupId });
      return true;
    }
  }

  protected override heard(event: ConsumerEvent | Outcome): void {
    // Operations that nobody waits for.
    if ("op" in event) return;
    const { emitter } = this;
    const { logger } = emitter;
    const { groupId } = this.#config;
    switch (event.type) {
      case "joined": {
        const { type, assignment, ...join } = event;
        const payload = { ...join, groupId, memberAssignment: Object.fromEntries(assignment) };
        emitter.emit(events.GROUP_JOIN, payload);
        logger.info("Consumer has joined the group", payload);
        return;
      }
      case "rebalancing": {
        const { memberId, reason } = event;
        emitter.emit(events.REBALANCING, { groupId, memberId });
        logger.warn(`${reason}, re-joining`, { groupId, memberId });
        return;
      }
      case "unsubscribedTopics": {
        const { type, ...topics } = event;
        const payload = { ...topics, groupId };
        emitter.emit(events.RECEIVED_UNSUBSCRIBED_TOPICS, payload);
        logger.warn("Consumer group received unsubscribed topics", payload);
        return;
      }
      case "protocolsNeeded":
        return this.#sayProtocols(event.names, event.topics);
      case "assignmentNeeded":
        return void this.#assign(event);
      case "heartbeat": {
        const { memberId, generation: groupGenerationId } = event;
        emitter.emit(events.HEARTBEAT, { groupId, memberId, groupGenerationId });
        return;
      }
      case "committed": {
        const { memberId, generation: groupGenerationId, topics, error } = event;
        const payload = { groupId, memberId, groupGenerationId, topics };
        if (!error) emitter.emit(events.COMMIT_OFFSETS, payload);
        else logger.debug(`Offsets were not committed: ${error.message}`, payload);
        return;
      }
      case "outOfRange": {
        const { topic, partition } = event;
        const message = "Offset out of range, resetting to default offset";
        logger.error(message, { topic, partition, groupId });
        return;
      }
      case "fetchStart":
        emitter.emit(events.FETCH_START, { nodeId: event.nodeId });
        return;
      case "fetched": {
        const { type, ...payload } = event;
        emitter.emit(events.FETCH, payload);
        return;
      }
      case "crashed":
        if (this.#run) void this.#host.crash(this.#run, fromWire(event.error));
    }
  }

  /** The user's assigners are called apart from the wasm; what they throw is the end of the run. */
  #sayProtocols(names: string[], topics: string[]): void {
    const run = this.#run;
    try {
      const metadata = this.#assigners.protocols(names, topics);
      this.call((wasm) => wasm.protocols(names, metadata));
    } catch (error) {
      if (run) void this.#host.crash(run, asError(error));
    }
  }

  async #assign({
    generation,
    protocol,
    members,
    topics,
  }: ConsumerEvent & { type: "assignmentNeeded" }): Promise<void> {
    const run = this.#run;
    try {
      const shares = await this.#assigners.assign(protocol, members, topics);
      if (!run?.begun) return;
      this.call((wasm) => wasm.assignment(generation, shares.members, shares.assignments));
    } catch (error) {
      if (run) void this.#host.crash(run, asError(error));
    }
  }

  protected override drained(): void {
    this.#run?.heard();
  }

  protected override closed(error?: KafkaJSError): void {
    const run = this.#run;
    if (!error || !run) return;
    // The wasm has trapped, and this run with it: nothing of it may be called.
    run.end();
    this.#run = undefined;
    const { groupId } = this.#config;
    this.emitter.emit(events.CRASH, { error, groupId, restart: false });
  }
}
