import { afterEach, describe, expect, test } from 'vitest'
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { ACCOUNT, DATE, SAMSUNG, request } from '../../test/build.ts'
import {
  type Path,
  type PathOptions,
  type Replica,
  SETTLE_MS,
  cashOf,
  dying,
  namesOf,
  onlyOf,
  openOrderPath,
  outputsOf,
  run,
} from '../../test/order-path.ts'
import { balanceOf } from '../../test/scripted-broker.ts'

let path: Path
afterEach(() => path.close())

const open = async (options: PathOptions = {}): Promise<Replica> => {
  path = await openOrderPath(options)
  return path.replica()
}
const at = (time: string, date = DATE) => kstInstant(date, timeOfDay(time))
const passTo = (time: string, date = DATE) => path.clock.advanceTo(at(time, date))
/** Reconciliation alone. */
const tick = async (replica: Replica, event: Event = path.timer()): Promise<readonly Event[]> =>
  outputsOf(await replica.reconcile.handle(event))

/** Places an order in a process that dies, then has the next one find it. */
async function unclear(kind: 'never sent' | 'sent'): Promise<Replica> {
  await open()
  const doomed = path.replica({
    orders: kind === 'sent' ? dying('change', 'before') : dying('recordIntent', 'after'),
  })
  const approval = onlyOf(
    outputsOf(await doomed.risk.handle(path.requested('buy 10 @ 70000'))),
    'order.approved',
  )
  await doomed.place.handle(approval)
  const next = path.replica()
  outputsOf(await next.place.handle(approval))
  expect((await path.order()).status).toBe('outcomeUnknown')
  return next
}

describe('an order whose outcome nobody knows', () => {
  test('is found at the broker by its shape, fills and all, and never sent again', async () => {
    const replica = await unclear('sent')
    path.broker.fill('0000000001', '4 @ 69900') // its notice is lost
    const told = await run(replica, path.timer())
    expect(namesOf(told)).toEqual([
      'timer.fired',
      'execution.reported',
      'order.accepted',
      'order.partially-filled',
      'position.changed',
    ])
    expect(onlyOf(told, 'order.accepted').data).toMatchObject({
      evidence: 'list',
      brokerOrderId: '0000000001',
    })
    expect(await path.order()).toMatchObject({ status: 'partiallyFilled', attempt: 1 })
    path.pass(SETTLE_MS)
    await run(replica, path.timer())
    expect(path.broker.orders()).toHaveLength(1)
  })

  test('is sent again exactly once when a list that is complete proves it absent', async () => {
    const replica = await unclear('never sent')
    path.pass(SETTLE_MS - 1)
    expect(await tick(replica)).toEqual([])
    path.pass(1)
    const told = await run(replica, path.timer())
    expect(namesOf(told)).toEqual(['timer.fired', 'order.absent', 'order.submitted', 'order.accepted'])
    expect(onlyOf(told, 'order.submitted').data).toMatchObject({ attempt: 2 })
    path.pass(SETTLE_MS)
    await run(replica, path.timer())
    expect(path.broker.orders()).toHaveLength(1)
  })

  test('is looked for at once, so that a row that is there already ends the doubt', async () => {
    const replica = await open()
    path.broker.script('takeSilently')
    const told = await run(replica, path.requested('buy 10 @ 70000'))
    expect(namesOf(told).slice(2)).toEqual([
      'order.submitted',
      'order.outcome-unknown',
      'execution.reported',
      'order.accepted',
    ])
  })

  test('a list that was asked for before the settle wait was over proves nothing, however long it took', async () => {
    const replica = await unclear('never sent')
    path.pass(SETTLE_MS - 1)
    const { listOrders } = path.broker.gateway
    path.broker.gateway.listOrders = async (...words) => {
      const rows = await listOrders(...words)
      path.pass(60_000)
      return rows
    }
    expect(await tick(replica)).toEqual([])
  })

  test('of yesterday is looked for in the list of yesterday', async () => {
    const replica = await unclear('sent')
    path.broker.fill('0000000001', '10 @ 70000')
    passTo('10:00', sessionDate('2025-09-03'))
    const told = await run(replica, path.timer())
    expect(namesOf(told)).toContain('order.filled')
    expect(await path.store.quarantined(10)).toEqual([])
    expect(await cashOf(path)).toBe('99299895') // 700,000 and 105
  })

  test('that two rows could be is parked once, with its reservation, and a person is called', async () => {
    const replica = await unclear('sent')
    path.broker.enterForeign(request('buy 10 @ 70000') as ApprovedOrder)
    const timer = path.timer()
    const told = await tick(replica, timer)
    expect(onlyOf(told, 'order.parked').data).toMatchObject({ detail: 'could be 0000000001 or 0000000002' })
    expect(await tick(path.replica(), timer)).toEqual(told)
    path.pass(60_000)
    expect(await tick(replica)).toEqual([])
    expect((await path.order()).status).toBe('parked')
    expect((await path.snapshot()).reservations).toHaveLength(1)
  })

  test('is parked when the list cannot be read before the deadline, not sooner', async () => {
    const replica = await unclear('never sent')
    path.broker.gateway.listOrders = () => Promise.reject(new RetryableError('maintenance'))
    path.pass(600_000)
    expect(await replica.reconcile.handle(path.timer())).toMatchObject({ outcome: 'retry' })
    path.pass(1)
    expect(namesOf(await tick(replica))).toEqual(['order.parked'])
  })

  test('two that must be parked are parked by two timers, and both are told', async () => {
    const replica = await open()
    path.broker.script('takeSilently', 'takeSilently')
    const { reconcile: _reconcile, ...blind } = replica
    await run(blind, path.requested('buy 10 @ 70000', { clientOrderId: 'a' }))
    await run(blind, path.requested('buy 11 @ 70000', { clientOrderId: 'b' }))
    for (const text of ['buy 10 @ 70000', 'buy 11 @ 70000'])
      path.broker.enterForeign(request(text) as ApprovedOrder)
    const parked: unknown[] = []
    for (let timers = 0; timers < 3; timers += 1) {
      path.pass(5_000)
      parked.push(...(await tick(replica)).map(({ subject }) => subject))
    }
    expect(parked).toEqual(['a', 'b'])
  })
})

