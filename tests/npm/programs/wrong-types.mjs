// Arguments of other types than KafkaJS's types allow: what is taken nevertheless, and what is refused.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 3 }])
  const ends = async () => (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => `${partition}: ${high}`).sort()

  const producer = kafka.producer()
  await producer.connect()
  const to = partition => outcome(() => producer.send({ topic, messages: [{ value: 'x', partition }] }))
  log('a partition as text', await to('1'))
  log('a partition as BigInt', await to(2n))
  log('where they went', await ends())
  const chosen = kafka.producer({ createPartitioner: () => () => '2' })
  await chosen.connect()
  log('a partitioner that answers text', await outcome(() => chosen.send({ topic, messages: [{ value: 'x' }] })))
  log('where that went', await ends())
  await chosen.disconnect()
  const refused = async action => {
    const { rejected } = await outcome(action)
    return { name: rejected.name, retriable: rejected.retriable }
  }
  const there = { topic, messages: [{ value: 'x' }] }
  const nowhere = { topic: 5, messages: [{ value: 'x' }] }
  log('send to a topic that is a number', await refused(() => producer.send(nowhere)))
  log('sendBatch with such a topic', await refused(() => producer.sendBatch({ topicMessages: [there, nowhere] })))
  log('messages that are no list', await outcome(() => producer.send({ topic, messages: { value: 'x' } })))
  log('a message that is text', await outcome(() => producer.send({ topic, messages: ['x'] })))
  log('a message that is null', await outcome(() => producer.send({ topic, messages: [null] })))
  log('topicMessages that are no list', await outcome(() => producer.sendBatch({ topicMessages: { topic } })))
  log('nothing', await outcome(() => producer.send()))
  await producer.disconnect()
  log('what was written', await ends())

  const wrongs = { undefined: undefined, null: null, number: 5, object: {}, text: 'x' }
  for (const [name, wrong] of Object.entries(wrongs)) {
    const ask = async (what, action) => log(`admin.${what}: ${name}`, await outcome(action))
    await ask('createTopics', () => admin.createTopics({ topics: [wrong] }))
    await ask('createPartitions', () => admin.createPartitions({ topicPartitions: [wrong] }))
    await ask('fetchOffsets, topics', () => admin.fetchOffsets({ groupId: uniq('none'), topics: wrong }))
    await ask('setOffsets, a partition', () => admin.setOffsets({ groupId: uniq('s'), topic, partitions: [wrong] }))
    await ask('describeConfigs, a resource', () => admin.describeConfigs({ resources: [wrong], includeSynonyms: false }))
    await ask('alterConfigs, a config', () => admin.alterConfigs({ validateOnly: true, resources: [{ type: 2, name: topic, configEntries: [wrong] }] }))
    await ask('deleteGroups', () => admin.deleteGroups(wrong))
  }
  const group = uniq('g')
  log('createTopics, numPartitions as text', await outcome(() => admin.createTopics({ topics: [{ topic: uniq('text'), numPartitions: '2' }] })))
  log('createPartitions, count as text', await outcome(() => admin.createPartitions({ topicPartitions: [{ topic, count: '4' }] })))
  const since = await admin.fetchTopicOffsetsByTimestamp(topic, '0')
  log('fetchTopicOffsetsByTimestamp as text', since.sort((a, b) => a.partition - b.partition))
  log('deleteTopicRecords before a number', await outcome(() => admin.deleteTopicRecords({ topic, partitions: [{ partition: 2, offset: 1 }] })))
  log('setOffsets to a number', await outcome(() => admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 2, offset: 1 }] })))
  log('what it set', await outcome(() => admin.fetchOffsets({ groupId: group, topics: [topic] })))
  log('createTopics with nothing', await outcome(() => admin.createTopics()))

  const consumer = kafka.consumer({ groupId: uniq('c'), maxWaitTimeInMs: 100 })
  await consumer.connect()
  log('subscribe with nothing', await outcome(() => consumer.subscribe()))
  log('subscribe to a number', await outcome(() => consumer.subscribe({ topics: [5] })))
  log('subscribe to text as topics', await outcome(() => consumer.subscribe({ topics: topic })))
  await consumer.subscribe({ topic })
  await consumer.run({ eachMessage: async () => {} })
  const seek = to => outcome(() => consumer.seek(to))
  log('seek with nothing', await seek())
  log('seek in a partition as text', await seek({ topic, partition: '0', offset: '0' }))
  log('seek to a number', await seek({ topic, partition: 0, offset: 0 }))
  const commit = entry => outcome(() => consumer.commitOffsets([entry]))
  log('commit nothing', await commit(undefined))
  log('commit in a partition as text', await commit({ topic, partition: '1', offset: '1' }))
  log('commit a number', await commit({ topic, partition: 2, offset: 1 }))
  log('commit what is no list', await outcome(() => consumer.commitOffsets({ topic })))
  for (const name of ['pause', 'resume']) {
    log(`${name} what is no list`, await outcome(() => consumer[name]({ topic })))
    log(`${name} partitions as text`, await outcome(() => consumer[name]([{ topic, partitions: ['1'] }])))
  }
  await consumer.disconnect()
}
