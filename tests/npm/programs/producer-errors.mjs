// Arguments and states that send and sendBatch refuse before any request.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  const ok = [{ value: 'x' }]
  log('before connect', await outcome(() => producer.send({ topic, messages: ok })))
  log('checks come before the state', await outcome(() => producer.send({ topic, messages: [{ key: 'k' }] })))
  await producer.connect()
  log('no topic', await outcome(() => producer.send({ messages: ok })))
  log('empty topic', await outcome(() => producer.send({ topic: '', messages: ok })))
  log('no messages', await outcome(() => producer.send({ topic })))
  log('null messages', await outcome(() => producer.send({ topic, messages: null })))
  log('a message without value', await outcome(() => producer.send({ topic, messages: [{ value: 'x' }, { key: 'k' }] })))
  log('undefined value', await outcome(() => producer.send({ topic, messages: [{ value: undefined }] })))
  log('a number as value', await outcome(() => producer.send({ topic, messages: [{ value: 5 }] })))
  log('a number as key', await outcome(() => producer.send({ topic, messages: [{ key: 5, value: 'x' }] })))
  log('a null header', await outcome(() => producer.send({ topic, messages: [{ value: 'x', headers: { h: null } }] })))
  log('a number as header', await outcome(() => producer.send({ topic, messages: [{ value: 'x', headers: { h: 1 } }] })))
  log('sendBatch without topic', await outcome(() => producer.sendBatch({ topicMessages: [{ messages: ok }] })))
  log('sendBatch without messages', await outcome(() => producer.sendBatch({ topicMessages: [{ topic, messages: ok }, { topic }] })))
  log('nothing was written', await admin.fetchTopicOffsets(topic))
  await producer.disconnect()
  log('after disconnect', await outcome(() => producer.send({ topic, messages: ok })))
}
