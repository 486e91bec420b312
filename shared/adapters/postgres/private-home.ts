// A superuser's home is closed to others, and PostgreSQL runs as a user of its own: what it must read has to be elsewhere.
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** For a superuser: programs and data that must not lie below a private home. */
export const SYSTEM_DIRECTORY = '/var/lib/jts'
const OTHERS_MAY_ENTER = 0o001

/** True when every user may enter the path and all that is above it; what does not exist yet is no obstacle. */
export function isOpenToOthers(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    const mode = statSync(at, { throwIfNoEntry: false })?.mode
    if (mode !== undefined && (mode & OTHERS_MAY_ENTER) === 0) return false
    if (at === dirname(at)) return true
  }
}
