// A partitioner of the user's own: what it is given, what its answer does, what happens when it throws.

import { outcome, readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 3 }])
  let created = 0
  const calls = []
  const createPartitioner = () => {
    created += 1
    return ({ topic, partitionMetadata, message }) => {
      if (message.value === 'refuse') throw new Error('no partition for this one')
      calls.push({ topic, message, partitions: [...partitionMetadata].sort((a, b) => a.partitionId - b.partitionId) })
      return Number(message.headers.region)
    }
  }
  const producer = kafka.producer({ createPartitioner })
  log('created with the producer', created)
  await producer.connect()
  const messages = ['2', '0', '2', '1'].map((region, i) => ({ key: `k${i}`, value: `v${i}`, headers: { region }, partition: 0 }))
  const result = await producer.send({ topic, messages })
  log('result', result.map(({ partition, baseOffset }) => ({ partition, baseOffset })).sort((a, b) => a.partition - b.partition))
  await producer.send({ topic, messages: [{ value: 'v4', headers: { region: '1' } }] })
  log('created once', created)
  log('calls', calls.length)
  log('arguments', calls[0])
  log('the message itself', calls[1].message === messages[1])
  log('read back', (await readAll(kafka, topic, 5)).map(({ partition, offset, value }) => `${partition}@${offset} ${value}`))

  const { rejected } = await outcome(() => producer.send({ topic, messages: [{ value: 'refuse' }] }))
  log('a throwing partitioner rejects the send', rejected.message)
}
