// stack.yml and what belongs to it.
//
// O1. stack.yml deploys on the Community Edition: at most 15 functions, 1 to 5 replicas, no label of a paid edition, one
//     value in the annotation `topic`. What a paid edition can do stands in infra/openfaas/stack.pro.yml.
// O2. The bridge sends batches, and a function may take its deadline twice for one: it looks at the time between events.
//     Twice the deadline < `exec_timeout` < `read_timeout` = `write_timeout` < the gateway's `upstreamTimeout` < its
//     own read and write timeouts: whoever waits outlasts the one he waits for.
// O3. A function answers with what it emits and holds no connection to Kafka; connectors/kafka-bridge publishes.
import type { Setting } from '#shared/runtime/setting.ts'
import { type FunctionWorkload, type Inventory, type Workload, secretNameOf } from './inventory.ts'
import { deploymentsFile, serviceAccountsFile } from './kubernetes.ts'
import { SETTINGS, requiredSettingsFile } from './workload-spec.ts'
import { requestMsOf, resourcesOf, secondsOf } from './sizing.ts'
import { yamlText } from './yaml-text.ts'

export const FUNCTIONS_MAX = 15
export const REPLICAS_MAX = 5

/** The language template in `template/`. */
const TEMPLATE = 'jts-node'
/** The watchdog listens on 8080 and calls the function here. */
const FUNCTION_PORT = 3000
/** How long routers may still send work after a replica was told to end, seconds. */
const HEALTHCHECK_INTERVAL_S = 5
/** Beyond the slower of two who wait for each other, seconds. */
const MARGIN_S = 5
const PRO_IDLE = '15m'
/** Requests in flight at one replica above which a paid edition starts another. */
const PRO_TARGET = '10'

/** What the platform decides, not the operator. */
const PLATFORM_SETTINGS: ReadonlySet<string> = new Set(['PORT', 'JTS_DRAIN_GRACE_MS', 'JTS_CLOSE_MS_MAX'])

/** Settings that the environment of a function shows, each replaceable by an environment variable of who deploys. */
const isShown = ({ name, secret }: Setting): boolean =>
  !secret && !PLATFORM_SETTINGS.has(name) && !name.startsWith('JTS_KAFKA_')

const secretsOf = ({ settings }: FunctionWorkload): readonly string[] =>
  settings
    .filter(({ name, secret }) => secret && !name.startsWith('JTS_KAFKA_'))
    .map(secretNameOf)
    .toSorted()

/** Every secret that `faas-cli deploy` asks for. */
export const secretsOfStack = ({ functions }: Inventory): readonly string[] =>
  [...new Set(functions.flatMap(secretsOf))].toSorted()

/** O2 */
const execSeconds = ({ definition }: FunctionWorkload): number =>
  secondsOf(requestMsOf(definition) + definition.timeoutMs)

function environmentOf(workload: FunctionWorkload): Record<string, string> {
  const exec = execSeconds(workload)
  return {
    exec_timeout: `${exec}s`,
    read_timeout: `${exec + MARGIN_S}s`,
    write_timeout: `${exec + MARGIN_S}s`,
    healthcheck_interval: `${HEALTHCHECK_INTERVAL_S}s`,
    PORT: `${FUNCTION_PORT}`,
    JTS_DRAIN_GRACE_MS: `${(HEALTHCHECK_INTERVAL_S + 1) * 1_000}`,
    JTS_CLOSE_MS_MAX: `${exec * 1_000}`,
    ...Object.fromEntries(
      workload.settings
        .filter(isShown)
        .map(({ name, default: preset = '' }) => [name, `\${${name}:-${preset}}`]),
    ),
  }
}

/** What connectors/kafka-bridge reads from the gateway. `topic` is for people, and for other connectors. */
function annotationsOf({ definition, triggers }: FunctionWorkload, edition: Edition): Record<string, string> {
  const topics = triggers.map(({ topic }) => topic)
  return {
    // O1
    ...(topics.length === 1 || edition === 'pro' ? { topic: topics.join(',') } : {}),
    'jts.events': triggers.flatMap(({ types }) => types).join(','),
    'jts.outputs': definition.produces.map(({ type }) => type).join(','),
    'jts.timeout-ms': `${definition.timeoutMs}`,
    ...(edition === 'pro'
      ? { 'com.openfaas.ready.http.path': '/_/ready', 'com.openfaas.ready.http.periodSeconds': '2' }
      : {}),
  }
}

type Edition = 'community' | 'pro'

