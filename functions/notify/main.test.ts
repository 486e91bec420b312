// The deployed function as it is: a process of its own, HTTP in front, PostgreSQL and a webhook behind.
import { afterEach, expect, test } from 'vitest'
import { httpReceiver } from '#shared/adapters/notifiers/receiver.fixture.ts'
import { startProgram } from '../../test/program.ts'
import { testDatabase } from '../../test/postgres.ts'
import { filled } from './build.fixture.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

test('a fill is told once, however often it comes, and SIGTERM ends it', { timeout: 30_000 }, async () => {
  const [database, receiver] = await Promise.all([testDatabase(), httpReceiver()])
  closes.push(
    () => database.close(),
    () => receiver.close(),
  )
  const program = await startProgram('functions/notify/main.ts', {
    JTS_POSTGRES_URL: database.url,
    JTS_WEBHOOK_URL: receiver.url,
    JTS_WEBHOOK_PRIVATE_ALLOWED: 'true',
    JTS_WEBHOOK_SECRET: 'of no importance here',
  })
  closes.push(() => program.kill())

  const { events } = await program.post(filled())
  expect(events.map(({ type }) => type)).toEqual(['jts.notification.delivered.v1'])
  await program.post(filled())
  expect(receiver.taken).toHaveLength(1)
  expect(await program.stop()).toEqual([0, null])
})
