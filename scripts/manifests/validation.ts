// Holds resources against published schemas, more strictly than a cluster does: an unknown field is a fault, where a
// cluster would drop it.
import { Ajv } from 'ajv'
import { parseAllDocuments, parse } from 'yaml'

export interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

export interface Validator {
  /** Of resources that there is a schema for; none where the resource is right. `undefined`: there is no schema. */
  faultsIn(resource: Resource): readonly string[] | undefined
}

type Schema = Record<string, unknown>
const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** From texts that are an OpenAPI document or a CustomResourceDefinition each. */
export function validatorOf(texts: readonly string[]): Validator {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, inlineRefs: false })
  const keys = new Map<string, string>()
  for (const [index, text] of texts.entries()) {
    const content: unknown = text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text)
    if (!isObject(content)) throw new Error('a schema is no object')
    if (content['kind'] === 'CustomResourceDefinition') addDefinition(ajv, keys, content)
    else addOpenApi(ajv, keys, content, `openapi-${index}`)
  }
  return {
    faultsIn(resource) {
      const key = keys.get(`${resource.apiVersion} ${resource.kind}`)
      const validate = key === undefined ? undefined : ajv.getSchema(key)
      if (validate === undefined) return undefined
      if (validate(resource)) return []
      return (validate.errors ?? []).map(
        ({ instancePath, message = '', params }) =>
          `${instancePath === '' ? '/' : instancePath} ${message}${extraOf(params)}`,
      )
    },
  }
}

const extraOf = (params: Readonly<Record<string, unknown>>): string => {
  const extra = params['additionalProperty']
  return typeof extra === 'string' ? `: ${extra}` : ''
}

function addDefinition(ajv: Ajv, keys: Map<string, string>, definition: Schema): void {
  const spec = definition['spec'] as {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly name: string; readonly schema?: { openAPIV3Schema: Schema } }[]
  }
  for (const { name, schema } of spec.versions) {
    if (schema === undefined) continue
    const key = `${spec.group}/${name} ${spec.names.kind}`
    const { openAPIV3Schema: root } = schema
    const properties = {
      ...(root['properties'] as Schema),
      apiVersion: { const: `${spec.group}/${name}` },
      kind: { const: spec.names.kind },
      metadata: METADATA,
    }
    ajv.addSchema(closed({ ...root, properties }) as Schema, key)
    keys.set(key, key)
  }
}

const TEXTS = { type: 'object', additionalProperties: { type: 'string' } }
const METADATA = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    namespace: { type: 'string' },
    labels: TEXTS,
    annotations: TEXTS,
  },
  required: ['name'],
}

function addOpenApi(ajv: Ajv, keys: Map<string, string>, content: Schema, id: string): void {
  const { schemas } = content['components'] as { readonly schemas: Readonly<Record<string, Schema>> }
  ajv.addSchema({ $id: id, components: { schemas: closed(schemas) } })
  for (const [name, schema] of Object.entries(schemas)) {
    const kinds = (schema['x-kubernetes-group-version-kind'] ?? []) as readonly Record<string, string>[]
    for (const { group = '', version = '', kind = '' } of kinds) {
      const key = `${group === '' ? version : `${group}/${version}`} ${kind}`
      if (!keys.has(key)) keys.set(key, `${id}#/components/schemas/${name}`)
    }
  }
}

/** Closes every object that lists its fields and does not say that it takes others. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (!isObject(value)) return value
  const inner = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, closed(each)]))
  if (value['x-kubernetes-int-or-string'] === true)
    return { anyOf: [{ type: 'integer' }, { type: 'string' }] }
  const isOpen = value['x-kubernetes-preserve-unknown-fields'] === true || 'additionalProperties' in value
  const listsFields = value['type'] === 'object' && isObject(value['properties'])
  return listsFields && !isOpen ? { ...inner, additionalProperties: false } : inner
}

/** Every document of a YAML text. @throws Error when one is no resource. */
export function resourcesIn(text: string): readonly Resource[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    const content: unknown = document.toJS()
    if (!isObject(content) || typeof content['kind'] !== 'string')
      throw new Error('a document is no resource')
    return content as unknown as Resource
  })
}
