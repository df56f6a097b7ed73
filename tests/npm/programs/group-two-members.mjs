// A group of consumers shares the partitions: a second member takes half, one too many waits, one that leaves is replaced.

import { inbox, listen, outcome, unordered, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  // Each member has a Kafka of its own: KafkaJS's consumers of one Kafka share what they know of their group's offsets,
  // and one that joins can make the others crash.
  const another = () => new Kafka({ clientId: 'shop', brokers })
  const kafka = another()
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 4 }])
  const producer = kafka.producer()
  await producer.connect()
  const groupId = uniq('workers')
  const joins = inbox()
  const records = inbox()
  const members = []
  const start = async () => {
    const member = { consumer: another().consumer({ groupId, maxWaitTimeInMs: 50, heartbeatInterval: 20 }), assigned: null }
    members.push(member)
    member.events = listen(member.consumer, 'GROUP_JOIN', 'REBALANCING')
    member.consumer.on(member.consumer.events.GROUP_JOIN, ({ payload }) => {
      member.join = payload
      member.assigned = payload.memberAssignment[topic] ?? []
      joins.push(payload)
    })
    await member.consumer.connect()
    await member.consumer.subscribe({ topics: [topic], fromBeginning: true })
    await member.consumer.run({
      eachMessage: async ({ partition, message }) => records.push({ member, partition, offset: message.offset, value: message.value.toString() }),
    })
    return member
  }
  // Settled: the latest assignments of all members that run share out the partitions, nothing missing, nothing twice.
  const settled = () => joins.until(
    () => members.every(({ assigned }) => assigned !== null) &&
      members.flatMap(({ assigned }) => assigned).sort().join() === '0,1,2,3' &&
      new Set(members.map(({ join }) => join.leaderId)).size === 1,
    'an assignment that covers the topic'
  )
  const shares = () => members.map(({ assigned }) => assigned.length).sort()
  const send = async from => {
    records.items.length = 0
    await producer.send({ topic, messages: Array.from({ length: 8 }, (_, i) => ({ value: `${from + i}`, partition: i % 4 })) })
    await records.count(8)
    return {
      values: records.items.map(({ value }) => Number(value)).sort((a, b) => a - b),
      byOwner: records.items.every(({ member, partition }) => member.assigned.includes(partition)),
    }
  }

  await start()
  await settled()
  log('one member', { shares: shares(), join: members[0].join })
  log('one member reads', await send(0))
  await start()
  await settled()
  log('two members', { shares: shares(), assignments: unordered(members.map(({ join }) => join.memberAssignment)), leaders: members.filter(({ join }) => join.isLeader).length })
  log('the first was told', members[0].events.items.some(({ type }) => type === 'consumer.rebalancing'))
  log('REBALANCING', members[0].events.items.find(({ type }) => type === 'consumer.rebalancing').payload.groupId)
  log('two members read', await send(8))
  await start()
  await start()
  await settled()
  log('four members', { shares: shares(), assignments: unordered(members.map(({ join }) => join.memberAssignment)) })
  await start()
  await settled()
  log('a fifth waits', { shares: shares(), idle: members.filter(({ assigned }) => assigned.length === 0).map(({ join }) => join.memberAssignment) })
  log('five members read', await send(16))
  const { groups: [group] } = await admin.describeGroups([groupId])
  log('described', { state: group.state, protocol: group.protocol, members: group.members.length })

  const owner = members.find(({ assigned }) => assigned.length === 1)
  members.splice(members.indexOf(owner), 1)
  await owner.consumer.disconnect()
  await settled()
  log('an owner leaves, the fifth steps in', { shares: shares() })
  log('four members read', await send(24))
  for (const member of members.splice(1)) await outcome(() => member.consumer.disconnect())
  await settled()
  log('one is left', { shares: shares() })
  log('it reads', await send(32))
  log('committed', (await admin.fetchOffsets({ groupId, topics: [topic] })).map(({ partitions }) => partitions.map(({ offset }) => Number(offset) > 0)))
}
