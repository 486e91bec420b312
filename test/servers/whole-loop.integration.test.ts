// Every function a process of its own behind the bridge, on real Kafka (JTS_KAFKA_BROKERS), Redis (REDIS_URL) and
// PostgreSQL: the market that the embedded suite trades is traded in the same way, and killed processes change nothing.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Summary } from '../../apps/embedded/summary.ts'
import { endOf } from '../program.ts'
import { startOnServers } from './suite.ts'

/** A seeded morning with some orders in it. */
const MARKET = ['--seed', '5', '--events', '450'] as const

async function embedded(): Promise<Summary> {
  const directory = await mkdtemp(join(tmpdir(), 'jts-embedded-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'summary.json')
  const words = ['--data', join(directory, 'data'), '--speed', 'max', '--exit', '--summary', file, ...MARKET]
  const { code, said } = await endOf('apps/embedded/main.ts', { JTS_PORT: '0' }, words)
  if (code !== 0) throw new Error(`the embedded suite ended with ${code}:\n${said.slice(-4_000)}`)
  return JSON.parse(await readFile(file, 'utf8')) as Summary
}

const own = (): string => `loop${process.pid}x${Math.round(systemStopwatch.elapsedMs())}`

const pause = (signal: AbortSignal): Promise<void> => systemStopwatch.sleep(5, signal).catch(() => undefined)

const byInstrument = <Position extends { readonly instrumentId: string }>(
  positions: readonly Position[],
): readonly Position[] =>
  positions.toSorted((left, right) => left.instrumentId.localeCompare(right.instrumentId))

/** What people are told depends on the channels of each, and time on the machine. */
const decided = ({ notifications: _told, durationMs: _took, ...rest }: Summary) => rest

test('the same market gives the same events as in one process', { timeout: 240_000 }, async () => {
  const suite = await startOnServers(own())
  onTestFinished(() => suite.close())
  const onServers = await suite.market(MARKET)
  expect(onServers.ordersSubmitted).toBeGreaterThan(0)
  expect(onServers.brokerOrders).toBe(onServers.ordersSubmitted)
  expect(decided(onServers)).toEqual(decided(await embedded()))
})

test('killed functions and a killed bridge: no order twice, none lost', { timeout: 240_000 }, async () => {
  const suite = await startOnServers(own())
  onTestFinished(() => suite.close())
  const ending = new AbortController()
  const sent = async (): Promise<number> => (await suite.orders()).filter(({ attempt }) => attempt > 0).length
  const kills = (async () => {
    for (const [index, name] of ['place-order', 'record-execution', 'kafka-bridge'].entries()) {
      while ((await sent()) <= index && !ending.signal.aborted) await pause(ending.signal)
      if (!ending.signal.aborted) await suite.killAndStart(name)
    }
  })()
  const summary = await suite.market(MARKET).finally(() => ending.abort())
  await kills
  const orders = await suite.orders()
  const atTheBroker = orders.flatMap(({ brokerOrderId }) => brokerOrderId ?? [])
  expect(atTheBroker.length).toBeGreaterThan(2)
  expect(new Set(atTheBroker).size).toBe(atTheBroker.length)
  expect(summary.brokerOrders).toBe(atTheBroker.length)
  // A function that died between its intent and the send has left an attempt that never arrived: it is sent again on
  // evidence, or, too old by then, ended without ever having been at the broker.
  for (const { status, brokerOrderId } of orders)
    expect(status).toBe(brokerOrderId === undefined ? 'expired' : 'filled')
  expect(summary.quarantined).toBe(0)
  expect(byInstrument(summary.positions)).toEqual(byInstrument(summary.brokerPositions ?? []))
  expect(summary.cash).toEqual(summary.brokerCash)
})
