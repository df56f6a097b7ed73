// acks: all (default), 1, 0 and an invalid number; an order that holds across them.

import { outcome, readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  const send = (value, options) => producer.send({ topic, messages: [{ value }], ...options })

  log('all', await send('a', { acks: -1 }))
  log('leader', await send('b', { acks: 1, timeout: 5000 }))
  log('none', await send('c', { acks: 0 }))
  log('all again', await send('d'))
  log('two', await outcome(() => send('e', { acks: 2 })))
  log('read back', (await readAll(kafka, topic, 4)).map(({ offset, value }) => `${offset} ${value}`))
}
