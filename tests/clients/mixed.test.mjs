// A group whose members are different clients: KafkaJS and the package's own, over TCP. They share in both orders, and
// one takes over what the other leaves.

import { test } from 'node:test'
import { entry, root } from './harness.mjs'
import { mixed, workflow } from './workflow.mjs'

const file = `${root}tests/clients/programs/kafkajs.mjs`
const client = module => {
  const program = (...args) => [process.execPath, [file, module, ...args.map(String)]]
  return {
    produce: (...args) => program('produce', ...args),
    member: (...args) => program('member', ...args),
    since: (...args) => program('since', ...args),
  }
}
const kafkajs = client('kafkajs')
const ours = client(entry)

test('our client over TCP produces, shares, takes over, commits, resumes, finds by time', t => workflow(t, ours))
test('KafkaJS first, then ours: both share, and ours takes over', t => mixed(t, kafkajs, ours))
test('ours first, then KafkaJS: both share, and KafkaJS takes over', t => mixed(t, ours, kafkajs))
