// The schemas that Kubernetes, Knative and OpenFaaS publish. They are not ours to keep in the repository: they are fetched
// once from where they are published, held against a checksum, and kept in the cache.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'

interface Source {
  /** As a person calls it. */
  readonly name: string
  readonly url: string
  /** Of what the URL gives. */
  readonly sha256: string
  /** Ends of the paths of the files wanted from an archive; absent where the URL is the file. */
  readonly members?: readonly string[]
}

const module = (path: string, version: string): string => `https://proxy.golang.org/${path}/@v/${version}.zip`

const SOURCES: readonly Source[] = [
  {
    name: 'Kubernetes 1.37',
    url: module('k8s.io/kubernetes', 'v1.37.2'),
    sha256: 'dcfaeb46861398df1c931948c9775b31cbe6eba35cc97ed1bb87106ab7327b9e',
    members: [
      'openapi-spec/v3/api__v1_openapi.json',
      'openapi-spec/v3/apis__apps__v1_openapi.json',
      'openapi-spec/v3/apis__networking.k8s.io__v1_openapi.json',
      'openapi-spec/v3/apis__policy__v1_openapi.json',
    ],
  },
  {
    name: 'Knative Serving 0.51',
    url: module('knative.dev/serving', 'v0.51.0'),
    sha256: 'e5fad67067f75c34384067106c8217e51460d5242172a735bf25f9abc38ae0e5',
    members: ['config/core/300-resources/service.yaml'],
  },
  {
    name: 'Knative Eventing 0.48',
    url: module('knative.dev/eventing', 'v0.48.0'),
    sha256: 'e4d4b40e0fd5a8ef8604712eb936d18b33efc49fc0e346cd59a9bae7dfe06a8b',
    members: ['config/core/resources/broker.yaml', 'config/core/resources/trigger.yaml'],
  },
  {
    name: 'Knative Kafka 0.40',
    url: module('knative.dev/eventing-kafka-broker', 'v0.40.0'),
    sha256: '703017349faf4a481f4ff242d58f34ecafa3801e4324228a5fbab5e7ee07b6ba',
    members: ['100-sink/100-kafka-sink.yaml'],
  },
  {
    name: 'OpenFaaS Function',
    url: 'https://raw.githubusercontent.com/openfaas/faas-netes/662ce9ce36ec4a32467773c308807bd5d58f5ae6/artifacts/crds/openfaas.com_functions.yaml',
    sha256: 'd287234eb0bfb40e5e910c59601c0822344622eab6d32e11be8b801d2ab64b90',
  },
]

export interface Published {
  readonly name: string
  /** JSON or YAML. */
  readonly texts: readonly string[]
}

export interface Missing {
  readonly name: string
  readonly reason: string
}

/** Fetches what the cache lacks. A source that cannot be had is told, not thrown. */
export async function publishedSchemas(
  cache: string,
): Promise<{ readonly found: readonly Published[]; readonly missing: readonly Missing[] }> {
  const found: Published[] = []
  const missing: Missing[] = []
  for (const source of SOURCES) {
    try {
      found.push({ name: source.name, texts: await textsOf(source, cache) })
    } catch (error) {
      missing.push({ name: source.name, reason: reasonOf(error) })
    }
  }
  return { found, missing }
}

const FETCH_MS_MAX = 120_000

async function textsOf(source: Source, cache: string): Promise<readonly string[]> {
  const files = (source.members ?? ['']).map((member) => join(cache, fileNameOf(source, member)))
  if (files.every((file) => existsSync(file))) return files.map((file) => readFileSync(file, 'utf8'))
  const response = await fetch(source.url, { signal: AbortSignal.timeout(FETCH_MS_MAX) })
  if (!response.ok) throw new Error(`${source.url} answered ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const sum = createHash('sha256').update(bytes).digest('hex')
  if (sum !== source.sha256) throw new Error(`${source.url} has sha256 ${sum}, expected ${source.sha256}`)
  const contents = source.members === undefined ? [bytes] : membersOf(source.url, bytes, source.members)
  mkdirSync(cache, { recursive: true })
  for (const [index, file] of files.entries()) writeFileSync(file, contents[index] ?? new Uint8Array())
  return files.map((file) => readFileSync(file, 'utf8'))
}

const fileNameOf = (source: Source, member: string): string =>
  `${source.sha256.slice(0, 16)}-${(member === '' ? source.url : member).split('/').at(-1)}`

function membersOf(url: string, bytes: Uint8Array, members: readonly string[]): readonly Uint8Array[] {
  const files = unzipSync(bytes, { filter: ({ name }) => members.some((member) => name.endsWith(member)) })
  return members.map((member) => {
    const path = Object.keys(files).find((name) => name.endsWith(member))
    const content = path === undefined ? undefined : files[path]
    if (content === undefined) throw new Error(`${url} has no ${member}`)
    return content
  })
}

/** The reason behind "fetch failed" is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
