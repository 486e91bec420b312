// Changes of an order: revisions, broker numbers, fills, positions and cash.
import { assert, asyncProperty, constantFrom, integer, record } from 'fast-check'
import { expect, test } from 'vitest'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { directionOf } from '#shared/domain/order.ts'
import { applyFill, cashChangeOf } from '#shared/domain/position.ts'
import type { Position } from '#shared/domain/account.ts'
import { money, price, quantity } from '#shared/domain/values.ts'
import { ACCOUNT, HYNIX, SAMSUNG } from '../../test/build.ts'
import { PoisonError } from './errors.ts'
import {
  type OpenBench,
  accepted,
  acceptedEvent,
  approved,
  changeOf,
  eventIds,
  fault,
  fillChange,
  fillOf,
  openAccount,
  pendingEvent,
  receiptOf,
  setState,
  snapshotOf,
  storedOrder,
  submitted,
  submittedEvent,
  unknownEvent,
  waiting,
} from './order-store.bench.ts'
import type { Fill, StoredOrder } from './order-store.ts'
import { AlreadyHandledError } from './receipt.ts'

export const changeRules = (open: OpenBench): void => {
  test('fields that a change leaves out stay as they are', async () => {
    const bench = await open()
    await openAccount(bench)
    const before = await submitted(bench, 'buy 10 @ 70000')
    const change = changeOf(before, { status: 'accepted', brokerOrderId: '0000000001', brokerRoute: '06010' })
    expect(await bench.orders.change(change, receiptOf([acceptedEvent('out-1')]))).toBe('done')
    const after = {
      ...before,
      status: 'accepted',
      revision: before.revision + 1,
      brokerOrderId: '0000000001',
      brokerRoute: '06010',
    }
    expect(await storedOrder(bench)).toEqual(after)
    expect(eventIds(await bench.orders.history('order-1'))).toEqual(['out-1'])
  })

  test('every field that a change names is written', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    const fields = {
      status: 'pendingAmend',
      filledQuantity: quantity('3'),
      filledNotional: money('210000'),
      noticedQuantity: quantity('2'),
      listedQuantity: quantity('3'),
      quantity: quantity('8'),
      limitPrice: price('70500'),
      reservedCash: money('352552'),
    } as const
    await bench.orders.change(changeOf(order, fields), receiptOf())
    expect(await storedOrder(bench)).toMatchObject(fields)
    expect((await snapshotOf(bench)).reservations).toMatchObject([
      {
        remainingQuantity: 5n,
        limitPrice: price('70500'),
        reservedPrice: price('70500'),
        cash: money('352552'),
      },
    ])
  })
}

export const receiptOfChangeRules = (open: OpenBench): void => {
  test('a change decided on another revision writes nothing, not even its receipt', async () => {
    const bench = await open()
    await openAccount(bench)
    const before = await accepted(bench, 'buy 10 @ 70000')
    const fill = fillOf(before, '10 @ 70000')
    const receipt = receiptOf([pendingEvent('out-1')])
    for (const revision of [before.revision - 1, before.revision + 1]) {
      for (const change of [
        changeOf(before, { status: 'canceled', revision }),
        { ...fillChange(before, fill), revision },
      ]) {
        expect(await bench.orders.change(change, receipt)).toBe('conflict')
      }
    }
    expect(await storedOrder(bench)).toEqual(before)
    expect(await bench.orders.fills({ limit: 10 })).toEqual([])
    expect(await waiting(bench)).toEqual([])
    expect(await bench.orders.change(fillChange(before, fill), receipt)).toBe('done')
  })

  test.each(['canceled', 'filled'] as const)(
    'a repeated change to %s gives the outputs of then, and changes nothing',
    async (status) => {
      const bench = await open()
      await openAccount(bench)
      const order = await accepted(bench, 'buy 10 @ 70000')
      const change =
        status === 'filled' ? fillChange(order, fillOf(order, '10 @ 70000')) : changeOf(order, { status })
      const outputs = [acceptedEvent('out-1'), pendingEvent('out-2')]
      await bench.orders.change(change, receiptOf(outputs, 'event-x'))
      const before = [await storedOrder(bench), await snapshotOf(bench)]
      const current = { ...change, revision: order.revision + 1 }
      for (const again of [change, current]) {
        const error = await fault(bench.orders.change(again, receiptOf([], 'event-x')))
        expect(error).toBeInstanceOf(AlreadyHandledError)
        expect((error as AlreadyHandledError).outputs).toEqual(outputs)
      }
      expect([await storedOrder(bench), await snapshotOf(bench)]).toEqual(before)
    },
  )

  test('a change of an order that does not exist is poison', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await approved(bench, 'buy 10 @ 70000')
    const unknown = changeOf(order, { clientOrderId: 'order-9' })
    expect(String(await fault(bench.orders.change(unknown, receiptOf())))).toContain('order-9')
    const elsewhere = changeOf(order, { accountId: 'kis:other' })
    expect(await fault(bench.orders.change(elsewhere, receiptOf()))).toBeInstanceOf(PoisonError)
  })
}

