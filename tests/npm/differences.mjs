// Where our answers differ from Apache Kafka's or KafkaJS's on purpose: `{ program: { label: { ours, why } } }`.
//
// `ours` is the normalized value that we answer instead. The contract test fails when a difference listed here is
// none, so the list cannot outlive its reasons. COMPATIBILITY.md repeats each for users.

import assert from 'node:assert/strict'

/** A message for a partition that is not there. */
const noSuchPartition = {
  ours: {
    rejected: {
      error: 'KafkaJSProtocolError', is: ['KafkaJSError', 'KafkaJSProtocolError'],
      retriable: true, type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3,
    },
  },
  why: 'KafkaJS drops such a message without a word; nothing of ours is lost in silence',
}

const differences = {
  'admin-cluster': {
    methods: {
      ours: [
        'alterConfigs', 'alterPartitionReassignments', 'connect', 'createAcls', 'createPartitions', 'createTopics',
        'deleteAcls', 'deleteGroups', 'deleteOffsets', 'deleteTopicRecords', 'deleteTopics', 'describeAcls',
        'describeCluster', 'describeConfigs', 'describeGroups', 'disconnect', 'events', 'fetchOffsets',
        'fetchTopicMetadata', 'fetchTopicOffsets', 'fetchTopicOffsetsByTimestamp', 'incrementalAlterConfigs',
        'listGroups', 'listPartitionReassignments', 'listTopics', 'logger', 'on', 'resetOffsets', 'setOffsets',
      ].map(name => `${name}: ${name === 'events' ? 'object' : 'function'}`),
      why: "deleteOffsets and incrementalAlterConfigs are there besides KafkaJS's: Kafka has them, KafkaJS has not",
    },
  },
  'admin-group-offsets': {
    'its state': {
      ours: [{ state: 'Empty', protocolType: '' }],
      why: "setOffsets only commits, as Kafka's own admin client does; KafkaJS joins the group for it",
    },
  },
  'consumer-events': {
    FETCH: {
      ours: {
        type: 'consumer.fetch',
        payload: { duration: '<number>', nodeId: '<node>', numberOfBatches: 1 },
      },
      why: 'KafkaJS has lost count and always says 0',
    },
  },
  'producer-events': {
    'names of requests': {
      ours: ['0 Produce', '22 InitProducerId', '3 Metadata'],
      why: 'our producer numbers its records wherever the broker lets it, so that a repeat writes nothing twice',
    },
  },
  'producer-partition-out-of-range': {
    'partition 9 of 1': noSuchPartition,
    'partition -1': noSuchPartition,
  },
}

export default differences

/**
 * The recorded answers of a program with our deliberate differences in their place; throws when one is none. `more` are
 * those of the place where it runs.
 */
export function withDifferences(program, recorded, more = {}) {
  const known = { ...differences[program], ...more[program] }
  for (const [label, { ours, why }] of Object.entries(known)) {
    const entry = recorded.find(answer => answer.label === label)
    assert.ok(entry, `${program}: no answer "${label}" to differ from`)
    assert.ok(why, `${program}: "${label}" differs without a reason`)
    assert.notDeepEqual(entry.value, ours, `${program}: "${label}" does not differ`)
  }
  return recorded.map(({ label, value }) => ({ label, value: known[label]?.ours ?? value }))
}

/** What differs in a page besides. */
export const inAPage = {
  'connect-errors': Object.fromEntries(
    ['producer', 'consumer', 'admin'].map(kind => [
      `${kind}: nobody listens there`,
      {
        ours: {
          rejected: {
            error: 'KafkaJSNotImplemented', is: ['KafkaJSError', 'KafkaJSNonRetriableError', 'KafkaJSNotImplemented'],
            retriable: false,
          },
        },
        why: 'a page cannot open TCP connections, so it says so at once',
      },
    ])
  ),
}

/** What differs in the playground, whose records stay in the browser, besides. */
export const inThePlayground = {
  ...inAPage,
  'admin-config-defaults': {
    'retention.ms': {
      ours: {
        configName: 'retention.ms', configSource: 4, configValue: '-1', isDefault: false, isSensitive: false,
        configSynonyms: [{ configName: 'log.retention.ms', configSource: 4, configValue: '-1' }],
        readOnly: false,
      },
      why: 'a page that is opened again after a holiday has lost nothing',
    },
  },
}
