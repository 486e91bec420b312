// `npm run seed:dev`: what a development database needs before anything can trade. Adds what is missing, changes nothing.
//
// Accounts of the broker's settings are opened, halted. Instruments are those of JTS_INSTRUMENTS, or all that the simulator
// trades. Strategies of the demonstration are written where the broker is a simulator and there are none: no account at KIS
// begins to trade because a database was seeded.
import * as z from 'zod'
import { KIS_SETTING, readKisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { type PostgresDatabase, openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'
import { loadSettingsWith, orExit } from '#shared/runtime/config.ts'
import { SEEDED_INSTRUMENTS, instrumentOf } from '../apps/kis-simulator/market/listed-instruments.ts'
import { demoStrategies } from '../functions/evaluate-strategy/strategies/demo.ts'
import { developmentEnvironment, orSimulated } from './development.ts'

const SeedConfig = PostgresConfig.extend({ JTS_INSTRUMENTS: z.string().default('') })

const [settings, kis] = orExit(() =>
  loadSettingsWith(
    [SeedConfig],
    { names: KIS_SETTING, read: readKisSettings },
    orSimulated(developmentEnvironment(process.env)),
  ),
)
const accountIds = kis.accounts.map(({ accountId }) => accountId)
const isSimulated = !new URL(kis.settings.apiBaseUrl).hostname.endsWith('.koreainvestment.com')

async function openAccounts(database: PostgresDatabase): Promise<number> {
  const ledger = postgresLedger(database)
  const before = new Set(await ledger.accountIds())
  for (const accountId of accountIds) await ledger.openAccount({ accountId, broker: 'kis', currency: 'KRW' })
  return accountIds.filter((accountId) => !before.has(accountId)).length
}

async function addInstruments(database: PostgresDatabase): Promise<number> {
  const instruments = postgresInstruments(database)
  const known = new Set((await instruments.list()).map(({ id }) => id))
  const missing = wantedInstruments().filter(({ id }) => !known.has(id))
  if (missing.length > 0) await instruments.put(missing)
  return missing.length
}

/** The simulator knows what its instruments are called. */
const wantedInstruments = (): readonly Instrument[] =>
  isSimulated
    ? SEEDED_INSTRUMENTS.map(({ symbol }) => instrumentOf(symbol))
    : parseInstruments(settings.JTS_INSTRUMENTS)

async function addStrategies(database: PostgresDatabase): Promise<number> {
  const documents = postgresDocuments(database)
  if (!isSimulated || (await documents.list('strategy')).length > 0) return 0
  const bodies = accountIds.flatMap(demoStrategies)
  for (const body of bodies) {
    await documents.put({ kind: 'strategy', id: body.id, after: 0, body, changedBy: 'seed:dev' })
  }
  return bodies.length
}

try {
  const database = await openPostgres(postgresOptionsFrom(settings, 'jts seed'))
  try {
    const accounts = await openAccounts(database)
    const instruments = await addInstruments(database)
    const strategies = await addStrategies(database)
    console.log(`added: ${accounts} accounts, ${instruments} instruments, ${strategies} strategies`)
  } finally {
    await database.close()
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
