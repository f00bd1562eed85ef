/**
 * Has V8 compile at once what every first call runs.
 *
 * esbuild wraps each CommonJS module in a function, and V8 only skims a function until it is called; then it
 * reads all of it again. A function in parentheses is compiled at the first reading. Marks go in before
 * minification, which would drop the parentheses, and become parentheses after it.
 */

const OPEN = '"@eager(@"'
const CLOSE = '"@eager)@"'

/** What a first call does not run, by what its path begins with: tokens, error paths, queries of kinds unused here. */
const COLD: readonly string[] = [
  '@google-cloud/firestore/build/src/quadruple',
  '@google-cloud/firestore/build/src/query-profile',
  '@google-cloud/firestore/build/src/reference/aggregate-query',
  '@google-cloud/firestore/build/src/reference/vector-query',
  '@google-cloud/storage/',
  '@grpc/grpc-js/build/src/service-config',
  '@grpc/grpc-js/build/src/single-subchannel-channel',
  'agent-base/',
  'async-retry/',
  'base64-js/',
  'bignumber.js/',
  'busboy/',
  'data-uri-to-buffer/',
  'debug/',
  'ecdsa-sig-formatter/',
  'fetch-blob/',
  'formdata-polyfill/',
  'functional-red-black-tree/',
  'gcp-metadata/node_modules/',
  'google-auth-library/build/src/auth/idtokenclient',
  'google-auth-library/build/src/auth/jwtaccess',
  'google-auth-library/build/src/auth/loginticket',
  'google-auth-library/build/src/crypto/',
  'google-auth-library/build/src/gtoken/getCredentials',
  'google-gax/build/src/normalCalls/retries',
  'google-gax/build/src/paginationCalls/resourceCollector',
  'html-entities/',
  'https-proxy-agent/',
  'json-bigint/',
  'jwa/',
  'jws/',
  'mime/',
  'node-domexception/',
  'node-fetch/',
  'p-limit/',
  'readable-stream/lib/internal/streams/async_iterator',
  'retry/',
  'streamsearch/',
  'string_decoder/',
  'teeny-request/',
]

/** `path` is relative to the repository; a package below another's `node_modules` counts as itself, too. */
function isCold(path: string): boolean {
  const inside = path.slice(path.indexOf('node_modules/') + 'node_modules/'.length)
  const innermost = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  return COLD.some((start) => inside.startsWith(start) || innermost.startsWith(start))
}

/** `var require_x = __commonJS({`, `"path"(exports, module) {`, the module, `}`, `});` as esbuild prints them. */
const MODULE =
  /^var (\w+) = __commonJS\(\{\n {2}"([^"]+)"\((.*)\) \{\n((?:(?! {2}\}\n\}\);\n).*\n)*?) {2}\}\n\}\);$/gm

const WRAPPER =
  'var __eager = (_open, load, _close, module) => () => (module || load((module = { exports: {} }).exports, module), module.exports);\n'

/** Marks the modules of an unminified esbuild bundle that a first call runs. Pure. */
export function markEager(source: string): string {
  const marked = source.replace(MODULE, (whole, name, path, parameters, body) =>
    isCold(String(path))
      ? whole
      : `var ${name} = __eager(${OPEN}, function(${parameters}) {\n${body}}, ${CLOSE});`,
  )
  const strict = '"use strict";\n'
  return marked.startsWith(strict)
    ? `${strict}${WRAPPER}${marked.slice(strict.length)}`
    : `${WRAPPER}${marked}`
}

/** Turns the marks of a minified bundle into parentheses; throws where one is left over. Pure. */
export function openEager(minified: string): string {
  const opened = minified.replaceAll(`${OPEN},function`, 'null,(function')
  const closed = opened.replaceAll(`},${CLOSE})`, '}))')
  if (closed.includes('@eager'))
    throw new Error('a module of the bundle was not marked as expected')
  return closed
}
