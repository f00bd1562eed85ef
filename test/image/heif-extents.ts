/** Reads item types and places of a HEIF file, for files known to be right; independent of the cleaner. */

/** Bytes (hexadecimal) of each item that is an image, thumbnails included. */
export function imageBytes(file: Buffer): { id: number; type: string; hex: string }[] {
  const meta = find(file, 0, file.length, 'meta')
  if (meta === undefined) throw new Error('The file has no meta box.')
  const types = itemTypes(file, meta)
  const idat = find(file, meta.from + 4, meta.to, 'idat')
  return places(file, meta)
    .map(({ id, method, parts }) => ({
      id,
      type: types.get(id) ?? '',
      hex: parts
        .map(([at, length]) => {
          const start = at + (method === 1 ? (idat?.from ?? 0) : 0)
          return file.toString('hex', start, start + length)
        })
        .join(''),
    }))
    .filter(({ type }) => /^(hvc1|av01|grid|iovl)$/.test(type))
}

/** Items that are the thumbnail of another one, or what such a thumbnail is made of. */
export function thumbnails(file: Buffer): number[] {
  const meta = find(file, 0, file.length, 'meta')
  const iref = meta && find(file, meta.from + 4, meta.to, 'iref')
  if (iref === undefined) return []
  const idBytes = file.readUInt8(iref.from) === 0 ? 2 : 4
  const entries: { type: string; from: number; to: number }[] = []
  for (let at = iref.from + 4; at < iref.to; at += file.readUInt32BE(at)) {
    entries.push({
      type: file.toString('latin1', at + 4, at + 8),
      from: file.readUIntBE(at + 8, idBytes),
      to: file.readUIntBE(at + 10 + idBytes, idBytes),
    })
  }
  const small = entries.filter(({ type }) => type === 'thmb').map(({ from }) => from)
  const parts = entries.filter(({ type, from }) => type === 'dimg' && small.includes(from))
  return [...small, ...parts.map(({ to }) => to)]
}

type Span = { readonly from: number; readonly to: number }

function find(file: Buffer, from: number, to: number, type: string): Span | undefined {
  for (let at = from; at + 8 <= to; at += file.readUInt32BE(at)) {
    const end = at + file.readUInt32BE(at)
    if (file.toString('latin1', at + 4, at + 8) === type) return { from: at + 8, to: end }
  }
  return undefined
}

function itemTypes(file: Buffer, meta: Span): Map<number, string> {
  const iinf = find(file, meta.from + 4, meta.to, 'iinf')
  const types = new Map<number, string>()
  if (iinf === undefined) return types
  for (let at = iinf.from + 6; at < iinf.to; at += file.readUInt32BE(at)) {
    types.set(file.readUInt16BE(at + 12), file.toString('latin1', at + 16, at + 20))
  }
  return types
}

type Place = { id: number; method: number; parts: (readonly [number, number])[] }

function places(file: Buffer, meta: Span): Place[] {
  const iloc = find(file, meta.from + 4, meta.to, 'iloc')
  if (iloc === undefined) throw new Error('The file has no iloc box.')
  let at = iloc.from
  const next = (bytes: number): number => {
    at += bytes
    if (bytes === 0) return 0
    return bytes === 8 ? Number(file.readBigUInt64BE(at - 8)) : file.readUIntBE(at - bytes, bytes)
  }
  const version = next(4) >>> 24
  const sizes = next(2)
  const item = (): Place => {
    const id = next(2)
    const method = version === 0 ? 0 : next(2)
    next(2)
    const base = next((sizes >> 4) & 15)
    const parts = Array.from({ length: next(2) }, () => {
      if (version > 0) next(sizes & 15)
      return [base + next(sizes >> 12), next((sizes >> 8) & 15)] as const
    })
    return { id, method, parts }
  }
  return Array.from({ length: next(2) }, item)
}
