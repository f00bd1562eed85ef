/** Forms of a setting's text: each gives the value, or undefined where the text has another form. */
import { parseRates, type Rate } from './domain/rate.ts'

export const text = (limit: number) => (value: string) =>
  value.length > 0 && value.length <= limit ? value : undefined

export const wholeNumber = (minimum: number, maximum: number) => (value: string) => {
  const number = /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN
  return number >= minimum && number <= maximum ? number : undefined
}

export const rates = (value: string): readonly Rate[] | undefined => parseRates(value)

export function webAddress(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  const plain = url !== undefined && url.search === '' && url.hash === '' && url.username === ''
  const web = url?.protocol === 'https:' || url?.protocol === 'http:'
  return plain && web ? value.replace(/\/+$/, '') : undefined
}

export function origins(value: string): readonly string[] | undefined {
  const list = value.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  const exact = list.every((part) => URL.canParse(part) && new URL(part).origin === part)
  return exact && list.length <= 32 ? list : undefined
}

export function functionUrls(value: string): ReadonlyMap<string, string> | undefined {
  const pairs = value.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  const parsed = pairs.map((pair) => {
    const at = pair.indexOf('=')
    const url = webAddress(pair.slice(at + 1))
    return at > 0 && url !== undefined ? ([pair.slice(0, at), url] as const) : undefined
  })
  const known = parsed.filter((pair) => pair !== undefined)
  return known.length === parsed.length ? new Map(known) : undefined
}

export function time(value: string): Date | undefined {
  const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value)
  const date = new Date(rfc3339 ? value : Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}
