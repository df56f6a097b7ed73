// AssignerProtocol: the bytes of a subscription and an assignment, both ways.

export default async function ({ kafkajs, log }) {
  const { AssignerProtocol: { MemberMetadata, MemberAssignment } } = kafkajs
  const metadata = { version: 1, topics: ['orders', 'оплата'], userData: Buffer.from([1, 2, 200]) }
  log('metadata', MemberMetadata.encode(metadata))
  log('metadata is a Buffer', Buffer.isBuffer(MemberMetadata.encode(metadata)))
  log('metadata back', MemberMetadata.decode(MemberMetadata.encode(metadata)))
  log('metadata without user data', MemberMetadata.encode({ version: 0, topics: [] }))
  log('its decoding', MemberMetadata.decode(MemberMetadata.encode({ version: 0, topics: [] })))

  const assignment = { version: 1, assignment: { orders: [0, 2, 70000], payments: [] }, userData: Buffer.from('notes') }
  log('assignment', MemberAssignment.encode(assignment))
  log('assignment back', MemberAssignment.decode(MemberAssignment.encode(assignment)))
  log('assignment without user data', MemberAssignment.encode({ version: 0, assignment: {} }))
  log('an empty assignment', MemberAssignment.decode(Buffer.alloc(0)))
}