export const closingRules = (open: OpenBench): void => {
  test('an order that closes holds no cash, whatever the change says', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    await bench.orders.change(changeOf(order, { status: 'canceled', reservedCash: money('5') }), receiptOf())
    expect((await storedOrder(bench)).reservedCash).toBe(0n)
    expect((await snapshotOf(bench)).reservations).toEqual([])
  })

  test('a parked order keeps its reservation', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await submitted(bench, 'buy 10 @ 70000')
    await bench.orders.change(changeOf(order, { status: 'outcomeUnknown' }), receiptOf())
    await bench.orders.change(changeOf(await storedOrder(bench), { status: 'parked' }), receiptOf())
    expect((await snapshotOf(bench)).reservations).toHaveLength(1)
  })

  test('an event id that stands for another event is refused, and nothing is written', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await approved(bench, 'buy 10 @ 70000')
    await setState(bench, 'active')
    const epoch = await bench.orders.fence(ACCOUNT)
    await bench.orders.recordIntent({ ...order, epoch, submittedTime: order.decidedTime }, () => [
      submittedEvent('event-x/0', 1),
    ])
    const before = await storedOrder(bench)
    const lost = changeOf(before, { status: 'outcomeUnknown' })
    expect(await fault(bench.orders.change(lost, receiptOf([unknownEvent('event-x/0')])))).toBeInstanceOf(
      Error,
    )
    expect(await storedOrder(bench)).toEqual(before)
    expect(await bench.orders.history('order-1')).toEqual([submittedEvent('event-x/0', 1)])
  })
}

export const versionRules = (open: OpenBench): void => {
  test.each([
    ['an acknowledgement', { status: 'accepted', brokerOrderId: '1' }, 0n],
    ['a count of the broker', { status: 'submitting', listedQuantity: quantity('1') }, 0n],
    ['a new quantity', { status: 'accepted', quantity: quantity('9') }, 1n],
    ['a new price', { status: 'accepted', limitPrice: price('69900') }, 1n],
    ['another reservation', { status: 'accepted', reservedCash: money('1') }, 1n],
    ['a rejection', { status: 'rejected' }, 1n],
  ] as const)('%s moves the account version by what it does to the snapshot', async (_name, over, by) => {
    const bench = await open()
    await openAccount(bench)
    const order = await submitted(bench, 'buy 10 @ 70000')
    const { version } = await snapshotOf(bench)
    await bench.orders.change(changeOf(order, over), receiptOf())
    expect((await snapshotOf(bench)).version).toBe(version + by)
  })
}

