// A batch that was stored although its answer was lost is written again, larger by what has come since, and counts once.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { addMs } from '#shared/domain/time.ts'
import { barAt, tickAt } from '#shared/ports/tick-store.contract.ts'
import { openClickHouse } from './clickhouse.ts'
import { type TestClickHouse, testClickHouse } from './engine.fixture.ts'
import { clickhouseTickStore } from './tick-store.ts'

let engine: TestClickHouse
beforeAll(async () => {
  engine = await testClickHouse()
})
afterAll(() => engine.close())

/** Hands requests on to the engine; of inserts, loses the first answers. */
async function proxy(loses: number) {
  let lost = 0
  const handOn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const answer = await fetch(new URL(request.url ?? '/', engine.url), { method: 'POST', body })
    const isInsert = `${request.url} ${body.toString('latin1', 0, 20)}`.includes('INSERT')
    if (isInsert && lost < loses) {
      lost += 1
      request.socket.destroy()
      return
    }
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()))
  }
  const server = createServer((request, response) => void handOn(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost: () => lost,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

test('ticks and bars are stored once', async () => {
  const way = await proxy(4)
  const db = await openClickHouse({ url: way.url })
  const store = clickhouseTickStore(db, { stopwatch: systemStopwatch, batchSize: 50 })
  const ticks = Array.from({ length: 60 }, (_, index) => tickAt(index))
  const bars = Array.from({ length: 20 }, (_, index) => barAt(index))
  await store.appendTicks(ticks.slice(0, 30))
  await store.appendBars(bars)
  await store.flush().catch(() => undefined)
  await store.appendTicks(ticks.slice(30))
  while (way.lost() < 4) await store.flush().catch(() => undefined)
  await store.flush()

  const { instrumentId, eventTime } = tickAt(0)
  expect(await store.ticks(instrumentId, eventTime, addMs(tickAt(59).eventTime, 1), 1_000)).toEqual(ticks)
  const { closeTime, interval } = barAt(19)
  expect(await store.bars(instrumentId, interval, closeTime, 1_000)).toEqual(bars)
  await store.close()
  await db.close()
  way.close()
})
