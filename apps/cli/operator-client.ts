// Asks the running suite; where none runs, opens its stores and answers itself, by the same code.
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { existsSync } from 'node:fs'
import { operatorApp } from '../embedded/operator.ts'
import { readRunFile } from '../embedded/run-file.ts'
import { openStores } from '../embedded/stores.ts'
import type { OperatorRequest } from './commands.ts'

export interface Answer {
  readonly body?: unknown
  /** For a person, when the answer is a refusal. */
  readonly fault?: string
}

export interface OperatorClient {
  send(request: OperatorRequest): Promise<Answer>
  close(): Promise<void>
}

const DEADLINE_MS = 15_000

export async function openOperator(directory: string): Promise<OperatorClient> {
  const run = await readRunFile(directory)
  if (run !== undefined) {
    const { url, pid } = run
    if (url === undefined) {
      throw new Error(`JTS is starting or stopping on ${directory} (process ${pid}): try again in a moment`)
    }
    return {
      send: async (request) => answerOf(await fetch(new URL(request.path, url), initOf(request))),
      close: () => Promise.resolve(),
    }
  }
  if (!existsSync(directory))
    throw new Error(`nothing has been run in ${directory} yet: start with \`npm start\``)
  const stores = await openStores({
    directory,
    log: silentLog,
    batchSize: 1_000,
    bufferSize: 10_000,
    flushIntervalMs: 1_000,
    troubles: { tell: () => undefined },
  })
  const app = operatorApp({
    stores,
    clock: systemClock,
    ids: systemIds,
    publish: () => Promise.resolve(), // in the outbox: the next start hands them on
    status: () => Promise.resolve({ running: false, data: directory }),
  })
  return {
    send: async (request) => answerOf(await app.request(request.path, initOf(request))),
    close: () => stores.close(),
  }
}

const initOf = ({ method, body }: OperatorRequest): RequestInit => ({
  method,
  signal: AbortSignal.timeout(DEADLINE_MS),
  ...(body === undefined
    ? {}
    : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
})

async function answerOf(response: Response): Promise<Answer> {
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok) return { body }
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? String(body.detail) : ''
  return { fault: detail === '' ? `the suite answered ${response.status}` : detail }
}
