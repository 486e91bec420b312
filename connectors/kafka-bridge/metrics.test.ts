import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { RetryableError } from '#shared/ports/errors.ts'
import { cancel } from '#shared/runtime/test-event.fixture.ts'
import { openBridge, serveFunction, targetOf } from './bridge.fixture.ts'
import { bridgeMetrics, observeBridge } from './metrics.ts'

test('what happens to the events of a function can be read off: done, delivered again, standing, waiting', async () => {
  let isDown = true
  const served = await serveFunction(async (event) => {
    if (event.id === 'c2' && isDown) throw new RetryableError('down')
    return []
  })
  const registry = new Registry()
  const opened = openBridge([targetOf([served.url])], { metrics: bridgeMetrics(registry) })
  observeBridge(registry, opened.bridge, opened.bus)
  const value = async (metric: string, labels = ''): Promise<number> => {
    const lines = (await registry.metrics()).split('\n')
    const line = lines.find((each) => each.startsWith(`${metric}{function="test-function"${labels}}`))
    return Number(line?.split(' ').at(-1))
  }
  await opened.bus.publish([cancel('c1'), cancel('c2'), cancel('c3')])
  await expect.poll(() => value('jts_bridge_standing_partitions')).toBe(1)
  expect(await value('jts_bridge_events_total')).toBe(1)
  expect(await value('jts_bridge_lag_records')).toBe(2)
  expect(await value('jts_bridge_retries_total')).toBeGreaterThan(1)
  expect(await value('jts_bridge_instances', ',state="up"')).toBe(1)
  isDown = false
  await expect.poll(() => value('jts_bridge_lag_records')).toBe(0)
  expect(await value('jts_bridge_events_total')).toBe(3)
  expect(await value('jts_bridge_standing_partitions')).toBe(0)
  expect(await value('jts_bridge_requests_in_flight')).toBe(0)
  expect(await value('jts_bridge_request_duration_seconds_count')).toBeGreaterThan(2)
  await opened.close()
  await served.kill()
})

test('a bus that cannot say how far a function is behind is shown as such', async () => {
  const registry = new Registry()
  const opened = openBridge([targetOf(['http://127.0.0.1:1'])])
  observeBridge(registry, opened.bridge, { lag: () => Promise.reject(new RetryableError('no broker')) })
  await expect.poll(() => registry.metrics()).toContain('jts_bridge_lag_records{function="test-function"} -1')
  await opened.close()
})