export const brokerNumberRules = (open: OpenBench): void => {
  test('an order is found by every number that the broker gave it', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000', { brokerOrderId: '0000000001' })
    const amended = changeOf(order, { brokerOrderId: '0000000002', limitPrice: price('69900') })
    await bench.orders.change(amended, receiptOf())
    for (const number of ['0000000001', '0000000002']) {
      expect(await bench.orders.orderByBrokerId(ACCOUNT, number)).toMatchObject({
        clientOrderId: 'order-1',
        brokerOrderId: '0000000002',
      })
    }
    expect(await bench.orders.orderByBrokerId(ACCOUNT, '0000000003')).toBeUndefined()
    expect(await bench.orders.orderByBrokerId('kis:other', '0000000001')).toBeUndefined()
  })

  test('two open orders cannot be backed by one order at the broker', async () => {
    const bench = await open()
    await openAccount(bench)
    const first = await accepted(bench, 'buy 10 @ 70000')
    const second = await submitted(bench, 'buy 10 @ 70000', { clientOrderId: 'order-2' })
    const adopt = changeOf(second, { status: 'accepted', brokerOrderId: first.brokerOrderId ?? '' })
    const error = await fault(bench.orders.change(adopt, receiptOf()))
    expect(error).toBeInstanceOf(PoisonError)
    expect(await storedOrder(bench, 'order-2')).toEqual(second)
  })

  test('a number that the broker uses again belongs to the newer order', async () => {
    const bench = await open()
    await openAccount(bench)
    const first = await accepted(bench, 'buy 10 @ 70000')
    await bench.orders.change(changeOf(first, { status: 'expired' }), receiptOf())
    await accepted(bench, 'buy 10 @ 70000', { clientOrderId: 'order-2' })
    expect((await bench.orders.orderByBrokerId(ACCOUNT, '0000000001'))?.clientOrderId).toBe('order-2')
  })
}

export const fillRules = (open: OpenBench): void => {
  test('a fill is booked with its charges: order, position, cash and version in one', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    const { version } = await snapshotOf(bench)
    const fill = fillOf(order, '4 @ 69900', { fee: money('42'), tax: money('7'), origin: 'list' })
    const change = { ...fillChange(order, fill), reservedCash: money('420063') }
    expect(await bench.orders.change(change, receiptOf())).toBe('done')

    expect(await storedOrder(bench)).toMatchObject({
      status: 'partiallyFilled',
      filledQuantity: 4n,
      filledNotional: money('279600'),
      fee: money('42'),
      tax: money('7'),
    })
    expect(await snapshotOf(bench)).toMatchObject({
      version: version + 1n,
      cash: money('-279649'),
      positions: [
        { instrumentId: SAMSUNG, quantity: 4n, openNotional: money('279600'), realizedPnl: money('-49') },
      ],
      reservations: [{ remainingQuantity: 6n, cash: money('420063') }],
    })
    expect(await bench.orders.fills({ clientOrderId: 'order-1', limit: 10 })).toEqual([fill])
  })

  test('charges add up over the fills of an order', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'sell 10 @ 70000')
    const charges = { fee: money('1.5'), tax: money('100') }
    await bench.orders.change(fillChange(order, fillOf(order, '4 @ 70000', charges)), receiptOf())
    const rest = fillOf(order, '6 @ 70000', { ...charges, executionId: 'execution-2' })
    await bench.orders.change(fillChange(await storedOrder(bench), rest), receiptOf())
    expect(await storedOrder(bench)).toMatchObject({ status: 'filled', fee: money('3'), tax: money('200') })
    expect((await snapshotOf(bench)).cash).toBe(money('699797'))
  })
}

