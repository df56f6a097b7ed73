// Arguments of types that nobody expects: each is refused with an error of KafkaJS's, and harms no other client of the
// process. What KafkaJS and Kafka make of those that they take is in `programs/wrong-types.mjs`.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

const partita = await import(new URL('../../dist/npm/node.js', import.meta.url))
const TOPIC = 'orders'
let broker, kafka, admin, producer

before(async () => {
  broker = await partita.Broker.open('arguments', { storage: 'memory' })
  kafka = new partita.Kafka({ brokers: [broker], logLevel: partita.logLevel.NOTHING })
  ;[admin, producer] = [kafka.admin(), kafka.producer()]
  await Promise.all([admin.connect(), producer.connect()])
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 2 }] })
})

after(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect()])
  await broker.close()
})

const WRONG = [5, true, {}, ['orders'], () => 'orders']

/** Each action, with each wrong value, is refused; afterwards a record can still be sent. */
const refuses = async actions => {
  for (const [name, action] of Object.entries(actions)) {
    for (const wrong of WRONG) {
      const what = `${name}: ${String(wrong)}`
      const isRefused = error => {
        assert.ok(error instanceof partita.KafkaJSNonRetriableError, `${what}: ${error}`)
        assert.equal(error.cause, undefined, `${what}: ${error.message}`)
        return true
      }
      await assert.rejects(async () => action(wrong), isRefused, what)
    }
  }
  const [{ errorCode }] = await producer.send({ topic: TOPIC, messages: [{ value: 'x' }] })
  assert.equal(errorCode, 0)
}

test('a producer refuses topics that are no text', () => {
  const messages = [{ value: 'x' }]
  const custom = kafka.producer({ createPartitioner: () => () => 0 })
  return custom.connect()
    .then(() => refuses({
      send: topic => producer.send({ topic, messages }),
      sendBatch: topic => producer.sendBatch({ topicMessages: [{ topic: TOPIC, messages }, { topic, messages }] }),
      'with a partitioner': topic => custom.send({ topic, messages }),
    }))
    .finally(() => custom.disconnect())
})

test('a partition beyond all numbers of partitions is no other partition', async () => {
  for (const partition of [2 ** 32, '4294967296', -1, 0.5, '1.0', '', true]) {
    const sent = producer.send({ topic: TOPIC, messages: [{ value: 'x', partition }] })
    await assert.rejects(sent, { type: 'UNKNOWN_TOPIC_OR_PARTITION' }, String(partition))
  }
})

test('an admin client refuses groups and topics that are no text', () => {
  const partitions = [{ partition: 0, offset: '0' }]
  return refuses({
    'fetchOffsets, group': groupId => admin.fetchOffsets({ groupId }),
    'fetchOffsets, topic': topic => admin.fetchOffsets({ groupId: 'g', topics: [topic] }),
    'setOffsets, group': groupId => admin.setOffsets({ groupId, topic: TOPIC, partitions }),
    'setOffsets, topic': topic => admin.setOffsets({ groupId: 'g', topic, partitions }),
    'setOffsets, partition': partition => admin.setOffsets({ groupId: 'g', topic: TOPIC, partitions: [partition] }),
    'resetOffsets, group': groupId => admin.resetOffsets({ groupId, topic: TOPIC }),
    'resetOffsets, topic': topic => admin.resetOffsets({ groupId: 'g', topic }),
    'deleteOffsets, group': groupId => admin.deleteOffsets({ groupId, topic: TOPIC, partitions: [0] }),
    'deleteOffsets, topic': topic => admin.deleteOffsets({ groupId: 'g', topic, partitions: [0] }),
    fetchTopicMetadata: topic => admin.fetchTopicMetadata({ topics: [topic] }),
    fetchTopicOffsets: topic => admin.fetchTopicOffsets(topic),
    fetchTopicOffsetsByTimestamp: topic => admin.fetchTopicOffsetsByTimestamp(topic),
    createTopics: topic => admin.createTopics({ topics: [{ topic }] }),
    createPartitions: topic => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }),
    deleteTopics: topic => admin.deleteTopics({ topics: [topic] }),
    deleteTopicRecords: topic => admin.deleteTopicRecords({ topic, partitions }),
    'deleteTopicRecords, partition': partition => admin.deleteTopicRecords({ topic: TOPIC, partitions: [partition] }),
    describeGroups: group => admin.describeGroups([group]),
    deleteGroups: group => admin.deleteGroups([group]),
    describeConfigs: name => admin.describeConfigs({ resources: [{ type: 2, name }], includeSynonyms: false }),
    alterConfigs: name => admin.alterConfigs({ resources: [{ type: 2, name, configEntries: [] }], validateOnly: true }),
  })
})

test('a consumer refuses groups and topics that are no text', async () => {
  const consumer = kafka.consumer({ groupId: 'g' })
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC] })
  await consumer.run({ eachMessage: async () => {} })
  try {
    await refuses({
      consumer: groupId => kafka.consumer({ groupId }),
      seek: topic => consumer.seek({ topic, partition: 0, offset: '0' }),
      commitOffsets: topic => consumer.commitOffsets([{ topic, partition: 0, offset: '0' }]),
      pause: topic => consumer.pause([{ topic }]),
      resume: topic => consumer.resume([{ topic }]),
    })
    // Cut to 32 bits they would be partition 0.
    for (const partition of [2 ** 32, '4294967296', 0.5]) {
      const refused = { name: 'KafkaJSNonRetriableError' }
      assert.throws(() => consumer.seek({ topic: TOPIC, partition, offset: '0' }), refused)
      assert.throws(() => consumer.pause([{ topic: TOPIC, partitions: [partition] }]), refused)
      await assert.rejects(consumer.commitOffsets([{ topic: TOPIC, partition, offset: '0' }]), refused)
    }
    const other = kafka.consumer({ groupId: 'other' })
    await other.connect()
    await refuses({ subscribe: topic => other.subscribe({ topics: [topic] }) })
    await other.disconnect()
  } finally {
    await consumer.disconnect()
  }
})
