/** KafkaJS's consumer: what `kafka.consumer()` returns. */
import { createAdmin } from "../admin.js";
import type { GroupDescription } from "../admin-types.js";
import { PartitionAssigners } from "../assigners.js";
import { KafkaJSNonRetriableError } from "../errors.js";
import type { ConsumerClient } from "../glue.js";
import type { Session } from "../session.js";
import { checkCommit, checkPartitions, checkSeek, checkSubscription, refuse } from "./arguments.js";
import { ConsumerCore } from "./core.js";
import { events } from "./events.js";
import type { Run } from "./run.js";
import type { Consumer, ConsumerConfig } from "./types.js";

/** KafkaJS's defaults, in milliseconds. */
const HEARTBEAT_INTERVAL = 3000;
const SESSION_TIMEOUT = 30_000;

/** What `kafka.consumer()` returns. */
export function createConsumer(session: Session, config?: ConsumerConfig): Consumer {
  if (!config?.groupId || typeof config.groupId !== "string") {
    refuse("Consumer groupId must be a non-empty string.");
  }
  const { partitionAssigners = [PartitionAssigners.roundRobin], groupId } = config;
  const { heartbeatInterval = HEARTBEAT_INTERVAL, sessionTimeout = SESSION_TIMEOUT } = config;
  const core = new ConsumerCore(session, config, partitionAssigners);
  if (heartbeatInterval >= sessionTimeout) {
    refuse(
      `Consumer heartbeatInterval (${heartbeatInterval}) must be lower than sessionTimeout (${sessionTimeout}). ` +
        "It is recommended to set heartbeatInterval to approximately a third of the sessionTimeout.",
    );
  }

  const current = (): Run => {
    if (core.current) return core.current;
    throw new KafkaJSNonRetriableError(
      "Consumer group was not initialized, consumer#run must be called first",
    );
  };

  const pauseOrResume =
    (what: "pause" | "resume"): Consumer["pause"] =>
    (topics = []) => {
      const checked = checkPartitions(topics, what);
      const run = current();
      core.emitter.logger.info(`${what} fetching from ${topics.length} topics`, { groupId, topics });
      const act = (wasm: ConsumerClient): void => {
        for (const [topic, partitions] of checked) wasm[what](topic, partitions);
      };
      core.withRun(run, act);
    };

  return {
    connect: () => core.connect(),
    disconnect: () => core.disconnect(),
    stop: () => core.stop(),
    run: (config = {}) => core.run(config),

    subscribe: async (subscription) => {
      if (core.current) refuse("Cannot subscribe to topic while consumer is running");
      const topics = checkSubscription(subscription);
      await core.subscribe(topics, subscription.fromBeginning ?? false);
    },

    commitOffsets: async (topicPartitions = []) => {
      const offsets = topicPartitions.map(checkCommit);
      await core.commit(current(), offsets);
    },

    seek: (to) => {
      const { topic, partition, offset } = checkSeek(to);
      core.withRun(current(), (wasm) => wasm.seek(topic, partition, offset));
    },

    describeGroup: async () => {
      const admin = createAdmin(session);
      try {
        const { groups } = await admin.describeGroups([groupId]);
        return groups[0] as GroupDescription;
      } finally {
        await admin.disconnect();
      }
    },

    pause: pauseOrResume("pause"),
    resume: pauseOrResume("resume"),
    paused: () => core.paused().map(([topic, partitions]) => ({ topic, partitions })),
    on: core.emitter.on as Consumer["on"],
    events,
    logger: () => core.emitter.logger,
  };
}
