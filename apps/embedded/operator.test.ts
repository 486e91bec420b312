import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresNotificationLog } from '#shared/adapters/postgres/notification-log.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import type { Event } from '#shared/events/contract.ts'
import { ACCOUNT, NOON } from '../../test/build.ts'
import { type TestDatabase, testDatabase } from '../../test/postgres.ts'
import { operatorApp } from './operator.ts'

let database: TestDatabase
const published: Event[] = []

beforeAll(async () => {
  database = await testDatabase()
  await postgresLedger(database.database).openAccount({ accountId: ACCOUNT, broker: 'kis', currency: 'KRW' })
})
afterAll(() => database.close())

const nothingArchived = {
  flush: () => Promise.resolve(),
  byCorrelation: () => Promise.resolve([]),
} as unknown as Parameters<typeof operatorApp>[0]['stores']['archive']

function ask(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
) {
  const app = operatorApp({
    stores: {
      orders: postgresOrderStore(database.database),
      ledger: postgresLedger(database.database),
      notifications: postgresNotificationLog(database.database),
      archive: nothingArchived,
      ticks: undefined as never, // no answer tested here reads ticks
    },
    clock: { now: () => NOON, sleepUntil: () => Promise.resolve() },
    ids: systemIds,
    publish: (events) => {
      published.push(...events)
      return Promise.resolve()
    },
    status: () => Promise.resolve({ running: true }),
  })
  return app.request(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
}

describe('an operator', () => {
  test('is told at a glance who may trade', async () => {
    expect(await (await ask('GET', '/status')).json()).toEqual({ running: true, [ACCOUNT]: 'halted' })
  })

  test('is not a web page: neither one of another site, nor one whose name leads here', async () => {
    const change = { to: 'active', changedBy: 'page', reason: '' }
    const pages = await Promise.all([
      ask('POST', '/trading-state', change, { origin: 'https://evil.example' }),
      ask('POST', 'http://evil.example:3000/trading-state', change),
    ])
    expect(pages.map(({ status }) => status)).toEqual([403, 403])
    expect(published).toEqual([])
  })

  test('resumes and halts every account, once; each change is an event', async () => {
    const change = (to: string) =>
      ask('POST', '/trading-state', { to, changedBy: 'operator:kim', reason: 'test' })
    expect(await (await change('active')).json()).toMatchObject({ changed: [ACCOUNT] })
    expect(await (await change('active')).json()).toMatchObject({ changed: [] })
    expect(await (await change('halted')).json()).toMatchObject({
      changed: [ACCOUNT],
      accounts: [{ accountId: ACCOUNT, tradingState: 'halted' }],
    })
    expect(published.map(({ data }) => data)).toMatchObject([
      { from: 'halted', to: 'active', changedBy: 'operator:kim' },
      { from: 'active', to: 'halted' },
    ])
  })

  test.each([
    ['POST', '/trading-state', { to: 'open', changedBy: 'kim', reason: '' }, 400, 'to:'],
    ['POST', '/trading-state', { to: 'halted', reason: '' }, 400, 'changedBy'],
    [
      'POST',
      '/trading-state',
      { to: 'halted', changedBy: 'kim', reason: '', accountId: 'kis:1' },
      404,
      'no such account',
    ],
    ['POST', '/trading-state', undefined, 400, 'body'],
    ['GET', '/orders?limit=0', undefined, 400, 'limit'],
    ['GET', '/why/nothing', undefined, 404, 'no such order'],
    ['GET', '/elsewhere', undefined, 404, 'not served'],
  ] as const)('%s %s with %j is told what is wrong', async (method, path, body, status, fault) => {
    const answer = await ask(method, path, body)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.text()).toContain(fault)
  })
})
