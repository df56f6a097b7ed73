// What subscribe refuses: arguments, topics that do not exist, a running consumer.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const consumer = new Kafka({ clientId: 'shop', brokers }).consumer({ groupId: uniq('g'), maxWaitTimeInMs: 100, allowAutoTopicCreation: false })
  await consumer.connect()
  const subscribe = subscription => outcome(() => consumer.subscribe(subscription))
  log('nothing', await subscribe({}))
  log('topics is a string', await subscribe({ topics: topic }))
  log('a number', await subscribe({ topic: 5 }))
  log('a number in a list', await subscribe({ topics: [topic, 5] }))
  log('unknown topic', await subscribe({ topics: [uniq('unknown')] }))
  log('invalid topic', await subscribe({ topics: ['not a topic!'] }))
  log('a regular expression that matches nothing', await subscribe({ topic: new RegExp(`^${uniq('nothing')}`) }))

  const fresh = new Kafka({ clientId: 'shop', brokers }).consumer({ groupId: uniq('h'), maxWaitTimeInMs: 100 })
  await fresh.connect()
  await fresh.subscribe({ topics: [topic] })
  await fresh.run({ eachMessage: async () => {} })
  log('while running', await outcome(() => fresh.subscribe({ topics: [topic] })))
  await fresh.stop()
  log('after stop', await outcome(() => fresh.subscribe({ topics: [topic] })))
}
