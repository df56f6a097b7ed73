// fetchOffsets with resolveOffsets: -1 and -2 become the topic's ends, and are committed as such.

import { withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: ['a', 'b', 'c', 'd'].map(value => ({ value })) })
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] })
  const groupId = uniq('reader')
  log('unresolved', await admin.fetchOffsets({ groupId, topics: [topic] }))
  log('resolved', await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true }))
  log('committed', await admin.fetchOffsets({ groupId, topics: [topic] }))
}
