// From what happened to what subscribers hear.
import { symbolOf } from '#shared/domain/instrument.ts'
import type { Instant } from '#shared/domain/time.ts'
import type { InstrumentEvent, MarketEvent } from '#shared/simulation/market-event.ts'
import type { VenueNotice } from '#shared/simulation/venue-order.ts'
import type { Broker } from '../broker.ts'
import type { Customers } from '../customers.ts'
import type { Faults } from '../faults.ts'
import { branchOf } from '../rest/orders.ts'
import type { Profile } from '../rest/reply.ts'
import type { StreamDesk } from './desk.ts'
import { BOOK, TRADES, type Widths, bookRecord, plainFrame, tradeRecord } from './frames.ts'
import { NOTICES, encryptedFrame, noticeText } from './notices.ts'

export interface PublisherOptions {
  readonly profile: Profile
  readonly broker: Broker
  readonly customers: Customers
  readonly faults: Faults
  readonly stream: StreamDesk
  readonly widths: Widths
}

/** A customer's name on a notice; KIS shows the account holder. */
const HOLDER = 'HONG GILDONG'
const RECORDS_MAX = 20

export class Publisher {
  readonly #options: PublisherOptions
  /** Trade records of the frame that is being gathered: one instrument, one instant. */
  #records: string[] = []
  #trKey = ''
  #at = 0 as Instant
  #hasBook = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** Gathers what the event shows. Call for each event right after the broker has followed it, then `flush`. */
  gather(event: MarketEvent): void {
    if (event.kind === 'sessionOpened' || event.kind === 'phaseChanged') return
    const { broker, stream, widths } = this.#options
    const trKey = symbolOf(event.instrumentId)
    if (trKey !== this.#trKey || event.at !== this.#at || this.#records.length >= RECORDS_MAX) this.flush()
    this.#trKey = trKey
    this.#at = event.at
    if (hasTraded(event) && stream.hasListeners(TRADES, trKey)) {
      const day = broker.tape.day(event.instrumentId)
      if (day !== undefined) this.#records.push(tradeRecord(day, event.at, widths.trade))
    }
    if (event.kind !== 'uncrossed' && event.depth !== undefined) this.#hasBook = true
  }

  /** Sends what was gathered: several prints of one instant in one frame, then the book as it is now. */
  flush(): void {
    const { broker, stream, widths } = this.#options
    const trKey = this.#trKey
    if (this.#records.length > 0) {
      const frame = plainFrame(TRADES, this.#records)
      this.#records = []
      stream.publish(TRADES, trKey, () => frame)
    }
    if (!this.#hasBook) return
    this.#hasBook = false
    if (!stream.hasListeners(BOOK, trKey)) return
    for (const day of broker.tape.days()) {
      if (symbolOf(day.instrument.id) !== trKey) continue
      const frame = plainFrame(BOOK, [bookRecord(day, this.#at, this.#hourClass(), widths.book)])
      stream.publish(BOOK, trKey, () => frame)
    }
  }

  #hourClass(): '0' | 'A' | 'B' {
    const { phase } = this.#options.broker.exchange.venue
    return phase === 'openingAuction' ? 'B' : phase === 'closingAuction' ? 'A' : '0'
  }

  announce(notices: readonly VenueNotice[]): void {
    const { duplicateNotices, reverseNotices, withholdNotices } = this.#options.faults.settings()
    if (withholdNotices) return
    for (const notice of reverseNotices ? notices.toReversed() : notices) {
      this.#announceOne(notice)
      if (duplicateNotices) this.#announceOne(notice)
    }
  }

  #announceOne(notice: VenueNotice): void {
    const { broker, customers, profile, stream, widths } = this.#options
    const { accountNumber, instrumentId } = notice.order
    const htsId = customers.htsIdOf(accountNumber)
    if (htsId === undefined) return
    const trId = NOTICES[profile]
    const instrumentName =
      broker.exchange.venue.listing(instrumentId)?.instrument.name ?? symbolOf(instrumentId)
    const party = { htsId, holder: HOLDER, branch: branchOf[profile], instrumentName }
    const text = noticeText(notice, party, widths.notice)
    stream.publish(trId, htsId, (session) => {
      const cipherKey = session.cipherKeys.get(trId)
      return cipherKey === undefined ? undefined : encryptedFrame(trId, text, cipherKey)
    })
  }
}

const hasTraded = (event: InstrumentEvent): boolean => event.kind !== 'quoted' && event.quantity > 0n
