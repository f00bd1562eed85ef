/** Content negotiation by `Accept` (RFC 9110 §12.5.1). */
import { ProblemError } from '../domain/problem.ts'

type Range = { readonly type: string; readonly subtype: string; readonly quality: number }

function parseRange(text: string): Range | undefined {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const [, type, subtype] = /^([!#$%&'*+.^_`|~\w-]+)\/([!#$%&'*+.^_`|~\w-]+)$/.exec(name) ?? []
  if (type === undefined || subtype === undefined) return undefined
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
  const quality = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0
  return { type, subtype, quality }
}

/** 2 for the type itself, 1 for its whole family, 0 for anything, undefined where it does not match. */
function precision(range: Range, offered: string): number | undefined {
  const [type, subtype] = offered.split('/')
  if (range.type === '*' && range.subtype === '*') return 0
  if (range.type !== type) return undefined
  if (range.subtype === '*') return 1
  return range.subtype === subtype ? 2 : undefined
}

type Rating = { readonly quality: number; readonly found: number }

/** By the range that matches most precisely (RFC 9110 §12.5.1). */
function ratingOf(ranges: readonly Range[], offered: string): Rating {
  const matches = ranges.flatMap((range) => {
    const found = precision(range, offered)
    return found === undefined ? [] : [{ found, quality: range.quality }]
  })
  matches.sort((a, b) => b.found - a.found)
  return matches[0] ?? { quality: 0, found: 0 }
}

/**
 * The first of the offered media types that the header takes best, and of those that it takes alike one that it
 * names; the first of all without a header. Throws `not_acceptable` where none fits.
 */
export function accepts<const T extends string>(
  header: string | undefined,
  offered: readonly T[],
): T {
  const wanted = header === undefined || header.trim() === '' ? '*/*' : header
  const ranges = wanted.split(',').flatMap((part) => parseRange(part) ?? [])
  const [best] = offered
    .map((type) => ({ type, rating: ratingOf(ranges, type) }))
    .filter(({ rating }) => rating.quality > 0)
    .toSorted(
      ({ rating: one }, { rating: other }) =>
        other.quality - one.quality || other.found - one.found,
    )
  if (best === undefined) throw new ProblemError('not_acceptable')
  return best.type
}
