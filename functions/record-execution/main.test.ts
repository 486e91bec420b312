// The deployed function as it is: a process of its own, HTTP in front, PostgreSQL behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import { type Path, openOrderPath, run } from '../../test/order-path.ts'

let path: Path | undefined
let child: ChildProcess | undefined
afterEach(async () => {
  child?.kill('SIGKILL')
  await path?.close()
  child = path = undefined
})

function start(environment: Readonly<Record<string, string>>): ChildProcess {
  child = spawn('node', ['functions/record-execution/main.ts'], {
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', JTS_DRAIN_GRACE_MS: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return child
}

/** The port it listens on, from its log. */
async function listening(process_: ChildProcess): Promise<number> {
  if (process_.stdout === null) throw new Error('no output')
  for await (const line of createInterface(process_.stdout)) {
    const { port } = JSON.parse(line) as { readonly port?: number }
    if (port !== undefined) return port
  }
  throw new Error('it ended before it listened')
}

const post = async (port: number, event: Event): Promise<readonly Event[]> => {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/cloudevents+json',
      accept: 'application/cloudevents-batch+json',
    },
    body: JSON.stringify(event),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as readonly Event[]
}

test(
  'a fill posted twice is booked once and answered the same, and SIGTERM ends it',
  { timeout: 30_000 },
  async () => {
    path = await openOrderPath()
    await run(path.replica(), path.requested('buy 10 @ 70000'))
    const started = start({ JTS_POSTGRES_URL: path.test.url, JTS_FEE_RATIO: '0.00015' })
    const port = await listening(started)
    const fill = path.broker.fill('0000000001', '10 @ 70000')

    const outputs = await post(port, fill)
    expect(outputs.map(({ type }) => type)).toEqual(['jts.order.filled.v1', 'jts.position.changed.v1'])
    expect(await post(port, fill)).toEqual(outputs)
    expect(await path.store.totals()).toMatchObject({ filled: 1, fills: 1 })

    const ended = once(started, 'exit')
    started.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  },
)

test('without its settings it says which are missing, and does not start', async () => {
  const started = start({})
  let said = ''
  started.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  started.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(started, 'close')) as [number]
  expect(code).not.toBe(0)
  for (const name of ['JTS_POSTGRES_URL', 'JTS_FEE_RATIO']) expect(said).toContain(name)
})
