import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { INSTRUMENT_KINDS, MARKETS } from '#shared/domain/instrument.ts'
import { ORDER_TYPES, SIDES, TIMES_IN_FORCE } from '#shared/domain/order.ts'
import { ORDER_STATUSES, isClosed } from '#shared/domain/order-lifecycle.ts'
import { TRADING_STATES } from '#shared/domain/risk.ts'
import { CHANNELS, SEVERITIES } from '#shared/events/notifications.ts'
import { fault } from '#shared/ports/order-store.bench.ts'
import { type TestDatabase, testDatabase } from '../../../test/postgres.ts'
import { MigrationError, migratePostgres } from './migrate.ts'

let opened: TestDatabase
let directory: string
beforeEach(async () => {
  opened = await testDatabase()
  directory = await mkdtemp(join(tmpdir(), 'jts-migrations-'))
})
afterEach(() => opened.close())

const REAL = 'infra/postgres/migrations'

async function forget(): Promise<void> {
  await opened.database.session(async (execute) => {
    await execute('DROP TABLE public.schema_migrations; CREATE SCHEMA scratch')
  })
}

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  await Promise.all(Object.entries(contents).map(([name, text]) => writeFile(join(directory, name), text)))
}

const migrate = () => migratePostgres(opened.database, directory)

const query = <Row>(text: string): Promise<readonly Row[]> =>
  opened.database.session((execute) => execute<Row>(text))

const ONE = 'CREATE TABLE scratch.one (x integer);'
const TWO = 'CREATE TABLE scratch.two (x integer); INSERT INTO scratch.two VALUES (1), (2);'

test('files are applied in order, once; a new one is applied alone', async () => {
  await forget()
  await files({ '0001-one.sql': ONE })
  expect(await migrate()).toEqual(['0001-one.sql'])
  await files({ '0002-two.sql': TWO })
  expect(await migrate()).toEqual(['0002-two.sql'])
  expect(await migrate()).toEqual([])
  expect(await query('SELECT x FROM scratch.two')).toHaveLength(2)
})

test('of six processes that start at once, one migrates and the others wait for it', async () => {
  await forget()
  await files({ '0001-one.sql': `SELECT pg_sleep(0.2); ${ONE}`, '0002-two.sql': TWO })
  const applied = await Promise.all(Array.from({ length: 6 }, migrate))
  expect(applied.filter((names) => names.length === 2)).toHaveLength(1)
  expect(applied.filter((names) => names.length === 0)).toHaveLength(5)
})

test('a file that fails leaves nothing of itself, keeps those before it, and is named', async () => {
  await forget()
  await files({ '0001-one.sql': ONE, '0002-two.sql': `${TWO} SELECT nonsense;` })
  const error = await fault(migrate())
  expect(error).toBeInstanceOf(MigrationError)
  expect(String(error)).toMatch(/0002-two\.sql.*nonsense/)
  expect(await query(`SELECT 1 WHERE to_regclass('scratch.two') IS NULL`)).toHaveLength(1)
  await files({ '0002-two.sql': TWO })
  expect(await migrate()).toEqual(['0002-two.sql'])
})

test.each([
  [
    'an applied file was altered',
    { '0001-one.sql': `${ONE} -- harmless`, '0002-two.sql': TWO },
    /0001-one\.sql was altered/,
  ],
  [
    'an applied file has another name',
    { '0001-uno.sql': ONE, '0002-two.sql': TWO },
    /0001-one\.sql.*0001-uno\.sql/,
  ],
  [
    'the database is newer than the program',
    { '0001-one.sql': ONE },
    /newer than this program.*0002-two\.sql/,
  ],
  [
    'a number is missing',
    { '0001-one.sql': ONE, '0003-three.sql': TWO },
    /0003-three\.sql should be number 2/,
  ],
  [
    'a number is there twice',
    { '0001-one.sql': ONE, '0001-zwei.sql': TWO },
    /0001-zwei\.sql should be number 2/,
  ],
  ['a file has no number', { '0001-one.sql': ONE, 'notes.sql': TWO }, /notes\.sql should be number 2/],
  ['there are no files', {}, /no migrations/],
])('nothing is touched when %s', async (_name, contents, message) => {
  await forget()
  await files({ '0001-one.sql': ONE, '0002-two.sql': TWO })
  await migrate()
  directory = await mkdtemp(join(tmpdir(), 'jts-migrations-'))
  await files(contents)
  const error = await fault(migrate())
  expect(error).toBeInstanceOf(MigrationError)
  expect(String(error)).toMatch(message)
})

test('a failed migration does not keep the lock', async () => {
  await forget()
  await files({ '0001-one.sql': 'nonsense' })
  await fault(migrate())
  await files({ '0001-one.sql': ONE })
  expect(await migrate()).toEqual(['0001-one.sql'])
})

