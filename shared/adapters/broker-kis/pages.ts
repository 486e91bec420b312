// Paging of the account lists: tr_cont in the headers, two context keys in the bodies. Every page or none.
import { RetryableError } from '#shared/ports/errors.ts'
import { listChanged } from './errors.ts'
import type { KisRest } from './rest.ts'

export interface PagedCall {
  readonly path: string
  readonly trId: string
  readonly query: Readonly<Record<string, string>>
}

/** 10,000 orders of a real account, 1,500 on the paper server, where a page is smaller. */
const PAGES_MAX = 100
const RESTARTS_MAX = 3
const PAGE_MS_MAX = 15_000

/**
 * The bodies of all pages, in order. Begins again at page one when the ledger changed in between.
 * @throws RetryableError rather than return part of a list.
 */
export async function allPages(
  rest: KisRest,
  call: PagedCall,
  signal: AbortSignal,
): Promise<readonly Record<string, unknown>[]> {
  for (let restart = 0; ; restart += 1) {
    try {
      return await pagesOnce(rest, call, signal)
    } catch (error) {
      const changed = error instanceof Error && listChanged(error.message)
      if (!changed || restart >= RESTARTS_MAX) {
        throw changed
          ? new RetryableError(`KIS ${call.trId}: the list kept changing`, { cause: error })
          : error
      }
    }
  }
}

async function pagesOnce(
  rest: KisRest,
  call: PagedCall,
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
  const pages: Record<string, unknown>[] = []
  const seen = new Set<string>()
  let keys = { CTX_AREA_FK100: '', CTX_AREA_NK100: '' }
  while (pages.length < PAGES_MAX) {
    const query = { ...call.query, ...keys }
    const request = { path: call.path, trId: call.trId, priority: 'read' as const, deadlineMs: PAGE_MS_MAX }
    const page = await rest.read({ ...request, query, nextPage: pages.length > 0 }, signal)
    pages.push(page.root)
    if (!page.hasMore) return pages
    keys = {
      CTX_AREA_FK100: contextKey(page.root, 'ctx_area_fk100', call.trId),
      CTX_AREA_NK100: contextKey(page.root, 'ctx_area_nk100', call.trId),
    }
    const position = `${keys.CTX_AREA_FK100}\n${keys.CTX_AREA_NK100}`
    if (keys.CTX_AREA_NK100.trim() === '' || seen.has(position)) {
      throw new RetryableError(
        `KIS ${call.trId}: page ${pages.length + 1} is promised, but its key leads nowhere`,
      )
    }
    seen.add(position)
  }
  throw new RetryableError(`KIS ${call.trId}: more than ${PAGES_MAX} pages`)
}

/** Sent back exactly as it came, padding and all. */
function contextKey(root: Record<string, unknown>, name: string, trId: string): string {
  const value = root[name] ?? root[name.toUpperCase()]
  if (typeof value !== 'string' || value.length > 400) {
    throw new RetryableError(`KIS ${trId}: ${name} is missing`)
  }
  return value
}
