import { mkdtemp, rm, chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { embeddedPostgres } from '#shared/adapters/postgres/embedded.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { migratePostgres } from '#shared/adapters/postgres/migrate.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { createLog } from '#shared/runtime/log.ts'
import { openAccount, setState, approvalOf, intentOf, eventOf, receiptOf } from '#shared/ports/order-store.bench.ts'
import { OrderSubmitted } from '#shared/events/orders.ts'
import { ACCOUNT, request } from '../../test/build.ts'

const dir = await mkdtemp('/tmp/pgprobe-')
await chmod(dir, 0o755)
const server = await embeddedPostgres({ directory: dir, log: createLog('p', 'warn'), stopwatch: systemStopwatch, randomBytes: systemRandomBytes, ...(process.env.NOSYNC ? { settings: { fsync: 'off' } } : {}) })
const base = server.url
const med = (a: number[], q = 0.5) => Math.round((a.toSorted((x, y) => x - y)[Math.floor(a.length * q)] ?? 0) * 1000)
const dbs = {
  plain: await openPostgres({ url: base, applicationName: 'a' }),
  generic: await openPostgres({ url: base + (base.includes('?') ? '&' : '?') + 'options=' + encodeURIComponent('-c plan_cache_mode=force_generic_plan'), applicationName: 'b' }),
}
await migratePostgres(dbs.plain)
console.log(await dbs.generic.session((x) => x('show plan_cache_mode')), base)
await dbs.plain.session((x) => x(`CREATE SCHEMA bench;
  CREATE TABLE bench.inbox (consumer text, event_id text, PRIMARY KEY (consumer, event_id));
  CREATE TABLE bench.orders (client_order_id text PRIMARY KEY, account_id text, instrument_id text, side text,
    quantity bigint, limit_price numeric, status text);
  CREATE TABLE bench.outbox (sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text UNIQUE, event jsonb);`))
const STATEMENT = { name: 'bound of the race', text: `
  WITH inboxed AS (INSERT INTO bench.inbox VALUES ('bench', $1)),
  placed AS (INSERT INTO bench.orders VALUES ($1, $2, $3, 'buy', 28, 70300, 'submitting'))
  INSERT INTO bench.outbox (id, event) VALUES ($1, $4)` }
const ledger = postgresLedger(dbs.plain)
const bench0 = { orders: postgresOrderStore(dbs.plain), ledger } as never
await openAccount(bench0); await setState(bench0, 'active')
const epoch = await postgresOrderStore(dbs.plain).fence(ACCOUNT)
let n = 0
let version = (await ledger.snapshot(ACCOUNT, 0 as never))!.version
const rows: Record<string, number[]> = {}
const time = async (name: string, f: () => Promise<unknown>) => { const s = performance.now(); await f(); (rows[name] ??= []).push(performance.now() - s) }
const event = JSON.stringify({ type: 'jts.order.submitted.v1', data: { reason: 'x'.repeat(400) } })
for (let i = 0; i < 900; i += 1) {
  if (i === 300) for (const k of Object.keys(rows)) delete rows[k]
  for (const [name, db] of Object.entries(dbs)) {
    n += 1
    const orders = postgresOrderStore(db)
    const id = `order-${n}-xxxxxxxxxxxxxxxxxxxx`
    await time(name + ' bound', () => db.run(STATEMENT, [id, ACCOUNT, '005930.KRX', event]))
    await time(name + ' read', () => db.run({ name: 'one', text: 'SELECT 1' }, []))
    const order = request(`buy ${n} @ 70000`, { clientOrderId: id })
    const approval = approvalOf(order, version)
    const out = eventOf(OrderSubmitted, `ev-${n}`, { accountId: ACCOUNT, clientOrderId: id, attempt: 1, epoch, submittedTime: '2025-09-02T03:00:00.000Z' })
    await time(name + ' approve', async () => { if ((await orders.approve(approval, receiptOf([out]))) !== 'done') throw new Error('conflict') })
    version += 1n
    if (process.env.PARTS) {
      await time(name + ' ack0', () => orders.acknowledge(receiptOf([])))
      await time(name + ' ack1', () => orders.acknowledge(receiptOf([{ ...out, id: `ack-${n}` }])))
      await time(name + ' deny1', () => orders.deny({ order: request(`buy 1 @ 70000`, { clientOrderId: 'd' + id }), code: 'CASH_INSUFFICIENT', detail: 'x', correlationId: 'c' } as never, receiptOf([{ ...out, id: `deny-${n}` }])))
      const ev = { ...out, id: `raw-${n}` }
      await time(name + ' ev plain', () => db.run({ name: 'evplain', text: `INSERT INTO trading.events (id, topic, type, subject, correlation_id, causation_id, event) VALUES ($1,$2,$3,$4,$5,$6,$7)` }, [ev.id, 'orders', ev.type, ev.subject, 'c', 'd', JSON.stringify(ev)]))
      await time(name + ' ev plain conflict', () => db.run({ name: 'evplainc', text: `INSERT INTO trading.events (id, topic, type, subject, correlation_id, causation_id, event) VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (id) DO UPDATE SET event = NULL WHERE trading.events.type <> EXCLUDED.type` }, [ev.id+'c', 'orders', ev.type, ev.subject, 'c', 'd', JSON.stringify({...ev,id:ev.id+'c'})]))
      await time(name + ' bump', () => db.run({ name: 'bump', text: `UPDATE trading.accounts SET cash = cash WHERE account_id = $1 RETURNING 1` }, [ACCOUNT]))
      await time(name + ' upd order', () => db.run({ name: 'updo', text: `UPDATE trading.orders SET revision = revision + 1 WHERE client_order_id = $1` }, [id]))
      await time(name + ' upd order status', () => db.run({ name: 'updos', text: `UPDATE trading.orders SET revision = revision + 1, status='approved', submitted_time=now() WHERE client_order_id = $1` }, [id]))
      await time(name + ' sel order', () => orders.order(id))
    }
    await time(name + ' intent', async () => {
      const r = await orders.recordIntent(intentOf(epoch, { clientOrderId: id }), (attempt) => [{ ...out, id: `in-${n}` }])
      if (r.outcome !== 'recorded') throw new Error(r.outcome)
    })
  }
}
for (const [k, v] of Object.entries(rows)) console.log(k.padEnd(20), 'p10', med(v, 0.1), 'p50', med(v), 'p90', med(v, 0.9))

if (process.env.EXPLAIN) {
  const show = async (q: string) => { const r = await dbs.plain.session((x) => x<{ 'QUERY PLAN': string }>(q)); console.log(r.map((l) => l['QUERY PLAN']).join('\n')) }
  await show(`EXPLAIN (ANALYZE, BUFFERS, WAL, TIMING) UPDATE trading.orders o SET status='accepted', revision=revision+1 WHERE client_order_id='order-${n}-xxxxxxxxxxxxxxxxxxxx'`)
}
for (const db of Object.values(dbs)) await db.close()
await server.stop(); await rm(dir, { recursive: true })
