// The environment of commands that end in `:dev`: where nothing else is said, the servers are those of compose.dev.yml.
import { join } from 'node:path'
import { KIS_SETTING } from '#shared/adapters/broker-kis/accounts.ts'
import type { Environment } from '#shared/runtime/config.ts'
import { readEnvironment } from '#shared/runtime/env-file.ts'

const DOCKER = join(import.meta.dirname, '../docker')

/** The environment, then `.env.local`, then the addresses that compose.dev.yml opens on this machine. */
export const developmentEnvironment = (environment: Environment): Environment =>
  readEnvironment(readEnvironment(environment), join(DOCKER, 'host.env'))

/** Settings of the simulator stand in only where no broker is named at all: the two are never mixed. */
export const orSimulated = (environment: Environment): Environment =>
  Object.keys(environment).some((name) => KIS_SETTING.test(name))
    ? environment
    : readEnvironment(environment, join(DOCKER, 'simulated.env'))
