// Who may import what: the house plan as a table.
import { posix } from 'node:path'

/** A folder may always import itself. `zod` names one package, `node:crypto` one module, `*` any of both. */
const MAY_IMPORT: readonly (readonly [folder: string, may: readonly string[]])[] = [
  ['shared/domain', []],
  ['shared/events', ['shared/domain', 'zod']],
  ['shared/ports', ['shared/domain', 'shared/events']],
  ['shared/simulation', ['shared/domain']],
  ['shared/runtime', ['shared/domain', 'shared/events', 'shared/ports', '*']],
  // Events have one wire format, whatever carries them.
  [
    'shared/adapters/kafka',
    ['shared/domain', 'shared/events', 'shared/ports', 'shared/runtime/cloudevents', '*'],
  ],
  ['shared/adapters/*', ['shared/domain', 'shared/events', 'shared/ports', 'shared/simulation', '*']],
  // What a main.ts opens: it alone may import it, and apps/.
  ['shared/wiring', ['shared', '*']],
  ['functions/*', ['shared/domain', 'shared/events', 'shared/ports', 'shared/runtime', 'zod']],
  ['connectors/*', ['shared/domain', 'shared/events', 'shared/ports', 'shared/runtime', '*']],
  ['apps/*', ['shared', 'functions', 'connectors', 'apps', '*']],
  ['scripts', ['shared', 'functions', 'connectors', 'apps', '*']],
  ['test', ['shared', 'functions', 'connectors', 'apps', 'scripts', '*']],
]

/** Tests, contract suites and what only they use: they may import anything that may be imported at all. */
export const isTestSource = (path: string): boolean =>
  /\.(test|contract|fixture|bench)\.ts$/.test(path) || path.startsWith('test/')

const isPackage = (target: string): boolean =>
  !/^(shared|functions|connectors|apps|scripts|test)(\/|$)/.test(target)

/** Where a specifier leads, from the root of the repository; a package or `node:` module as it is. */
export function targetOf(from: string, specifier: string): string {
  if (specifier.startsWith('#')) return specifier.slice(1)
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

/** The folder that `pattern` stands for, where `path` lies in it: `functions/*` → `functions/risk-check`. */
function folderOf(path: string, pattern: string): string | undefined {
  if (!pattern.endsWith('/*')) return isWithin(path, pattern) ? pattern : undefined
  const parent = pattern.slice(0, -2)
  if (!path.startsWith(`${parent}/`)) return undefined
  return path
    .split('/')
    .slice(0, parent.split('/').length + 1)
    .join('/')
}

/** What is wrong with this import; `undefined` where nothing is. */
export function importFault(from: string, specifier: string): string | undefined {
  const target = targetOf(from, specifier)
  if (isPackage(target)) return packageFault(from, target)
  if (!/\.(ts|mjs|json|js)$/.test(target)) return `imports name the file: ${specifier}`
  if (/(^|\/)main\.ts$/.test(target)) return `a main.ts is started, never imported: ${specifier}`
  if (isTestSource(from)) return undefined
  if (isTestSource(target)) return `only tests import test code: ${specifier}`
  if (/(^|\/)main\.ts$/.test(from)) return undefined
  for (const [pattern, may] of MAY_IMPORT) {
    const folder = folderOf(from, pattern)
    if (folder === undefined) continue
    const isAllowed = isWithin(target, folder) || may.some((each) => isWithin(target, each))
    return isAllowed ? undefined : `${folder} may not import ${target}`
  }
  return undefined
}

function packageFault(from: string, target: string): string | undefined {
  if (isTestSource(from) || /(^|\/)main\.ts$/.test(from)) return undefined
  for (const [pattern, may] of MAY_IMPORT) {
    const folder = folderOf(from, pattern)
    if (folder === undefined) continue
    return may.includes('*') || may.includes(target) ? undefined : `${folder} may not import ${target}`
  }
  return undefined
}
