// Headers: strings, Buffers, repeated names, order, none at all.

import { readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  const all = [
    {},
    { 'correlation-id': 'abc-123' },
    { b: Buffer.from([1, 2, 250]), a: 'text' },
    { many: ['one', Buffer.from('two'), 'three'], single: ['only'] },
    { empty: '', 'ключ': 'значение' },
  ]
  await producer.send({ topic, messages: [{ value: 'none' }, ...all.map((headers, i) => ({ value: `${i}`, headers }))] })

  const read = await readAll(kafka, topic, 6)
  log('read back', read.map(({ value, headers }) => ({ value, headers })))
  log('names in order', read.map(({ headers }) => Object.keys(headers)))
  log('a repeated header', read[4].headers.many.map(value => value.toString()))
}
