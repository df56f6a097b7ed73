// The package's types: a program in TypeScript for KafkaJS compiles unchanged, and our clients pass for KafkaJS's.
//
// The program imports from 'client', which is KafkaJS first, to prove the program, and then the built package.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** Checks files of `types/` with tsc; `modules` says what the names they import stand for. */
const compile = async (files, modules) => {
  const folder = await mkdtemp(`${root}target/types-`)
  const config = `${folder}/tsconfig.json`
  const compilerOptions = {
    target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: ['node'],
    typeRoots: [`${root}node_modules/@types`], strict: true, exactOptionalPropertyTypes: true, noEmit: true,
    paths: Object.fromEntries(Object.entries(modules).map(([name, path]) => [name, [`${root}${path}`]])),
  }
  try {
    await writeFile(config, JSON.stringify({ compilerOptions, files: files.map(file => `${root}tests/npm/types/${file}`) }))
    await run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', config])
  } catch (error) {
    assert.fail(error.stdout || error)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const KAFKAJS = 'node_modules/kafkajs/types/index.d.ts'
const OURS = 'dist/npm/types/entry/index.d.ts'

test("the program compiles with KafkaJS's types", () => compile(['program.ts'], { client: KAFKAJS }))
test('the program compiles with ours', () => compile(['program.ts'], { client: OURS }))
test("ours are assignable to KafkaJS's", () => compile(['assignable.ts'], { partita: OURS, kafkajs: KAFKAJS }))
