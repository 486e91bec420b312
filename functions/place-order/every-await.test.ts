// The promise of the order path: kill the process at every call that it makes to the store or the broker, before and
// after the call has had its effect, and the broker has the order once, the fills are booked once, nothing is reserved.
import { afterAll, describe, expect, test } from 'vitest'
import { formatMoney } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import { type Path, type Replica, openOrderPath } from '../../test/order-path.ts'
import type { Script } from '../../test/scripted-broker.ts'

const TIMER_MS = 15_000
const TIMERS = 6
const STEPS_MAX = 500

class Killed extends Error {}

/** A kill after any other call is the kill before the next one. */
const EFFECTS = ['submit', 'approve', 'deny', 'fence', 'recordIntent', 'change', 'quarantine', 'acknowledge']
const HAS_EFFECT = new Set<string | symbol>(EFFECTS)

/** Counts calls; the one at `at` dies before or after its work. */
function fuse(at: number, when: 'before' | 'after') {
  let calls = 0
  const names = new Set<string | symbol>()
  return {
    calls: () => calls,
    wasCalled: (name: string) => names.has(name),
    hasBlown: () => calls >= at,
    wrap: <Part extends object>(part: Part): Part =>
      new Proxy(part, {
        get(target, name) {
          const method: unknown = Reflect.get(target, name)
          if (typeof method !== 'function') return method
          if (when === 'after' && !HAS_EFFECT.has(name)) return method.bind(target) as unknown
          return async (...words: unknown[]) => {
            calls += 1
            names.add(name)
            const isTheOne = calls === at
            if (isTheOne && when === 'before') throw new Killed(`before ${String(name)}`)
            const result: unknown = await Reflect.apply(method, target, words)
            if (isTheOne) throw new Killed(`after ${String(name)}`)
            return result
          }
        },
      }),
  }
}

type HostName = keyof Replica
/** Each function in a process of its own, or all in one, where approvals carry their intent. */
const MODES = ['a process each', 'one process'] as const
type Mode = (typeof MODES)[number]

/** A bus: each function has its queue in order, and what it could not handle is delivered to it again, first. */
class World {
  readonly #path: Path
  readonly #orders: (store: OrderStore) => OrderStore
  readonly #queues: Record<HostName, Event[]> = { risk: [], place: [], record: [], reconcile: [] }
  readonly #traded = new Set<string>()
  readonly #isOneProcess: boolean
  #replica: Replica

  private constructor(path: Path, orders: (store: OrderStore) => OrderStore, mode: Mode, replica: Replica) {
    this.#path = path
    this.#orders = orders
    this.#isOneProcess = mode === 'one process'
    this.#replica = replica
  }

  static async open(path: Path, orders: (store: OrderStore) => OrderStore, mode: Mode): Promise<World> {
    const world = new World(path, orders, mode, path.replica({ orders }))
    world.#replica = await world.#start()
    return world
  }

  /** A process without a memory. */
  async #start(): Promise<Replica> {
    const orders = this.#orders
    if (!this.#isOneProcess) return this.#path.replica({ orders })
    return this.#path.replica({ orders, intents: await this.#path.handover() })
  }

  publish(events: readonly Event[]): void {
    for (const queue of Object.values(this.#queues)) queue.push(...events)
  }

  /** Until nothing is left that could be handled now. */
  async settle(): Promise<void> {
    for (let steps = 0; steps < STEPS_MAX; steps += 1) {
      this.#trade()
      const moved: boolean[] = []
      for (const name of Object.keys(this.#queues) as HostName[]) moved.push(await this.#step(name))
      if (!moved.includes(true)) return
    }
    throw new Error('it never comes to rest')
  }

  async #step(name: HostName): Promise<boolean> {
    const [event] = this.#queues[name]
    if (event === undefined) return false
    const delivery = await this.#replica[name].handle(event)
    if (delivery.outcome === 'retry') return false
    if (delivery.outcome === 'defect') {
      if (!(delivery.error instanceof Killed)) throw delivery.error
      this.#replica = await this.#start()
      return true
    }
    if (delivery.outcome === 'poison') throw new Error(delivery.reason)
    this.#queues[name].shift()
    if (delivery.outcome === 'done') this.publish(delivery.outputs)
    return true
  }

  /** Every order at the broker trades 4 and 6; the first notice gets lost. */
  #trade(): void {
    for (const { brokerOrderId } of this.#path.broker.orders()) {
      if (this.#traded.has(brokerOrderId)) continue
      this.#traded.add(brokerOrderId)
      this.#path.broker.fill(brokerOrderId, '4 @ 70000')
      this.publish([this.#path.broker.fill(brokerOrderId, '6 @ 69900')])
    }
  }
}

/** Runs one order to its end with a fuse; returns how many calls that took. */
async function live(mode: Mode, script: Script, at: number, when: 'before' | 'after'): Promise<number> {
  const path = await openOrderPath()
  try {
    const { wrap, calls, hasBlown, wasCalled } = fuse(at, when)
    path.broker.script(script)
    Object.assign(path.broker.gateway, wrap({ ...path.broker.gateway }))
    const world = await World.open(path, wrap, mode)
    world.publish([path.requested('buy 10 @ 70000')])
    await world.settle()
    for (let timers = 0; timers < TIMERS; timers += 1) {
      path.pass(TIMER_MS)
      world.publish([path.timer()])
      await world.settle()
    }
    expect(hasBlown()).toBe(at !== Infinity)
    await check(path)
    const isAlone = mode === 'a process each' || script === 'lose'
    expect(wasCalled('recordIntent') || hasBlown()).toBe(isAlone || hasBlown())
    return calls()
  } finally {
    await path.close()
  }
}

async function check(path: Path): Promise<void> {
  const [order, another] = path.broker.orders()
  expect(another).toBeUndefined()
  const stored = await path.order()
  const { positions, reservations, cash } = await path.snapshot()
  expect(reservations).toEqual([])
  expect(await path.store.quarantined(10)).toEqual([])
  if (order === undefined) {
    // Proved absent when its approval was too old to be sent again.
    expect(stored.status).toBeOneOf(['expired', 'denied'])
    expect(positions).toEqual([])
    return
  }
  expect(stored).toMatchObject({ status: 'filled', filledQuantity: 10n, brokerOrderId: order.brokerOrderId })
  expect(positions).toMatchObject([{ quantity: 10n }])
  expect(formatMoney(cash)).toBe('99300496') // 280,000 + 419,400 and the fee of 104 on all of it
}

const SCRIPTS = [
  ['the broker answers', 'take'],
  ['the broker takes it and does not answer', 'takeSilently'],
  ['it never arrives', 'lose'],
] as const

describe.each(MODES.flatMap((mode) => SCRIPTS.map(([name, script]) => [mode, name, script] as const)))(
  '%s: %s',
  (mode, _name, script) => {
    const seen = { kills: 0 }
    afterAll(() => console.log(`${mode}, ${script}: killed at ${seen.kills} places`))

    test.each(['before', 'after'] as const)('killed %s each call', { timeout: 120_000 }, async (when) => {
      const calls = await live(mode, script, Infinity, when)
      expect(calls).toBeGreaterThan(4)
      for (let at = 1; at <= calls; at += 1) {
        try {
          await live(mode, script, at, when)
        } catch (error) {
          throw new Error(`killed ${when} call ${at} of ${calls}`, { cause: error })
        }
        seen.kills += 1
      }
    })
  },
)
