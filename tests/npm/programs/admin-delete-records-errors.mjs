// What deleteTopicRecords refuses.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: ['a', 'b', 'c'].map(value => ({ value, partition: 0 })) })
  await admin.fetchTopicOffsets(topic) // KafkaJS needs the topic's metadata first
  const remove = argument => outcome(() => admin.deleteTopicRecords(argument))
  log('no topic', await remove({ partitions: [{ partition: 0, offset: '1' }] }))
  log('a topic that is no string', await remove({ topic: 5, partitions: [{ partition: 0, offset: '1' }] }))
  log('no partitions', await remove({ topic }))
  log('an empty list', await remove({ topic, partitions: [] }))
  log('an unknown partition', await remove({ topic, partitions: [{ partition: 7, offset: '1' }] }))
  log('a known and an unknown one', await remove({ topic, partitions: [{ partition: 0, offset: '1' }, { partition: 7, offset: '1' }] }))
  log('beyond the end', await remove({ topic, partitions: [{ partition: 0, offset: '9' }] }))
  log('one of two beyond the end', await remove({ topic, partitions: [{ partition: 0, offset: '2' }, { partition: 1, offset: '5' }] }))
  log('an unknown topic', await remove({ topic: uniq('unknown'), partitions: [{ partition: 0, offset: '1' }] }))
  log('offsets', (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition))
}
