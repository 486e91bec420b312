// Moves the tape on: as fast as it can, or in step with a stopwatch.
//
// D1. `onTime` is called with an event's time, and awaited, before anything of that time happens.
// D2. Events of one instrument at one instant are one step: what they print leaves in one frame, then fills are announced.
// D3. `pace` is awaited after every step, and between its prints and its fills, so that who sees both sees the print first; without it the tape lets the sockets work now and then and waits for slow readers.
// D4. In step with a stopwatch, time in which nothing happens is cut short: nights wholly, waits for an auction to
//     QUIET_MS_MAX of process time.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Instant } from '#shared/domain/time.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { MarketEvent } from '#shared/simulation/market-event.ts'
import type { VenueNotice } from '#shared/simulation/venue-order.ts'
import type { Broker } from './broker.ts'

const QUIET_MS_MAX = 10_000
const NIGHT_MS_MAX = 1000
const STEPS_PER_TURN = 64

export interface DriverOptions {
  readonly broker: Broker
  readonly publisher: {
    gather(event: MarketEvent): void
    flush(): void
    announce(notices: readonly VenueNotice[]): void
  }
  /** Times faster than life, or without waiting. */
  readonly speed: number | 'max'
  readonly stopwatch: Stopwatch
  readonly onTime: (at: Instant) => void | Promise<void>
  readonly pace: (() => Promise<void>) | undefined
  readonly isBacklogged: () => boolean
}

const isTogether = (left: MarketEvent, right: MarketEvent | undefined): boolean =>
  right !== undefined &&
  'instrumentId' in left &&
  'instrumentId' in right &&
  left.at === right.at &&
  left.instrumentId === right.instrumentId

/** Plays to the end of the tape, or until the signal aborts: then it resolves after the step that is under way. */
export async function drive(options: DriverOptions, signal: AbortSignal): Promise<void> {
  const { broker, stopwatch, speed } = options
  let steps = 0
  // Process time at which business time `anchor` is due.
  let anchor = broker.now()
  let anchorMs = stopwatch.elapsedMs()
  for (let event = broker.tape.peek(); event !== undefined && !signal.aborted; event = broker.tape.peek()) {
    if (speed !== 'max') {
      const quietMs = (event.at - broker.now()) / speed
      const longest = event.kind === 'sessionOpened' ? NIGHT_MS_MAX : QUIET_MS_MAX
      if (quietMs > longest) {
        anchorMs = Math.max(stopwatch.elapsedMs(), anchorMs + (broker.now() - anchor) / speed) + longest
        anchor = event.at
      }
      const waitMs = anchorMs + (event.at - anchor) / speed - stopwatch.elapsedMs()
      if (waitMs > 0 && !(await slept(stopwatch, waitMs, signal))) return
    }
    await options.onTime(event.at)
    const notices = step(options, event)
    steps += 1
    if (options.pace !== undefined) await options.pace()
    options.publisher.announce(notices)
    if (options.pace !== undefined && notices.length > 0) await options.pace()
    else if (options.pace === undefined && steps % STEPS_PER_TURN === 0) await breathe(options, signal)
  }
}

function step({ broker, publisher }: DriverOptions, first: MarketEvent): readonly VenueNotice[] {
  const notices: VenueNotice[] = []
  for (let event: MarketEvent | undefined = first; event !== undefined;) {
    const happened = broker.advance()
    if (happened === undefined) break
    publisher.gather(happened.event)
    notices.push(...happened.notices)
    const next = broker.tape.peek()
    event = isTogether(happened.event, next) ? next : undefined
  }
  broker.markPosition()
  publisher.flush()
  return notices
}

/** False when the signal aborted. */
async function slept(stopwatch: Stopwatch, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await stopwatch.sleep(ms, signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}

async function breathe({ stopwatch, isBacklogged }: DriverOptions, signal: AbortSignal): Promise<void> {
  await nextTurn()
  while (isBacklogged() && !signal.aborted) {
    if (!(await slept(stopwatch, 1, signal))) return
  }
}
