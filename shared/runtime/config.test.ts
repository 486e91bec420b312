import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  ConfigError,
  type Environment,
  type SettingsReader,
  loadConfig,
  loadSettings,
  loadSettingsWith,
} from './config.ts'
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

  test('a mounted secret that cannot be read is a fault, not an unset setting', () => {
    const mounted = join(directory, 'unreadable')
    mkdirSync(join(mounted, 'jts-limit'), { recursive: true })
    expect(() => loadConfig(TestConfig, {}, { secretDirectories: [mounted] })).toThrow(
      /JTS_LIMIT: .*jts-limit cannot be read \(EISDIR\)/,
    )
  })
})

describe('several schemas', () => {
  const Pair = z
    .object({ JTS_LOW: z.coerce.number(), JTS_HIGH: z.coerce.number() })
    .refine((it) => it.JTS_LOW < it.JTS_HIGH, { error: 'must be below JTS_HIGH', path: ['JTS_LOW'] })
  const empty = join(directory, 'empty')
  mkdirSync(empty)
  const options = { secretDirectories: [empty] }
  const accounts: SettingsReader<{
    readonly outcome: 'read'
    readonly keys: readonly (string | undefined)[]
  }> = {
    names: /^ACCOUNT_\d+_/,
    read(environment) {
      const keys = Object.entries(environment).filter(([name]) => /^ACCOUNT_\d+_KEY$/.test(name))
      const faults = keys.filter(([, key]) => key === 'bad').map(([name]) => `${name} is bad`)
      if (faults.length > 0) return { outcome: 'faulty', faults }
      return { outcome: 'read', keys: keys.map(([, key]) => key) }
    },
  }
  const faultsOfAll = (environment: Environment): readonly string[] => {
    try {
      loadSettingsWith([TestConfig, Pair], accounts, environment, options)
      return []
    } catch (error) {
      if (error instanceof ConfigError) return error.faults
      throw error
    }
  }

  test('make one set of settings, with the rules that span some of them', () => {
    const environment = { JTS_LIMIT: '5', JTS_LOW: '1', JTS_HIGH: '2' }
    expect(loadSettings([TestConfig, Pair], environment, options)).toMatchObject({
      JTS_LIMIT: '5',
      JTS_HIGH: 2,
    })
  })

  test('the faults of all of them, and of settings that repeat, stand in one message', () => {
    expect(faultsOfAll({ JTS_LIMIT: 'x', JTS_LOW: '3', JTS_HIGH: '2', ACCOUNT_2_KEY: 'bad' })).toEqual([
      expect.stringMatching(/^JTS_LIMIT: must be a whole number/),
      expect.stringMatching(/^JTS_LOW: must be below JTS_HIGH/),
      'ACCOUNT_2_KEY is bad',
    ])
  })

  test('settings that repeat are found in files and among mounted secrets too', () => {
    const mounted = join(directory, 'mounted')
    mkdirSync(mounted)
    writeFileSync(join(mounted, 'account-2-key'), 'two\n')
    const environment = { ACCOUNT_1_KEY_FILE: file('key', 'one\n'), ACCOUNT_3_KEY: 'three' }
    const [, { keys }] = loadSettingsWith([], accounts, environment, { secretDirectories: [mounted] })
    expect(new Set(keys)).toEqual(new Set(['one', 'two', 'three']))
    expect(
      faultsOfAll({ JTS_LIMIT: '1', JTS_LOW: '1', JTS_HIGH: '2', ACCOUNT_1_KEY_FILE: '/nowhere' }),
    ).toEqual(['ACCOUNT_1_KEY: ACCOUNT_1_KEY_FILE names a file that cannot be read: /nowhere (ENOENT)'])
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
