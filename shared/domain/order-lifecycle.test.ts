import { describe, expect, test } from 'vitest'
import {
  NEXT,
  ORDER_STATUSES,
  ORDER_STEPS,
  type OrderStatus,
  type OrderStep,
  isClosed,
  isWorking,
  nextStatus,
} from './order-lifecycle.ts'
import { ZERO_QUANTITY, quantity } from './values.ts'

// Every legal step, written out a second time by hand: `status: step > status …`. `~` is accepted while nothing has been
// filled, else partiallyFilled. What is not here must be illegal, so a new status or step cannot be half-added.
const LEGAL = `
  requested:       deny > denied, approve > approved
  denied:
  approved:        submit > submitting, deny > denied
  submitting:      accept > accepted, reject > rejected, loseOutcome > outcomeUnknown
                   fillPart > partiallyFilled, fillWhole > filled, cancel > canceled
  outcomeUnknown:  accept > accepted, reject > rejected, submit > submitting, fillPart > partiallyFilled
                   fillWhole > filled, cancel > canceled, expire > expired, park > parked
  accepted:        accept > accepted, reject > rejected, fillPart > partiallyFilled, fillWhole > filled
                   requestAmend > pendingAmend, requestCancel > pendingCancel, cancel > canceled, expire > expired
  partiallyFilled: accept > partiallyFilled, fillPart > partiallyFilled, fillWhole > filled
                   requestAmend > pendingAmend, requestCancel > pendingCancel, cancel > canceled, expire > expired
  pendingAmend:    fillPart > pendingAmend, fillWhole > filled, amend > ~, refuseAmend > ~
                   requestCancel > pendingCancel, cancel > canceled, expire > expired, reject > rejected
  pendingCancel:   fillPart > pendingCancel, fillWhole > filled, amend > pendingCancel, refuseAmend > pendingCancel
                   cancel > canceled, refuseCancel > ~, expire > expired, reject > rejected
  rejected:
  filled:          accept > filled
  canceled:        accept > canceled, fillPart > canceled, fillWhole > filled
  expired:         fillPart > expired, fillWhole > filled
  parked:          accept > accepted, reject > rejected, fillPart > partiallyFilled, fillWhole > filled
                   cancel > canceled, expire > expired`

function legalSteps(): Map<string, Map<string, string>> {
  const table = new Map<string, Map<string, string>>()
  let steps = new Map<string, string>()
  for (const line of LEGAL.split('\n').map((text) => text.trim())) {
    const [, status, rest] = /^(?:(\w+):)?(.*)$/.exec(line) ?? []
    if (status !== undefined) table.set(status, (steps = new Map()))
    for (const [, step = '', to = ''] of (rest ?? '').matchAll(/(\w+) > ([\w~]+)/g)) steps.set(step, to)
  }
  return table
}

const product = ORDER_STATUSES.flatMap((from) =>
  ORDER_STEPS.map((step): [OrderStatus, OrderStep] => [from, step]),
)
const targetsOf = (from: OrderStatus): readonly OrderStatus[] =>
  ORDER_STEPS.flatMap((step) =>
    [ZERO_QUANTITY, quantity('1')].flatMap((filled) => nextStatus(from, step, filled) ?? []),
  )

function reachableFrom(start: OrderStatus): Set<OrderStatus> {
  const seen = new Set<OrderStatus>([start])
  for (const status of seen) for (const next of targetsOf(status)) seen.add(next)
  return seen
}

describe('the table', () => {
  test(`each of the ${product.length} pairs of status and step does what is written above, or is illegal`, () => {
    const table = legalSteps()
    expect([...table.keys()].toSorted()).toEqual([...ORDER_STATUSES].toSorted())
    for (const [from, step] of product) {
      const to = table.get(from)?.get(step)
      const named = `${from} + ${step}`
      expect([named, nextStatus(from, step, ZERO_QUANTITY)]).toEqual([named, to === '~' ? 'accepted' : to])
      expect([named, nextStatus(from, step, quantity('1'))]).toEqual([
        named,
        to === '~' ? 'partiallyFilled' : to,
      ])
    }
    const written = [...table.values()].reduce((sum, steps) => sum + steps.size, 0)
    expect(written).toBe(product.filter(([from, step]) => NEXT[from][step] !== undefined).length)
  })

  test('every step is legal somewhere', () => {
    const used = new Set(ORDER_STATUSES.flatMap((from) => Object.keys(NEXT[from])))
    expect([...used].toSorted()).toEqual([...ORDER_STEPS].toSorted())
  })

  test('every status can be reached from a request', () => {
    expect([...reachableFrom('requested')].toSorted()).toEqual([...ORDER_STATUSES].toSorted())
  })

  test('every status can still come to an end', () => {
    for (const status of ORDER_STATUSES) {
      expect([...reachableFrom(status)].some(isClosed)).toBe(true)
    }
  })
})

describe('what must never happen', () => {
  test('a closed order comes back to life', () => {
    for (const from of ORDER_STATUSES.filter(isClosed)) {
      for (const to of targetsOf(from)) expect([from, to, isClosed(to)]).toEqual([from, to, true])
    }
  })

  test('a closed order changes, except by a fill that crossed its end', () => {
    const changes = ORDER_STATUSES.filter(isClosed).flatMap((from) =>
      ORDER_STEPS.flatMap((step) => {
        const to = nextStatus(from, step, quantity('1'))
        return to === undefined || to === from ? [] : [`${from} ${step} ${to}`]
      }),
    )
    expect(changes).toEqual(['canceled', 'expired'].map((from) => `${from} fillWhole filled`))
  })

  test('an order that JTS denied reaches the broker', () => {
    expect(reachableFrom('denied')).toEqual(new Set(['denied']))
  })

  test('an order is sent without approval', () => {
    const submits = ORDER_STATUSES.filter((from) => nextStatus(from, 'submit', ZERO_QUANTITY) !== undefined)
    expect(submits).toEqual(['approved', 'outcomeUnknown'])
  })

  test('a clock ends an unknown outcome: it is left by evidence, by a resend of what is absent, or to a person', () => {
    const { submit, park, ...evidence } = NEXT.outcomeUnknown
    expect([submit, park]).toEqual(['submitting', 'parked'])
    expect(Object.keys(evidence).toSorted()).toEqual(
      ['accept', 'cancel', 'expire', 'fillPart', 'fillWhole', 'reject'].toSorted(),
    )
    expect(NEXT.parked.submit).toBeUndefined()
  })

  test('a filled order is canceled, expired or refused afterwards', () => {
    for (const step of ORDER_STEPS)
      expect(nextStatus('filled', step, quantity('1')) ?? 'filled').toBe('filled')
  })
})

describe('groups of statuses', () => {
  test('closed: nothing more is expected and nothing is reserved', () => {
    expect(ORDER_STATUSES.filter(isClosed)).toEqual(['denied', 'rejected', 'filled', 'canceled', 'expired'])
  })

  test('working: the broker acknowledged it and may fill it', () => {
    expect(ORDER_STATUSES.filter(isWorking)).toEqual([
      'accepted',
      'partiallyFilled',
      'pendingAmend',
      'pendingCancel',
    ])
  })

  test('no order is both', () => {
    expect(ORDER_STATUSES.filter((status) => isClosed(status) && isWorking(status))).toEqual([])
  })
})
