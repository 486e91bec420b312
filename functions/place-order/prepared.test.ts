// Where risk-check and place-order share a process: one commit before the send, and the same events as with two.
import { afterEach, describe, expect, test } from 'vitest'
import { manualStopwatch } from '#shared/adapters/memory/manual-stopwatch.ts'
import { quantity } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import { ACCOUNT } from '../../test/build.ts'
import {
  type Path,
  type PathOptions,
  type Replica,
  dying,
  namesOf,
  onlyOf,
  openOrderPath,
  outputsOf,
} from '../../test/order-path.ts'
import { SEND_WINDOW_MS } from './send.ts'

const paths: Path[] = []
afterEach(async () => {
  for (const path of paths.splice(0)) await path.close()
})

const openPath = async (options: PathOptions = {}): Promise<Path> => {
  const path = await openOrderPath(options)
  paths.push(path)
  return path
}

/** Counts what the functions ask of the store. */
function counted() {
  const calls: string[] = []
  const orders = (store: OrderStore): OrderStore => ({
    ...store,
    approve: async (...words) => {
      const outcome = await store.approve(...words)
      calls.push(`approve: ${outcome}`)
      return outcome
    },
    recordIntent: (...words) => {
      calls.push('recordIntent')
      return store.recordIntent(...words)
    },
  })
  return { calls, orders }
}

const TWO_COMMITS = ['approve: done', 'recordIntent']
const ONE_COMMIT = ['approve: prepared']

async function oneProcess(options: PathOptions = {}) {
  const path = await openPath(options)
  const { calls, orders } = counted()
  const stopwatch = manualStopwatch()
  const intents = await path.handover(stopwatch)
  return { path, calls, intents, stopwatch, replica: path.replica({ orders, intents, stopwatch }) }
}

const approval = async (
  path: Path,
  replica: Replica,
  text = 'buy 10 @ 70000',
  over: Parameters<Path['requested']>[1] = {},
): Promise<Event> =>
  onlyOf(outputsOf(await replica.risk.handle(path.requested(text, over))), 'order.approved')

describe('an order of one process', () => {
  test('is sent after one commit, and everything stored and said is as with two', async () => {
    const lives = []
    for (const isShared of [false, true]) {
      const path = await openPath()
      const { calls, orders } = counted()
      const intents = await path.handover()
      const replica = path.replica({ orders, ...(isShared ? { intents } : {}) })
      const event = await approval(path, replica)
      const outputs = outputsOf(await replica.place.handle(event))
      expect(calls).toEqual(isShared ? ONE_COMMIT : TWO_COMMITS)
      expect(path.broker.sends).toHaveLength(1)
      const submitted = { ...(outputs[0]?.data as object), epoch: 'of its process' }
      lives.push({
        outputs: outputs.map(({ id, type, time, causationid }) => ({ id, type, time, causationid })),
        submitted,
        history: (await path.store.history('order-1')).map(({ id, type, time, traceparent }) => ({
          id,
          type,
          time,
          traceparent,
        })),
        order: await path.order(),
        snapshot: await path.snapshot(),
        sent: path.broker.sends.map((each) => [each.clientOrderId, each.quantity]),
      })
    }
    expect(lives[1]).toEqual(lives[0])
  })

  test('says the same when it is delivered again, here or elsewhere, and is sent once', async () => {
    const { path, replica } = await oneProcess()
    const event = await approval(path, replica)
    const outputs = outputsOf(await replica.place.handle(event))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.accepted'])
    expect(outputsOf(await replica.place.handle(event))).toEqual(outputs)
    expect(outputsOf(await path.replica().place.handle(event))).toEqual(outputs)
    expect(path.broker.sends).toHaveLength(1)
  })

  test('delivered twice at once is sent once, and both deliveries say the same', async () => {
    const { path, replica } = await oneProcess()
    const event = await approval(path, replica)
    const [first, second] = await Promise.all([replica.place.handle(event), replica.place.handle(event)])
    expect(first).toEqual(second)
    expect(path.broker.orders()).toHaveLength(1)
  })

  test('is refused once by the broker, and its reservation is released', async () => {
    const { path, replica } = await oneProcess()
    path.broker.script({ outcome: 'rejected', code: 'APBK1234', detail: 'no' })
    const outputs = outputsOf(await replica.place.handle(await approval(path, replica)))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.rejected'])
    expect((await path.snapshot()).reservations).toEqual([])
  })
})

