// The default partitioner: murmur2 of the key as in Java, an explicit partition first, round robin without a key.

import { readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { Partitioners } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const partitionMetadata = Array.from({ length: 1000 }, (_, partitionId) => ({
    partitionId, leader: 1, replicas: [1], isr: [1], partitionErrorCode: 0, offlineReplicas: [],
  }))
  const keys = ['', '0', '1', '42', 'a', 'ab', 'abc', 'abcd', '21', 'foobar', 'a-little-bit-long-string', 'ключ', Buffer.from([0]), Buffer.from([255, 254, 253, 252, 251])]
  const partitionOf = createPartitioner => {
    const partitioner = createPartitioner()
    return keys.map(key => partitioner({ topic: 't', partitionMetadata, message: { key, value: '' } }))
  }
  log('DefaultPartitioner, 1000 partitions', partitionOf(Partitioners.DefaultPartitioner))
  log('JavaCompatiblePartitioner is the same', Partitioners.JavaCompatiblePartitioner === Partitioners.DefaultPartitioner)
  const partitioner = Partitioners.DefaultPartitioner()
  log('an explicit partition wins', partitioner({ topic: 't', partitionMetadata, message: { key: 'a', partition: 7, value: '' } }))

  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 4 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 12 }, (_, i) => ({ key: `customer-${i}`, value: `${i}` })) })
  log('keyed', (await readAll(kafka, topic, 12)).map(({ partition, key }) => `${partition} ${key}`))

  const even = uniq('even')
  const admin = await withTopics(kafka, [{ topic: even, numPartitions: 4 }])
  await producer.send({ topic: even, messages: Array.from({ length: 20 }, (_, i) => ({ value: `${i}` })) })
  for (let i = 0; i < 20; i += 1) await producer.send({ topic: even, messages: [{ value: `${20 + i}` }] })
  const offsets = await admin.fetchTopicOffsets(even)
  log('forty keyless records over four partitions', offsets.map(({ high }) => high))
}
