// What fetchOffsets, setOffsets and resetOffsets refuse; a running group keeps its offsets.

import { inbox, outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const groupId = uniq('workers')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const hasty = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const admin = hasty.admin()
  await admin.connect()
  const partitions = [{ partition: 0, offset: '0' }]
  log('fetchOffsets: no group', await outcome(() => admin.fetchOffsets({ topics: [topic] })))
  log('fetchOffsets: no list', await outcome(() => admin.fetchOffsets({ groupId, topics: topic })))
  log('setOffsets: no group', await outcome(() => admin.setOffsets({ topic, partitions })))
  log('setOffsets: no topic', await outcome(() => admin.setOffsets({ groupId, partitions })))
  log('setOffsets: no partitions', await outcome(() => admin.setOffsets({ groupId, topic })))
  log('setOffsets: an empty list', await outcome(() => admin.setOffsets({ groupId, topic, partitions: [] })))
  log('resetOffsets: no group', await outcome(() => admin.resetOffsets({ topic })))
  log('resetOffsets: no topic', await outcome(() => admin.resetOffsets({ groupId })))

  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'a' }] })
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 })
  const box = inbox()
  const commits = inbox()
  consumer.on(consumer.events.COMMIT_OFFSETS, () => commits.push(null))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async () => box.push(null) })
  await commits.count(1)
  log('setOffsets: running', await outcome(() => admin.setOffsets({ groupId, topic, partitions })))
  log('resetOffsets: running', await outcome(() => admin.resetOffsets({ groupId, topic, earliest: true })))
  log('deleteGroups: running', await outcome(() => admin.deleteGroups([groupId])))
  log('fetchOffsets: running', await admin.fetchOffsets({ groupId, topics: [topic] }))
}
