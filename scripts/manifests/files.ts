// Every file that is generated for a platform.
import type { Inventory } from './inventory.ts'
import { knativeFiles } from './knative.ts'
import { connectorFiles, gatewayValues, stackFile } from './openfaas.ts'

/** Path from the root → what it must hold. */
export const manifestFiles = (inventory: Inventory): ReadonlyMap<string, string> =>
  new Map([
    ['stack.yml', stackFile(inventory, 'community')],
    ['infra/openfaas/stack.pro.yml', stackFile(inventory, 'pro')],
    ['infra/openfaas/gateway-values.yaml', gatewayValues(inventory)],
    ...connectorFiles(inventory),
    ...knativeFiles(inventory),
  ])
