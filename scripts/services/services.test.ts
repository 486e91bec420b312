import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'

/** A machine with Node and nothing else. */
const services = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, ['scripts/services.ts', ...words], {
    encoding: 'utf8',
    env: { PATH: dirname(process.execPath), ...environment },
  })

const SAY_BROKERS = ['--', process.execPath, '-e', 'console.log(`brokers: ${process.env.JTS_KAFKA_BROKERS}`)']

test('what is not installed is named with the reason and the setting that stays unset; the rest goes on', () => {
  const { stdout, status } = services(['--only', 'kafka,redis', ...SAY_BROKERS])
  expect(stdout).toContain('kafka: NOT THERE: Java 17 or newer is needed, none is on the PATH')
  expect(stdout).toContain('redis: NOT THERE: redis-server is not on the PATH')
  expect(stdout).toContain('JTS_KAFKA_BROKERS is not set, and what needs it is skipped')
  expect(stdout).toContain('brokers: undefined')
  expect(status).toBe(0)
})

test('a server that the environment names is used, not started; the command decides the exit code', () => {
  const given = { JTS_KAFKA_BROKERS: 'kafka.example:9092' }
  const { stdout } = services(['--only', 'kafka', ...SAY_BROKERS], given)
  expect(stdout).toContain('brokers: kafka.example:9092')
  expect(services(['--only', 'kafka', '--', process.execPath, '-e', 'process.exit(3)'], given).status).toBe(3)
})

test('an unknown service is refused', () => {
  const { stderr, status } = services(['--only', 'kafka,mongo'])
  expect(stderr).toContain('there is no service mongo')
  expect(status).toBe(2)
})
