// PartitionAssigners.roundRobin on its own: who gets what, for a cluster of the test's making.

export default async function ({ kafkajs, log }) {
  const { AssignerProtocol: { MemberMetadata, MemberAssignment }, PartitionAssigners } = kafkajs
  const sizes = { orders: 5, payments: 2, refunds: 0 }
  const cluster = {
    findTopicPartitionMetadata: topic =>
      Array.from({ length: sizes[topic] ?? 0 }, (_, partitionId) => ({ partitionId, leader: 1, replicas: [1], isr: [1], partitionErrorCode: 0 })),
  }
  const assigner = PartitionAssigners.roundRobin({ cluster, groupId: 'g', logger: { info: () => {} } })
  log('name and version', [assigner.name, assigner.version])
  const protocol = assigner.protocol({ topics: ['orders', 'payments'] })
  log('protocol', { name: protocol.name, metadata: MemberMetadata.decode(protocol.metadata) })
  const assign = async (ids, topics) => {
    const members = ids.map(memberId => ({ memberId, memberMetadata: MemberMetadata.encode({ version: 0, topics }) }))
    const result = await assigner.assign({ members, topics })
    return Object.fromEntries(result.map(({ memberId, memberAssignment }) => [memberId, MemberAssignment.decode(memberAssignment).assignment]))
  }
  log('one member', await assign(['a'], ['orders', 'payments']))
  log('three members', await assign(['c', 'a', 'b'], ['orders', 'payments']))
  log('the topics the other way round', await assign(['c', 'a', 'b'], ['payments', 'orders']))
  log('more members than partitions', await assign(['d', 'b', 'a', 'c'], ['payments']))
  log('nothing to assign', await assign(['a', 'b'], ['refunds', 'unknown']))
}
