/** KafkaJS's admin client: the checks of its arguments; the operations themselves are in the wasm. */
import type * as types from "./admin-types.js";
import { toBuffer } from "./bytes.js";
import { Client } from "./client.js";
import { ConfigResourceTypes } from "./constants.js";
import { KafkaJSNonRetriableError, KafkaJSNotImplemented } from "./errors.js";
import type { DeleteGroupsResult } from "./errors.js";
import { networkEvents } from "./events.js";
import type { NetworkEvents, On } from "./events.js";
import type { AdminClient, Outcome, Way } from "./glue.js";
import type { Logger } from "./logger.js";
import { checkMillis } from "./session.js";
import type { Session } from "./session.js";

const events = {
  CONNECT: "admin.connect",
  DISCONNECT: "admin.disconnect",
  ...networkEvents("admin"),
} as const;

export type AdminEvents = typeof events;

/** KafkaJS's default of how long a broker may take, in milliseconds. */
const TIMEOUT = 5000;

class AdminCore extends Client<Outcome, AdminClient> {
  #session: Session;
  #config: types.AdminConfig;

  constructor(session: Session, config: types.AdminConfig) {
    super(session, "admin", events);
    this.#session = session;
    this.#config = config;
  }

  protected create(way: Way, cluster: Record<string, unknown>, ready: () => void): AdminClient {
    const options = { ...cluster, retry: this.#session.retry(this.#config.retry) };
    return new this.#session.instance.glue.AdminClient(way, options, ready);
  }

  async connect(): Promise<void> {
    if (await this.reach()) this.emitter.emit(events.CONNECT);
  }

  async disconnect(): Promise<void> {
    await this.close();
    this.emitter.emit(events.DISCONNECT);
  }

  /** Runs an operation; connects for it, if that was not done. */
  async run<T>(begin: (wasm: AdminClient) => number): Promise<T> {
    await this.open();
    return this.operation(begin);
  }
}

function refuse(message: string): never {
  throw new KafkaJSNonRetriableError(message);
}

/** Topics by name, each once. */
function checkTopics(topics: unknown, what: string): asserts topics is { topic: string }[] {
  if (!topics || !Array.isArray(topics)) refuse(`Invalid ${what} array ${topics}`);
  if (topics.some(({ topic }) => typeof topic !== "string")) {
    refuse(`Invalid ${what} array, the topic names have to be a valid string`);
  }
}

function checkConfigEntries({ topic, configEntries }: types.ITopicConfig): void {
  if (configEntries === undefined || configEntries === null) return;
  if (!Array.isArray(configEntries)) {
    refuse(`Invalid configEntries for topic "${topic}", must be an array`);
  }
  configEntries.forEach((entry, index) => {
    const about = `Invalid configEntries for topic "${topic}". Entry ${index}`;
    if (typeof entry !== "object" || entry === null) refuse(`${about} must be an object`);
    for (const property of ["name", "value"] as const) {
      if (!Object.hasOwn(entry, property) || typeof entry[property] !== "string") {
        refuse(`${about} must have a valid "${property}" property`);
      }
    }
  });
}

function checkResources(
  resources: unknown,
): asserts resources is { type: number; name: string; [field: string]: unknown }[] {
  if (!resources || !Array.isArray(resources)) refuse(`Invalid resources array ${resources}`);
  if (resources.length === 0) refuse("Resources array cannot be empty");
  const known = Object.values(ConfigResourceTypes) as unknown[];
  for (const resource of resources) {
    if (!known.includes(resource.type)) {
      refuse(`Invalid resource type ${resource.type}: ${JSON.stringify(resource)}`);
    }
  }
  for (const resource of resources) {
    if (!resource.name || typeof resource.name !== "string") {
      refuse(`Invalid resource name ${resource.name}: ${JSON.stringify(resource)}`);
    }
  }
}

/** The new configs of resources; `optional` values need not be there. */
function checkChanges(resources: unknown, optional: boolean): void {
  checkResources(resources);
  for (const resource of resources) {
    const { configEntries } = resource;
    if (!Array.isArray(configEntries)) {
      refuse(`Invalid resource configEntries ${configEntries}: ${JSON.stringify(resource)}`);
    }
    const wrong = ({ name, value }: { name: unknown; value: unknown }): boolean =>
      typeof name !== "string" ||
      (typeof value !== "string" && !(optional && (value === undefined || value === null)));
    if (configEntries.some(wrong)) {
      refuse(`Invalid resource config value: ${JSON.stringify(resource)}`);
    }
  }
}

function checkTopic(topic: unknown): void {
  if (!topic || typeof topic !== "string") refuse(`Invalid topic ${topic}`);
}

function checkGroup(groupId: unknown): void {
  if (!groupId || typeof groupId !== "string") refuse(`Invalid groupId ${groupId}`);
}

function checkGroupIds(groupIds: unknown): void {
  if (!groupIds || !Array.isArray(groupIds)) refuse(`Invalid groupIds array ${groupIds}`);
  if (groupIds.some((groupId) => typeof groupId !== "string")) {
    refuse(`Invalid groupId name: ${JSON.stringify(groupIds)}`);
  }
}

function checkPartitions(partitions: unknown): asserts partitions is unknown[] {
  if (!Array.isArray(partitions) || partitions.length === 0) refuse("Invalid partitions");
}

/** A number that may be written in digits, as KafkaJS takes it too. */
const numberOf = <T>(value: T): T =>
  typeof value === "string" && /^-?\d+$/.test(value) ? (Number(value) as T) : value;

/** Offsets cross as text, whatever the caller wrote them as. */
const offsetsOf = (partitions: types.SeekEntry[]): types.SeekEntry[] =>
  partitions.map((entry) => {
    if (typeof entry !== "object" || entry === null) refuse(`Invalid partition ${entry}`);
    return { partition: entry.partition, offset: String(entry.offset) };
  });

/** A method of KafkaJS's whose API the broker does not have. */
const unserved = (name: string) => async (): Promise<never> => {
  throw new KafkaJSNotImplemented(`admin.${name} is not supported yet`);
};

/** What `kafka.admin()` returns. */
export function createAdmin(session: Session, config: types.AdminConfig = {}) {
  const core = new AdminCore(session, config);

  return {
    connect: (): Promise<void> => core.connect(),
    disconnect: (): Promise<void> => core.disconnect(),
    listTopics: (): Promise<string[]> => core.run((wasm) => wasm.list_topics()),

    createTopics: async ({
      topics,
      validateOnly = false,
      timeout = TIMEOUT,
      waitForLeaders = true,
    }: {
      validateOnly?: boolean;
      waitForLeaders?: boolean;
      timeout?: number;
      topics: types.ITopicConfig[];
    }): Promise<boolean> => {
      checkTopics(topics, "topics");
      topics.forEach(checkConfigEntries);
      checkMillis("timeout", timeout);
      const wanted = topics.map((topic) => ({
        ...topic,
        numPartitions: numberOf(topic.numPartitions),
        replicationFactor: numberOf(topic.replicationFactor),
      }));
      return core.run((wasm) => wasm.create_topics(wanted, timeout, validateOnly, waitForLeaders));
    },

    deleteTopics: async ({
      topics,
      timeout = TIMEOUT,
    }: {
      topics: string[];
      timeout?: number;
    }): Promise<void> => {
      if (!topics || !Array.isArray(topics)) refuse(`Invalid topics array ${topics}`);
      if (topics.some((topic) => typeof topic !== "string")) {
        refuse("Invalid topics array, the names must be a valid string");
      }
      checkMillis("timeout", timeout);
      await core.run((wasm) => wasm.delete_topics(topics, timeout));
    },

    createPartitions: async ({
      topicPartitions,
      validateOnly = false,
      timeout = TIMEOUT,
    }: {
      validateOnly?: boolean;
      timeout?: number;
      topicPartitions: types.ITopicPartitionConfig[];
    }): Promise<boolean> => {
      checkTopics(topicPartitions, "topic partitions");
      checkMillis("timeout", timeout);
      const wanted = topicPartitions.map((topic) => ({ ...topic, count: numberOf(topic.count) }));
      return core.run((wasm) => wasm.create_partitions(wanted, timeout, validateOnly));
    },

    fetchTopicMetadata: async ({ topics = [] }: { topics?: string[] } = {}): Promise<{
      topics: types.ITopicMetadata[];
    }> => {
      topics?.forEach(checkTopic);
      return { topics: await core.run((wasm) => wasm.fetch_topic_metadata(topics ?? [])) };
    },

    describeCluster: (): Promise<{
      brokers: { nodeId: number; host: string; port: number }[];
      controller: number | null;
      clusterId: string;
    }> => core.run((wasm) => wasm.describe_cluster()),

    fetchTopicOffsets: async (
      topic: string,
    ): Promise<(types.SeekEntry & { high: string; low: string })[]> => {
      checkTopic(topic);
      return core.run((wasm) => wasm.fetch_topic_offsets(topic));
    },

    fetchTopicOffsetsByTimestamp: async (
      topic: string,
      timestamp?: number,
    ): Promise<types.SeekEntry[]> => {
      checkTopic(topic);
      const at = timestamp === undefined ? undefined : Number(timestamp);
      return core.run((wasm) => wasm.fetch_topic_offsets_by_timestamp(topic, at));
    },

    fetchOffsets: async ({
      groupId,
      topics = [],
      resolveOffsets = false,
    }: {
      groupId: string;
      topics?: string[];
      resolveOffsets?: boolean;
    }): Promise<{ topic: string; partitions: types.FetchOffsetsPartition[] }[]> => {
      checkGroup(groupId);
      const wanted = topics ?? [];
      if (!Array.isArray(wanted)) refuse("Expected topics array to be set");
      wanted.forEach(checkTopic);
      return core.run((wasm) => wasm.fetch_offsets(groupId, wanted, resolveOffsets));
    },

    setOffsets: async ({
      groupId,
      topic,
      partitions,
    }: {
      groupId: string;
      topic: string;
      partitions: types.SeekEntry[];
    }): Promise<void> => {
      checkGroup(groupId);
      checkTopic(topic);
      checkPartitions(partitions);
      await core.run((wasm) => wasm.set_offsets(groupId, topic, offsetsOf(partitions)));
    },

    resetOffsets: async ({
      groupId,
      topic,
      earliest = false,
    }: {
      groupId: string;
      topic: string;
      earliest?: boolean;
    }): Promise<void> => {
      checkGroup(groupId);
      checkTopic(topic);
      await core.run((wasm) => wasm.reset_offsets(groupId, topic, earliest));
    },

    /** Forgets what a group has committed for partitions that it does not read. Not in KafkaJS. */
    deleteOffsets: async ({
      groupId,
      topic,
      partitions,
    }: {
      groupId: string;
      topic: string;
      partitions: number[];
    }): Promise<void> => {
      checkGroup(groupId);
      checkTopic(topic);
      checkPartitions(partitions);
      await core.run((wasm) => wasm.delete_offsets(groupId, topic, Int32Array.from(partitions)));
    },

    describeConfigs: async ({
      resources,
      includeSynonyms = false,
    }: {
      resources: types.ResourceConfigQuery[];
      includeSynonyms?: boolean;
    }): Promise<types.DescribeConfigResponse> => {
      checkResources(resources);
      for (const resource of resources) {
        const { configNames } = resource;
        if (!Array.isArray(configNames) && configNames !== undefined && configNames !== null) {
          refuse(`Invalid resource configNames ${configNames}: ${JSON.stringify(resource)}`);
        }
      }
      const queries = resources.map(({ type, name, configNames }) => ({ type, name, configNames }));
      const found = await core.run((wasm) => wasm.describe_configs(queries, includeSynonyms));
      return { resources: found } as types.DescribeConfigResponse;
    },

    alterConfigs: async ({
      resources,
      validateOnly = false,
    }: {
      validateOnly?: boolean;
      resources: types.IResourceConfig[];
    }): Promise<any> => {
      checkChanges(resources, false);
      return { resources: await core.run((wasm) => wasm.alter_configs(resources, validateOnly, false)) };
    },

    /** Changes single configs and leaves the others as they are. Not in KafkaJS. */
    incrementalAlterConfigs: async ({
      resources,
      validateOnly = false,
    }: {
      validateOnly?: boolean;
      resources: types.IncrementalResourceConfig[];
    }): Promise<any> => {
      checkChanges(resources, true);
      return { resources: await core.run((wasm) => wasm.alter_configs(resources, validateOnly, true)) };
    },

    listGroups: async (): Promise<{ groups: types.GroupOverview[] }> => ({
      groups: await core.run((wasm) => wasm.list_groups()),
    }),

    describeGroups: async (groupIds: string[]): Promise<types.GroupDescriptions> => {
      checkGroupIds(groupIds);
      const groups = await core.run<types.GroupDescription[]>((wasm) =>
        wasm.describe_groups(groupIds),
      );
      for (const member of groups.flatMap(({ members }) => members)) {
        member.memberMetadata = toBuffer(member.memberMetadata);
        member.memberAssignment = toBuffer(member.memberAssignment);
      }
      return { groups };
    },

    deleteGroups: async (groupIds: string[]): Promise<DeleteGroupsResult[]> => {
      checkGroupIds(groupIds);
      return core.run((wasm) => wasm.delete_groups(groupIds));
    },

    deleteTopicRecords: async ({
      topic,
      partitions,
    }: {
      topic: string;
      partitions: types.SeekEntry[];
    }): Promise<void> => {
      if (!topic || typeof topic !== "string") refuse(`Invalid topic "${topic}"`);
      checkPartitions(partitions);
      await core.run((wasm) => wasm.delete_topic_records(topic, offsetsOf(partitions)));
    },

    createAcls: unserved("createAcls"),
    describeAcls: unserved("describeAcls"),
    deleteAcls: unserved("deleteAcls"),
    alterPartitionReassignments: unserved("alterPartitionReassignments"),
    listPartitionReassignments: unserved("listPartitionReassignments"),

    events: events as AdminEvents,
    on: core.emitter.on as On<NetworkEvents<"admin">>,
    logger: (): Logger => core.emitter.logger,
  };
}

export type Admin = ReturnType<typeof createAdmin>;