describe('an order that nobody comes for', () => {
  test('whose sender is gone for good becomes unclear, and is settled by evidence', async () => {
    await open()
    const doomed = path.replica({ orders: dying('recordIntent', 'after') })
    await run({ risk: doomed.risk }, path.requested('buy 10 @ 70000'))
    const [approval] = (await path.store.history('order-1')).slice(-1)
    if (approval === undefined) throw new Error('not approved')
    await doomed.place.handle(approval) // and it is never delivered again
    const replica = path.replica()
    path.pass(4 * SETTLE_MS - 1)
    expect(await tick(replica)).toEqual([])
    path.pass(1)
    const timer = path.timer()
    const told = await tick(replica, timer)
    expect(namesOf(told)).toEqual(['order.outcome-unknown'])
    expect(await tick(path.replica(), timer)).toEqual(told)
    path.pass(1_000)
    // Its approval is too old by now: absent, so it expires.
    expect(namesOf(await run(replica, path.timer()))).toEqual([
      'timer.fired',
      'order.absent',
      'order.expired',
    ])
    expect((await path.snapshot()).reservations).toEqual([])
  })

  test('that waits for one of its shape is woken when that one is clear', async () => {
    const replica = await open({ limits: { duplicateWindowMs: 1 } })
    path.broker.script('lose')
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'a' }))
    path.pass(10)
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'b' }))
    expect((await path.order('b')).status).toBe('approved')
    path.pass(10_000)
    expect(await tick(replica)).toEqual([])
    path.pass(SETTLE_MS)
    await run(replica, path.timer())
    expect((await path.order('a')).status).toBe('accepted')
    path.pass(5_000)
    const told = await run(replica, path.timer())
    expect(namesOf(told)).toEqual(['timer.fired', 'order.absent', 'order.submitted', 'order.accepted'])
    expect(path.broker.orders()).toHaveLength(2)
  })

  test('whose approval was lost on the way is sent, or denied when it is too late', async () => {
    const replica = await open()
    await replica.risk.handle(path.requested('buy 10 @ 70000', { clientOrderId: 'a' }))
    path.pass(5_001)
    await run(replica, path.timer())
    expect((await path.order('a')).status).toBe('accepted')
    await path.setPrice('70000')
    await replica.risk.handle(path.requested('buy 11 @ 70000', { clientOrderId: 'b' }))
    path.pass(200_000)
    expect(namesOf(await run(replica, path.timer()))).toContain('order.denied')
    expect((await path.order('b')).status).toBe('denied')
  })
})