function labelsOf({ definition: { scale } }: FunctionWorkload, edition: Edition): Record<string, string> {
  if (edition === 'community') {
    return {
      'com.openfaas.scale.min': `${Math.max(1, scale.min)}`,
      'com.openfaas.scale.max': `${Math.min(REPLICAS_MAX, scale.max)}`,
    }
  }
  return {
    'com.openfaas.scale.min': `${Math.max(1, scale.min)}`,
    'com.openfaas.scale.max': `${scale.max}`,
    'com.openfaas.scale.type': 'capacity',
    'com.openfaas.scale.target': PRO_TARGET,
    'com.openfaas.scale.zero': `${scale.min === 0}`,
    ...(scale.min === 0 ? { 'com.openfaas.scale.zero-duration': PRO_IDLE } : {}),
  }
}

function entryOf(workload: FunctionWorkload, edition: Edition) {
  const { name } = workload
  const { requests, limits } = resourcesOf(name)
  return {
    lang: TEMPLATE,
    handler: `./dist/${name}`,
    image: `\${JTS_IMAGE_PREFIX:-jts}/openfaas-${name}:\${JTS_IMAGE_TAG:-latest}`,
    labels: labelsOf(workload, edition),
    annotations: annotationsOf(workload, edition),
    environment: environmentOf(workload),
    secrets: secretsOf(workload),
    limits,
    requests,
    readonly_root_filesystem: true,
  }
}

const HEADER = `Generated by \`npm run manifests\` from functions/*/function.ts and their settings. Do not edit.
Build: npm run build && faas-cli build -f STACK. Values in \${NAME:-default} come from the environment of who deploys; an empty one counts as unset. See docs/deployment-openfaas.md.`

export function stackFile({ functions }: Inventory, edition: Edition): string {
  if (edition === 'community' && functions.length > FUNCTIONS_MAX) {
    throw new Error(`${functions.length} functions; OpenFaaS CE takes at most ${FUNCTIONS_MAX}`)
  }
  const path = edition === 'pro' ? 'infra/openfaas/stack.pro.yml' : 'stack.yml'
  const purpose =
    edition === 'pro'
      ? 'For OpenFaaS Standard and Enterprise: scaling by requests in flight, to zero where a function may sleep.'
      : 'For the Community Edition and everything above it.'
  return yamlText(`${HEADER.replace('STACK', path)}\n${purpose}`, [
    {
      content: {
        version: '1.0',
        provider: { name: 'openfaas', gateway: '${OPENFAAS_URL:-http://127.0.0.1:8080}' },
        functions: Object.fromEntries(functions.map((each) => [each.name, entryOf(each, edition)])),
      },
    },
  ])
}

/** Values for the chart `openfaas/openfaas`: the gateway must outlast the slowest function (O2). */
export function gatewayValues({ functions }: Inventory): string {
  const slowest = Math.max(...functions.map(execSeconds)) + MARGIN_S
  const upstream = slowest + MARGIN_S
  return yamlText(
    `Generated by \`npm run manifests\`. Do not edit.
Timeouts of the gateway that outlast every function: helm upgrade openfaas openfaas/openfaas --reuse-values -f infra/openfaas/gateway-values.yaml`,
    [
      {
        content: {
          gateway: {
            upstreamTimeout: `${upstream}s`,
            readTimeout: `${upstream + MARGIN_S}s`,
            writeTimeout: `${upstream + MARGIN_S}s`,
          },
        },
      },
    ],
  )
}

const CONNECTORS_HEADER = 'Generated by `npm run manifests` from connectors/ and their settings. Do not edit.'
/** The bridge asks the gateway which functions there are, and calls them through it. */
const GATEWAY = { JTS_BRIDGE_GATEWAY_URL: 'http://gateway.openfaas.svc.cluster.local:8080' }

/** Connectors run beside OpenFaaS, as Deployments: a function holds no socket and no consumer group. */
export function connectorFiles({ connectors }: Inventory): ReadonlyMap<string, string> {
  const gatewayFor = ({ name }: Workload): Record<string, string> => (name === 'kafka-bridge' ? GATEWAY : {})
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'jts',
    resources: ['service-accounts.yaml', 'connectors.yaml'],
    configMapGenerator: [{ name: SETTINGS, envs: ['settings.env'] }],
  }
  const files = {
    'connectors.yaml': deploymentsFile(connectors, CONNECTORS_HEADER, gatewayFor),
    'service-accounts.yaml': serviceAccountsFile(connectors, CONNECTORS_HEADER),
    'settings.env': requiredSettingsFile(
      connectors,
      `${CONNECTORS_HEADER}\n# Settings without a default. Set them in a kustomization of your own that has this one as a resource:\n# configMapGenerator, behavior: merge.`,
    ),
    'kustomization.yaml': yamlText(CONNECTORS_HEADER, [{ content: kustomization }]),
  }
  return new Map(Object.entries(files).map(([name, text]) => [`infra/openfaas/connectors/${name}`, text]))
}
