// What the tests with other clients share: the command `partita` as the package has it, and programs as processes.

import { spawn } from 'node:child_process'
import { access, constants, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A wait that takes longer than this has failed, in milliseconds. */
const LIMIT = 180_000

export const root = fileURLToPath(new URL('../../', import.meta.url))
const dist = new URL('../../dist/npm/', import.meta.url)
const manifest = JSON.parse(await readFile(new URL('package.json', dist), 'utf8'))

/** The package's file that `npx partita` runs, and the one that a program in Node imports. */
export const command = fileURLToPath(new URL(manifest.bin.partita, dist))
export const entry = fileURLToPath(new URL(manifest.exports['.'].node, dist))

/** The promise's value; fails when it takes too long. `what` says what did not happen. */
const within = async (promise, what) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not happen: ${what()}`)), LIMIT)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves to what `read` returns once that is something; asks again and again. */
export const eventually = async (read, what) => {
  let over = false
  const asking = async () => {
    while (!over) {
      const found = await read()
      if (found !== undefined) return found
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  try {
    return await within(asking(), () => what)
  } finally {
    over = true
  }
}

/**
 * Resolves to what `read` returns once that is something; asks whenever one of the programs has said something. Fails
 * if one of them ends before that.
 */
export const until = async (programs, read, what) => {
  const asking = async () => {
    for (;;) {
      const found = read()
      if (found !== undefined) return found
      for (const program of programs) program.mustRun(what)
      await Promise.race(programs.map(program => program.changed()))
    }
  }
  return within(asking(), () => [what, ...programs.map(program => program.tail())].join('\n'))
}

/** The processes that run: none outlives the file that started it, even if that hangs and is ended. */
const running = new Set()
process.once('exit', () => running.forEach(child => child.kill('SIGKILL')))
process.once('SIGTERM', () => process.exit(1))

/** A program in a process of its own. What it prints on stdout can be waited for line by line. */
export class Program {
  /** Lines of stdout, and all of stderr. */
  lines = []
  errors = ''
  #child
  #name
  #told = []
  /** Resolves to the exit code, or the signal's name, when it has ended and all of its output is here. */
  ended

  constructor(file, args, { input = 'pipe', env = {} } = {}) {
    this.#name = [file, ...args].join(' ')
    this.#child = spawn(file, args, { cwd: root, stdio: [input, 'pipe', 'pipe'], env: { ...process.env, ...env } })
    running.add(this.#child)
    const tell = () => this.#told.splice(0).forEach(told => told())
    createInterface({ input: this.#child.stdout }).on('line', line => {
      this.lines.push(line)
      tell()
    })
    this.#child.stderr.setEncoding('utf8').on('data', text => {
      this.errors += text
      tell()
    })
    // A program that has ended no longer reads.
    this.#child.stdin?.on('error', () => {})
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => {
        running.delete(this.#child)
        this.code = signal ?? code
        resolve(this.code)
        tell()
      })
    })
  }

  /** Ends its input, with this if it is given. */
  finish(text = '') {
    this.#child.stdin.end(text)
  }

  kill(signal = 'SIGKILL') {
    this.#child.kill(signal)
  }

  /** Resolves when it has said something, or ended. */
  changed() {
    return new Promise(resolve => this.#told.push(resolve))
  }

  mustRun(what) {
    if (this.code !== undefined) throw new Error(`ended (${this.code}) before: ${what}\n${this.tail()}`)
  }

  /** What it has said last, for a person. */
  tail() {
    return [this.#name, ...this.lines.slice(-20), this.errors.slice(-2000)].join('\n')
  }

  /** Resolves when it has ended well, to its lines. */
  async done() {
    await until([this], () => this.code, 'its end')
    if (this.code !== 0) throw new Error(`failed (${this.code}): ${this.tail()}`)
    return this.lines
  }
}

/** Starts the command `partita` on a free port; it is stopped after the test. */
export const partita = async (t, ...args) => {
  const program = new Program(process.execPath, [command, '--port', '0', ...args], { input: 'ignore' })
  t.after(async () => {
    program.kill('SIGTERM')
    await program.ended
  })
  const address = await until([program], () => /^listening on (.*)$/.exec(program.lines[0])?.[1], 'listening')
  return { address, program }
}

const executable = file => access(file, constants.X_OK).then(() => file, () => undefined)

/** Where a program is on PATH, if it is. */
export const find = async name => {
  const files = await Promise.all(process.env.PATH.split(delimiter).map(folder => executable(join(folder, name))))
  return files.find(file => file !== undefined)
}

/** The Python that .ci/run sets up with the clients, if it is there. */
export const python = await executable(join(root, 'target/python/bin/python'))

/**
 * Why a test cannot run here, for `skip`: a line that says what to install. In CI nothing is skipped that CI installs.
 */
export const missing = (found, what) => {
  if (found) return false
  if (process.env.CI === 'true') throw new Error(`${what} is missing, and CI installs it (.ci/run)`)
  return `${what} is not installed: .ci/run shows how`
}
