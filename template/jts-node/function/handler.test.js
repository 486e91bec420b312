import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handle } from './handler.js'

const denied = (data) => ({
  type: 'jts.order.denied.v1',
  data: { accountId: 'paper:1', clientOrderId: 'order-1', code: 'TRADING_HALTED', detail: '', ...data },
})

await test('a refused order is told with its reason', async () => {
  const [output, ...others] = await handle(denied({ detail: 'halted by a person' }))
  assert.equal(others.length, 0)
  assert.equal(output.contract, 'NotificationRequested')
  assert.equal(output.data.title, 'Order order-1 refused: TRADING_HALTED')
  assert.match(output.data.body, /halted by a person/)
})
