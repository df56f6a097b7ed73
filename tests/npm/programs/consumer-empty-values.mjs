// Messages without key or value, with empty ones, with bytes that are no text; headers in every form.

import { inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  const messages = [
    { value: null },
    { key: 'gone', value: null },
    { key: '', value: '' },
    { key: Buffer.alloc(0), value: Buffer.from([0, 255, 128]) },
    { value: 'ünïcödé ✓ 🎉', headers: { 'ключ': 'значение', empty: '', raw: Buffer.from([1, 2, 255]) } },
    { value: 'many', headers: { list: ['a', 'b', Buffer.from('c')], one: ['alone'] } },
  ]
  await producer.send({ topic, messages })
  const read = async (label, handler) => {
    const consumer = kafka.consumer({ groupId: uniq(label), maxWaitTimeInMs: 100 })
    const box = inbox()
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run(handler(message => box.push(message)))
    await box.count(messages.length)
    await consumer.disconnect()
    log(label, box.items.map(({ offset, key, value, headers }) => ({ offset, key, value, headers: Object.entries(headers) })))
  }
  await read('eachMessage', push => ({ eachMessage: async ({ message }) => push(message) }))
  await read('eachBatch', push => ({ eachBatch: async ({ batch }) => batch.messages.forEach(push) }))
}
