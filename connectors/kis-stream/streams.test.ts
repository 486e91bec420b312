import { expect, test } from 'vitest'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import type { Event } from '#shared/events/contract.ts'
import type { BrokerStream, StreamRequest } from '#shared/ports/broker-stream.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { type StreamsDeps, runStreams } from './streams.ts'
import { StreamRefusedError } from './supervisor.ts'

const ids = (count: number) =>
  Array.from({ length: count }, (_, index) => instrumentId(`${String(index).padStart(6, '0')}.KRX`))

/** A broker that keeps one connection until the signal, or refuses it. */
function broker(refuses = false) {
  const requests: StreamRequest[] = []
  const stream: BrokerStream = {
    broker: 'kis',
    framesReceived: () => 0,
    async connect(request, signal) {
      requests.push(request)
      if (refuses) return { kind: 'refused', reason: 'the account is closed' }
      await request.onLive()
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true })
      })
      return { kind: 'closed' }
    },
  }
  return { stream, requests }
}

function start(over: Partial<StreamsDeps>) {
  const events: Event[] = []
  const stopping = new AbortController()
  const streams = runStreams(
    {
      accounts: [],
      instrumentIds: ids(3),
      withOrderBook: true,
      random: () => 0,
      bus: { publish: async (published) => void events.push(...published) },
      clock: systemClock,
      stopwatch: systemStopwatch,
      ids: systemIds,
      log: silentLog,
      ...over,
    },
    stopping.signal,
  )
  return { streams, events, stop: () => stopping.abort() }
}

test('the first account follows the instruments, every account hears its own executions', async () => {
  const [first, second] = [broker(), broker()]
  const { streams, events, stop } = start({
    accounts: [
      { accountId: 'kis:1', stream: first.stream },
      { accountId: 'kis:2', stream: second.stream },
    ],
  })
  await streams.live
  expect(streams.troubles()).toEqual([])
  expect(first.requests[0]).toMatchObject({ instrumentIds: ids(3), withOrderBook: true })
  expect(second.requests[0]).toMatchObject({ instrumentIds: [] })
  expect(events.map(({ subject }) => subject)).toEqual(['kis:1', 'kis:2'])
  stop()
  await streams.ended
})

test.each([
  [20, 20, true],
  [21, 21, false],
  [40, 40, false],
  [41, 40, false],
])('of %d instruments %d are followed, order books: %s', async (wanted, followed, withOrderBook) => {
  const { stream, requests } = broker()
  const { streams, stop } = start({ accounts: [{ accountId: 'kis:1', stream }], instrumentIds: ids(wanted) })
  await streams.live
  expect(requests[0]?.instrumentIds).toHaveLength(followed)
  expect(requests[0]?.withOrderBook).toBe(withOrderBook)
  stop()
  await streams.ended
})

test('one that is refused for good is not dialed again; without somebody to tell, that is the end', async () => {
  const { stream, requests } = broker(true)
  const { streams } = start({ accounts: [{ accountId: 'kis:1', stream }] })
  await expect(streams.ended).rejects.toThrow(StreamRefusedError)
  expect(requests).toHaveLength(1)
})

test('with somebody to tell, the others go on, and the refusal stays to be seen', async () => {
  const told: string[] = []
  const [refused, good] = [broker(true), broker()]
  const { streams, stop } = start({
    accounts: [
      { accountId: 'kis:1', stream: refused.stream },
      { accountId: 'kis:2', stream: good.stream },
    ],
    onRefused: (accountId, reason) => told.push(`${accountId}: ${reason}`),
  })
  await expect.poll(() => told).toEqual(['kis:1: the account is closed'])
  expect(streams.troubles()).toEqual(['kis:1 is refused: the account is closed'])
  expect(refused.requests).toHaveLength(1)
  stop()
  await streams.ended
})
