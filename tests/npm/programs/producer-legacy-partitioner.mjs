// LegacyPartitioner (KafkaJS 1): its own hash, and the same rules otherwise.

import { readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { Partitioners } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const partitionMetadata = Array.from({ length: 1000 }, (_, partitionId) => ({ partitionId, leader: 1 }))
  const keys = ['', '0', '1', '42', 'a', 'ab', 'abc', 'abcd', '21', 'foobar', 'a-little-bit-long-string', 'ключ', Buffer.from([0]), Buffer.from([255, 254, 253, 252, 251])]
  const partitioner = Partitioners.LegacyPartitioner()
  log('1000 partitions', keys.map(key => partitioner({ topic: 't', partitionMetadata, message: { key, value: '' } })))
  log('an explicit partition wins', partitioner({ topic: 't', partitionMetadata, message: { key: 'a', partition: 7, value: '' } }))

  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 4 }])
  const producer = kafka.producer({ createPartitioner: Partitioners.LegacyPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 12 }, (_, i) => ({ key: `customer-${i}`, value: `${i}` })) })
  log('keyed', (await readAll(kafka, topic, 12)).map(({ partition, key }) => `${partition} ${key}`))
}
