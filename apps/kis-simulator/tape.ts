// Plays a source from a position on: what happens next, and the day so far of every instrument.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import type { Price } from '#shared/domain/values.ts'
import type { MarketEvent } from '#shared/simulation/market-event.ts'
import { DayView } from './market/day-view.ts'
import type { DailyBar, MarketSource } from './market/source.ts'

/** Where a tape stands: so many events of this session have happened. */
export interface TapePosition {
  readonly tape: string
  readonly date: SessionDate
  readonly index: number
}

/** A position with what the sessions before it left behind. */
export interface TapeMemory {
  readonly position: TapePosition
  readonly closes: readonly (readonly [InstrumentId, Price])[]
  /** Sessions played since the tape began. */
  readonly bars: readonly (readonly [InstrumentId, readonly DailyBar[]])[]
}

export class Tape {
  readonly #source: MarketSource
  readonly #closes = new Map<InstrumentId, Price>()
  readonly #bars = new Map<InstrumentId, DailyBar[]>()
  readonly #days = new Map<InstrumentId, DayView>()
  #date: SessionDate | undefined
  #index = 0
  #events: Iterator<MarketEvent> | undefined
  #ahead: MarketEvent | undefined
  #played = 0

  constructor(source: MarketSource) {
    this.#source = source
    this.#begin(source.firstDate)
  }

  /** The next event without taking it; `undefined` at the end of the tape. */
  peek(): MarketEvent | undefined {
    return this.#ahead
  }

  /** Takes the next event and follows it. */
  take(): MarketEvent | undefined {
    const event = this.#ahead
    if (event === undefined) return undefined
    this.#index += 1
    this.#played += 1
    this.#follow(event)
    const next = this.#events?.next()
    if (next?.done === false) this.#ahead = next.value
    else this.#endSession()
    return event
  }

  position(): TapePosition {
    return { tape: this.#source.name, date: this.#date ?? this.#source.firstDate, index: this.#index }
  }

  /** Events taken since this process began. */
  played = (): number => this.#played

  memory(): TapeMemory {
    return { position: this.position(), closes: [...this.#closes], bars: [...this.#bars] }
  }

  /**
   * Goes to a remembered position, handing every event of its session on the way to `onEvent`. False, and nothing done, when
   * it is not a position of this tape.
   */
  restore(memory: TapeMemory, onEvent: (event: MarketEvent) => void): boolean {
    if (memory.position.tape !== this.#source.name) return false
    for (const [id, close] of memory.closes) this.#closes.set(id, close)
    for (const [id, bars] of memory.bars) this.#bars.set(id, [...bars])
    this.#begin(memory.position.date)
    for (let index = 0; index < memory.position.index; index += 1) {
      const event = this.take()
      if (event === undefined) break
      onEvent(event)
    }
    this.#played = 0
    return true
  }

  day = (instrumentId: InstrumentId): DayView | undefined => this.#days.get(instrumentId)
  days = (): Iterable<DayView> => this.#days.values()

  /** The session before today's; `undefined` when nothing is known of it. */
  previousDate(): SessionDate | undefined {
    let latest: SessionDate | undefined
    for (const { previous } of this.#days.values()) {
      if (previous !== undefined && (latest === undefined || previous.date > latest)) latest = previous.date
    }
    return latest
  }

  /** Finished sessions, oldest first: from before the tape and since it began. */
  history(instrumentId: InstrumentId): readonly DailyBar[] {
    return [...this.#source.history(instrumentId), ...(this.#bars.get(instrumentId) ?? [])]
  }

  #begin(date: SessionDate): void {
    this.#date = date
    this.#index = 0
    this.#events = this.#source.session(date, this.#closes)[Symbol.iterator]()
    const first = this.#events.next()
    this.#ahead = first.done === true ? undefined : first.value
  }

  #follow(event: MarketEvent): void {
    if (event.kind === 'sessionOpened') this.#openDays(event.date, event.at, event.instruments)
    else if (event.kind !== 'phaseChanged') this.#days.get(event.instrumentId)?.apply(event)
  }

  #openDays(date: SessionDate, at: Instant, instruments: readonly DayView['instrument'][]): void {
    this.#days.clear()
    for (const instrument of instruments) {
      const previous = this.history(instrument.id).at(-1)
      this.#days.set(instrument.id, new DayView(instrument, date, at, previous))
    }
  }

  /** The position stays after the last event of the session; the next one begins with its first event. */
  #endSession(): void {
    this.#ahead = undefined
    const next = this.#source.after(this.#date ?? this.#source.firstDate)
    if (next === undefined) return
    for (const [id, day] of this.#days) {
      this.#closes.set(id, day.last)
      const bar = day.dailyBar()
      if (bar === undefined) continue
      const bars = this.#bars.get(id) ?? []
      bars.push(bar)
      this.#bars.set(id, bars)
    }
    this.#begin(next)
  }
}
