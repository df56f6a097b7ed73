// The package as a stranger has it: packed, and installed into an empty folder, offline.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const dist = fileURLToPath(new URL('../../dist/npm/', import.meta.url))

/** Resolves to the folder, and what removes it. */
export const install = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'partita-installed-'))
  const { stdout } = await exec('npm', ['pack', '--json', '--pack-destination', folder, dist], { cwd: folder })
  const [{ filename }] = JSON.parse(stdout)
  const flags = ['--offline', '--no-audit', '--no-fund']
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  await exec('npm', ['install', ...flags, join(folder, filename)], { cwd: folder })
  return { folder, remove: () => rm(folder, { recursive: true }) }
}
