// What can be started, and so built: every `main.ts`, and the tools that a server needs.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Program {
  /** Folder below `dist`, and the image's name. */
  readonly name: string
  readonly kind: 'function' | 'connector' | 'app' | 'tool'
  /** Path of the source from the root. */
  readonly entry: string
}

/** The embedded suite brings engines that no bundle holds: it needs the packages beside it. */
export const runsAlone = ({ name }: Program): boolean => name !== 'embedded'

const FOLDERS = { functions: 'function', connectors: 'connector', apps: 'app' } as const
const TOOLS: readonly Program[] = [{ name: 'migrate', kind: 'tool', entry: 'scripts/migrate.ts' }]

/** In the order of their names. @throws Error when two have the same name. */
export function programsIn(root: string): readonly Program[] {
  const found = Object.entries(FOLDERS).flatMap(([folder, kind]) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => ({ name, kind, entry: `${folder}/${name}/main.ts` }))
      .filter(({ entry }) => existsSync(join(root, entry))),
  )
  const programs = [...found, ...TOOLS].toSorted((left, right) => left.name.localeCompare(right.name, 'en'))
  const twice = programs.find(({ name }, index) => programs[index + 1]?.name === name)
  if (twice !== undefined) throw new Error(`two programs are called ${twice.name}`)
  return programs
}
