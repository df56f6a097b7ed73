// producer.send: keys and values as strings, Buffers, empty and null; the result; what a consumer reads back.

import { readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()

  log('first send', await producer.send({ topic, messages: [{ key: 'k1', value: 'v1' }] }))
  log('two more in one send', await producer.send({ topic, messages: [{ value: 'v2' }, { key: 'k1', value: 'v3' }] }))
  const messages = [
    { key: Buffer.from('buffer key'), value: Buffer.from([0, 1, 2, 255]) },
    { key: null, value: null },
    { key: 'tombstone', value: null },
    { key: '', value: '' },
    { key: 'ключ', value: 'naïve ☕ 🎼' },
    { key: undefined, value: 'undefined key' },
    { key: Buffer.alloc(0), value: Buffer.alloc(0) },
    { key: 'long', value: 'x'.repeat(100_000) },
  ]
  log('keys and values', await producer.send({ topic, messages }))
  log('no messages', await producer.send({ topic, messages: [] }))

  const read = await readAll(kafka, topic, 11)
  log('read back', read.map(({ offset, key, value }) => ({ offset, key, value: value?.length > 1000 ? value.length : value })))
  log('bytes are Buffers', read.filter(({ value }) => value !== null).every(({ value }) => Buffer.isBuffer(value)))
  log('text of a value', read[0].value.toString())
}
