// What a call is and how KIS words its answers: every scalar a string, names in lower case, failures as rt_cd and msg_cd.
import { type SessionDate, type Instant, kstDate, kstTimeOfDay, sessionDate } from '#shared/domain/time.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { symbolOf } from '#shared/domain/instrument.ts'
import type { Broker } from '../broker.ts'
import type { Customers } from '../customers.ts'
import type { Faults } from '../faults.ts'
import type { VenueNotice } from '#shared/simulation/venue-order.ts'

export type Profile = 'real' | 'paper'

/** What every endpoint works with. */
export interface Desk {
  readonly profile: Profile
  readonly broker: Broker
  readonly customers: Customers
  readonly faults: Faults
  /** Process time. */
  readonly elapsedMs: () => number
  /** Process time; ends early when the simulator stops. */
  readonly wait: (ms: number) => Promise<void>
  /** What clocks on the wall show: for the text of a token's expiry. */
  readonly wallNow: () => Instant
  /** Tells the customers. */
  readonly announce: (notices: readonly VenueNotice[]) => void
}

export interface Call {
  /** Empty text where a header is absent. */
  readonly header: (name: string) => string
  /** Query of a GET or upper-case keys of a POST body; empty text where absent. */
  readonly field: (name: string) => string
  readonly bodyText: string
  readonly appKey: string
}

/** Why an answer does not come: the connection hangs or is reset. */
export type Withheld = 'silence' | 'reset'

export interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent after the answer has been written. */
  readonly notices?: readonly VenueNotice[]
  readonly withheld?: Withheld
}

export type Endpoint = (desk: Desk, call: Call) => Reply

export const ok = (
  body: Readonly<Record<string, unknown>>,
  message: readonly [code: string, text: string],
  headers: Readonly<Record<string, string>> = {},
): Reply => ({
  status: 200,
  body: { rt_cd: '0', msg_cd: message[0], msg1: padded(message[1]), ...body },
  headers,
})

export const failed = (status: number, code: string, text: string, returnCode = '1'): Reply => ({
  status,
  body: { rt_cd: returnCode, msg_cd: code, msg1: padded(text) },
})

/** KIS pads its texts: a client must trim them. */
const padded = (text: string): string => text.padEnd(Math.min(80, text.length + 20))

export const fieldMissing = (name: string): Reply =>
  failed(200, 'OPSQ2001', `ERROR : INPUT FIELD NOT FOUND [${name}]`)

export const fieldInvalid = (name: string): Reply =>
  failed(200, 'OPSQ2001', `ERROR : INVALID FIELD VALUE [${name}]`)

export const inquired = (profile: Profile): readonly [string, string] =>
  profile === 'paper'
    ? ['20310000', '모의투자 조회가 완료되었습니다.']
    : ['KIOK0510', '조회가 완료되었습니다']

export const QUOTED = ['MCA00000', '정상처리 되었습니다.'] as const

export const kisDate = (date: SessionDate): string => date.replaceAll('-', '')
export const kisDateOf = (at: Instant): string => kisDate(kstDate(at))

/** `undefined` unless YYYYMMDD of a real day. */
export function dateFromKis(text: string): SessionDate | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text)
  if (match === null) return undefined
  try {
    return sessionDate(`${match[1]}-${match[2]}-${match[3]}`)
  } catch {
    return undefined
  }
}

/** HHMMSS. */
export function kisTime(at: Instant): string {
  const seconds = Math.floor(kstTimeOfDay(at) / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return two(Math.floor(seconds / 3600)) + two(Math.floor(seconds / 60) % 60) + two(seconds % 60)
}

const UNITS_PER_WON = 10_000n

/** Whole won of a price or an amount; what is below a won is cut. */
export const won = (value: bigint): string => (value / UNITS_PER_WON).toString()

/** With four decimals, as pchs_avg_pric has them. */
export function wonExact(value: bigint): string {
  const magnitude = value < 0n ? -value : value
  const rest = (magnitude % UNITS_PER_WON).toString().padStart(4, '0')
  return `${value < 0n ? '-' : ''}${magnitude / UNITS_PER_WON}.${rest}`
}

/** part ÷ whole in percent with two decimals; `0.00` of nothing. */
export function percent(part: bigint, whole: bigint): string {
  return whole === 0n ? '0.00' : ((Number(part) / Number(whole)) * 100).toFixed(2)
}

/** 1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down. */
export function signOf(change: bigint, isUpper = false, isLower = false): string {
  if (isUpper) return '1'
  if (isLower) return '4'
  return change > 0n ? '2' : change < 0n ? '5' : '3'
}

export const codeOf = (id: InstrumentId): string => symbolOf(id)
