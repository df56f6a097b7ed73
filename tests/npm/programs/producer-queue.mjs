// maxInFlightRequests: what must wait is announced by REQUEST_QUEUE_SIZE, and everything is sent in the end.

import { listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer({ maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'first' }] })
  const queue = listen(producer, 'REQUEST_QUEUE_SIZE')
  await Promise.all(Array.from({ length: 50 }, (_, i) => producer.send({ topic, messages: [{ value: `${i}` }] })))
  log('there was a queue', queue.items.some(({ payload: { queueSize } }) => queueSize > 0))
  log('fields', Object.keys(queue.items[0].payload).sort())
  log('type', queue.items[0].type)
  log('offsets', await admin.fetchTopicOffsets(topic))
}
