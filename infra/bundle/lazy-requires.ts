/**
 * Postpones the `require` calls of compiled TypeScript until a name is used.
 *
 * The SDKs load every module they have at start; a cold start then runs watch streams, bulk writers,
 * external accounts and their dependencies, and none of it is called. A module that is needed is still
 * loaded, and behaves as before; only the order of loading changes.
 */

/** Names as the compiler makes them, `auth_1`; they are never shadowed or assigned again. */
const IMPORT =
  /^(?:const|var|let) (\w+_\d+) = ((?:__import(?:Star|Default)\()?require\(["'][^"']+["']\)\)?);$/gm

/** Imports that keep their own names in the sources of the packages that are made lazy; none is shadowed there. */
const NAMED =
  /^const (jsonBigint|formatEcdsa) = (require\(["'](?:json-bigint|ecdsa-sig-formatter)["']\));$/gm

/** `exports.gaxios = require("gaxios");` */
const EXPORT = /^exports\.(\w+) = (require\(["'][^"']+["']\));$/gm

/** The same CommonJS module, loading its dependencies on first use. Pure. */
export function lazyRequires(source: string): string {
  const imports: (readonly [string, string])[] = []
  const postpone = (_: string, name: string, expression: string) => {
    imports.push([name, expression])
    return `var ${name}$;`
  }
  const withoutImports = source
    .replace(IMPORT, postpone)
    .replace(NAMED, postpone)
    .replace(
      EXPORT,
      'Object.defineProperty(exports, "$1", { enumerable: true, configurable: true, get: () => $2 });',
    )
  return imports.reduce(
    (text, [name, expression]) =>
      text.replace(
        new RegExp(`(?<![\\w$.])${name}(?![\\w$])`, 'g'),
        () => `(${name}$ ??= ${expression})`,
      ),
    withoutImports,
  )
}
