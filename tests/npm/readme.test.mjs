// A stranger's first five minutes: the packed package is installed into an empty folder, offline, and its README is
// followed there to the letter.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { install } from './install.mjs'

const dist = fileURLToPath(new URL('../../dist/npm/', import.meta.url))
const manifest = JSON.parse(await readFile(join(dist, 'package.json'), 'utf8'))
const exec = promisify(execFile)
// These tests would take it for themselves.
const { NODE_TEST_CONTEXT: _, ...env } = process.env

/** The README's blocks of code that are files: their first line is a comment with a name. */
const files = async () => {
  const readme = await readFile(join(dist, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```$/gms)]
  return blocks.map(([, name, text]) => ({ name, text }))
}

let folder
let remove

before(async () => {
  ({ folder, remove } = await install())
})

after(() => remove())

test('the tarball holds what the package needs, and brings nothing else along', async () => {
  const { stdout } = await exec('npm', ['ls', '--all', '--json'], { cwd: folder })
  assert.deepEqual(Object.keys(JSON.parse(stdout).dependencies), ['partita'])
  const installed = JSON.parse(await readFile(join(folder, 'node_modules/partita/package.json'), 'utf8'))
  assert.equal(installed.version, manifest.version)
  assert.equal(installed.dependencies, undefined)
})

test("the README's tests pass as they stand there", async () => {
  const tests = (await files()).filter(({ name }) => name.endsWith('.test.mjs'))
  assert.equal(tests.length, 2)
  for (const { name, text } of tests) {
    await writeFile(join(folder, name), text)
    const { stdout } = await exec(process.execPath, ['--test', '--test-reporter=tap', name], { cwd: folder, env, timeout: 60_000 })
    assert.match(stdout, /^# pass 1$/m)
  }
})

test('npx partita serves, as the README says', async () => {
  const child = spawn('npx', ['--offline', 'partita', '--port', '0', '--topic', 'orders:3'], {
    cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], detached: true,
  })
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    assert.match(line, /^listening on 127\.0\.0\.1:\d+$/)
    const [, address] = line.split('listening on ')
    const { Kafka } = await import(join(folder, 'node_modules/partita', manifest.exports['.'].node))
    const admin = new Kafka({ brokers: [address] }).admin()
    await admin.connect()
    assert.deepEqual(await admin.listTopics(), ['orders'])
    await admin.disconnect()
  } finally {
    // Ctrl-C at a terminal reaches npx and what it has started.
    process.kill(-child.pid, 'SIGINT')
    await once(child, 'exit')
  }
})
