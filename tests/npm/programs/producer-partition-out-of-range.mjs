// A partition that the topic does not have. KafkaJS drops such a message without a word.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  log('partition 9 of 1', await outcome(() => producer.send({ topic, messages: [{ partition: 9, value: 'a' }] })))
  log('partition -1', await outcome(() => producer.send({ topic, messages: [{ partition: -1, value: 'a' }] })))
  log('nothing was written', await admin.fetchTopicOffsets(topic))
}
