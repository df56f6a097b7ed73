// KafkaJS on the port.

import { test } from 'node:test'
import { root } from './harness.mjs'
import { workflow } from './workflow.mjs'

const program = (...args) => [process.execPath, [`${root}tests/clients/programs/kafkajs.mjs`, 'kafkajs', ...args.map(String)]]

test('KafkaJS produces, shares, takes over, commits, resumes, finds by time', t =>
  workflow(t, {
    produce: (...args) => program('produce', ...args),
    member: (...args) => program('member', ...args),
    since: (...args) => program('since', ...args),
  }))
