// What the broker refuses, as send rejects it: unknown and invalid topics, sizes, compacted topics, timestamps.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 2, initialRetryTime: 20 } })
  const [small, compacted, recent] = [uniq('small'), uniq('compacted'), uniq('recent')]
  const admin = await withTopics(kafka, [
    { topic: small, numPartitions: 1, configEntries: [{ name: 'max.message.bytes', value: '1000' }] },
    { topic: compacted, numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
    { topic: recent, numPartitions: 1, configEntries: [{ name: 'message.timestamp.before.max.ms', value: '86400000' }] },
  ])
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const send = (topic, message, options) => outcome(() => producer.send({ topic, messages: [message], ...options }))

  log('unknown topic', await send(uniq('unknown'), { value: 'x' }))
  log('invalid topic', await send('not a topic!', { value: 'x' }))
  log('too large for the topic', await send(small, { value: 'x'.repeat(1000) }))
  log('just fits', await send(small, { value: 'x'.repeat(800) }))
  log('too large for the default', await send(compacted, { key: 'k', value: Buffer.alloc(1_100_000) }))
  log('no key on a compacted topic', await send(compacted, { value: 'x' }))
  log('a key on a compacted topic', await send(compacted, { key: 'k', value: 'x' }))
  log('too old', await send(recent, { value: 'x', timestamp: '1500000000000' }))
  log('offsets', await Promise.all([small, compacted, recent].map(topic => admin.fetchTopicOffsets(topic))))
  log('the producer still works', await send(small, { value: 'y' }))
}
