// A server as a child process: started, watched until it is ready, stopped.
//
// P1. It has a process group of its own: a Ctrl-C in the terminal reaches only us, and we end servers after their users.
// P2. Its process id stands in a file beside its log, so that what a killed run left behind is found and ended.
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'

export interface ServerProcess {
  readonly pid: number
  /** Resolves once the process is gone. */
  readonly exited: Promise<void>
  /** Ends it in order; by force where that takes longer than half a minute. */
  stop(): Promise<void>
  /** `kill -9`. Resolves once it is gone. */
  kill(): Promise<void>
}

export interface ServerOptions {
  /** For messages. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Path without extension: `.log` takes its output, `.pid` its process id. */
  readonly files: string
  /** Stands in its command line and in no other program's. */
  readonly mark: string
  /** Stands in its output once it can be used. */
  readonly ready: RegExp
}

const READY_MS_MAX = 90_000
const STOP_MS_MAX = 30_000

/** @throws Error with the last lines of its output when it ends before it is ready. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { name, command, args, files, mark, ready } = options
  await endLeftover(`${files}.pid`)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const log = createWriteStream(`${files}.log`, { flags: 'a' })
  const exited = new Promise<void>((done) => {
    child.once('close', () => {
      log.end()
      void rm(`${files}.pid`, { force: true }).finally(done)
    })
  })
  const output = outputOf(child, (chunk) => log.write(chunk))
  const isReady = output.has(ready)
  const failed = new Promise<never>((_, fail) => {
    child.once('error', fail)
    child.once('close', () => fail(new Error(`${name} ended: ${output.tail()}`)))
  })
  const patience = new AbortController()
  const late = systemStopwatch.sleep(READY_MS_MAX, patience.signal).then(() => {
    throw new Error(`${name} was not ready within ${READY_MS_MAX / 1000} s: ${output.tail()}`)
  })
  late.catch(() => undefined)
  failed.catch(() => undefined)
  try {
    await Promise.race([isReady, failed, late])
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    patience.abort()
  }
  const pid = child.pid ?? 0
  await writeFile(`${files}.pid`, `${pid} ${mark}\n`)
  return { pid, exited, ...endings(child, exited) }
}

/** Passes output on, and keeps its end for those who ask what went wrong. */
function outputOf(child: ChildProcess, pass: (chunk: Buffer) => void) {
  let text = ''
  let looking: { pattern: RegExp; found: () => void } | undefined
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      pass(chunk)
      text = (text + chunk.toString('utf8')).slice(-4_000)
      if (looking?.pattern.test(text) === true) looking.found()
    })
  }
  return {
    has: (pattern: RegExp) => new Promise<void>((found) => (looking = { pattern, found })),
    tail: () => text.trim().split('\n').slice(-12).join('\n'),
  }
}

function endings(child: ChildProcess, exited: Promise<void>): Pick<ServerProcess, 'stop' | 'kill'> {
  const kill = (): Promise<void> => {
    child.kill('SIGKILL')
    return exited
  }
  return {
    kill,
    async stop() {
      const patience = new AbortController()
      child.kill('SIGTERM')
      const late = systemStopwatch.sleep(STOP_MS_MAX, patience.signal).then(kill, () => undefined)
      await exited
      patience.abort()
      await late
    },
  }
}

/** P2. A process id may belong to somebody else by now: the command line tells. */
async function endLeftover(pidFile: string): Promise<void> {
  const [pid = '', ...mark] = (await readFile(pidFile, 'utf8').catch(() => '')).trim().split(' ')
  if (pid === '') return
  const running = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  if (running.includes(mark.join(' '))) process.kill(Number(pid), 'SIGKILL')
  await rm(pidFile, { force: true })
}

/** A port that nobody listens on at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
