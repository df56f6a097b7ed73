// createPartitions: growing topics, validateOnly, what it refuses.

import { outcome, settled, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const [orders, payments] = [uniq('orders'), uniq('payments')]
  const admin = await withTopics(kafka, [{ topic: orders, numPartitions: 1 }, { topic: payments, numPartitions: 2 }])
  const counts = async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [orders, payments] })
    const count = topic => topics.find(({ name }) => name === topic).partitions.length
    return { orders: count(orders), payments: count(payments) }
  }
  const grow = argument => outcome(() => admin.createPartitions(argument))
  log('two topics', await grow({ topicPartitions: [{ topic: orders, count: 3 }, { topic: payments, count: 4 }] }))
  log('counts', await settled(counts, { orders: 3, payments: 4 }))
  const { brokers: [{ nodeId }] } = await admin.describeCluster()
  log('with assignments', await grow({ topicPartitions: [{ topic: orders, count: 5, assignments: [[nodeId], [nodeId]] }], timeout: 5000 }))
  log('validateOnly', await grow({ validateOnly: true, topicPartitions: [{ topic: orders, count: 9 }] }))
  log('counts again', await settled(counts, { orders: 5, payments: 4 }))

  log('fewer', await grow({ topicPartitions: [{ topic: orders, count: 2 }] }))
  log('as many', await grow({ topicPartitions: [{ topic: orders, count: 5 }] }))
  log('none', await grow({ topicPartitions: [{ topic: orders, count: 0 }] }))
  log('an unknown topic', await grow({ topicPartitions: [{ topic: uniq('unknown'), count: 2 }] }))
  log('too few assignments', await grow({ topicPartitions: [{ topic: orders, count: 7, assignments: [[nodeId]] }] }))
  log('an assignment to no broker', await grow({ topicPartitions: [{ topic: orders, count: 6, assignments: [[99]] }] }))
  log('no list', await grow({ topicPartitions: orders }))
  log('nothing', await grow({}))
  log('an empty list', await grow({ topicPartitions: [] }))
  log('a name that is no string', await grow({ topicPartitions: [{ topic: 5, count: 2 }] }))
  log('a name twice', await grow({ topicPartitions: [{ topic: orders, count: 6 }, { topic: orders, count: 7 }] }))
  log('counts at the end', await counts())
}
