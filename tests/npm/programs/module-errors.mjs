// The error classes: names, fields, what extends what, as programs construct and catch them.

export default async function ({ kafkajs, log }) {
  const inner = { type: 'NOT_LEADER_FOR_PARTITION', code: 6, message: 'moved', retriable: true }
  const made = {
    KafkaJSError: [['text'], [new Error('wrapped'), { retriable: false }]],
    KafkaJSNonRetriableError: [['text'], [new Error('wrapped'), { cause: new TypeError('why') }]],
    KafkaJSProtocolError: [[inner], [inner, { retriable: false }]],
    KafkaJSOffsetOutOfRange: [[{ ...inner, type: 'OFFSET_OUT_OF_RANGE', code: 1, retriable: false }, { topic: 't', partition: 3 }]],
    KafkaJSMemberIdRequired: [[{ ...inner, type: 'MEMBER_ID_REQUIRED', code: 79 }, { memberId: 'm' }]],
    KafkaJSNumberOfRetriesExceeded: [[new kafkajs.KafkaJSError('last'), { retryCount: 5, retryTime: 300 }]],
    KafkaJSConnectionError: [['refused', { broker: 'b:1', code: 'ECONNREFUSED' }], ['refused']],
    KafkaJSConnectionClosedError: [['closed', { host: 'h', port: 1 }]],
    KafkaJSRequestTimeoutError: [['late', { broker: 'b:1', correlationId: 1, createdAt: 1, sentAt: 2, pendingDuration: 1 }]],
    KafkaJSMetadataNotLoaded: [['text']],
    KafkaJSTopicMetadataNotLoaded: [['text', { topic: 't' }]],
    KafkaJSStaleTopicMetadataAssignment: [['text', { topic: 't', unknownPartitions: [1] }]],
    KafkaJSDeleteGroupsError: [['text', [{ groupId: 'g', errorCode: 69 }]], ['text']],
    KafkaJSDeleteTopicRecordsError: [
      [{ topic: 't', partitions: [{ partition: 0, offset: '1', error: new kafkajs.KafkaJSError('a') }] }],
      [{ topic: 't', partitions: [{ partition: 0, offset: '1', error: new kafkajs.KafkaJSNonRetriableError('a') }, { partition: 1, offset: '1' }] }],
    ],
    KafkaJSServerDoesNotSupportApiKey: [['text', { apiKey: 1, apiName: 'Fetch' }]],
    KafkaJSBrokerNotFound: [['text']],
    KafkaJSPartialMessageError: [['text']],
    KafkaJSSASLAuthenticationError: [['text']],
    KafkaJSGroupCoordinatorNotFound: [['text']],
    KafkaJSNotImplemented: [['text']],
    KafkaJSTimeout: [['text']],
    KafkaJSLockTimeout: [['text']],
    KafkaJSUnsupportedMagicByteInMessageSet: [['text']],
    KafkaJSCreateTopicError: [[{ ...inner, type: 'TOPIC_ALREADY_EXISTS', code: 36, retriable: false }, 't']],
    KafkaJSAlterPartitionReassignmentsError: [[inner, 't', 4]],
    KafkaJSAggregateError: [['several', [new Error('a'), 'b']]],
    KafkaJSNoBrokerAvailableError: [[]],
    KafkaJSInvariantViolation: [['text']],
    KafkaJSInvalidVarIntError: [['text']],
    KafkaJSInvalidLongError: [['text']],
  }
  for (const [name, variants] of Object.entries(made)) {
    for (const [i, args] of variants.entries()) {
      const error = new kafkajs[name](...args)
      const message = name === 'KafkaJSInvariantViolation' ? error.message.includes(args[0]) : error.message
      log(`${name} ${i + 1}`, { error, message, isError: error instanceof Error, stack: typeof error.stack })
    }
  }
}
