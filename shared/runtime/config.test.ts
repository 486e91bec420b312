import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { ConfigError, type Environment, loadConfig } from './config.ts'
import { readEnvironment } from './env-file.ts'
import { ServeConfig } from './serve.ts'
import { describeConfig } from './setting.ts'

const directory = mkdtempSync(join(tmpdir(), 'jts-config-'))
afterAll(() => rmSync(directory, { recursive: true }))
const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const TestConfig = z.object({
  JTS_LIMIT: z.string().regex(/^\d+$/, 'must be a whole number').describe('Largest loss, won.'),
  JTS_AGE_MS_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(60_000)
    .default(2_000)
    .describe('Oldest facts, milliseconds.'),
  JTS_MODE: z.enum(['paper', 'real']).optional().describe('Which account.'),
  JTS_JWT_SECRET: z.string().min(8).optional().meta({ description: 'Signs tokens.', secret: true }),
  JTS_URL: z
    .string()
    .regex(/^postgres:/, 'must be a postgres URL')
    .optional(),
})
const load = (environment: Environment) =>
  loadConfig(TestConfig, environment, { secretDirectories: [directory] })
const faultsOf = (environment: Environment): readonly string[] => {
  try {
    load(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

describe('loading', () => {
  test('what is set wins, what is not takes its default', () => {
    expect(load({ JTS_LIMIT: '5', JTS_MODE: 'paper', OTHER: 'x' })).toEqual({
      JTS_LIMIT: '5',
      JTS_AGE_MS_MAX: 2_000,
      JTS_MODE: 'paper',
    })
  })

  test('an empty variable counts as unset, also for what guards money', () => {
    expect(load({ JTS_LIMIT: '5', JTS_AGE_MS_MAX: '', JTS_MODE: ' ' }).JTS_AGE_MS_MAX).toBe(2_000)
    expect(faultsOf({ JTS_LIMIT: '' })).toEqual(['JTS_LIMIT: is required (Largest loss, won.)'])
  })

  test('all faults stand in one message', () => {
    const faults = faultsOf({ JTS_LIMIT: 'x', JTS_AGE_MS_MAX: '0', JTS_MODE: 'live' })
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['JTS_LIMIT', 'JTS_AGE_MS_MAX', 'JTS_MODE'])
    expect(faults[0]).toBe('JTS_LIMIT: must be a whole number; is "x" (Largest loss, won.)')
  })

  test('a message never quotes a secret, nor the password in a URL', () => {
    const text = faultsOf({
      JTS_LIMIT: '1',
      JTS_JWT_SECRET: 'hunter2',
      JTS_URL: 'mysql://me:hunter2@host/x',
    }).join()
    expect(text).toContain('JTS_JWT_SECRET')
    expect(text).toContain('mysql://…@host/x')
    expect(text).not.toContain('hunter2')
  })

  test('a secret comes from a file, without the line end that editors add', () => {
    const JTS_JWT_SECRET_FILE = file('token', 'correct horse\r\n')
    expect(load({ JTS_LIMIT: '1', JTS_JWT_SECRET_FILE }).JTS_JWT_SECRET).toBe('correct horse')
  })

  test.each([
    ['a value and a file', { JTS_LIMIT: '1', JTS_LIMIT_FILE: '/dev/null' }, /which one is meant/],
    ['a file that is not there', { JTS_LIMIT_FILE: '/nowhere/token' }, /cannot be read: \/nowhere\/token/],
    ['a file that is empty', { JTS_LIMIT_FILE: '/dev/null' }, /is empty/],
  ])('%s is a fault', (_name, environment, expected) => {
    expect(faultsOf(environment)).toEqual([expect.stringMatching(expected)])
  })

  test('a mounted secret is found under its name, or in lower case with dashes', () => {
    file('JTS_LIMIT', '7\n')
    file('jts-jwt-secret', 'from the mount\n')
    expect(load({})).toMatchObject({ JTS_LIMIT: '7', JTS_JWT_SECRET: 'from the mount' })
    expect(load({ JTS_LIMIT: '8' }).JTS_LIMIT).toBe('8')
  })
})

describe('.env.local', () => {
  test('the environment wins over the file, an empty variable does not', () => {
    const path = file('env', '# mine\nA=file\nB="in quotes"\nC=file\n')
    expect(readEnvironment({ A: 'environment', C: '' }, path)).toEqual({
      A: 'environment',
      B: 'in quotes',
      C: 'file',
    })
  })

  test('no file is no fault', () => {
    expect(readEnvironment({ A: '1' }, join(directory, 'absent'))).toEqual({ A: '1' })
  })
})

describe('description', () => {
  test('a person is told name, type, default, secrecy and purpose', () => {
    expect(describeConfig(TestConfig)).toEqual([
      { name: 'JTS_LIMIT', type: 'text', required: true, secret: false, description: 'Largest loss, won.' },
      {
        name: 'JTS_AGE_MS_MAX',
        type: 'integer 1…60000',
        default: '2000',
        required: false,
        secret: false,
        description: 'Oldest facts, milliseconds.',
      },
      {
        name: 'JTS_MODE',
        type: 'paper | real',
        required: false,
        secret: false,
        description: 'Which account.',
      },
      { name: 'JTS_JWT_SECRET', type: 'text', required: false, secret: true, description: 'Signs tokens.' },
      { name: 'JTS_URL', type: 'text', required: false, secret: false, description: '' },
    ])
  })

  test('every setting of a server is described and has a default', () => {
    for (const setting of describeConfig(ServeConfig)) {
      expect(setting.description).not.toBe('')
      expect(setting.required).toBe(false)
    }
  })
})
