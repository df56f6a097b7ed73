// What createTopics refuses: its arguments, and what the broker says of each topic.

import { outcome } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const admin = kafka.admin()
  await admin.connect()
  const topic = uniq('orders')
  const create = argument => outcome(() => admin.createTopics(argument))
  log('no topics', await create({}))
  log('topics is no list', await create({ topics: topic }))
  log('a name that is no string', await create({ topics: [{ topic: 5 }] }))
  log('a missing name', await create({ topics: [{ numPartitions: 1 }] }))
  log('a name twice', await create({ topics: [{ topic }, { topic }] }))
  log('configEntries is no list', await create({ topics: [{ topic, configEntries: {} }] }))
  log('an entry that is no object', await create({ topics: [{ topic, configEntries: [null] }] }))
  log('an entry without name', await create({ topics: [{ topic, configEntries: [{ value: '1' }] }] }))
  log('an entry without value', await create({ topics: [{ topic, configEntries: [{ name: 'retention.ms' }] }] }))
  log('a value that is no string', await create({ topics: [{ topic, configEntries: [{ name: 'retention.ms', value: 1 }] }] }))

  const one = fields => create({ topics: [{ topic, ...fields }] })
  log('an invalid name', await create({ topics: [{ topic: 'not a topic!' }] }))
  log('an empty name', await create({ topics: [{ topic: '' }] }))
  log('a dot for a name', await create({ topics: [{ topic: '.' }] }))
  log('a name of 250 characters', await create({ topics: [{ topic: 'x'.repeat(250) }] }))
  log('no partitions', await one({ numPartitions: 0 }))
  log('-5 partitions', await one({ numPartitions: -5 }))
  log('no replicas', await one({ replicationFactor: 0 }))
  log('more replicas than brokers', await one({ replicationFactor: 3 }))
  log('an unknown config', await one({ configEntries: [{ name: 'no.such.config', value: '1' }] }))
  log('an invalid value', await one({ configEntries: [{ name: 'retention.ms', value: 'soon' }] }))
  log('replicas and partitions', await one({ numPartitions: 1, replicaAssignment: [{ partition: 0, replicas: [1] }] }))
  log('a replica that is no broker', await one({ replicaAssignment: [{ partition: 0, replicas: [99] }] }))
  log('a gap in the partitions', await one({ replicaAssignment: [{ partition: 1, replicas: [1] }] }))
  log('nothing was created', (await admin.listTopics()).includes(topic))

  const good = uniq('a-good-one')
  const several = await create({
    topics: [
      { topic: uniq('b-bad'), numPartitions: 0 },
      { topic: good },
      { topic: uniq('c-bad'), configEntries: [{ name: 'retention.ms', value: 'soon' }] },
    ],
  })
  log('good and bad', several)
  log('the good one exists', (await admin.listTopics()).includes(good))
  log('errors have messages', several.rejected.errors.map(({ message }) => message.length > 0))
  log('again: exists, and bad ones', await create({ topics: [{ topic: good }, { topic: uniq('b-bad'), numPartitions: 0 }] }))
}
