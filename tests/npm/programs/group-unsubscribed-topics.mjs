// A leader that assigns a topic which the member did not ask for: RECEIVED_UNSUBSCRIBED_TOPICS, and it is left out.

import { listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { AssignerProtocol: { MemberMetadata, MemberAssignment } } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [orders, payments] = [uniq('orders'), uniq('payments')]
  await withTopics(kafka, [{ topic: orders, numPartitions: 1 }, { topic: payments, numPartitions: 1 }])
  const Generous = () => ({
    name: 'Generous',
    version: 0,
    assign: async ({ members }) => members.map(({ memberId }) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({ version: 0, assignment: { [orders]: [0], [payments]: [0] } }),
    })),
    protocol: ({ topics }) => ({ name: 'Generous', metadata: MemberMetadata.encode({ version: 0, topics }) }),
  })
  const consumer = kafka.consumer({ groupId: uniq('workers'), partitionAssigners: [Generous], maxWaitTimeInMs: 100 })
  const events = listen(consumer, 'RECEIVED_UNSUBSCRIBED_TOPICS', 'GROUP_JOIN')
  await consumer.connect()
  await consumer.subscribe({ topics: [orders] })
  await consumer.run({ eachMessage: async () => {} })
  log('events', events.items)
}
