// listGroups, describeGroups, deleteGroups; deleting a topic takes its committed offsets along.

import { inbox, outcome, settled, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { AssignerProtocol: { MemberAssignment } } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [orders, payments] = [uniq('orders'), uniq('payments')]
  const admin = await withTopics(kafka, [{ topic: orders, numPartitions: 2 }, { topic: payments, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.sendBatch({ topicMessages: [orders, payments].map(topic => ({ topic, messages: [{ value: 'a' }] })) })
  const [running, left, nobody] = ['running', 'left', 'nobody'].map(uniq)
  const start = async groupId => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 })
    const box = inbox()
    await consumer.connect()
    await consumer.subscribe({ topics: [orders, payments], fromBeginning: true })
    await consumer.run({ eachMessage: async () => box.push(null) })
    await box.count(2)
    return consumer
  }
  await start(running)
  await (await start(left)).disconnect()

  const mine = async () => (await admin.listGroups()).groups.filter(({ groupId }) => [running, left, nobody].includes(groupId)).sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  log('list', await mine())
  const { groups } = await admin.describeGroups([running, left, nobody])
  log('describe', [...groups].sort((a, b) => (a.groupId < b.groupId ? -1 : 1)).map(({ members, ...group }) => ({
    ...group,
    members: members.map(({ memberId, clientId, clientHost, memberAssignment }) => ({
      memberId, clientId, clientHost, topics: Object.keys(MemberAssignment.decode(memberAssignment).assignment).sort(),
    })),
  })))
  log('describe none', await admin.describeGroups([]))

  await admin.deleteTopics({ topics: [payments] })
  const offsetsOf = async groupId => (await admin.fetchOffsets({ groupId })).map(({ topic }) => topic).sort()
  log('offsets after deleting a topic', await settled(() => offsetsOf(left), [orders]))
  const { rejected } = await outcome(() => admin.deleteGroups([running, nobody]))
  log('delete a running and an unknown group', {
    rejected: { error: rejected.name, retriable: rejected.retriable },
    groups: [...rejected.groups].sort((a, b) => a.errorCode - b.errorCode),
  })
  log('delete', await admin.deleteGroups([left]))
  log('list, without it', await mine())
  log('its offsets', await offsetsOf(left))
  log('delete it again', await outcome(() => admin.deleteGroups([left])))
  log('delete none', await admin.deleteGroups([]))
  log('no list', await outcome(() => admin.deleteGroups(left)))
  log('nothing', await outcome(() => admin.deleteGroups()))
  log('no string', await outcome(() => admin.deleteGroups([5])))
}
