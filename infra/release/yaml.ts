/** Objects as YAML, for the two services that take nothing else; every text that could be read otherwise is quoted. */

export type Yaml =
  | string
  | number
  | boolean
  | readonly Yaml[]
  | { readonly [key: string]: Yaml | undefined }

const PLAIN = /^[A-Za-z_./][\w ./@:+-]*$/
const SPECIAL = /^(true|false|null|yes|no|on|off|y|n)$|: |:$| $|^\.\w*$/i

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  return PLAIN.test(value) && !SPECIAL.test(value) ? value : JSON.stringify(value)
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value)
}

function linesOf(value: Yaml): readonly string[] {
  if (typeof value !== 'object') return [scalar(value)]
  if (isList(value)) return value.flatMap((item) => itemLines(item))
  return Object.entries(value).flatMap(([key, member]) =>
    member === undefined ? [] : memberLines(key, member),
  )
}

function itemLines(item: Yaml): readonly string[] {
  const [first = '', ...rest] = linesOf(item)
  return [`- ${first}`, ...rest.map((line) => `  ${line}`)]
}

function memberLines(key: string, member: Yaml): readonly string[] {
  const name = PLAIN.test(key) && !/^(y|n|yes|no)$/i.test(key) ? key : JSON.stringify(key)
  if (typeof member === 'string' && member.includes('\n')) {
    const block = member.trimEnd().split('\n')
    return [`${name}: |`, ...block.map((line) => `  ${line}`)]
  }
  if (typeof member !== 'object') return [`${name}: ${scalar(member)}`]
  const inner = linesOf(member)
  if (inner.length === 0) return [`${name}: ${isList(member) ? '[]' : '{}'}`]
  return [`${name}:`, ...inner.map((line) => `  ${line}`)]
}

/** Text of one YAML document with a comment line on top. Pure. */
export function yamlText(comment: string, document: Yaml): string {
  return `# ${comment}\n${linesOf(document).join('\n')}\n`
}
