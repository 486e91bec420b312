// What containers have in common on Kubernetes, whoever runs them.
import type { Setting } from '#shared/runtime/setting.ts'
import { type Workload, needsOf, secretNameOf } from './inventory.ts'
import { resourcesOf } from './sizing.ts'

/** Holds every secret setting under its file name; each workload sees its own only. */
export const SECRET = 'jts-secrets'
/** Holds every other setting that is not left to its default. */
export const SETTINGS = 'jts-settings'
/** One of `SECRET_DIRECTORIES` of `shared/runtime/config.ts`. */
const SECRET_DIRECTORY = '/etc/jts/secrets'
/** Distroless `nonroot`. */
const USER = 65_532

export const commonLabels = (name: string) => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/part-of': 'jts',
})

/** What its network policies go by: `jts.needs/postgres: "true"`. */
export const podLabels = (workload: Workload): Record<string, string> => ({
  ...commonLabels(workload.name),
  ...Object.fromEntries(needsOf(workload).map((need) => [`jts.needs/${need}`, 'true'])),
})

const SECURITY_CONTEXT = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

const probe = (path: string, over: Record<string, number>) => ({ httpGet: { path, port: 8080 }, ...over })

export function containerOf(workload: Workload, environment: Record<string, string>) {
  const { name } = workload
  return {
    name,
    image: `jts/${name}`,
    env: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
    envFrom: [{ configMapRef: { name: SETTINGS } }],
    readinessProbe: probe('/ready', { periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 2 }),
    livenessProbe: probe('/health', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    resources: resourcesOf(name),
    securityContext: SECURITY_CONTEXT,
    ...(secretsOf(workload).length === 0
      ? {}
      : { volumeMounts: [{ name: 'secrets', mountPath: SECRET_DIRECTORY, readOnly: true }] }),
  }
}

export const secretsOf = ({ settings }: Workload): readonly Setting[] =>
  settings.filter(({ secret }) => secret)

/** Required secrets must be there for the Pod to start; the others may be missing. */
export function volumesOf(workload: Workload) {
  const sources = [true, false].flatMap((required) => {
    const keys = secretsOf(workload).filter((setting) => setting.required === required)
    // A key that is missing fails its whole source, so what is optional stands alone.
    const groups = required ? [keys] : keys.map((key) => [key])
    return groups
      .filter((group) => group.length > 0)
      .map((group) => ({
        secret: {
          name: SECRET,
          optional: !required,
          items: group.map((setting) => ({ key: secretNameOf(setting), path: secretNameOf(setting) })),
        },
      }))
  })
  return sources.length === 0 ? {} : { volumes: [{ name: 'secrets', projected: { sources } }] }
}

export const podDefaults = (name: string) => ({
  serviceAccountName: name,
  automountServiceAccountToken: false,
  enableServiceLinks: false,
})

/** What somebody must choose before anything starts, as an env file: `header` without its first `# `. */
export function requiredSettingsFile(workloads: readonly Workload[], header: string): string {
  const users = new Map<string, string[]>()
  const descriptions = new Map<string, string>()
  for (const { name: user, settings } of workloads) {
    for (const { name, description, required, secret } of settings) {
      if (!required || secret) continue
      users.set(name, [...(users.get(name) ?? []), user])
      descriptions.set(name, description)
    }
  }
  const lines = [...users.keys()].toSorted().flatMap((name) => {
    const description = descriptions.get(name) ?? ''
    return ['', `# ${description} For ${users.get(name)?.join(', ')}.`, `${name}=`]
  })
  return `# ${header}\n${lines.join('\n')}\n`
}
