// Plain Kubernetes around the functions: connectors, accounts, networks, disruptions.
import type { FunctionWorkload, Inventory, Need, Workload } from './inventory.ts'
import { NEEDS } from './inventory.ts'
import { commonLabels, containerOf, podDefaults, podLabels, volumesOf } from './workload-spec.ts'
import { type YamlPart, yamlText } from './yaml-text.ts'

/** What a connector may take to end: it finishes what is in flight and says goodbye to brokers. */
const GRACE_S = 45

/** One at a time: a broker allows one stream, and two schedulers would fire every timer twice. */
export const deploymentOf = (workload: Workload, environment: Record<string, string> = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: workload.name, labels: commonLabels(workload.name) },
  spec: {
    replicas: 1,
    strategy: { type: 'Recreate' },
    selector: { matchLabels: { 'app.kubernetes.io/name': workload.name } },
    template: {
      metadata: { labels: podLabels(workload) },
      spec: {
        ...podDefaults(workload.name),
        terminationGracePeriodSeconds: GRACE_S,
        containers: [
          {
            ...containerOf(workload, { PORT: '8080', ...environment }),
            ports: [{ name: 'http', containerPort: 8080 }],
          },
        ],
        ...volumesOf(workload),
      },
    },
  },
})

export const deploymentsFile = (
  connectors: readonly Workload[],
  header: string,
  environmentOf: (workload: Workload) => Record<string, string> = () => ({}),
): string =>
  yamlText(
    header,
    connectors.map((workload): YamlPart => ({
      comment: workload.summary,
      content: deploymentOf(workload, environmentOf(workload)),
    })),
  )

/** One for each workload; none of them may call the Kubernetes API. */
export const serviceAccountsFile = (workloads: readonly Workload[], header: string): string =>
  yamlText(
    header,
    workloads.map(({ name }): YamlPart => ({
      content: {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name, labels: commonLabels(name) },
        automountServiceAccountToken: false,
      },
    })),
  )

/** Only where there can be two: a budget for one instance either protects nothing or stops nodes from being drained. */
export const isProtected = ({ definition }: FunctionWorkload): boolean => definition.scale.max > 1

export const disruptionBudgetsFile = ({ functions }: Inventory, header: string): string =>
  yamlText(
    header,
    functions.filter(isProtected).map(({ name }): YamlPart => ({
      content: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name, labels: commonLabels(name) },
        spec: { maxUnavailable: 1, selector: { matchLabels: { 'serving.knative.dev/service': name } } },
      },
    })),
  )

interface Port {
  readonly port: number
  readonly protocol: 'TCP' | 'UDP'
}
const tcp = (...ports: readonly number[]): readonly Port[] => ports.map((port) => ({ port, protocol: 'TCP' }))

/** Ports that a need is met on. Addresses are not known here: narrow them in an overlay. */
const PORTS: Readonly<Record<Need, readonly Port[]>> = {
  kafka: tcp(9092, 9093, 9094),
  postgres: tcp(5432, 6432),
  clickhouse: tcp(8123, 8443),
  redis: tcp(6379, 6380),
  broker: tcp(443, 9443, 29443, 21000, 31000),
  people: tcp(25, 443, 465, 587, 1025),
}

const policy = (name: string, spec: unknown) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, labels: { 'app.kubernetes.io/part-of': 'jts' } },
  spec,
})

const namespaces = (names: readonly string[]) => ({
  namespaceSelector: {
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }],
  },
})

const KNATIVE_NAMESPACES = ['knative-serving', 'kourier-system', 'istio-system', 'contour-internal']

export const networkPoliciesFile = (header: string): string =>
  yamlText(header, [
    {
      comment: 'Nothing goes in or out that is not named below.',
      content: policy('default-deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    },
    {
      content: policy('names', {
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [
          {
            to: [namespaces(['kube-system'])],
            ports: [
              { port: 53, protocol: 'UDP' },
              { port: 53, protocol: 'TCP' },
            ],
          },
        ],
      }),
    },
    {
      comment:
        'Events reach functions through the ingress gateway or the activator; the autoscaler reads from the sidecar.',
      content: policy('knative', {
        podSelector: { matchExpressions: [{ key: 'serving.knative.dev/service', operator: 'Exists' }] },
        policyTypes: ['Ingress'],
        ingress: [{ from: [namespaces(KNATIVE_NAMESPACES)], ports: tcp(8012, 8013, 8112, 9090, 9091) }],
      }),
    },
    {
      comment: 'Metrics of functions and connectors.',
      content: policy('metrics', {
        podSelector: {},
        policyTypes: ['Ingress'],
        ingress: [{ from: [namespaces(['monitoring'])], ports: tcp(8080, 9091) }],
      }),
    },
    ...(Object.keys(NEEDS) as Need[]).map((need): YamlPart => ({
      content: policy(`to-${need}`, {
        podSelector: { matchLabels: { [`jts.needs/${need}`]: 'true' } },
        policyTypes: ['Egress'],
        egress: [{ ports: PORTS[need] }],
      }),
    })),
  ])
