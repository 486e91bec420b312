// The deployed function as it is: a process of its own, HTTP in front, PostgreSQL behind.
import { afterEach, expect, test } from 'vitest'
import { type Path, openOrderPath, run } from '../../test/order-path.ts'
import { type Program, startProgram } from '../../test/program.ts'

let path: Path | undefined
let program: Program | undefined
afterEach(async () => {
  program?.kill()
  await path?.close()
  program = path = undefined
})

test(
  'a fill posted twice is booked once and answered the same, and SIGTERM ends it',
  { timeout: 30_000 },
  async () => {
    path = await openOrderPath()
    await run(path.replica(), path.requested('buy 10 @ 70000'))
    program = await startProgram('functions/record-execution/main.ts', {
      JTS_POSTGRES_URL: path.test.url,
      JTS_FEE_RATIO: '0.00015',
    })
    const fill = path.broker.fill('0000000001', '10 @ 70000')

    const { events } = await program.post(fill)
    expect(events.map(({ type }) => type)).toEqual(['jts.order.filled.v1', 'jts.position.changed.v1'])
    expect((await program.post(fill)).events).toEqual(events)
    expect(await path.store.totals()).toMatchObject({ filled: 1, fills: 1 })
    expect(await program.stop()).toEqual([0, null])
  },
)
