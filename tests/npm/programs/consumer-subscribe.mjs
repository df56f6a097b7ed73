// subscribe: a name, a list, regular expressions, several calls; fromBeginning is per topic and defaults to false.

import { fetches, inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const names = ['orders-eu', 'orders-us', 'payments', 'refunds'].map(uniq)
  const [eu, us, payments, refunds] = names
  await withTopics(kafka, names.map(topic => ({ topic, numPartitions: 1 })))
  const producer = kafka.producer()
  await producer.connect()
  const send = value => producer.sendBatch({ topicMessages: names.map(topic => ({ topic, messages: [{ value }] })) })
  await send('before')

  const reader = async (group, ...subscriptions) => {
    const consumer = kafka.consumer({ groupId: uniq(group), maxWaitTimeInMs: 100 })
    await consumer.connect()
    const results = []
    for (const subscription of subscriptions) results.push(await consumer.subscribe(subscription))
    const joins = listen(consumer, 'GROUP_JOIN')
    const box = inbox()
    await consumer.run({ eachMessage: async ({ topic, message }) => box.push(`${topic} ${message.value}`) })
    await joins.count(1)
    await fetches(consumer, 2) // the starting positions are found at the first fetch
    return { consumer, box, results, assigned: joins.items[0].payload.memberAssignment }
  }
  const tail = eu.slice('orders-eu'.length)
  const readers = [
    ['one topic', 1, await reader('one', { topic: eu })],
    ['one topic from its beginning', 2, await reader('one-all', { topic: eu, fromBeginning: true })],
    ['a list', 3, await reader('list', { topics: [eu, payments] }, { topics: [refunds], fromBeginning: false })],
    ['a regular expression', 4, await reader('regexp', { topic: new RegExp(`^orders-.*${tail}$`), fromBeginning: true })],
    ['a list with a regular expression', 4, await reader('mixed', { topics: [new RegExp(`^orders-.*${tail}$`), refunds] }, { topics: [payments] })],
    ['from the beginning per topic', 5, await reader('per-topic', { topics: [eu, us], fromBeginning: true }, { topics: [payments] })],
    ['the last call wins', 3, await reader('last', { topics: [eu, us], fromBeginning: true }, { topics: [us] })],
  ]
  await send('after')
  const sorted = object => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)).map(([topic, partitions]) => ({ topic, partitions }))
  for (const [label, count, { box, results, assigned }] of readers) {
    await box.count(count, label)
    log(label, { results, assigned: sorted(assigned), read: [...box.items].sort() })
  }
  await fetches(readers[0][2].consumer, 2)
  log('nothing else came', readers.map(([, count, { box }]) => box.items.length === count))
}
