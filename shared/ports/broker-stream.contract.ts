// What every BrokerStream must do, as numbered cases: gaps leave room.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { BrokerStream, ConnectionOutcome, StreamMessage, StreamRequest } from './broker-stream.ts'

/** A stream in front of a market that moves, and an account that can trade. */
export interface BrokerStreamBench {
  readonly stream: BrokerStream
  /** A stream to an address where nobody listens. */
  readonly nowhere: BrokerStream
  readonly accountId: string
  /** Liquid ones. */
  readonly instrumentIds: readonly InstrumentId[]
  /** Lets some market time go by. */
  readonly advance: () => Promise<void>
  /** Sends a marketable buy of ten units of the first instrument; resolves to its broker order id. */
  readonly buyTen: () => Promise<string>
  /** Data frames that the far side has sent to sockets that were open. */
  readonly framesSent: () => number
  /** Ends the connection from the far side, without a farewell. */
  readonly drop: () => void
  readonly close: () => Promise<void>
}

type Open = () => Promise<BrokerStreamBench>

let bench: BrokerStreamBench
let closer: AbortController

export function brokerStreamContract(name: string, open: Open): void {
  describe(`${name} as BrokerStream`, () => {
    beforeEach(async () => {
      bench = await open()
      closer = new AbortController()
    }, 60_000)
    afterEach(async () => {
      closer.abort()
      await bench.close()
    })
    messageCases()
    endCases()
  })
}

interface Running {
  readonly outcome: Promise<ConnectionOutcome>
  readonly live: Promise<void>
  readonly messages: StreamMessage[]
}

function connect(request: Partial<StreamRequest> = {}, stream = bench.stream): Running {
  const messages: StreamMessage[] = []
  const live = Promise.withResolvers<void>()
  const outcome = stream.connect(
    {
      instrumentIds: bench.instrumentIds,
      withOrderBook: true,
      onMessage: (message) => {
        messages.push(message)
        return Promise.resolve()
      },
      ...request,
      onLive: async () => {
        await request.onLive?.()
        live.resolve()
      },
    },
    closer.signal,
  )
  return { outcome, live: live.promise, messages }
}

const marketOf = (messages: readonly StreamMessage[]) =>
  messages.filter((message) => message.kind === 'market')
const reportsOf = (messages: readonly StreamMessage[]) =>
  messages.filter((message) => message.kind === 'execution').map(({ report }) => report)

function messageCases(): void {
  test('BS-010 live comes before the first message, and every instrument is heard', async () => {
    const steps: string[] = []
    const { live, messages } = connect({
      onLive: () => {
        steps.push('live')
        return Promise.resolve()
      },
    })
    await live
    expect([steps, messages]).toEqual([['live'], []])
    await bench.advance()
    await expect
      .poll(() => new Set(marketOf(messages).map(({ instrumentId }) => instrumentId)).size)
      .toBe(bench.instrumentIds.length)
    expect(messages.filter(({ kind }) => kind === 'unreadable')).toEqual([])
  })

  test('BS-020 every data frame that was sent is handed on once, in order, and counted', async () => {
    const { live, messages } = connect()
    await live
    const before = [bench.framesSent(), bench.stream.framesReceived()] as const
    await bench.advance()
    const sent = bench.framesSent() - before[0]
    await expect.poll(() => bench.stream.framesReceived() - before[1]).toBe(sent)
    expect(sent).toBeGreaterThan(0)
    expect(marketOf(messages)).toHaveLength(sent)
  })

  test('BS-030 messages wait for whoever is still getting ready', async () => {
    const gate = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const { live, messages } = connect({
      onLive: () => {
        started.resolve()
        return gate.promise
      },
    })
    await started.promise
    await bench.advance()
    expect(messages).toEqual([])
    gate.resolve()
    await live
    await expect.poll(() => messages.length).toBeGreaterThan(0)
  })

  test('BS-040 our order is heard as accepted and filled, with increments that add up', async () => {
    const { live, messages } = connect()
    await live
    const brokerOrderId = await bench.buyTen()
    await bench.advance()
    const ours = () => reportsOf(messages).filter((report) => report.brokerOrderId === brokerOrderId)
    const filled = () => ours().reduce((sum, report) => sum + (report.lastQuantity ?? 0n), 0n)
    await expect.poll(filled).toBe(10n)
    expect(ours()[0]?.kind).toBe('accepted')
    for (const report of ours()) {
      expect(report).toMatchObject({ accountId: bench.accountId, side: 'buy', orderQuantity: 10n })
    }
    const ids = ours().map(({ executionId }) => executionId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('BS-050 a slow consumer loses nothing', async () => {
    let handled = 0
    const { live } = connect({
      onMessage: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        handled += 1
      },
    })
    await live
    const before = [bench.framesSent(), handled] as const
    await bench.advance()
    const sent = bench.framesSent() - before[0]
    await expect.poll(() => handled - before[1], { timeout: 10_000 }).toBe(sent)
  })
}

function endCases(): void {
  test('BS-100 asked to close, it closes, and nothing is handed on after that', async () => {
    const { live, messages, outcome } = connect()
    await live
    closer.abort()
    expect(await outcome).toEqual({ kind: 'closed' })
    const count = messages.length
    await bench.advance()
    expect(messages).toHaveLength(count)
  })

  test('BS-110 a drop is told with its uptime, and the next connection is live again', async () => {
    const { live, outcome } = connect()
    await live
    bench.drop()
    const end = await outcome
    expect(end.kind).toBe('dropped')
    expect(end.kind === 'dropped' && end.uptimeMs).toBeGreaterThanOrEqual(0)
    await connect().live
  })

  test('BS-120 where nobody listens it is unreachable', async () => {
    expect((await connect({}, bench.nowhere).outcome).kind).toBe('unreachable')
  })

  test('BS-130 a consumer that fails ends the connection', async () => {
    const { live, outcome } = connect({ onMessage: () => Promise.reject(new Error('no room')) })
    await live
    await bench.advance()
    const end = await outcome
    expect(end.kind).toBe('dropped')
    expect(end.kind === 'dropped' && end.reason).toContain('no room')
  })

  test('BS-140 a connection that was asked to close before it began has closed', async () => {
    closer.abort()
    expect(await connect().outcome).toEqual({ kind: 'closed' })
  })
}
