/**
 * Has V8 compile at once what every first call runs.
 *
 * esbuild wraps each CommonJS module in a function, and V8 only skims a function until it is called; then it
 * reads all of it again. A function in parentheses is compiled at the first reading. Marks go in before
 * minification, which would drop the parentheses, and become parentheses after it.
 */

const OPEN = '"@eager(@"'
const CLOSE = '"@eager)@"'

/** What a first call does not run: tokens for the metadata server, unused parts, error paths. */
const COLD =
  /\/node_modules\/(gaxios|node-fetch|fetch-blob|formdata-polyfill|gcp-metadata|google-auth-library|json-bigint|bignumber\.js|jws|jwa|ecdsa-sig-formatter|base64-js|https-proxy-agent|agent-base|debug|ms|extend|functional-red-black-tree|busboy|streamsearch|fast-xml-parser|strnum|html-entities|mime|async-retry|retry|p-limit|teeny-request|@google-cloud\/storage)\//

/** `var require_x = __commonJS({`, `"path"(exports, module) {`, the module, `}`, `});` as esbuild prints them. */
const MODULE =
  /^var (\w+) = __commonJS\(\{\n {2}"([^"]+)"\((.*)\) \{\n((?:(?! {2}\}\n\}\);\n).*\n)*?) {2}\}\n\}\);$/gm

const WRAPPER =
  'var __eager = (_open, load, _close, module) => () => (module || load((module = { exports: {} }).exports, module), module.exports);\n'

/** Marks the modules of an unminified esbuild bundle that a first call runs. Pure. */
export function markEager(source: string): string {
  const marked = source.replace(MODULE, (whole, name, path, parameters, body) =>
    COLD.test(`/${path}`)
      ? whole
      : `var ${name} = __eager(${OPEN}, function(${parameters}) {\n${body}}, ${CLOSE});`,
  )
  return marked.replace('"use strict";\n', `"use strict";\n${WRAPPER}`)
}

/** Turns the marks of a minified bundle into parentheses; throws where one is left over. Pure. */
export function openEager(minified: string): string {
  const opened = minified.replaceAll(`${OPEN},function`, 'null,(function')
  const closed = opened.replaceAll(`},${CLOSE})`, '}))')
  if (closed.includes('@eager'))
    throw new Error('a module of the bundle was not marked as expected')
  return closed
}
