// Topics come and go: createTopics, listTopics, fetchTopicMetadata, deleteTopics; a re-created topic is a new one.

import { outcome, settled, unordered } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 2, initialRetryTime: 20 } })
  const admin = kafka.admin()
  log('connect', await admin.connect())
  const [orders, payments, refunds] = ['orders', 'payments', 'refunds'].map(uniq)
  const mine = async () => (await admin.listTopics()).filter(name => [orders, payments, refunds].includes(name)).sort()
  const sorted = ({ topics }) => ({
    topics: [...topics].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, partitions }) => ({
      name, partitions: [...partitions].sort((a, b) => a.partitionId - b.partitionId),
    })),
  })

  log('create two', await admin.createTopics({ topics: [{ topic: orders, numPartitions: 3, replicationFactor: 1 }, { topic: payments }] }))
  log('list', await settled(mine, [orders, payments]))
  log('metadata', sorted(await admin.fetchTopicMetadata({ topics: [orders, payments] })))
  log('metadata of all has them', (await admin.fetchTopicMetadata()).topics.filter(({ name }) => [orders, payments].includes(name)).length)
  log('metadata of an empty list is all', (await admin.fetchTopicMetadata({ topics: [] })).topics.some(({ name }) => name === orders))
  log('create one that exists', await admin.createTopics({ topics: [{ topic: orders }] }))
  log('create one that exists and one that does not', await admin.createTopics({ topics: [{ topic: orders }, { topic: refunds }] }))
  log('list, with the new one', await settled(mine, [orders, payments, refunds]))
  log('create none', await admin.createTopics({ topics: [] }))

  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: orders, messages: [{ value: 'old', partition: 0 }] })
  log('delete two', await admin.deleteTopics({ topics: [orders, payments], timeout: 5000 }))
  log('list, without them', await settled(mine, [refunds]))
  log('delete none', await admin.deleteTopics({ topics: [] }))
  log('metadata of a deleted one', await outcome(() => admin.fetchTopicMetadata({ topics: [orders] })))
  log('delete an unknown one', await outcome(() => admin.deleteTopics({ topics: [uniq('unknown')] })))
  log('create again', await admin.createTopics({ topics: [{ topic: orders, numPartitions: 1 }] }))
  log('it is empty', await admin.fetchTopicOffsets(orders))
  log('names of partitions fields', unordered(Object.keys((await admin.fetchTopicMetadata({ topics: [orders] })).topics[0].partitions[0])))
  log('disconnect', await admin.disconnect())
}
