// What callers see when PostgreSQL fails them, and what is left behind.
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import {
  type OrderStoreBench,
  accepted,
  approvalOf,
  deniedEvent,
  fault,
  fillChange,
  fillOf,
  openAccount,
  receiptOf,
  snapshotOf,
  storedOrder,
  waiting,
} from '#shared/ports/order-store.bench.ts'
import { AlreadyHandledError } from '#shared/ports/receipt.ts'
import { ACCOUNT, request } from '../../../test/build.ts'
import { type TestDatabase, testDatabase } from '../../../test/postgres.ts'
import { openPostgres } from './database.ts'
import { postgresLedger } from './ledger.ts'
import { postgresOrderStore } from './order-store.ts'
import { postgresOutbox } from './outbox.ts'

let opened: TestDatabase
let bench: OrderStoreBench
let other: Client
beforeEach(async () => {
  opened = await testDatabase()
  const { database } = opened
  bench = {
    orders: postgresOrderStore(database),
    ledger: postgresLedger(database),
    outbox: postgresOutbox(database),
  }
  other = new Client({ connectionString: opened.url })
  other.on('error', () => undefined)
  await other.connect()
})
afterEach(async () => {
  await other.end()
  await opened.close()
})

const KILL_STORE = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'test' AND datname = current_database()`

/** Resolves once somebody of the store waits for a lock. */
async function storeWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await other.query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()
       AND wait_event_type = 'Lock'`,
    )
    if (rowCount !== 0) return
  }
}

describe('a backend that is killed', () => {
  test.each(['approve', 'book a fill'] as const)(
    'in the middle of %s leaves nothing half done, and the same call works afterwards',
    async (what) => {
      await openAccount(bench)
      const order = await accepted(bench, 'buy 10 @ 70000')
      const before = [await snapshotOf(bench), await storedOrder(bench), await waiting(bench)]
      const { version } = await snapshotOf(bench)
      const receipt = receiptOf([deniedEvent('out-1')], 'event-x')
      const call = () =>
        what === 'approve'
          ? bench.orders.approve(
              approvalOf(request('buy 1 @ 70000', { clientOrderId: 'b' }), version),
              receipt,
            )
          : bench.orders.change(fillChange(order, fillOf(order, '4 @ 70000')), receipt)

      await other.query(`BEGIN; SELECT 1 FROM trading.accounts WHERE account_id = '${ACCOUNT}' FOR UPDATE`)
      const interrupted = fault(call())
      await storeWaits()
      await other.query(KILL_STORE)
      expect(await interrupted).toBeInstanceOf(RetryableError)
      await other.query('ROLLBACK')

      expect([await snapshotOf(bench), await storedOrder(bench), await waiting(bench)]).toEqual(before)
      expect(await call()).toBe('done')
      expect(await fault(call())).toBeInstanceOf(AlreadyHandledError)
    },
  )

  test('while it is idle is replaced without anybody noticing', async () => {
    await openAccount(bench)
    await other.query(KILL_STORE)
    await other.query('SELECT pg_sleep(0)')
    const first = await fault(bench.ledger.accountIds())
    expect(first === undefined || first instanceof RetryableError).toBe(true)
    expect(await bench.ledger.accountIds()).toEqual([ACCOUNT])
  })
})

