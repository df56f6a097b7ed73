// Producer events: names, CONNECT, DISCONNECT, REQUEST and its payload, unsubscribing, unknown names.

import { listen, outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  log('events', producer.events)
  const life = listen(producer, 'CONNECT', 'DISCONNECT')
  const requests = listen(producer, 'REQUEST')
  let full
  const remove = producer.on(producer.events.CONNECT, event => {
    full = event
  })
  await producer.connect()
  log('fields of an event', Object.keys(full).sort())
  log('type and timestamp', { type: full.type, timestamp: full.timestamp, id: full.id != null })
  log('payload of CONNECT is nothing', full.payload ?? null)

  await producer.send({ topic, messages: [{ value: 'x' }] })
  await requests.until(all => all.some(({ payload }) => payload.apiName === 'Produce'), 'a Produce request')
  const { type, payload } = requests.items.find(({ payload }) => payload.apiName === 'Produce')
  log('REQUEST', { type, payload })
  log('names of requests', [...new Set(requests.items.map(({ payload: { apiName, apiKey } }) => `${apiKey} ${apiName}`))]
    .filter(name => /Produce|Metadata/.test(name)).sort())

  log('removing a listener returns', typeof remove)
  remove()
  full = null
  await producer.disconnect()
  await producer.connect()
  log('a removed listener is not called', full)
  await producer.disconnect()
  log('life', life.items.map(({ type }) => type))
  log('unknown event', await outcome(() => producer.on('producer.nothing', () => {})))
  log("a consumer's event", await outcome(() => producer.on('consumer.connect', () => {})))
}
