// connect and disconnect, twice and in any order; several producers; many sends at once.

import { listen, readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  const life = listen(producer, 'CONNECT', 'DISCONNECT')
  log('disconnect before connect', await producer.disconnect())
  log('connect', await producer.connect())
  await producer.connect()
  await producer.send({ topic, messages: [{ value: '0' }] })
  log('disconnect', await producer.disconnect())
  await producer.disconnect()
  await producer.connect()
  // KafkaJS may lose the answer to a send right after a reconnection, and send again: so no offsets here.
  const reconnected = uniq('reconnected')
  await admin.createTopics({ topics: [{ topic: reconnected, numPartitions: 1 }] })
  const again = await producer.send({ topic: reconnected, messages: [{ value: '1' }] })
  log('connected again', again.map(({ partition, errorCode }) => ({ partition, errorCode })))
  log('life', life.items.map(({ type }) => type))

  const other = kafka.producer()
  await other.connect()
  await other.send({ topic, messages: [{ value: '1' }] })
  await producer.disconnect()
  await other.send({ topic, messages: [{ value: '2' }] })
  const sends = await Promise.all(Array.from({ length: 40 }, (_, i) => other.send({ topic, messages: [{ value: `${3 + i}` }] })))
  log('forty at once', new Set(sends.map(([{ baseOffset }]) => baseOffset)).size)
  const read = await readAll(kafka, topic, 43)
  log('each value once', new Set(read.map(({ value }) => value.toString())).size)
  log('awaited sends are in order', read.slice(0, 3).map(({ value }) => value))
  log('offsets', await admin.fetchTopicOffsets(topic))
}