describe('waiting', () => {
  test('a statement that waits too long for an account gives up and may be called again', async () => {
    await openAccount(bench)
    const hasty = await openPostgres({ url: opened.url, applicationName: 'hasty', statementTimeoutMs: 100 })
    const call = () =>
      postgresOrderStore(hasty).approve(approvalOf(request('buy 1 @ 70000'), 0n), receiptOf([], 'event-x'))
    await other.query(`BEGIN; SELECT 1 FROM trading.accounts FOR UPDATE`)
    const error = await fault(call())
    expect(error).toBeInstanceOf(RetryableError)
    expect(String(error)).toContain('approve an order')
    await other.query('ROLLBACK')
    expect(await call()).toBe('done')
    await hasty.close()
  })

  test('two transactions that wait for each other: one is told to try again', async () => {
    await openAccount(bench, 'a')
    await openAccount(bench, 'b')
    const lock = (accountId: string) => ({
      name: `lock ${accountId}`,
      text: `SELECT 1 FROM trading.accounts WHERE account_id = '${accountId}' FOR UPDATE`,
    })
    let met = 0
    const bothHold = Promise.withResolvers<undefined>()
    const both = [
      ['a', 'b'],
      ['b', 'a'],
    ] as const
    const errors = await Promise.all(
      both.map(([first, second]) =>
        fault(
          opened.database.transaction(async (connection) => {
            await connection.run(lock(first), [])
            met += 1
            if (met === 2) bothHold.resolve(undefined)
            await bothHold.promise
            await connection.run(lock(second), [])
          }),
        ),
      ),
    )
    expect(errors.filter((error) => error === undefined)).toHaveLength(1)
    expect(errors.filter((error) => error instanceof RetryableError)).toHaveLength(1)
  })

  test('too many connections is not the end', async () => {
    await other.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database()); END $$`,
    )
    await other.query("CREATE ROLE guest LOGIN PASSWORD 'guest'").catch(() => undefined)
    const url = new URL(opened.url)
    url.username = 'guest'
    url.password = 'guest'
    const error = await fault(openPostgres({ url: url.toString(), applicationName: 'guest' }))
    expect(error).toBeInstanceOf(RetryableError)
    expect(String(error)).toContain('53300')
  })
})

describe('a transaction', () => {
  const INSERT = {
    name: 'insert an account for a test',
    text: `INSERT INTO trading.accounts (account_id, broker, currency) VALUES ($1, 'kis', 'KRW')`,
  }

  test('that throws leaves nothing, and its connection can be used again', async () => {
    const only = await openPostgres({ url: opened.url, applicationName: 'one', connectionsMax: 1 })
    for (let round = 0; round < 3; round += 1) {
      const error = await fault(
        only.transaction(async (connection) => {
          await connection.run(INSERT, ['a'])
          throw new TypeError('our own defect')
        }),
      )
      expect(error).toBeInstanceOf(TypeError)
    }
    expect(await postgresLedger(only).accountIds()).toEqual([])
    await only.close()
  })

  test('with a statement that fails cannot commit, even when the failure is swallowed', async () => {
    const error = await fault(
      opened.database.transaction(async (connection) => {
        await connection.run(INSERT, ['a'])
        await connection.run(INSERT, ['a']).catch(() => undefined)
      }),
    )
    expect(String(error)).toContain('ROLLBACK')
    expect(await bench.ledger.accountIds()).toEqual([])
  })
})

describe('a value that cannot be stored', () => {
  test.each([
    ['NUL in a text', { requestedBy: 'a\0b' }],
    ['a quantity beyond 64 bits', { quantity: 2n ** 63n }],
    ['a price beyond the column', { limitPrice: 10n ** 30n }],
  ] as const)('%s is poison, and nothing is written', async (_name, over) => {
    await openAccount(bench)
    const order = request('buy 1 @ 70000', over as Partial<ReturnType<typeof request>>)
    expect(await fault(bench.orders.approve(approvalOf(order, 0n), receiptOf()))).toBeInstanceOf(PoisonError)
    expect((await snapshotOf(bench)).version).toBe(0n)
  })

  test.each([
    ['NUL', '\0'],
    ['half a surrogate pair', '\ud800'],
  ])('an output with %s in it is poison', async (_name, text) => {
    const event = { ...deniedEvent('out-1'), data: { detail: text } }
    expect(await fault(bench.orders.acknowledge(receiptOf([event], 'event-x')))).toBeInstanceOf(PoisonError)
    await bench.orders.acknowledge(receiptOf([], 'event-x'))
  })

  test('an output of no known contract is a defect, found before anything is sent', async () => {
    const event = { ...deniedEvent('out-1'), type: 'jts.order.invented.v1' }
    expect(String(await fault(bench.orders.acknowledge(receiptOf([event]))))).toContain(
      'jts.order.invented.v1',
    )
  })
})

describe('opening', () => {
  test.each([
    ['a database that does not exist', (url: URL) => Object.assign(url, { pathname: '/nowhere' }), /nowhere/],
    ['a wrong password', (url: URL) => Object.assign(url, { password: 'wrong' }), /password/],
  ])('%s is an error that a person must see, not one to retry', async (_name, change, message) => {
    const url = change(new URL(opened.url))
    const error = await fault(openPostgres({ url: url.toString(), applicationName: 'test' }))
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(RetryableError)
    expect(String(error)).toMatch(message)
  })

  test.each([
    ['nobody listens', 'postgres://jts:x@127.0.0.1:1/jts'],
    ['the host has no address', 'postgres://jts:x@no-such-host.invalid/jts'],
    ['the socket is not there', 'postgres://jts:x@localhost/jts?host=%2Fno%2Fsuch%2Fdirectory'],
  ])('when %s, it may be tried again', async (_name, url) => {
    expect(await fault(openPostgres({ url, applicationName: 'test' }))).toBeInstanceOf(RetryableError)
  })

  test('a server that acknowledges before the disk has it is refused', async () => {
    await other.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`,
    )
    const error = await fault(openPostgres({ url: opened.url, applicationName: 'test' }))
    expect(String(error)).toContain('synchronous_commit')
  })

  test('after closing, calls may be made again elsewhere', async () => {
    const closed = await openPostgres({ url: opened.url, applicationName: 'test' })
    await closed.close()
    expect(await fault(postgresLedger(closed).accountIds())).toBeInstanceOf(RetryableError)
  })
})