describe('fills that the stream did not tell', () => {
  test('are booked from the list after a reconnect, once, before both sides are compared', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    path.broker.fill('0000000001', '10 @ 70000')
    path.broker.setBalance(balanceOf('99299895', [{ id: SAMSUNG, units: '10', at: '70000' }]))
    const told = await run(replica, path.connected())
    expect(namesOf(told)).toEqual([
      'stream.connected',
      'execution.reported',
      'order.filled',
      'position.changed',
    ])
    path.pass(5_000)
    const later = await run(replica, path.timer())
    expect(onlyOf(later, 'account.reconciled').data).toMatchObject({ agrees: true, equity: '99999895' })
    path.pass(5_000)
    expect(await tick(replica)).toEqual([])
  })

  test('a report that was set aside is not told again by every timer', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    path.broker.fill('0000000001', '11 @ 70000')
    expect(namesOf(await run(replica, path.timer()))).toContain('notification.requested')
    for (let timers = 0; timers < 3; timers += 1) {
      path.pass(5_000)
      expect(await tick(replica)).toEqual([])
    }
    expect(await path.store.quarantined(10)).toHaveLength(1)
  })
})

describe('the close', () => {
  test('expires what still works, after the fills of the closing auction', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    path.broker.fill('0000000001', '4 @ 70000') // its notice is still on its way
    passTo('15:30')
    const told = await run(replica, path.phase('closed'))
    expect(namesOf(told).slice(1)).toEqual([
      'execution.reported',
      'execution.reported',
      'order.partially-filled',
      'position.changed',
      'order.expired',
    ])
    expect(onlyOf(told, 'order.expired').data).toMatchObject({ filledQuantity: '4', expiredQuantity: '6' })
    expect(await path.snapshot()).toMatchObject({ reservations: [], positions: [{ quantity: 4n }] })
  })

  test('that we slept through is made good the next morning, on the day it belongs to', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    passTo('08:30', sessionDate('2025-09-03'))
    const told = await run(replica, path.phase('openingAuction'))
    expect(onlyOf(told, 'order.expired').data).toMatchObject({ eventTime: '2025-09-02T06:30:00.000Z' })
    expect(await path.store.quarantined(10)).toEqual([])
    expect((await path.snapshot()).reservations).toEqual([])
  })
})

describe('several accounts', () => {
  const OTHER = 'kis:5099999901'
  const accountIds = [ACCOUNT, OTHER]

  test.each([
    ['cannot be reached', () => new RetryableError('down')],
    ['is refused for good', () => new BrokerRefusedError('no permission')],
  ])('one that %s does not hold up the other', async (_name, fault) => {
    const replica = await open({ accountIds })
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'a' }))
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'b', accountId: OTHER }))
    const { listOrders } = path.broker.gateway
    path.broker.gateway.listOrders = (accountId, ...words) =>
      accountId === ACCOUNT ? Promise.reject(fault()) : listOrders(accountId, ...words)
    passTo('15:30')
    await run(replica, path.phase('closed'))
    expect((await path.order('a')).status).toBe('accepted')
    expect((await path.order('b')).status).toBe('expired')

    path.broker.gateway.listOrders = listOrders
    path.pass(5_000)
    await run(replica, path.timer())
    expect((await path.order('a')).status).toBe('expired')
  })

  test('orders of the same shape in two accounts are told apart', async () => {
    const replica = await open({ accountIds })
    path.broker.script('takeSilently', 'takeSilently')
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'a' }))
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'b', accountId: OTHER }))
    expect(await path.order('a')).toMatchObject({ status: 'accepted', brokerOrderId: '0000000001' })
    expect(await path.order('b')).toMatchObject({ status: 'accepted', brokerOrderId: '0000000002' })
  })

  test('when none can be read the event comes again', async () => {
    const replica = await open({ accountIds })
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'a' }))
    await run(replica, path.requested('buy 10 @ 70000', { clientOrderId: 'b', accountId: OTHER }))
    path.broker.gateway.listOrders = () => Promise.reject(new RetryableError('down'))
    expect(await replica.reconcile.handle(path.timer())).toMatchObject({ outcome: 'retry', reason: 'down' })
  })
})

test('the timers of others, and nights without orders, ask the broker for nothing', async () => {
  const replica = await open()
  let asked = 0
  const ask = () => {
    asked += 1
    return Promise.reject(new RetryableError('asked'))
  }
  Object.assign(path.broker.gateway, { listOrders: ask, balance: ask, quote: ask })
  await tick(replica, path.timer('risk'))
  path.clock.advanceTo(kstInstant(DATE, timeOfDay('23:00')))
  await tick(replica)
  expect(asked).toBe(0)
})
