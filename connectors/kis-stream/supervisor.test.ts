import { describe, expect, test } from 'vitest'
import type { ConnectionOutcome } from '#shared/ports/broker-stream.ts'
import { BUSY_PAUSE_MS, StreamRefusedError, UPTIME_FOR_RESET_MS, supervise } from './supervisor.ts'

/** Plays the outcomes one after another, then aborts; notes every pause. */
async function play(outcomes: readonly ConnectionOutcome[]) {
  const stop = new AbortController()
  const pauses: number[] = []
  let failures = 0
  let dialed = 0
  const ended = supervise(
    {
      connect: (connection) => {
        dialed = connection
        const outcome = outcomes[connection - 1]
        if (outcome === undefined) stop.abort()
        return Promise.resolve(outcome ?? { kind: 'closed' })
      },
      backoff: {
        nextMs: () => 100 * 2 ** failures++,
        reset: () => {
          failures = 0
        },
      },
      stopwatch: {
        elapsedMs: () => 0,
        sleep: (ms) => {
          pauses.push(ms)
          return Promise.resolve()
        },
      },
      onEnd: () => undefined,
    },
    stop.signal,
  )
  const fault: unknown = await ended.then(
    () => undefined,
    (error: unknown) => error,
  )
  return { pauses, dialed, fault }
}

const dropped = (uptimeMs: number): ConnectionOutcome => ({ kind: 'dropped', uptimeMs, reason: 'reset' })
const unreachable: ConnectionOutcome = { kind: 'unreachable', reason: 'ECONNREFUSED' }

describe('a broker stream is kept open', () => {
  test('a broker that says no for good is never dialed again', async () => {
    const { fault, dialed } = await play([
      unreachable,
      { kind: 'refused', reason: 'invalid appkey' },
      unreachable,
    ])
    expect(fault).toBeInstanceOf(StreamRefusedError)
    expect(dialed).toBe(2)
  })

  test('one that accepts and drops us at once is dialed ever more slowly', async () => {
    expect((await play([dropped(10), dropped(10), dropped(10)])).pauses).toEqual([100, 200, 400])
  })

  test('a connection that lasted earns a fresh back-off, one that almost did does not', async () => {
    const after = async (uptimeMs: number) =>
      (await play([unreachable, unreachable, dropped(uptimeMs)])).pauses.at(-1)
    expect(await after(UPTIME_FOR_RESET_MS)).toBe(100)
    expect(await after(UPTIME_FOR_RESET_MS - 1)).toBe(400)
  })

  test('a key that another session holds is left alone for long', async () => {
    expect((await play([{ kind: 'busy', reason: 'ALREADY IN USE' }])).pauses).toEqual([BUSY_PAUSE_MS])
  })

  test('it ends without a pause once it is told to', async () => {
    expect(await play([])).toEqual({ pauses: [], dialed: 1, fault: undefined })
  })
})
