// The pattern of KafkaJS's documentation for a dependency that is overloaded: pause, throw, resume later.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 4 }, (_, i) => ({ value: `${i}` })) })
  const groupId = uniq('readers')
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, retry: { initialRetryTime: 10, retries: 5 } })
  const events = listen(consumer, 'CRASH', 'REBALANCING', 'GROUP_JOIN')
  const commits = listen(consumer, 'COMMIT_OFFSETS')
  const box = inbox()
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message: { offset } }) => {
      box.push(offset)
      if (offset === '2' && box.items.filter(it => it === '2').length === 1) {
        consumer.pause([{ topic }])
        throw new Error('too many requests')
      }
    },
  })
  await box.count(3)
  await commits.count(1)
  // Nothing can come now: the wait only gives what would be wrong a chance.
  await new Promise(resolve => setTimeout(resolve, 300))
  log('paused', { seen: [...box.items], paused: consumer.paused().map(({ partitions }) => partitions) })
  log('committed meanwhile', (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions)
  consumer.resume([{ topic }])
  await box.count(5)
  log('resumed', { seen: box.items, events: events.items.map(({ type }) => type) })
}
