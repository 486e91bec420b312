import { afterEach, describe, expect, test } from 'vitest'
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { quantity } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { createLog } from '#shared/runtime/log.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { ACCOUNT, SAMSUNG, request } from '../../test/build.ts'
import {
  FEE_RATIO,
  type Path,
  type PathOptions,
  type Replica,
  cashOf,
  namesOf,
  onlyOf,
  openOrderPath,
  outputsOf,
  run,
} from '../../test/order-path.ts'
import { recordExecution } from './function.ts'
import { recordExecutionHandler } from './handler.ts'

let path: Path
afterEach(() => path.close())

const open = async (options: PathOptions = {}): Promise<Replica> => {
  path = await openOrderPath(options)
  return path.replica()
}

/** Without reconciliation, which looks at the list at once. */
const blind = ({ reconcile: _reconcile, ...others }: Replica): Partial<Replica> => others

const NUMBER = '0000000001'
const critical = (events: readonly Event[]): Event => {
  const notification = onlyOf(events, 'notification.requested')
  expect(notification.data).toMatchObject({ recipient: 'operator', severity: 'critical' })
  return notification
}

describe('from a request to the last fill', () => {
  test('every step is told once, and positions and cash are exact to the won', async () => {
    const replica = await open()
    const placed = await run(replica, path.requested('buy 10 @ 70000'))
    expect(namesOf(placed)).toEqual([
      'order.requested',
      'order.approved',
      'order.submitted',
      'order.accepted',
    ])
    await run(replica, path.broker.acceptNotice(NUMBER))

    const part = await run(replica, path.broker.fill(NUMBER, '4 @ 69900'))
    expect(namesOf(part)).toEqual(['execution.reported', 'order.partially-filled', 'position.changed'])
    // 279,600 and its fee of 0.015 %, cut to 41 won
    expect(onlyOf(part, 'position.changed').data).toMatchObject({
      quantity: '4',
      averagePrice: '69900',
      cash: '99720359',
    })
    const whole = await run(replica, path.broker.fill(NUMBER, '6 @ 70000'))
    expect(namesOf(whole)).toEqual(['execution.reported', 'order.filled', 'position.changed'])
    // 699,600 in all; the fee on all is 104
    expect(await cashOf(path)).toBe('99300296')

    await run(replica, path.requested('sell 10 @ 69500', { clientOrderId: 'order-2' }))
    const sold = await run(replica, path.broker.fill('0000000002', '10 @ 69600'))
    // 696,000 less a fee of 104 and the tax of 2025: 0.15 %, 1,044
    expect(onlyOf(sold, 'order.filled').data).toMatchObject({ fee: '104', tax: '1044' })
    expect(onlyOf(sold, 'position.changed').data).toMatchObject({ quantity: '0', averagePrice: '0' })
    expect(await cashOf(path)).toBe('99995148')
    const { reservations, positions } = await path.snapshot()
    expect(reservations).toEqual([])
    expect(positions).toMatchObject([{ instrumentId: SAMSUNG, quantity: 0n, openNotional: 0n }])
    expect(await path.store.totals()).toMatchObject({
      approved: 2,
      submitted: 2,
      filled: 2,
      fills: 3,
      open: 0,
    })
  })

  test('the record of an order has every event that was told of it', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    await run(replica, path.broker.fill(NUMBER, '10 @ 70000'))
    expect(namesOf(await path.store.history('order-1'))).toEqual([
      'order.approved',
      'order.submitted',
      'order.accepted',
      'order.filled',
    ])
  })
})

describe('a notice that overtakes the acknowledgement', () => {
  test('waits while the order is being sent, and is booked once its number is known', async () => {
    const replica = await open()
    const approval = onlyOf(
      outputsOf(await replica.risk.handle(path.requested('buy 10 @ 70000'))),
      'order.approved',
    )
    let early: Event | undefined
    path.broker.script(async (_order, take) => {
      const row = take()
      early = path.broker.fill(row.brokerOrderId, '10 @ 70000')
      expect(await replica.record.handle(early)).toMatchObject({ outcome: 'retry' })
      return path.broker.accept(row)
    })
    await replica.place.handle(approval)
    if (early === undefined) throw new Error('nothing was sent')
    expect(namesOf(outputsOf(await replica.record.handle(early)))).toEqual([
      'order.filled',
      'position.changed',
    ])
  })

  test('settles an order whose outcome is unknown, and brings its number', async () => {
    const replica = await open()
    path.broker.script('takeSilently')
    await run(blind(replica), path.requested('buy 10 @ 70000'))
    const told = await run(replica, path.broker.fill(NUMBER, '10 @ 70000'))
    expect(namesOf(told)).toEqual([
      'execution.reported',
      'order.accepted',
      'order.filled',
      'position.changed',
    ])
    expect(onlyOf(told, 'order.accepted').data).toMatchObject({ evidence: 'stream', brokerOrderId: NUMBER })
  })

  test('that could be of two unclear orders is of neither: the list, which has prices, tells them apart', async () => {
    const replica = await open()
    path.broker.script('takeSilently', 'takeSilently')
    await run(blind(replica), path.requested('buy 10 @ 70000', { clientOrderId: 'order-1' }))
    await run(blind(replica), path.requested('buy 10 @ 69900', { clientOrderId: 'order-2' }))
    const told = await run(replica, path.broker.fill('0000000002', '10 @ 69900'))
    critical(told)
    expect(await path.store.totals()).toMatchObject({ fills: 0, open: 2 })

    path.pass(1_000)
    await run(replica, path.timer())
    expect(await path.order('order-1')).toMatchObject({ status: 'accepted', brokerOrderId: '0000000001' })
    expect(await path.order('order-2')).toMatchObject({ status: 'filled', brokerOrderId: '0000000002' })
    expect(await cashOf(path)).toBe('99300896') // 699,000 and 104
  })
})