describe('an intent that was prepared', () => {
  const unclear = ['order.submitted', 'order.outcome-unknown']

  test('is sent when it is committed, and its approval finds the answer whenever it arrives', async () => {
    const { path, replica, stopwatch } = await oneProcess()
    const event = await approval(path, replica)
    expect(path.broker.sends).toHaveLength(1)
    stopwatch.elapse(SEND_WINDOW_MS + 1)
    const outputs = outputsOf(await replica.place.handle(event))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.accepted'])
    expect(path.broker.sends).toHaveLength(1)
  })

  test('is not sent when its window has closed before the commit came back', async () => {
    const path = await openPath()
    const stopwatch = manualStopwatch()
    const slow = (store: OrderStore): OrderStore => ({
      ...store,
      approve: async (...words) => {
        const outcome = await store.approve(...words)
        stopwatch.elapse(SEND_WINDOW_MS + 1)
        return outcome
      },
    })
    const replica = path.replica({ orders: slow, intents: await path.handover(stopwatch), stopwatch })
    const event = await approval(path, replica)
    expect(namesOf(outputsOf(await replica.place.handle(event)))).toEqual(unclear)
    expect(path.broker.sends).toEqual([])
  })

  test.each(['the process', 'the process with the approval unsaid'])(
    'is not sent by another process after %s has died; evidence decides',
    async (who) => {
      const path = await openPath()
      const orders = who === 'the process' ? undefined : dying('approve', 'after')
      const doomed = path.replica({ intents: await path.handover(), ...(orders ? { orders } : {}) })
      const request = path.requested('buy 10 @ 70000')
      expect((await doomed.risk.handle(request)).outcome).toBe(orders ? 'defect' : 'done')

      const next = path.replica({ intents: await path.handover() })
      const event = onlyOf(outputsOf(await next.risk.handle(request)), 'order.approved')
      const outputs = outputsOf(await next.place.handle(event))
      expect(namesOf(outputs)).toEqual(unclear)
      expect(path.broker.sends).toHaveLength(orders ? 0 : 1)
      expect(await path.order()).toMatchObject({ status: 'outcomeUnknown', attempt: 1 })
    },
  )

  test('is not handed over any more when a delivery of its approval was handled without it', async () => {
    const path = await openPath()
    const intents = await path.handover()
    const slow = Promise.withResolvers<void>()
    const stored = Promise.withResolvers<void>()
    const late = (store: OrderStore): OrderStore => ({
      ...store,
      approve: async (...words) => {
        const outcome = await store.approve(...words)
        stored.resolve()
        await slow.promise
        return outcome
      },
    })
    const request = path.requested('buy 10 @ 70000')
    const waiting = path.replica({ intents, orders: late }).risk.handle(request)
    await stored.promise
    const replica = path.replica({ intents })
    const event = onlyOf(outputsOf(await replica.risk.handle(request)), 'order.approved')
    const outputs = outputsOf(await replica.place.handle(event))
    expect(namesOf(outputs)).toEqual(unclear)
    slow.resolve()
    await waiting
    expect(outputsOf(await replica.place.handle(event))).toEqual(outputs)
    expect(path.broker.sends).toEqual([])
  })

  test.each([
    ['the commit failed', new RetryableError('connection lost')],
    ['the process met a defect', new Error('broken')],
  ])('does not leave when %s', async (_name, fault) => {
    const path = await openPath()
    const failing = (store: OrderStore): OrderStore => ({
      ...store,
      approve: async (...words) => {
        await store.approve(...words)
        throw fault
      },
    })
    const intents = await path.handover()
    const request = path.requested('buy 10 @ 70000')
    await path.replica({ intents, orders: failing }).risk.handle(request)
    const replica = path.replica({ intents })
    const event = onlyOf(outputsOf(await replica.risk.handle(request)), 'order.approved')
    expect(namesOf(outputsOf(await replica.place.handle(event)))).toEqual(unclear)
    expect(path.broker.sends).toEqual([])
  })

  test('does not leave before the commit has come back', async () => {
    const path = await openPath()
    const waiting: number[] = []
    const watching = (store: OrderStore): OrderStore => ({
      ...store,
      approve: async (...words) => {
        const outcome = await store.approve(...words)
        await new Promise((resolve) => setTimeout(resolve, 30))
        waiting.push(path.broker.sends.length)
        return outcome
      },
    })
    const replica = path.replica({ intents: await path.handover(), orders: watching })
    await approval(path, replica)
    expect([...waiting, path.broker.sends.length]).toEqual([0, 1])
  })

  test('is sent although trading was halted after it: it was recorded before', async () => {
    const { path, replica } = await oneProcess()
    const event = await approval(path, replica)
    await path.setState('halted')
    expect((await path.store.totals()).submitted).toBe(1)
    await replica.place.handle(event)
    expect(path.broker.sends).toHaveLength(1)
  })
})

