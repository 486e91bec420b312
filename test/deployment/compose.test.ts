// docker/compose.dev.yml against what it starts: definitions, programs, settings.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Instrument } from '#shared/domain/instrument.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'
import { readEnvironment } from '#shared/runtime/env-file.ts'
import { SIMULATED_DEFAULTS } from '../../apps/embedded/config.ts'
import { SEEDED_INSTRUMENTS, instrumentOf } from '../../apps/kis-simulator/market/listed-instruments.ts'
import { programsIn } from '../../scripts/build/programs.ts'
import { loadFunctions } from '../../scripts/docs/repository.ts'

interface Service {
  readonly image: string
  readonly container_name: string
  readonly build?: { readonly target: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks: readonly string[] | Readonly<Record<string, unknown>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly profiles?: readonly string[]
  readonly restart: string
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly deploy: {
    readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } }
  }
}

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const { services } = parse(read('docker/compose.dev.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
}
const entries = Object.entries(services)
const programs = entries.filter(([, { build }]) => build !== undefined)
const simulated = readEnvironment({}, join(root, 'docker/simulated.env'))
const functions = (await loadFunctions(root)).map(({ name }) => name)
const connectors = readdirSync(join(root, 'connectors'))

/** `${NAME:-default}` with its default, as for somebody who has set nothing. */
const settled = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')

describe('compose.dev.yml', () => {
  test.each([...functions, ...connectors, 'postgres', 'clickhouse', 'redis', 'kafka', 'mailpit'])(
    'starts %s',
    (name) => {
      expect(Object.keys(services)).toContain(name)
    },
  )

  test('names every container after its service', () => {
    expect(entries.filter(([name, service]) => service.container_name !== `jts-${name}-dev`)).toEqual([])
  })

  test('pins every image that it does not build', () => {
    const images = entries.filter(([, { build }]) => build === undefined).map(([, { image }]) => image)
    expect(images.filter((image) => !/:v?\d+\.\d+\.\d+|:\d+\.\d+/.test(image))).toEqual([])
  })

  test('opens each port once, and to this machine only', () => {
    const ports = entries.flatMap(([, service]) => service.ports ?? [])
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
    const open = ports.map((port) => port.split(':')[1])
    expect(new Set(open).size).toBe(open.length)
    // As the source of these names has it.
    expect(open).toEqual(expect.arrayContaining(['5442', '8123', '6379', '9092', '8025', '1025']))
    for (const [name, port] of Object.entries({
      'evaluate-strategy': '3001',
      'place-order': '3002',
      'risk-check': '3003',
      'ingest-tick': '3004',
      notify: '3005',
    })) {
      expect(services[name]?.ports).toContain(`127.0.0.1:${port}:${port}`)
    }
    expect(open).not.toContain('3000')
  })

  test('looks after the health of what keeps running, and limits all of it', () => {
    for (const [name, { healthcheck, restart, deploy }] of entries) {
      expect([name, restart === 'no' || healthcheck.test !== undefined]).toEqual([name, true])
      expect([name, deploy.resources.limits.memory]).toEqual([name, expect.stringMatching(/^\d+[MG]$/)])
    }
  })

  test('lets nothing wait for a service that is not there, or for the health of one that has none', () => {
    for (const [name, { depends_on = {} }] of entries) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const check = services[other]?.healthcheck
        const canBe =
          condition === 'service_healthy' ? check?.test !== undefined : services[other]?.restart === 'no'
        expect([name, other, canBe]).toEqual([name, other, true])
      }
    }
  })

  test('mounts what there is', () => {
    const mounts = entries
      .flatMap(([, { volumes = [] }]) => volumes)
      .filter((volume) => volume.startsWith('../'))
    const missing = mounts.filter((mount) => !existsSync(join(root, 'docker', mount.split(':')[0] ?? '')))
    expect(missing).toEqual([])
  })

  test('tells the bridge where each function listens', () => {
    const places = (services['kafka-bridge']?.environment?.['JTS_BRIDGE_FUNCTIONS'] ?? '').split(' ')
    const expected = functions.map(
      (name) => `${name}=http://${name}:${services[name]?.environment?.['PORT']}`,
    )
    expect(places.toSorted()).toEqual(expected.toSorted())
  })

  test('runs either a simulated market or the connectors of a broker', () => {
    const inProfile = (wanted: string): readonly string[] =>
      entries.filter(([, { profiles }]) => profiles?.includes(wanted) === true).map(([name]) => name)
    expect(inProfile('simulated')).toEqual(['market'])
    expect(inProfile('broker')).toEqual(['kis-stream', 'scheduler'])
    expect(read('docker/.env')).toContain('\nCOMPOSE_PROFILES=simulated\n')
  })

  test('keeps what a real broker needs apart from the simulator', () => {
    for (const [, service] of programs) {
      expect(Object.keys(service.environment ?? {}).filter((name) => name in simulated)).toEqual([])
    }
    const play = Object.entries(SIMULATED_DEFAULTS).filter(([name]) => /^(JTS_ORDER|MAX)_/.test(name))
    expect(simulated).toMatchObject(Object.fromEntries(play))
  })

  test('follows all that the simulator trades', () => {
    const kindOf = ({ id, kind, market }: Instrument): string => `${id} ${market} ${kind}`
    const followed = parseInstruments(simulated['JTS_INSTRUMENTS'] ?? '').map(kindOf)
    expect(followed).toEqual(SEEDED_INSTRUMENTS.map(({ symbol }) => kindOf(instrumentOf(symbol))))
  })
})

describe('the settings of compose.dev.yml', () => {
  let child: ChildProcess | undefined
  afterEach(() => child?.kill('SIGKILL'))

  const started = programsIn(root).filter(({ name }) => services[name] !== undefined)
  /** What the owner of an account sets; here it is the simulator's. */
  const byProfile = (name: string): Record<string, string> =>
    services[name]?.profiles?.includes('broker') === true ? { JTS_BUSINESS_TIME: 'system' } : {}

  /** Servers that refuse at once stand for those that are not there. */
  const environmentOf = (name: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries({
        ...simulated,
        ...services[name]?.environment,
        ...byProfile(name),
        NODE_OPTIONS: '',
      }).map(([key, value]) => [
        key,
        settled(value ?? '').replace(/(postgres|clickhouse|redis|kafka|market):\d+/g, '127.0.0.1:9'),
      ]),
    )

  test.each(started)('are all that $name needs', { timeout: 30_000 }, async ({ name, entry }) => {
    const { PORT: _, ...environment } = environmentOf(name)
    child = spawn('node', [entry], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { stdout, stderr } = child
    const first = await new Promise<string>((resolve_) => {
      for (const stream of [stdout, stderr])
        stream?.once('data', (chunk: Buffer) => resolve_(chunk.toString()))
      child?.once('exit', (code) => resolve_(`ended with ${code}`))
    })
    expect(first).toMatch(/^\{/) // a line of its log, not a complaint about settings
  })
})
