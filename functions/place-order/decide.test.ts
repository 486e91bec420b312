import { expect, test } from 'vitest'
import { ORDER_STATUSES } from '#shared/domain/order-lifecycle.ts'
import { NOON, stored } from '../../test/build.ts'
import { type Answer, effectOf } from './decide.ts'

const ANSWERS: Readonly<Record<string, Answer>> = {
  accepted: { outcome: 'accepted', brokerOrderId: '0000000001', brokerRoute: '00950' },
  rejected: { outcome: 'rejected', code: '40250000', detail: 'not enough cash' },
  unknown: { outcome: 'unknown', cause: 'noAnswer', detail: 'timeout' },
}

test.each([
  // answer      order was          becomes            says
  ['accepted', 'submitting', 'accepted', 'OrderAccepted'],
  ['rejected', 'submitting', 'rejected', 'OrderRejected'],
  ['unknown', 'submitting', 'outcomeUnknown', 'OrderOutcomeUnknown'],
  ['accepted', 'outcomeUnknown', 'accepted', 'OrderAccepted'], // the first delivery's answer, after a second gave up
  ['accepted', 'partiallyFilled', 'partiallyFilled', 'OrderAccepted'], // the fill overtook it
  ['accepted', 'filled', 'filled', 'OrderAccepted'],
] as const)('%s for an order that is %s', (answer, status, becomes, says) => {
  const effect = effectOf(ANSWERS[answer] as Answer, stored('buy 10 @ 70000', { status, attempt: 1 }), NOON)
  expect(effect?.change.status).toBe(becomes)
  expect(effect?.output.contract.name).toBe(says)
})

test('a late "unknown" never undoes what evidence has settled', () => {
  for (const status of ORDER_STATUSES.filter((at) => at !== 'submitting')) {
    expect(
      effectOf(ANSWERS['unknown'] as Answer, stored('buy 10 @ 70000', { status }), NOON),
      status,
    ).toBeUndefined()
  }
})

test('a rejected order holds no cash any more, an unknown one keeps its reservation', () => {
  const order = stored('buy 10 @ 70000', { status: 'submitting', attempt: 1 })
  expect(effectOf(ANSWERS['rejected'] as Answer, order, NOON)?.change.reservedCash).toBe(0n)
  expect(effectOf(ANSWERS['unknown'] as Answer, order, NOON)?.change).not.toHaveProperty('reservedCash')
})
