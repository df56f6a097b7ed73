// Sending to a topic that does not exist yet creates it, unless the client says no.

import { outcome } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('created-by-send')
  const producer = kafka.producer()
  await producer.connect()
  log('send', await producer.send({ topic, messages: [{ value: 'x' }] }))
  const admin = kafka.admin()
  await admin.connect()
  log('metadata', await admin.fetchTopicMetadata({ topics: [topic] }))
  const refused = uniq('refused')
  const careful = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 1, initialRetryTime: 20 } })
  await careful.connect()
  log('not allowed', await outcome(() => careful.send({ topic: refused, messages: [{ value: 'x' }] })))
  log('not created', (await admin.listTopics()).includes(refused))
}
