// What others wrote and a bundle holds: as a bill of materials (CycloneDX 1.6), and with the licence texts that must go along.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

const LockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      /** `<algorithm>-<base64>`, as browsers have it. */
      integrity: z.string().optional(),
    }),
  ),
})
type LockFile = z.output<typeof LockFile>

export const readLockFile = (root: string): LockFile =>
  LockFile.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))

interface Material {
  readonly name: string
  readonly version: string
  readonly license: string
  /** SHA-512 of the package's archive, hexadecimal. */
  readonly sha512: string
}

/** @throws Error for a package that the lock file does not pin. */
export const materialsOf = (lock: LockFile, packages: readonly string[]): readonly Material[] =>
  packages.map((folder) => {
    const { version, license, integrity } = lock.packages[folder] ?? {}
    if (version === undefined || license === undefined || integrity?.startsWith('sha512-') !== true) {
      throw new Error(`package-lock.json does not pin ${folder} with version, licence and SHA-512`)
    }
    const sha512 = Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
    return { name: folder.replace(/^.*node_modules\//, ''), version, license, sha512 }
  })

const packageUrl = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`

/** Without a serial number and a time, which would make every build another one. */
export const billOfMaterials = (program: string, version: string, materials: readonly Material[]): string => {
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': `jts/${program}`, name: `jts/${program}`, version },
    },
    components: materials.map((material) => {
      const purl = packageUrl(material.name, material.version)
      return {
        type: 'library',
        'bom-ref': purl,
        name: material.name,
        version: material.version,
        purl,
        hashes: [{ alg: 'SHA-512', content: material.sha512 }],
        licenses: [{ license: { id: material.license } }],
      }
    }),
  }
  return `${JSON.stringify(bill, null, 2)}\n`
}

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|-|$)/i

/** Every package of the bundle with its licence, in the words of its authors. */
export function licenceTexts(
  root: string,
  packages: readonly string[],
  materials: readonly Material[],
): string {
  const parts = packages.map((folder, index) => {
    const { name = folder, version = '', license = '' } = materials[index] ?? {}
    const directory = join(root, folder)
    const files = existsSync(directory)
      ? readdirSync(directory).filter((file) => LICENCE_FILE.test(file))
      : []
    const texts = files.toSorted().map((file) => readFileSync(join(directory, file), 'utf8').trim())
    return [`${name} ${version}, ${license}`, ...texts].join('\n\n')
  })
  return `${parts.join(`\n\n${'─'.repeat(80)}\n\n`)}\n`
}
