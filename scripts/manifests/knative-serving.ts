// Functions as Knative Services.
//
// S1. Reachable from within the cluster only.
// S2. A function whose definition allows one instance gets one, whatever is asked of it; the others scale on requests in
//     flight, quickly up and slowly down.
// S3. The platform waits longer than a function may take (`timeoutSeconds`), and long enough for its own draining.
import type { FunctionWorkload, Inventory } from './inventory.ts'
import { requestMsOf, secondsOf } from './sizing.ts'
import { commonLabels, containerOf, podDefaults, podLabels, volumesOf } from './workload-spec.ts'
import { type YamlPart, yamlText } from './yaml-text.ts'

/** Requests in flight at one instance that the autoscaler aims at. */
const TARGET = 10
/** Requests in flight at one instance; more wait in front of it. */
const CONCURRENCY_MAX = 50
/** The sidecar waits 30 s for the last request after it was told to end, and a Pod is granted no more than its timeout. */
const TIMEOUT_S_MIN = 45

export const timeoutSecondsOf = ({ definition }: FunctionWorkload): number =>
  Math.max(TIMEOUT_S_MIN, secondsOf(requestMsOf(definition)) + 5)

function autoscaling({ scale }: FunctionWorkload['definition']): Record<string, string> {
  const annotations: Record<string, string> = {
    metric: 'concurrency',
    target: `${TARGET}`,
    'min-scale': `${scale.min}`,
    'max-scale': `${scale.max}`,
    'initial-scale': `${Math.max(1, scale.min)}`,
    window: '60s',
    // A market opens within seconds: one and a half times the target over six seconds is reason enough.
    'panic-window-percentage': '10',
    'panic-threshold-percentage': '150',
    'scale-down-delay': scale.max > 1 ? '5m' : '0s',
    // Requests go straight to an instance that is always there, and through the activator where there may be none.
    'target-burst-capacity': scale.min > 0 ? '0' : '200',
    ...(scale.min === 0 ? { 'scale-to-zero-pod-retention-period': '5m' } : {}),
  }
  return Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value]),
  )
}

function serviceOf(workload: FunctionWorkload) {
  const { name, definition } = workload
  const timeoutSeconds = timeoutSecondsOf(workload)
  // The sidecar drains before the function is told to end, so the function itself need not wait for routers.
  const environment = { JTS_DRAIN_GRACE_MS: '0', JTS_CLOSE_MS_MAX: '10000' }
  const container = containerOf(workload, environment)
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: {
      name,
      labels: { ...commonLabels(name), 'networking.knative.dev/visibility': 'cluster-local' },
    },
    spec: {
      template: {
        metadata: { labels: podLabels(workload), annotations: autoscaling(definition) },
        spec: {
          ...podDefaults(name),
          containerConcurrency: definition.scale.max === 1 ? 0 : CONCURRENCY_MAX,
          timeoutSeconds,
          containers: [{ ...container, ports: [{ name: 'http1', containerPort: 8080 }] }],
          ...volumesOf(workload),
        },
      },
    },
  }
}

export const servicesFile = ({ functions }: Inventory, header: string): string =>
  yamlText(
    header,
    functions.map((workload): YamlPart => ({ comment: workload.summary, content: serviceOf(workload) })),
  )
