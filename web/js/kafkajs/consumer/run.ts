/**
 * From `run` to `stop`: batches are taken while there are free hands, and given to the user's
 * handler.
 *
 * What was handled, what is to be committed and what comes again is known to the wasm; here are the
 * loop, what handlers are given, and what becomes of what they throw.
 */
import {
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
} from "../errors.js";
import type { Emitter } from "../events.js";
import { asError } from "../wire.js";
import type { ConsumerClient, WireBatch } from "../glue.js";
import type { Offsets } from "../types.js";
import { Batch, BatchHead, messagesOf } from "./batch.js";
import { events } from "./events.js";
import { Breath } from "./breath.js";
import type { ConsumerRunConfig } from "./types.js";

/** What a run needs of its consumer. */
export interface RunHost {
  readonly emitter: Emitter;
  /** Calls the wasm. */
  call<T>(act: (wasm: ConsumerClient) => T): T;
  /** Begins an operation of the wasm, if there is anything to do, and waits for its end. */
  operate(begin: (wasm: ConsumerClient) => number | undefined): Promise<void>;
  /** Something has failed that the run cannot go on after. */
  crash(run: Run, error: Error): Promise<void>;
}

/** The reasons to join a group again: they are no failures. */
const REBALANCING = new Set([
  "REBALANCE_IN_PROGRESS",
  "NOT_COORDINATOR_FOR_GROUP",
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
]);

/** Whether an error, or what is behind it, says that the group rebalances. */
function isRebalancing(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return REBALANCING.has(type ?? "") || (cause instanceof Error && isRebalancing(cause));
}

/** Mistakes in the handler itself: repeating does not help. */
const UNRECOVERABLE = new Set(["RangeError", "ReferenceError", "SyntaxError", "TypeError"]);

const isRetriable = (error: Error): boolean =>
  (error as Partial<KafkaJSError>).retriable !== false && !UNRECOVERABLE.has(error.name);

const rebalancing = (): KafkaJSProtocolError =>
  new KafkaJSProtocolError({
    message: "The group is rebalancing, so a rejoin is needed",
    type: "REBALANCE_IN_PROGRESS",
    code: 27,
    retriable: false,
  });

export class Run {
  /** Whether new batches are taken: from the beginning until `stop`. */
  running = true;
  /** Whether the wasm knows of this run: from joining until everything is given back. */
  begun = false;
  /** The end of what `run` waits for. */
  started: Promise<void> = Promise.resolve();
  /** The end of `stop`. */
  stopped: Promise<void> | undefined;
  /** The end of what follows a crash. */
  crashed: Promise<void> | undefined;
  /** Seeks and pauses from before the wasm knew of this run. */
  readonly early: ((wasm: ConsumerClient) => void)[] = [];
  #host: RunHost;
  #config: ConsumerRunConfig;
  #inHand = 0;
  #most: number;
  /** Whether commits may be due in the middle of a batch. */
  #watchesCommits: boolean;
  #breath = new Breath();
  /** Those who wait for the wasm to have anything new. */
  #awaitNews: (() => void)[] = [];

  constructor(host: RunHost, config: ConsumerRunConfig) {
    this.#host = host;
    this.#config = config;
    this.#most = Math.max(1, config.partitionsConsumedConcurrently ?? 1);
    const { autoCommit = true, autoCommitInterval, autoCommitThreshold } = config;
    this.#watchesCommits = autoCommit && (autoCommitInterval ?? autoCommitThreshold ?? null) !== null;
  }

