// Orders that were requested and are not known to be done. One for each strategy and instrument.
//
// F1. An order ends by its own event (filled, denied, rejected, canceled, expired), or here after `timeoutMs` of business
//     time without one: the request was lost on the way. What the broker still works on shows among the account's
//     working orders, which have been read since.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Side } from '#shared/domain/order.ts'
import type { Instant } from '#shared/domain/time.ts'

export interface OrderInFlight {
  readonly strategyId: string
  readonly accountId: string
  readonly instrumentId: InstrumentId
  readonly clientOrderId: string
  readonly side: Side
  readonly quantity: bigint
}

export interface OrdersInFlight {
  /** Claims the place of a strategy's one order; false when it is taken. */
  claim(strategyId: string, instrumentId: InstrumentId, now: Instant): boolean
  /** Gives the place back, where no order came of it. */
  yield(strategyId: string, instrumentId: InstrumentId): void
  begin(order: OrderInFlight, now: Instant): void
  end(clientOrderId: string): void
  /** Being sold of an instrument, orders in `except` not counted. */
  sellingQuantity(
    accountId: string,
    instrumentId: InstrumentId,
    except: ReadonlySet<string>,
    now: Instant,
  ): bigint
}

interface Place {
  readonly order?: OrderInFlight
  readonly until: number
}

export function ordersInFlight(timeoutMs: number): OrdersInFlight {
  const places = new Map<string, Place>()
  const placeOf = new Map<string, string>()
  const keyOf = (strategyId: string, instrumentId: InstrumentId): string => `${strategyId}/${instrumentId}`

  const free = (key: string): void => {
    const order = places.get(key)?.order
    if (order !== undefined) placeOf.delete(order.clientOrderId)
    places.delete(key)
  }

  return {
    claim(strategyId, instrumentId, now) {
      const key = keyOf(strategyId, instrumentId)
      const place = places.get(key)
      if (place !== undefined && now < place.until) return false
      free(key)
      places.set(key, { until: now + timeoutMs })
      return true
    },
    yield: (strategyId, instrumentId) => free(keyOf(strategyId, instrumentId)),
    begin(order, now) {
      const key = keyOf(order.strategyId, order.instrumentId)
      places.set(key, { order, until: now + timeoutMs })
      placeOf.set(order.clientOrderId, key)
    },
    end(clientOrderId) {
      const key = placeOf.get(clientOrderId)
      if (key !== undefined) free(key)
    },
    sellingQuantity(accountId, instrumentId, except, now) {
      let selling = 0n
      for (const { order, until } of places.values()) {
        if (order === undefined || order.side === 'buy' || now >= until) continue
        if (order.accountId !== accountId || order.instrumentId !== instrumentId) continue
        if (!except.has(order.clientOrderId)) selling += order.quantity
      }
      return selling
    },
  }
}
