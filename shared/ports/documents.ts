// Versioned configuration documents: strategies and their parameters. A version never changes once written.

export interface Document {
  readonly kind: string
  readonly id: string
  /** 1, 2, 3… within kind and id. */
  readonly version: number
  readonly body: unknown
  readonly changedBy: string
}

export class DocumentConflictError extends Error {
  override name = 'DocumentConflictError'
}

export interface Documents {
  latest(kind: string, id: string): Promise<Document | undefined>
  version(kind: string, id: string, version: number): Promise<Document | undefined>
  /** Latest version of each, by id. */
  list(kind: string): Promise<readonly Document[]>
  /**
   * Writes version `after + 1`.
   * @throws DocumentConflictError when the latest version is not `after` (0 for a new document).
   */
  put(document: {
    readonly kind: string
    readonly id: string
    readonly after: number
    readonly body: unknown
    readonly changedBy: string
  }): Promise<Document>
}
