// The idempotent producer: many sends at once, nothing lost, doubled or out of order; its argument rules.

import { outcome, readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  log('isIdempotent', producer.isIdempotent())
  log('isIdempotent by default', kafka.producer().isIdempotent())

  log('one', await producer.send({ topic, messages: [{ partition: 0, value: 'first' }] }))
  await Promise.all(Array.from({ length: 30 }, (_, i) =>
    producer.send({ topic, messages: [{ partition: i % 2, value: `${i} a` }, { partition: i % 2, value: `${i} b` }] })))
  const read = await readAll(kafka, topic, 61)
  log('offsets', [0, 1].map(wanted => read.filter(({ partition }) => partition === wanted).every(({ offset }, i) => offset === `${i}`)))
  log('each value once', new Set(read.map(({ value }) => value.toString())).size)
  log('pairs stay together', read.every(({ partition, value }, i) =>
    !value.toString().endsWith(' a') || (read[i + 1].partition === partition && read[i + 1].value.toString() === value.toString().replace(' a', ' b'))))

  log('acks 1', await outcome(() => producer.send({ topic, acks: 1, messages: [{ value: 'x' }] })))
  log('acks 0', await outcome(() => producer.sendBatch({ acks: 0, topicMessages: [{ topic, messages: [{ value: 'x' }] }] })))
  log('no retries', await outcome(() => kafka.producer({ idempotent: true, retry: { retries: 0 } })))
  log('transaction without an id', await outcome(() => producer.transaction()))
}
