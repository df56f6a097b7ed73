// Consumer events and their payloads; heartbeats; requests by name; unsubscribing.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: ['a', 'b', 'c'].map(value => ({ value, partition: 0 })) })

  const consumer = kafka.consumer({ groupId: uniq('readers'), maxWaitTimeInMs: 50, heartbeatInterval: 1 })
  log('events', consumer.events)
  const names = ['CONNECT', 'GROUP_JOIN', 'FETCH_START', 'FETCH', 'START_BATCH_PROCESS', 'END_BATCH_PROCESS', 'COMMIT_OFFSETS', 'HEARTBEAT', 'STOP', 'DISCONNECT']
  const boxes = Object.fromEntries(names.map(name => [name, listen(consumer, name)]))
  const order = listen(consumer, 'GROUP_JOIN', 'START_BATCH_PROCESS', 'END_BATCH_PROCESS', 'COMMIT_OFFSETS', 'STOP', 'DISCONNECT')
  const requests = listen(consumer, 'REQUEST')
  let removed = 0
  const remove = consumer.on(consumer.events.CONNECT, () => {
    removed += 1
  })
  let full
  consumer.on(consumer.events.GROUP_JOIN, event => {
    full = event
  })
  await consumer.connect()
  remove()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async () => {} })
  await boxes.COMMIT_OFFSETS.count(1)
  await boxes.HEARTBEAT.count(3)
  await producer.send({ topic, messages: [{ value: 'd', partition: 1 }] })
  await boxes.COMMIT_OFFSETS.count(2)
  await consumer.disconnect()

  log('fields of an event', { fields: Object.keys(full).sort(), type: full.type, timestamp: full.timestamp })
  log('a removed listener', removed)
  log('CONNECT', boxes.CONNECT.items.map(({ payload }) => payload ?? null))
  log('GROUP_JOIN', boxes.GROUP_JOIN.items)
  log('FETCH_START', boxes.FETCH_START.items[0])
  log('FETCH', boxes.FETCH.items[0])
  log('START_BATCH_PROCESS', boxes.START_BATCH_PROCESS.items)
  log('END_BATCH_PROCESS', boxes.END_BATCH_PROCESS.items)
  log('COMMIT_OFFSETS', boxes.COMMIT_OFFSETS.items.map(({ type, payload }) => ({
    type,
    payload: {
      ...payload,
      topics: payload.topics.map(({ topic, partitions }) => ({
        topic, partitions: partitions.map(({ partition, offset }) => ({ partition: Number(partition), offset: String(offset) })),
      })),
    },
  })))
  log('HEARTBEAT', boxes.HEARTBEAT.items[0])
  log('STOP', boxes.STOP.items.map(({ payload }) => payload ?? null))
  log('DISCONNECT', boxes.DISCONNECT.items.map(({ payload }) => payload ?? null))
  log('order', order.items.map(({ type }) => type))
  log('REQUEST', requests.items.find(({ payload }) => payload.apiName === 'Fetch'))
  const wanted = ['Fetch', 'Metadata', 'OffsetCommit', 'OffsetFetch', 'GroupCoordinator', 'JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup']
  const seen = new Set(requests.items.map(({ payload: { apiName } }) => apiName))
  log('requests', wanted.filter(name => seen.has(name)))
}