describe('a report that fits nothing', () => {
  test('of an order that is not ours is kept, and a person is told once', async () => {
    const replica = await open()
    const foreign = path.broker.enterForeign(request('buy 3 @ 70000') as ApprovedOrder)
    const notice = path.broker.fill(foreign.brokerOrderId, '3 @ 70000')
    const told = await run(replica, notice)
    expect(critical(told).data).toMatchObject({ title: expect.stringContaining('no order of ours') })
    expect(await path.store.quarantined(10)).toMatchObject([{ accountId: ACCOUNT, event: notice }])
    expect((await path.snapshot()).positions).toEqual([])
  })

  test('a fill beyond the quantity is kept, and books nothing', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    await run(replica, path.broker.fill(NUMBER, '10 @ 70000'))
    critical(await run(replica, path.broker.fill(NUMBER, '1 @ 70000')))
    expect((await path.snapshot()).positions).toMatchObject([{ quantity: 10n }])
  })

  test('a notice of yesterday does not touch the order that has its number today', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    const notice = path.broker.fill(NUMBER, '10 @ 70000')
    const stale = { ...notice, data: { ...(notice.data as object), eventTime: '2025-09-01T06:00:00Z' } }
    critical(await run(replica, stale))
    expect((await path.order()).filledQuantity).toBe(0n)
  })

  test('an instrument that nobody knows stops no other report, and its fill is booked once it is known', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    let isKnown = false
    const instruments: Pick<Instruments, 'get'> = {
      get: async (id) => (isKnown ? path.instruments.get(id) : undefined),
    }
    const deps = { orders: path.store, ledger: path.ledger, instruments, feeRatio: FEE_RATIO }
    const host = hostFunction(recordExecution, recordExecutionHandler(deps), {
      clock: path.clock,
      stopwatch: systemStopwatch,
      log: createLog('test', 'silent'),
    })
    critical(outputsOf(await host.handle(path.broker.fill(NUMBER, '10 @ 70000'))))
    isKnown = true
    const listed = outputsOf(await replica.reconcile.handle(path.timer()))
    const told = outputsOf(await host.handle(onlyOf(listed, 'execution.reported')))
    expect(namesOf(told)).toEqual(['order.filled', 'position.changed'])
    host.close()
  })
})

describe('endings', () => {
  test('a fill that crossed a cancel is booked, and the rest is released', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    const crossing = path.broker.fill(NUMBER, '3 @ 70000')
    const canceled = await run(replica, path.broker.cancel(NUMBER))
    expect(onlyOf(canceled, 'order.canceled').data).toMatchObject({ canceledQuantity: '10' })
    await run(replica, crossing)
    expect(await path.order()).toMatchObject({ status: 'canceled', filledQuantity: quantity('3') })
    expect(await path.snapshot()).toMatchObject({ reservations: [], positions: [{ quantity: 3n }] })
  })

  test('a venue that refuses what the broker took ends the order', async () => {
    const replica = await open()
    await run(replica, path.requested('buy 10 @ 70000'))
    const notice = path.broker.acceptNotice(NUMBER)
    const refused = { ...notice, data: { ...(notice.data as object), kind: 'rejected', detail: '호가 거부' } }
    const told = await run(replica, refused)
    expect(onlyOf(told, 'order.rejected').data).toMatchObject({ detail: '호가 거부' })
    expect((await path.snapshot()).reservations).toEqual([])
  })
})

test('reports of one order told to two replicas at once are each booked once', async () => {
  const replica = await open()
  await run(replica, path.requested('buy 10 @ 70000'))
  const notices = ['1 @ 70000', '2 @ 69900', '3 @ 69800', '4 @ 69700'].map((text) =>
    path.broker.fill(NUMBER, text),
  )
  const other = path.replica()
  const deliveries = notices.flatMap((notice) => [replica.record.handle(notice), other.record.handle(notice)])
  for (const delivery of await Promise.all(deliveries)) expect(delivery.outcome).toBeOneOf(['done', 'retry'])
  for (const notice of notices) outputsOf(await replica.record.handle(notice))
  expect(await path.order()).toMatchObject({ status: 'filled' })
  expect(await path.store.totals()).toMatchObject({ fills: 4 })
  // 70,000 + 139,800 + 209,400 + 278,800 = 698,000, and 104 on all of it
  expect(await cashOf(path)).toBe('99301896')
})
