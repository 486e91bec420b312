// Ticks for races of what carries events. A bus freezes what it is given, so every round needs events of its own.
import { formatInstant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { TickTraded } from '#shared/events/market.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { stocks } from './market-feed.ts'
import { SESSION_START } from './order-path.ts'

/** In turn of so many instruments. */
export function tickEvents(count: number, instruments: number): readonly Event[] {
  const ids = stocks(instruments, SESSION_START).map(({ id }) => id)
  const time = formatInstant(SESSION_START)
  return Array.from({ length: count }, (_, index) => {
    const data = {
      instrumentId: ids[index % instruments] ?? '',
      eventTime: time,
      receivedTime: time,
      price: '70000',
      quantity: '1',
      aggressor: 'buy' as const,
      sessionVolume: String(index + 1),
      bidPrice: '70000',
      askPrice: '70100',
    }
    return finishRoot(TickTraded, data, { id: `tick-${index}`, source: '/bench', now: SESSION_START })
  })
}
