// `.env.local`: settings of one person's machine. The environment wins over the file.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { Environment } from './config.ts'

/** The environment over what the file says; just the environment where there is no such file. */
export function readEnvironment(environment: Environment, path = '.env.local'): Environment {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return environment
    throw error
  }
  // An empty variable counts as unset, so it does not hide what the file says.
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== '')
  return { ...parseEnv(text), ...Object.fromEntries(set) }
}