test('the schema that the program brings is complete in a test database', async () => {
  expect(await migratePostgres(opened.database)).toEqual([])
  const applied = await query<{ name: string }>('SELECT name FROM public.schema_migrations ORDER BY number')
  expect(applied.map(({ name }) => name)).toEqual((await readdir(REAL)).toSorted())
  expect(await readFile(join(REAL, '0001-trading.sql'), 'utf8')).toContain('CREATE SCHEMA trading')
})

test('a database of the first version keeps what it holds through every later one', async () => {
  await query('DROP SCHEMA trading CASCADE; DROP SCHEMA analytics CASCADE; DROP SCHEMA audit CASCADE')
  await forget()
  await files({ '0001-trading.sql': await readFile(join(REAL, '0001-trading.sql'), 'utf8') })
  await migrate()
  await query(`
    INSERT INTO trading.accounts (account_id, broker, currency, trading_state) VALUES ('a', 'kis', 'KRW', 'active');
    INSERT INTO trading.orders (client_order_id, account_id, requested_by, instrument_id, side, order_type, time_in_force,
      quantity, limit_price, decided_time, status, reserved_cash, correlation_id)
    VALUES ('working', 'a', 'ma', '005930.KRX', 'buy', 'limit', 'day', 10, 70000, now(), 'accepted', 700105, 'frame'),
           ('refused', 'a', 'ma', '005930.KRX', 'buy', 'market', 'day', -1, 70000, now(), 'denied', 0, 'frame');
    INSERT INTO trading.events (id, topic, type, subject, correlation_id, causation_id, event)
    VALUES ('e', 'orders', 'jts.order.accepted.v1', 'working', 'frame', 'c', '{"id": "e"}')`)
  await migratePostgres(opened.database)
  expect(await query('SELECT client_order_id, status FROM trading.orders ORDER BY sequence')).toEqual([
    { client_order_id: 'working', status: 'accepted' },
    { client_order_id: 'refused', status: 'denied' },
  ])
  expect(await query('SELECT event FROM trading.events')).toEqual([{ event: { id: 'e' } }])
})

test.each([
  ['a status that nobody knows', `status = 'lost'`],
  ['cash held by a closed order', `status = 'filled'`],
  ['less than nothing held', `reserved_cash = -1`],
  ['a limit order without a price', `limit_price = NULL`],
  ['no quantity', `quantity = 0`],
  ['a reason of denial without a denial', `denial_code = 'CASH_INSUFFICIENT'`],
])('the database refuses %s', async (_name, change) => {
  await query(`
    INSERT INTO trading.orders (client_order_id, account_id, requested_by, instrument_id, side, order_type, time_in_force,
      quantity, limit_price, decided_time, status, reserved_cash, correlation_id)
    VALUES ('o', 'a', 'ma', '005930.KRX', 'buy', 'limit', 'day', 10, 70000, now(), 'accepted', 700105, 'frame')`)
  await expect(query(`UPDATE trading.orders SET ${change}`)).rejects.toThrow(/violates check constraint/)
})

test.each([
  ['orders', 'status', ORDER_STATUSES.filter((status) => status !== 'requested')],
  ['orders', 'side', SIDES],
  ['orders', 'order_type', ORDER_TYPES],
  ['orders', 'time_in_force', TIMES_IN_FORCE],
  ['fills', 'side', SIDES],
  ['accounts', 'trading_state', TRADING_STATES],
  ['instruments', 'kind', INSTRUMENT_KINDS],
  ['instruments', 'market', MARKETS],
  ['notifications', 'channel', CHANNELS],
  ['notifications', 'severity', SEVERITIES],
])('trading.%s.%s allows exactly what the domain knows', async (table, column, members) => {
  const [check] = await query<{ text: string }>(
    `SELECT pg_get_constraintdef(c.oid) AS text FROM pg_constraint c
     JOIN pg_attribute a ON a.attrelid = 'trading.${table}'::regclass AND a.attname = '${column}'
     WHERE c.conname = '${table}_${column}_check' OR c.contypid = a.atttypid`,
  )
  const allowed = [...(check?.text ?? '').matchAll(/'(\w+)'::text/g)].map(([, member]) => member)
  expect(new Set(allowed)).toEqual(new Set<string | undefined>(members))
  expect(allowed).toHaveLength(members.length)
})

test('the database and the domain agree on which orders are closed', async () => {
  const [index] = await query<{ text: string }>(
    `SELECT pg_get_expr(indpred, indrelid) AS text FROM pg_index WHERE indexrelid = 'trading.orders_open'::regclass`,
  )
  const closed = [...(index?.text ?? '').matchAll(/'(\w+)'::text/g)].map(([, status]) => status)
  expect(new Set(closed)).toEqual(new Set<string | undefined>(ORDER_STATUSES.filter(isClosed)))
})
