// Assigners of the user's own: what they are given, what they decide, how the group agrees on one.

import { inbox, listen, unordered, within, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { AssignerProtocol: { MemberMetadata, MemberAssignment }, PartitionAssigners } = kafkajs
  // Each member has a Kafka of its own: KafkaJS's consumers of one Kafka share what they know of their group's offsets,
  // and one that joins can make the others crash.
  const another = () => new Kafka({ clientId: 'shop', brokers })
  const kafka = another()
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 3 }])
  const seen = {}
  // Everything goes to the member whose user data says so.
  const GreedyAssigner = greedy => ({ cluster, groupId, logger }) => {
    seen.config ??= { groupId, logger: typeof logger.info, cluster: typeof cluster.findTopicPartitionMetadata }
    return {
      name: 'GreedyAssigner',
      version: 1,
      async assign({ members, topics }) {
        const known = members.map(({ memberId, memberMetadata }) => ({ memberId, metadata: MemberMetadata.decode(memberMetadata) }))
        seen.assign = { topics, members: unordered(known.map(({ metadata }) => metadata)), metadata: cluster.findTopicPartitionMetadata(topics[0]).length }
        seen.unknown = cluster.findTopicPartitionMetadata('no such topic')
        const [first] = [...known].sort((a, b) => (a.metadata.userData.toString() === 'greedy' ? -1 : 1))
        return known.map(({ memberId }) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({
            version: 1,
            assignment: memberId === first.memberId ? { [topics[0]]: [2, 0, 1] } : {},
            userData: Buffer.from('decided'),
          }),
        }))
      },
      protocol: ({ topics }) => ({
        name: 'GreedyAssigner',
        metadata: MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(greedy ? 'greedy' : 'modest') }),
      }),
    }
  }
  const joins = inbox()
  const start = async (groupId, partitionAssigners) => {
    const consumer = another().consumer({ groupId, partitionAssigners, maxWaitTimeInMs: 50, heartbeatInterval: 20 })
    const member = { consumer, join: null, crashes: listen(consumer, 'CRASH') }
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      member.join = payload
      joins.push(payload)
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({ eachMessage: async () => {} })
    return member
  }

  const greedy = uniq('greedy')
  const modest = await start(greedy, [GreedyAssigner(false)])
  log('alone', { assignment: modest.join.memberAssignment, groupProtocol: modest.join.groupProtocol })
  log('given to the assigner', seen.config)
  const wanting = await start(greedy, [GreedyAssigner(true)])
  await joins.until(
    () => wanting.join && modest.join && Object.keys(wanting.join.memberAssignment).length === 1 && Object.keys(modest.join.memberAssignment).length === 0,
    'the greedy one has everything'
  )
  log('two members', { greedy: wanting.join.memberAssignment, modest: modest.join.memberAssignment })
  log('given to assign', seen.assign)
  log('metadata of an unknown topic', seen.unknown)
  const { groups: [group] } = await admin.describeGroups([greedy])
  log('described', {
    protocol: group.protocol,
    metadata: unordered(group.members.map(({ memberMetadata }) => MemberMetadata.decode(memberMetadata))),
    assignments: unordered(group.members.map(({ memberAssignment }) => MemberAssignment.decode(memberAssignment))),
  })

  const vote = uniq('vote')
  const both = await start(vote, [GreedyAssigner(true), PartitionAssigners.roundRobin])
  log('the first of two, alone', both.join.groupProtocol)
  const plain = await start(vote, [PartitionAssigners.roundRobin])
  await joins.until(() => both.join.groupProtocol === 'RoundRobinAssigner' && plain.join, 'the common protocol')
  log('the one in common', [both.join.groupProtocol, plain.join.groupProtocol])

  const stranger = await start(vote, [({ groupId }) => ({
    name: 'Unheard',
    version: 0,
    assign: async () => [],
    protocol: ({ topics }) => ({ name: 'Unheard', metadata: MemberMetadata.encode({ version: 0, topics }) }),
  })])
  await within(stranger.crashes.count(1), 'a crash')
  log('nothing in common', stranger.crashes.items)
}
