// consumer.describeGroup: members, their metadata and assignment, and the states before, during and after.

import { within, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { AssignerProtocol: { MemberMetadata, MemberAssignment } } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const consumer = kafka.consumer({ groupId: uniq('workers'), maxWaitTimeInMs: 100 })
  await consumer.connect()
  log('before', await consumer.describeGroup())
  await consumer.subscribe({ topics: [topic] })
  await consumer.run({ eachMessage: async () => {} })
  const group = await within(consumer.describeGroup(), 'a description')
  log('running', {
    ...group,
    members: group.members.map(({ memberMetadata, memberAssignment, ...member }) => ({
      ...member,
      memberMetadata: MemberMetadata.decode(memberMetadata),
      memberAssignment: MemberAssignment.decode(memberAssignment),
    })),
  })
  log('metadata and assignment are Buffers', group.members.map(({ memberMetadata, memberAssignment }) => [memberMetadata, memberAssignment].map(Buffer.isBuffer)))
  await consumer.stop()
  log('after', await consumer.describeGroup())
}
