// Servers and load generators, each in a process and on a core of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'

export const SERVER_CORE = 0
export const LOAD_CORE = 1

const CAN_PIN = availableParallelism() > 1 && spawnSync('taskset', ['--version']).error === undefined

/** The command that runs `words` on one core, where the machine has `taskset` and cores to choose from. */
export const pinned = (core: number, words: readonly string[]): readonly string[] =>
  CAN_PIN ? ['taskset', '-c', String(core), ...words] : words

export const pinningNote: string = CAN_PIN
  ? `servers on core ${SERVER_CORE}, load on core ${LOAD_CORE}`
  : 'no taskset, or one core: server and load share what there is'

export interface ServerProcess {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

export interface ServerCommand {
  /** Path of the program from the root of the repository, or absolute. */
  readonly file: string
  readonly environment?: Readonly<Record<string, string>>
}

const ROOT = join(import.meta.dirname, '..')

/** Starts a Node program that listens on the port in `PORT`. Its output goes nowhere, its errors to ours. */
export function startProgram({ file, environment = {} }: ServerCommand, port: number): ChildProcess {
  const [command = '', ...words] = pinned(SERVER_CORE, [process.execPath, resolvePath(ROOT, file)])
  const child = spawn(command, words, {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production', PORT: String(port), ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill) // a race that fails leaves no server behind
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Resolves once it takes connections. @throws Error when it ends before. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const port = await freePort()
  const child = startProgram(command, port)
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`${command.file} ended with ${code}`)))
  })
  ended.catch(() => undefined)
  await Promise.race([answering(port), ended])
  return { port, pid: child.pid ?? 0, stop: () => stopProgram(child) }
}

/** Kills it, unless told to ask: what a race measures is over by then. */
export function stopProgram(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

/** A port that nobody listens on, so far as one can know. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** Resolves when somebody takes connections. */
export async function answering(port: number): Promise<void> {
  while (!(await takesConnections(port)));
}

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isOpen: boolean): void => {
      socket.destroy()
      setImmediate(resolve, isOpen)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })

const TICKS_PER_SECOND = 100

/** Seconds that a process has spent on cores so far, to a hundredth; undefined where the system does not tell. */
export function cpuSecondsOf(pid: number): number | undefined {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number)
    return (user + system) / TICKS_PER_SECOND
  } catch {
    return undefined
  }
}

/** Runs a command to its end and gives what it printed. @throws Error unless it ends with 0. */
export function output(core: number, words: readonly string[]): Promise<string> {
  const [command = '', ...rest] = pinned(core, words)
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${words[0]} ended with ${code}: ${text}`)),
    )
  })
}
