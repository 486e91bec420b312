// Everything generated against everything published; says what it could not check, and why.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parse } from 'yaml'
import { publishedSchemas } from './published-schemas.ts'
import { type Resource, resourcesIn, validatorOf } from './validation.ts'

export interface SchemaReport {
  readonly faults: readonly string[]
  /** For a person: what was checked against what, and what was not. */
  readonly lines: readonly string[]
}

export async function checkSchemas(
  root: string,
  files: ReadonlyMap<string, string>,
  overlays: readonly string[],
): Promise<SchemaReport> {
  const { found, missing } = await publishedSchemas(join(root, 'node_modules/.cache/jts-schemas'))
  const validator = validatorOf(found.flatMap(({ texts }) => texts))
  const rendered = overlays.map((overlay) => rendering(root, overlay))
  const sources = [
    ...stackSources(files),
    ...[...files].filter(([path]) =>
      /^infra\/(knative\/base|openfaas\/connectors)\/(?!kustomization|name-ref)[a-z-]+\.yaml$/.test(path),
    ),
    ...rendered.flatMap(({ path, text }) => (text === undefined ? [] : [[path, text] as const])),
  ]
  const faults: string[] = []
  const unknown = new Set<string>()
  let count = 0
  for (const [path, text] of sources) {
    for (const resource of typeof text === 'string' ? resourcesIn(text) : text) {
      const its = validator.faultsIn(resource)
      if (its === undefined) unknown.add(`${resource.apiVersion} ${resource.kind}`)
      else count += 1
      for (const fault of its ?? [])
        faults.push(`${path}: ${resource.kind} ${resource.metadata.name}: ${fault}`)
    }
  }
  const names = found.map(({ name }) => name).join(', ')
  return {
    faults,
    lines: [
      `schemas: ${count} resources held against ${names === '' ? 'nothing' : names}`,
      ...missing.map(({ name, reason }) => `schemas: NOT CHECKED against ${name}: ${reason}`),
      ...[...unknown].map((kind) => `schemas: NOT CHECKED, for want of a schema: ${kind}`),
      ...rendered.flatMap(({ path, reason }) =>
        reason === undefined ? [] : [`schemas: NOT CHECKED as rendered: ${path}: ${reason}`],
      ),
    ],
  }
}

interface Rendering {
  readonly path: string
  readonly text?: string
  readonly reason?: string
}

/** By kustomize, alone or within kubectl. */
function rendering(root: string, path: string): Rendering {
  for (const [program, ...words] of [
    ['kustomize', 'build'],
    ['kubectl', 'kustomize'],
  ] as const) {
    const { status, stdout, stderr, error } = spawnSync(program, [...words, join(root, path)], {
      encoding: 'utf8',
    })
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') continue
    if (status === 0) return { path, text: stdout }
    throw new Error(`${program} cannot render ${path}: ${stderr.trim()}`)
  }
  return { path, reason: 'neither kustomize nor kubectl is installed' }
}

/** The entries of stack files, as the resources that a gateway makes of them. */
function stackSources(
  files: ReadonlyMap<string, string>,
): readonly (readonly [string, readonly Resource[]])[] {
  return [...files]
    .filter(([path]) => path.endsWith('.yml'))
    .map(([path, text]) => {
      const { functions } = parse(text) as { readonly functions: Readonly<Record<string, StackEntry>> }
      return [path, Object.entries(functions).map(([name, entry]) => functionResource(name, entry))]
    })
}

interface StackEntry {
  readonly lang: string
  readonly handler: string
  readonly readonly_root_filesystem: boolean
}

function functionResource(name: string, entry: StackEntry): Resource {
  const { lang, handler, readonly_root_filesystem: readOnlyRootFilesystem, ...rest } = entry
  if (lang === '' || handler === '') throw new Error(`${name} has no lang or no handler`)
  return {
    apiVersion: 'openfaas.com/v1',
    kind: 'Function',
    metadata: { name },
    spec: { name, readOnlyRootFilesystem, ...rest },
  } as Resource
}
