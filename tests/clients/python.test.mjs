// The Python clients on the port: kafka-python, and confluent-kafka, which is librdkafka.

import { test } from 'node:test'
import { missing, python, root } from './harness.mjs'
import { workflow } from './workflow.mjs'

for (const [name, file] of [['kafka-python', 'kafka_python.py'], ['confluent-kafka', 'confluent.py']]) {
  const program = (...args) => [python, [`${root}tests/clients/programs/${file}`, ...args.map(String)]]
  const skip = missing(python, 'Python with kafka-python and confluent-kafka')
  test(`${name} produces, shares, takes over, commits, resumes, finds by time`, { skip }, t =>
    workflow(t, {
      produce: (...args) => program('produce', ...args),
      member: (...args) => program('member', ...args),
      since: (...args) => program('since', ...args),
    }))
}
