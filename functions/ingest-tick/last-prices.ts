// Keeps last prices hot without slowing the feed: at most one write at a time, what comes meanwhile goes with the next.
//
// L1. `put` resolves when its prices are written, so that whoever acts on the tick finds its price.
// L2. After a failure the feed does not wait for the hot state until a write has succeeded again: prices are then missing
//     or old, and what depends on them denies.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { HotState, LastPrice } from '#shared/ports/hot-state.ts'

export interface LastPriceWriter {
  put(prices: readonly LastPrice[]): Promise<void>
  /** Resolves when everything put so far was written, or could not be. */
  settle(): Promise<void>
}

export function lastPriceWriter(
  hotState: Pick<HotState, 'putLastPrices'>,
  onFailure: (instrumentId: InstrumentId) => void,
): LastPriceWriter {
  let waiting = new Map<InstrumentId, LastPrice>()
  let running: Promise<void> | undefined
  let isHealthy = true

  const write = async (): Promise<void> => {
    while (waiting.size > 0) {
      const batch = waiting
      waiting = new Map()
      try {
        await hotState.putLastPrices([...batch.values()])
        isHealthy = true
      } catch {
        isHealthy = false
        for (const instrumentId of batch.keys()) onFailure(instrumentId)
      }
    }
    running = undefined
  }

  return {
    async put(prices) {
      for (const price of prices) {
        const known = waiting.get(price.instrumentId)
        if (known === undefined || known.eventTime <= price.eventTime) waiting.set(price.instrumentId, price)
      }
      if (waiting.size === 0) return
      running ??= write()
      if (isHealthy) await running
    },
    async settle() {
      await running
    },
  }
}