  /** A run like this one, from the start. */
  again(): Run {
    return new Run(this.#host, this.#config);
  }

  /** What the wasm is told of commits. */
  get commits(): object {
    const { autoCommit = true, autoCommitInterval, autoCommitThreshold } = this.#config;
    return {
      autoCommit,
      autoCommitInterval: autoCommitInterval ?? undefined,
      autoCommitThreshold: autoCommitThreshold ?? undefined,
    };
  }

  /** The wasm knows nothing of this run any more. */
  end(): void {
    this.running = false;
    this.begun = false;
    this.heard();
  }

  /** There may be something new in the wasm. */
  heard(): void {
    for (const resolve of this.#awaitNews.splice(0)) resolve();
    this.#pump();
  }

  /** Takes as many batches as there are free hands. */
  #pump(): void {
    const { eachMessage, eachBatch } = this.#config;
    // Without a handler nothing may count as handled.
    if (!eachMessage && !eachBatch) return;
    try {
      while (this.running && this.begun && this.#inHand < this.#most) {
        const wire = this.#host.call((wasm) => wasm.poll());
        if (!wire) return;
        this.#inHand += 1;
        void this.#handle(wire).finally(() => {
          this.#inHand -= 1;
          this.#pump();
        });
      }
    } catch (error) {
      void this.#host.crash(this, asError(error));
    }
  }

  async #handle(wire: WireBatch): Promise<void> {
    const { eachMessage, eachBatch, autoCommit = true } = this.#config;
    try {
      const batch = eachMessage ? new BatchHead(wire) : new Batch(wire);
      const payload = {
        topic: batch.topic,
        partition: batch.partition,
        highWatermark: batch.highWatermark,
        offsetLag: batch.offsetLag(),
        offsetLagLow: batch.offsetLagLow(),
        batchSize: wire.count,
        firstOffset: batch.firstOffset(),
        lastOffset: batch.lastOffset(),
      };
      const began = Date.now();
      this.#host.emitter.emit(events.START_BATCH_PROCESS, payload);
      try {
        if (eachMessage) await this.#eachMessage(wire, eachMessage);
        else if (eachBatch) await this.#eachBatch(wire, batch as Batch, eachBatch);
      } catch (thrown) {
        return await this.#failed(wire, asError(thrown));
      }
      const duration = Date.now() - began;
      this.#host.emitter.emit(events.END_BATCH_PROCESS, { ...payload, duration });
      if (autoCommit) await this.#commit(wire);
      this.#inWasm((wasm) => wasm.release(wire.id));
    } catch (error) {
      // A commit that failed for good, or the wasm has trapped.
      this.#inWasm((wasm) => wasm.release(wire.id));
      if (this.running && !isRebalancing(error)) void this.#host.crash(this, asError(error));
    }
  }

  async #eachMessage(
    wire: WireBatch,
    handler: NonNullable<ConsumerRunConfig["eachMessage"]>,
  ): Promise<void> {
    const { topic, partition, id } = wire;
    const heartbeat = (): Promise<void> => this.#heartbeat(wire);
    const pause = (): (() => void) => this.#pause(wire);
    let left = wire.count;
    for (const message of messagesOf(wire)) {
      await handler({ topic, partition, message, heartbeat, pause });
      left -= 1;
      // What follows the last one in the log is no business of the handler's.
      const next = left === 0 ? wire.nextOffset : Number(message.offset) + 1;
      if (!this.#inWasm((wasm) => wasm.processed(id, next))) return;
      if (this.#watchesCommits) await this.#host.operate((wasm) => wasm.commit_if_due());
      if (this.#breath.isShort()) {
        await this.#breathe();
        if (!this.#inWasm((wasm) => wasm.may_go_on(id))) return;
      }
    }
  }

  async #eachBatch(
    wire: WireBatch,
    batch: Batch,
    handler: NonNullable<ConsumerRunConfig["eachBatch"]>,
  ): Promise<void> {
    const { id, nextOffset } = wire;
    const last = batch.messages.at(-1)?.offset;
    const processed = (next: number): void => {
      this.#inWasm((wasm) => wasm.processed(id, next));
    };
    await handler({
      batch,
      resolveOffset: (offset) => {
        // What follows the last one in the log is no business of the handler's.
        processed(String(offset) === last ? nextOffset : Number(offset) + 1);
      },
      heartbeat: () => this.#heartbeat(wire),
      pause: () => this.#pause(wire),
      commitOffsetsIfNecessary: (offsets) => this.#commitIfNecessary(offsets),
      uncommittedOffsets: () => ({
        topics: this.#inWasm((wasm) => wasm.uncommitted()) ?? [],
      }),
      isRunning: () => this.running,
      isStale: () => this.#inWasm((wasm) => wasm.is_stale(id)) ?? true,
    });
    if (this.#config.eachBatchAutoResolve ?? true) processed(nextOffset);
  }

  /** The handler has thrown: what it did not do comes again, unless that is of no use. */
  async #failed(wire: WireBatch, error: Error): Promise<void> {
    const { eachMessage, autoCommit = true } = this.#config;
    const { id, topic, partition } = wire;
    if (!(error instanceof KafkaJSError)) {
      const handler = eachMessage ? "eachMessage" : "eachBatch";
      const { message, stack } = error;
      const { logger } = this.#host.emitter;
      logger.error(`Error when calling ${handler}`, { topic, partition, error: message, stack });
    }
    if (autoCommit) await this.#commit(wire);
    if (!this.running || isRebalancing(error)) {
      this.#inWasm((wasm) => wasm.release(id));
      return;
    }
    if (!isRetriable(error)) {
      this.#inWasm((wasm) => wasm.release(id));
      const cause = error.cause instanceof Error ? error.cause : error;
      const reason = error as Error & { [field: string]: unknown };
      void this.#host.crash(this, new KafkaJSNonRetriableError(reason, { cause }));
      return;
    }
    try {
      this.#inWasm((wasm) => wasm.failed(id, String(error.message)));
    } catch (exceeded) {
      if (!(exceeded instanceof KafkaJSNumberOfRetriesExceeded)) throw exceeded;
      void this.#host.crash(this, new KafkaJSNumberOfRetriesExceeded(error, exceeded));
    }
  }

  /** Commits what is handled. When the batch is being given up, the wasm does so by itself. */
  async #commit({ id }: WireBatch): Promise<void> {
    if (!this.running || this.#inWasm((wasm) => wasm.is_going(id)) !== false) return;
    await this.#host.operate((wasm) => wasm.commit_processed());
  }

  async #commitIfNecessary(offsets: Offsets | undefined): Promise<void> {
    if (!this.running) return;
    if (!offsets) return this.#host.operate((wasm) => wasm.commit_if_due());
    const list = offsets.topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({
        topic,
        partition: Number(partition),
        offset: String(offset),
      })),
    );
    if (list.length > 0) await this.#host.operate((wasm) => wasm.commit(list));
  }

  /** Heartbeats need no help; this lets handlers learn in time that the partition is not theirs. */
  async #heartbeat({ id }: WireBatch): Promise<void> {
    if (this.#breath.isShort()) await this.#breathe();
    if (this.running && this.#inWasm((wasm) => wasm.is_going(id))) throw rebalancing();
  }

  /** Lets others have a turn; after a long standstill, until it is known what was lost in it. */
  async #breathe(): Promise<void> {
    await this.#breath.take();
    while (this.running && this.#inWasm((wasm) => wasm.may_have_lost())) {
      await new Promise<void>((resolve) => this.#awaitNews.push(resolve));
    }
  }

  #pause({ topic, partition }: WireBatch): () => void {
    const partitions = Int32Array.of(partition);
    this.#inWasm((wasm) => wasm.pause(topic, partitions));
    return () => void this.#inWasm((wasm) => wasm.resume(topic, partitions));
  }

  /** Calls the wasm as long as it knows of this run; a handler may outlive that. */
  #inWasm<T>(act: (wasm: ConsumerClient) => T): T | undefined {
    return this.begun ? this.#host.call(act) : undefined;
  }
}
