// A handler that sends what it makes of each message to another topic, and a consumer of that.

import { inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [orders, invoices] = [uniq('orders'), uniq('invoices')]
  await withTopics(kafka, [{ topic: orders, numPartitions: 2 }, { topic: invoices, numPartitions: 2 }])
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  const consume = async (topic, eachMessage) => {
    const consumer = kafka.consumer({ groupId: uniq(`${topic.split('-')[0]}-readers`), maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ eachMessage, partitionsConsumedConcurrently: 2 })
  }
  await consume(orders, async ({ message: { key, value, headers } }) => {
    const [{ errorCode }] = await producer.send({ topic: invoices, messages: [{ key, value: `invoice of ${value}`, headers: { ...headers, errorCode: '0' } }] })
    if (errorCode !== 0) throw new Error(`error code ${errorCode}`)
  })
  const box = inbox()
  await consume(invoices, async ({ message: { key, value, headers } }) => box.push({ key, value, headers }))
  await producer.send({ topic: orders, messages: Array.from({ length: 20 }, (_, i) => ({ key: `k${i % 5}`, value: `order ${i}`, headers: { trace: `t${i}` } })) })
  await box.count(20)
  const of = wanted => box.items.filter(({ key }) => key.toString() === wanted)
  log('one of them', of('k3')[0])
  for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) log(key, of(key).map(({ value }) => value))
}