export const executionRules = (open: OpenBench): void => {
  test('an execution that is booked already is poison and books nothing', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    await bench.orders.change(fillChange(order, fillOf(order, '4 @ 70000')), receiptOf())
    const before = [await storedOrder(bench), await snapshotOf(bench)]
    const again = fillChange(await storedOrder(bench), fillOf(order, '1 @ 70000'))
    const error = await fault(bench.orders.change(again, receiptOf([pendingEvent('out-9')])))
    expect(error).toBeInstanceOf(PoisonError)
    expect(String(error)).toContain('execution-1')
    expect([await storedOrder(bench), await snapshotOf(bench)]).toEqual(before)
    expect(await waiting(bench)).toEqual([])
  })

  test('two accounts may hear of executions with one id', async () => {
    const bench = await open()
    for (const accountId of [ACCOUNT, 'kis:other']) {
      await openAccount(bench, accountId)
      const order = await accepted(bench, 'buy 10 @ 70000', { accountId, clientOrderId: `of ${accountId}` })
      expect(await bench.orders.change(fillChange(order, fillOf(order, '1 @ 70000')), receiptOf())).toBe(
        'done',
      )
    }
    expect(await bench.orders.fills({ limit: 10 })).toHaveLength(2)
    expect(await bench.orders.fills({ accountId: ACCOUNT, limit: 10 })).toHaveLength(1)
  })

  test('a fill of another order than the change is poison', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    const stray = fillChange(order, fillOf(order, '1 @ 70000', { clientOrderId: 'order-2' }))
    expect(await fault(bench.orders.change(stray, receiptOf()))).toBeInstanceOf(PoisonError)
    expect(await bench.orders.fills({ limit: 10 })).toEqual([])
  })

  test('a late fill of a canceled order is booked', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    await bench.orders.change(changeOf(order, { status: 'canceled' }), receiptOf())
    const late = {
      ...fillChange(await storedOrder(bench), fillOf(order, '2 @ 70000')),
      status: 'canceled',
    } as const
    expect(await bench.orders.change(late, receiptOf())).toBe('done')
    expect((await snapshotOf(bench)).positions).toMatchObject([{ quantity: 2n }])
  })
}

export const bookkeepingRules = (open: OpenBench): void => {
  test('fills of many orders at once are all booked: position and cash are their sums', async () => {
    const bench = await open()
    await openAccount(bench)
    const fills: { readonly order: StoredOrder; readonly fill: Fill }[] = []
    for (let index = 0; index < 12; index += 1) {
      const text = `${index % 3 === 0 ? 'sell' : 'buy'} ${index + 1} @ 70000`
      const instrumentId = index % 2 === 0 ? SAMSUNG : HYNIX
      const over = { clientOrderId: `order-${index}`, brokerOrderId: `${index}`, instrumentId }
      const order = await accepted(bench, text, over)
      const charges = { fee: money(`${index}.25`), tax: money(index % 3 === 0 ? '10' : '0') }
      fills.push({
        order,
        fill: fillOf(order, `${index + 1} @ 70000`, { ...charges, executionId: `${index}` }),
      })
    }
    await Promise.all(
      fills.map(({ order, fill }) => bench.orders.change(fillChange(order, fill), receiptOf())),
    )

    const { cash, positions, reservations } = await snapshotOf(bench)
    expect(cash).toBe(fills.reduce((sum, { fill }) => sum + cashChangeOf(fill), 0n))
    expect(positions.reduce((sum, position) => sum + position.realizedPnl - position.openNotional, 0n)).toBe(
      cash,
    )
    const held = (id: InstrumentId) =>
      fills
        .filter(({ fill }) => fill.instrumentId === id)
        .reduce((sum, { fill }) => sum + directionOf(fill.side) * fill.quantity, 0n)
    expect(new Map(positions.map((position) => [position.instrumentId, position.quantity]))).toEqual(
      new Map([SAMSUNG, HYNIX].map((id) => [id, held(id)])),
    )
    expect(reservations).toEqual([])
  })

  test('any sequence of fills gives the position that the domain gives', async () => {
    const bench = await open()
    await openAccount(bench)
    let orders = 0
    const anyFill = record({
      side: constantFrom('buy', 'sell'),
      units: integer({ min: 1, max: 1_000_000 }),
      cents: integer({ min: 1, max: 99_999_999 }),
    })
    let position: Position | undefined
    let cash = 0n
    await assert(
      asyncProperty(anyFill, async ({ side, units, cents }) => {
        orders += 1
        const order = await accepted(bench, `${side} ${units} @ market`, {
          clientOrderId: `order-${orders}`,
          brokerOrderId: `${orders}`,
        })
        const at = `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
        const fill = fillOf(order, `${units} @ ${at}`, { executionId: `${orders}`, fee: money('0.0001') })
        await bench.orders.change(fillChange(order, fill), receiptOf())
        position = applyFill(position, fill)
        cash += cashChangeOf(fill)
        const snapshot = await snapshotOf(bench)
        expect(snapshot.positions).toEqual([position])
        expect(snapshot.cash).toBe(cash)
      }),
      { numRuns: 25 },
    )
  })
}
