// What can go wrong on demand. Settings hold until changed; shots are used up.
import * as z from 'zod'

/** Every default is the friendly one. */
export const FaultSettings = z.strictObject({
  /** Notices of an order leave at once and its answer so much later, process time. 0: the answer leaves first. */
  noticeLeadMs: z.number().int().min(0).max(60_000).default(0),
  /** Every notice twice. */
  duplicateNotices: z.boolean().default(false),
  /** The notices of one step in reverse. */
  reverseNotices: z.boolean().default(false),
  /** No notice at all: the order list is the only road. */
  withholdNotices: z.boolean().default(false),
  /** Process time before an order appears in the order lists. */
  orderListDelayMs: z.number().int().min(0).max(600_000).default(0),
  /** A page after the first is refused when anything happened to the ledger since the first. */
  refuseStalePages: z.boolean().default(false),
})
export type FaultSettings = z.infer<typeof FaultSettings>

/** For the next order, amend or cancel. */
export const ORDER_SHOTS = [
  'silenceBeforeEffect', // never answered, nothing done
  'silenceAfterEffect', // never answered, but done
  'resetBeforeEffect', // connection reset, nothing done
  'resetAfterEffect',
  'gatewayTimeoutBeforeEffect', // EGW00301
  'gatewayTimeoutAfterEffect', // EGW00302
] as const
export type OrderShot = (typeof ORDER_SHOTS)[number]

/** For the next request of any kind. */
export const REQUEST_SHOTS = ['serverError', 'refuseConnection'] as const
export type RequestShot = (typeof REQUEST_SHOTS)[number]

export type Shot = OrderShot | RequestShot

export const ShotRequest = z.strictObject({
  shot: z.enum([...ORDER_SHOTS, ...REQUEST_SHOTS]),
  times: z.number().int().min(1).max(1000).default(1),
})

export class Faults {
  #settings: FaultSettings
  readonly #shots = new Map<Shot, number>()

  constructor(settings: Partial<FaultSettings> = {}) {
    this.#settings = FaultSettings.parse(settings)
  }

  settings = (): FaultSettings => this.#settings

  /** Settings that are not named stay. */
  change(settings: Partial<FaultSettings>): void {
    this.#settings = { ...this.#settings, ...settings }
  }

  load(shot: Shot, times = 1): void {
    this.#shots.set(shot, (this.#shots.get(shot) ?? 0) + times)
  }

  loaded = (): Readonly<Record<string, number>> => Object.fromEntries(this.#shots)

  /** Fires the first of these that is loaded. */
  fire<T extends Shot>(candidates: readonly T[]): T | undefined {
    for (const shot of candidates) {
      const left = this.#shots.get(shot)
      if (left === undefined) continue
      if (left > 1) this.#shots.set(shot, left - 1)
      else this.#shots.delete(shot)
      return shot
    }
    return undefined
  }

  clear(): void {
    this.#shots.clear()
    this.#settings = FaultSettings.parse({})
  }
}
