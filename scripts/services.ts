// `npm run services`: starts Kafka, Redis and PostgreSQL on this machine, without containers, and prints the settings that
// lead to them. Ctrl-C stops everything.
//
//   --data DIR         keep data, logs and programs' state there; default: a temporary directory
//   --standard-ports   9092, 6379 and 5432 instead of free ones
//   --only NAMES       some of kafka,redis,postgres
//   --settings PATH    also write the settings there, for node --env-file
//   -- COMMAND …       run a command with these settings, stop with it, and end with its code
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { SERVICES, type Service } from './services/services.ts'
import { type Suite, startSuite } from './services/suite.ts'

const words = process.argv.slice(2)
const dashes = words.indexOf('--')
const command = dashes < 0 ? [] : words.slice(dashes + 1)
const { values: options } = parseArgs({
  args: dashes < 0 ? words : words.slice(0, dashes),
  options: {
    data: { type: 'string' },
    'standard-ports': { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(SERVICES).join(',') },
    settings: { type: 'string' },
  },
})
const services = options.only.split(',').map((name) => name.trim())
const unknown = services.find((name) => !Object.hasOwn(SERVICES, name))
if (unknown !== undefined) {
  console.error(`--only: there is no service ${unknown}; there are ${Object.keys(SERVICES).join(', ')}`)
  process.exit(2)
}

// Heard from the first moment, so that nothing is left running.
const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])

function print({ settings, missing }: Suite): void {
  for (const [name, value] of Object.entries(settings)) console.log(`export ${name}='${value}'`)
  for (const [service, reason] of missing) {
    console.log(`# ${SERVICES[service]} is not set, and what needs it is skipped: ${reason}`)
  }
}

async function run(settings: Readonly<Record<string, string>>): Promise<number> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...settings } })
  void interrupted.then(() => child.kill('SIGTERM'))
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

try {
  const suite = await startSuite({
    services: services as readonly Service[],
    ...(options.data === undefined ? {} : { directory: resolve(options.data) }),
    standardPorts: options['standard-ports'],
    environment: process.env,
    say: (line) => console.log(`# ${line}`),
  })
  try {
    print(suite)
    const file = options.settings
    if (file !== undefined) {
      const lines = Object.entries(suite.settings).map(([name, value]) => `${name}='${value}'`)
      await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
    }
    if (command.length > 0) process.exitCode = await run(suite.settings)
    else {
      console.log('# Ctrl-C stops them')
      await interrupted
    }
  } finally {
    console.log('# stopping')
    await suite.stop()
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
process.exit()