describe('no intent is prepared, and the order takes two commits', () => {
  const sentAsEver = async (path: Path, replica: Replica, over = {}): Promise<void> => {
    const event = await approval(path, replica, 'buy 7 @ 70000', { clientOrderId: 'another', ...over })
    const outputs = outputsOf(await replica.place.handle(event))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.accepted'])
  }

  test('while the process holds no fence; it holds one from then on', async () => {
    const { path, replica, calls, intents } = await oneProcess()
    intents.fenced(ACCOUNT, undefined)
    await sentAsEver(path, replica)
    expect(calls).toEqual(TWO_COMMITS)
    path.pass(1_500)
    await sentAsEver(path, replica, { clientOrderId: 'the next', quantity: quantity('8') })
    expect(calls.at(-1)).toBe('approve: prepared')
  })

  test('when another process has taken the fence', async () => {
    const { path, replica, calls } = await oneProcess()
    await path.store.fence(ACCOUNT)
    await sentAsEver(path, replica)
    expect(calls).toEqual(TWO_COMMITS)
  })

  test('while another approval of the account is on its way', async () => {
    const { path, replica, calls } = await oneProcess({ limits: { ordersPerSecondMax: 100 } })
    const first = await approval(path, replica)
    await sentAsEver(path, replica)
    expect(calls).toEqual([...ONE_COMMIT, ...TWO_COMMITS])
    await replica.place.handle(first)
    expect(path.broker.sends).toHaveLength(2)
  })

  test('while another order of the account is being sent', async () => {
    const { path, replica, calls } = await oneProcess({ limits: { ordersPerSecondMax: 100 } })
    const arrived = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    path.broker.script(async (_order, take) => {
      const row = take()
      arrived.resolve()
      await answer.promise
      return path.broker.accept(row)
    })
    const sending = replica.place.handle(await approval(path, replica))
    await arrived.promise
    const second = await approval(path, replica, 'buy 7 @ 70000', { clientOrderId: 'another' })
    answer.resolve()
    await Promise.all([sending, replica.place.handle(second)])
    expect(calls).toEqual([...ONE_COMMIT, ...TWO_COMMITS])
  })

  test('but not for good, when an approval never comes', async () => {
    const { path, replica, calls, intents, stopwatch } = await oneProcess({
      limits: { ordersPerSecondMax: 100 },
    })
    const lost = await approval(path, replica)
    stopwatch.elapse(60_000)
    await sentAsEver(path, replica)
    expect(intents.take(lost.id)).toBeUndefined()
    expect(calls).toEqual([...ONE_COMMIT, ...ONE_COMMIT])
  })

  test('while an unclear order looks the same', async () => {
    const { path, replica, calls } = await oneProcess({ limits: { duplicateWindowMs: 1 } })
    path.broker.script('lose')
    await replica.place.handle(await approval(path, replica))
    path.pass(1_500)
    const second = await approval(path, replica, 'buy 10 @ 70000', { clientOrderId: 'another' })
    expect(outputsOf(await replica.place.handle(second))).toEqual([])
    expect(calls).toEqual([...ONE_COMMIT, ...TWO_COMMITS])
    expect(await path.order('another')).toMatchObject({ status: 'approved', attempt: 0 })
    expect(path.broker.sends).toHaveLength(1)
  })

  test('for an approval that place-order would give up', async () => {
    const { path, replica, calls } = await oneProcess({ approvalAgeMsMax: 100 })
    const event = path.requested('buy 10 @ 70000')
    path.pass(101)
    const approved = onlyOf(outputsOf(await replica.risk.handle(event)), 'order.approved')
    expect(outputsOf(await replica.place.handle(approved)).map(({ data }) => data)).toMatchObject([
      { code: 'REQUEST_STALE' },
    ])
    expect(calls).toEqual(['approve: done'])
    expect(path.broker.sends).toEqual([])
  })
})
