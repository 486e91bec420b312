// A program of JTS as a process of its own, as it is deployed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Event } from '#shared/events/contract.ts'

type Environment = Readonly<Record<string, string>>

export interface Answer {
  readonly status: number
  /** What it emitted; empty unless the status is 200. */
  readonly events: readonly Event[]
  readonly body: string
}

export interface Program {
  readonly port: number
  /** One event, as the bridge sends it. */
  post(event: Event): Promise<Answer>
  /** The reasons why it is not ready; none when it is. */
  notReady(): Promise<readonly string[]>
  /** Everything it has said so far. */
  said(): string
  /** Code and signal with which it ended after SIGTERM. */
  stop(): Promise<readonly [code: number | null, signal: string | null]>
  kill(): void
}

function run(
  path: string,
  environment: Environment,
  args: readonly string[] = [],
): { child: ChildProcess; said: () => string } {
  const child = spawn('node', [path, ...args], {
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', JTS_DRAIN_GRACE_MS: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return { child, said: () => said }
}

/** Resolves when it listens. @throws Error with all it said when it ends before. */
export async function startProgram(path: string, environment: Environment): Promise<Program> {
  const { child, said } = run(path, environment)
  const port = await listening(child, said)
  const url = `http://127.0.0.1:${port}`
  return {
    port,
    said,
    async post(event) {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/cloudevents+json',
          accept: 'application/cloudevents-batch+json',
        },
        body: JSON.stringify(event),
      })
      const body = await response.text()
      return {
        status: response.status,
        events: response.status === 200 ? (JSON.parse(body) as readonly Event[]) : [],
        body,
      }
    },
    async notReady() {
      const response = await fetch(`${url}/ready`)
      return ((await response.json()) as { readonly reasons: readonly string[] }).reasons
    },
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      return (await ended) as [number | null, string | null]
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** For programs that are to end by themselves. */
export async function endOf(
  path: string,
  environment: Environment,
  args: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly said: string }> {
  const { child, said } = run(path, environment, args)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said: said() }
}

async function listening(child: ChildProcess, said: () => string): Promise<number> {
  if (child.stdout === null) throw new Error('no output')
  for await (const line of createInterface(child.stdout)) {
    const { port } = JSON.parse(line) as { readonly port?: number }
    if (port !== undefined) return port
  }
  throw new Error(`it ended before it listened:\n${said()}`)
}
