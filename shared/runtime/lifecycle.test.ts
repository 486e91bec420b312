import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type Part, runLifecycle } from './lifecycle.ts'
import { createLog, silentLog } from './log.ts'

const recorder = () => {
  const seen: string[] = []
  const part = (name: string, failure?: 'start' | 'end'): Part => ({
    name,
    start: async () => {
      seen.push(`start ${name}`)
      if (failure === 'start') throw new Error(`${name} cannot start`)
      return async () => {
        seen.push(`end ${name}`)
        if (failure === 'end') throw new Error(`${name} cannot end`)
      }
    },
  })
  return { seen, part }
}
const options = { log: silentLog, stopwatch: systemStopwatch, graceMs: 0 }

test('parts start in order and end in reverse', async () => {
  const { seen, part } = recorder()
  const lifecycle = await runLifecycle([part('store'), part('bus'), part('server')], options)
  await lifecycle.stop('test')
  await lifecycle.ended
  expect(seen).toEqual(['start store', 'start bus', 'start server', 'end server', 'end bus', 'end store'])
})

test('a part that cannot start ends those before it', async () => {
  const { seen, part } = recorder()
  const starting = runLifecycle([part('store'), part('bus', 'start'), part('server')], options)
  await expect(starting).rejects.toThrow('bus cannot start')
  expect(seen).toEqual(['start store', 'start bus', 'end store'])
})

test('a part that cannot end does not keep the others from ending', async () => {
  const { seen, part } = recorder()
  const lifecycle = await runLifecycle([part('store'), part('bus', 'end')], options)
  await lifecycle.stop('test')
  expect(seen.slice(2)).toEqual(['end bus', 'end store'])
})

test('readiness falls before anything is closed', async () => {
  const { seen, part } = recorder()
  const onDrain = (): void => void seen.push('drain')
  const lifecycle = await runLifecycle([part('server')], { ...options, onDrain, graceMs: 5 })
  await lifecycle.stop('test')
  expect(seen).toEqual(['start server', 'drain', 'end server'])
})

test('parts that do not end in time do not keep the process alive', async () => {
  const exited = Promise.withResolvers<number>()
  const target = Object.assign(new EventEmitter(), {
    exit: (code?: number | string | null) => exited.resolve(Number(code)) as never,
  }) as unknown as NodeJS.Process
  const hanging: Part = { name: 'hanging', start: async () => () => new Promise(() => undefined) }
  await runLifecycle([hanging], { ...options, closeMsMax: 10, process: target })
  target.emit('SIGTERM', 'SIGTERM')
  expect(await exited.promise).toBe(130)
})

test('a secret does not reach the log, at whatever depth it is known', () => {
  const lines: string[] = []
  const log = createLog('test', 'info', { write: (line) => void lines.push(line) })
  log.info(
    { appSecret: 'hunter2', account: { appkey: 'hunter2', headers: { authorization: 'hunter2' } } },
    'dialing',
  )
  log.child({ function: 'risk-check' }).error({ error: new Error('refused') }, 'cannot dial')
  expect(lines.join('')).not.toContain('hunter2')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 'info', name: 'test', message: 'dialing' },
    { level: 'error', function: 'risk-check', message: 'cannot dial', error: { message: 'refused' } },
  ])
})
