// The strategies that trade one instrument.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { type Instance, coldInstance } from './instance.ts'
import type { Roster } from './roster.ts'

export interface Desk {
  readonly instrumentId: InstrumentId
  /** Of the roster that `instances` are from. */
  revision: number
  instances: readonly Instance[]
  tickInstances: readonly Instance[]
  /** True while an instance is not warm. */
  hasCold: boolean
  /** True while an instance waits for the next session. */
  hasWaiting: boolean
}

export interface Desks {
  of(instrumentId: InstrumentId, roster: Roster): Desk
}

export function deskBook(): Desks {
  const known = new Map<string, Desk>()

  const refill = (desk: Desk, roster: Roster): void => {
    const before = new Map(desk.instances.map((instance) => [instance.entry, instance]))
    desk.revision = roster.revision
    desk.instances = roster.entries
      .filter((entry) => entry.trades(desk.instrumentId))
      .map((entry) => before.get(entry) ?? coldInstance(entry, desk.instrumentId))
    desk.tickInstances = desk.instances.filter(({ entry }) => entry.prepared.trading.interval === 'tick')
    refreshFlags(desk)
  }

  return {
    of(instrumentId, roster) {
      let desk = known.get(instrumentId)
      if (desk === undefined) {
        desk = {
          instrumentId,
          revision: -1,
          instances: [],
          tickInstances: [],
          hasCold: false,
          hasWaiting: false,
        }
        known.set(instrumentId, desk)
      }
      if (desk.revision !== roster.revision) refill(desk, roster)
      return desk
    },
  }
}

/** To be called when instances may have become warm or come to wait. */
export function refreshFlags(desk: Desk): void {
  desk.hasCold = desk.instances.some(({ phase }) => phase !== 'ready')
  desk.hasWaiting = desk.instances.some(({ waiting }) => waiting !== undefined)
}
