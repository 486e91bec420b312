// Time as events: session phases and timers, on whatever clock it is given.
//
// C1. One of several schedulers publishes: who holds the lease. The others keep time and take over within LEASE_MS.
// C2. The lease saves work, it guards nothing: ids are the same whoever publishes (schedule.ts, D2). So with hot state
//     out of reach everybody publishes; no timer would be worse than one too many.
// C3. Who takes over publishes the phases that the one before may have died over, and the current phase.
// C4. What could not be published is still due. Nothing is skipped over because the bus was away: the phases are made
//     up for in order, a timer fires once for all it missed.
// C5. `isCaughtUp` is true only while everything due by the clock's time is published. It turns false in the same
//     instant in which the clock moves on to a due time, before anything else can look.
import { type Instant, addMs, formatInstant, instant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { IdSource } from '#shared/ports/id-source.ts'
import { backoffMs } from '#shared/runtime/backoff.ts'
import type { Log } from '#shared/runtime/log.ts'
import {
  CALENDARS,
  type PhaseChange,
  type ScheduledVenue,
  type Timer,
  type VenueCalendar,
  changesBetween,
  latestChange,
  latestDueTime,
  nextChangeTime,
  nextDueTime,
  phaseEvent,
  timerEvent,
} from './schedule.ts'

const LEASE_KEY = 'scheduler/leader'
/** How long after its last sign a scheduler is taken for dead, process time. */
export const LEASE_MS = 15_000
const RETRY = { baseMs: 100, maxMs: 5_000 }

export interface SchedulerDeps {
  /** What is due is due by this clock, recorded time in a replay. */
  readonly clock: Clock
  /** Pauses after a failed publication. */
  readonly stopwatch: Pick<Stopwatch, 'sleep'>
  readonly bus: Pick<EventBus, 'publish'>
  readonly hotState: Pick<HotState, 'claim' | 'extend' | 'release'>
  /** Names this scheduler among others. */
  readonly ids: IdSource
  readonly timers: readonly Timer[]
  readonly venues: readonly ScheduledVenue[]
  readonly log: Log
}

export interface RunningScheduler {
  /** Resolves after the signal aborted and the lease is let go of; rejects on a defect. */
  readonly ended: Promise<void>
  /** C5. False before the first publication. */
  isCaughtUp(): boolean
  /** When something is due next; a replay that moves its clock there by steps skips no timer. */
  nextDue(): Instant | undefined
}

/**
 * Runs until `signal` aborts.
 * @throws RangeError for an interval below one millisecond, or two timers or venues of one name.
 */
export function runScheduler(deps: SchedulerDeps, signal: AbortSignal): RunningScheduler {
  assertDistinct(deps.timers.map(({ name }) => name))
  assertDistinct(deps.venues)
  for (const { name, intervalMs } of deps.timers) {
    if (!Number.isSafeInteger(intervalMs) || intervalMs < 1) {
      throw new RangeError(`the interval of timer ${name} must be whole milliseconds: ${intervalMs}`)
    }
  }
  const loop = new Loop(deps)
  return {
    ended: loop.run(signal),
    isCaughtUp: () => loop.nextDue !== undefined && deps.clock.now() < loop.nextDue,
    nextDue: () => loop.nextDue,
  }
}

function assertDistinct(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new RangeError(`${twice} is scheduled twice`)
}

class Loop {
  readonly #deps: SchedulerDeps
  readonly #calendars: readonly VenueCalendar[]
  readonly #holder: string
  /** Phases up to here are published, by us or surely by the one who led. Absent: since ever. */
  #phasesUpTo: Instant | undefined
  /** Of each timer, by name: the latest due time that is settled. */
  readonly #fired = new Map<string, Instant>()
  #hasLed = false
  readonly #unknownDates = new Set<string>()
  /** Nothing else is due before; absent until the first round is done. */
  nextDue: Instant | undefined

  constructor(deps: SchedulerDeps) {
    this.#deps = deps
    this.#calendars = deps.venues.map((venue) => CALENDARS[venue])
    this.#holder = deps.ids.next()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, stopwatch, log } = this.#deps
    try {
      for (let failures = 0; !signal.aborted;) {
        const now = clock.now()
        try {
          this.nextDue = await this.#settle(now)
          failures = 0
        } catch (error) {
          if (!(error instanceof RetryableError)) throw error
          failures += 1
          log.error({ now: formatInstant(now), failures, error }, 'timers wait for the bus')
          await stopwatch.sleep(
            backoffMs(failures, RETRY, () => 1),
            signal,
          )
          continue
        }
        await clock.sleepUntil(this.nextDue, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
    await this.#resign()
  }

  /** Publishes what is due, or lets the leader; resolves to when something is due again. */
  async #settle(now: Instant): Promise<Instant> {
    this.#reportUnknownDates(now)
    const leads = await this.#leads()
    if (leads) {
      const events = this.#due(now)
      if (events.length > 0) await this.#deps.bus.publish(events)
      this.#hasLed = true
    }
    // A leader that was alive within the lease has published what came before (C3).
    this.#phasesUpTo = leads ? now : addMs(now, -LEASE_MS)
    for (const timer of this.#deps.timers) this.#fired.set(timer.name, latestDueTime(timer, now))
    const next = this.#nextDue(now)
    return leads || next < now + LEASE_MS ? next : addMs(now, LEASE_MS)
  }

  /** Events not yet settled, by due time; phases before timers of the same time. */
  #due(now: Instant): readonly Event[] {
    const phases = this.#calendars.flatMap((calendar) => this.#dueChanges(calendar, now))
    const timers = this.#deps.timers
      .map((timer) => ({ timer, at: latestDueTime(timer, now) }))
      .filter(({ timer, at }) => at > (this.#fired.get(timer.name) ?? Number.NEGATIVE_INFINITY))
    return [
      ...phases.map((change) => ({ at: change.at, event: phaseEvent(change) })),
      ...timers.map(({ timer, at }) => ({ at, event: timerEvent(timer, at) })),
    ]
      .toSorted((left, right) => left.at - right.at)
      .map(({ event }) => event)
  }

  #dueChanges(calendar: VenueCalendar, now: Instant): readonly PhaseChange[] {
    const missed = this.#phasesUpTo === undefined ? [] : changesBetween(calendar, this.#phasesUpTo, now)
    const current = missed.length > 0 || this.#hasLed ? undefined : latestChange(calendar, now)
    return current === undefined ? missed : [current]
  }

  #nextDue(now: Instant): Instant {
    const times = [
      ...this.#deps.timers.map((timer) => nextDueTime(timer, now)),
      ...this.#calendars.flatMap((calendar) => nextChangeTime(calendar, now) ?? []),
      addMs(now, DAY_MS),
    ]
    return instant(Math.min(...times))
  }

  /** C1, C2. */
  async #leads(): Promise<boolean> {
    const { hotState, log } = this.#deps
    try {
      return (
        (await hotState.extend(LEASE_KEY, this.#holder, LEASE_MS)) ||
        (await hotState.claim(LEASE_KEY, this.#holder, LEASE_MS))
      )
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      log.warn({ error }, 'hot state is out of reach: every scheduler publishes')
      return true
    }
  }

  async #resign(): Promise<void> {
    try {
      await this.#deps.hotState.release(LEASE_KEY, this.#holder)
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error // the lease runs out by itself
    }
  }

  /** A day that the calendar does not cover has no phases, so nothing trades; somebody must bring a newer calendar. */
  #reportUnknownDates(now: Instant): void {
    for (const calendar of this.#calendars) {
      const date = calendar.dateOf(now)
      const name = `${calendar.venue} ${date}`
      if (calendar.isKnown(date) || this.#unknownDates.has(name)) continue
      this.#unknownDates.add(name)
      this.#deps.log.fatal(
        { venue: calendar.venue, date },
        'the calendar does not cover today: no session opens',
      )
    }
  }
}

/** Looked again at least this often, even if nothing is known to come. */
const DAY_MS = 86_400_000
