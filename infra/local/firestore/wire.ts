import { isUtf8 } from 'node:buffer'
import { invalid } from './status.ts'

/*
 * The protobuf wire format (protobuf.dev/programming-guides/encoding): each field is a tag
 * (number << 3 | type) and a value; type 0 varint, 1 eight bytes, 2 length + bytes, 5 four bytes.
 */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Protobuf's own recursion limit; keeps hostile nesting from exhausting the stack. */
const MAX_DEPTH = 100

/** Up to here a look at each byte is cheaper than two calls out of JavaScript. */
const SHORT_TEXT = 80

const malformed = () => invalid('The request is not valid protobuf.')

function isAscii(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if ((buffer[at] ?? 0) >= 0x80) return false
  return true
}

/** Walks the fields of one message: `while (r.next()) switch (r.field) …`. Throws INVALID_ARGUMENT on malformed bytes. */
export class Reader {
  field = 0
  #type = 0
  #at: number
  readonly #buffer: Buffer
  readonly #end: number
  readonly #depth: number

  constructor(buffer: Buffer, start = 0, end = buffer.length, depth = 0) {
    if (depth > MAX_DEPTH) throw invalid('The request is nested too deeply.')
    this.#buffer = buffer
    this.#at = start
    this.#end = end
    this.#depth = depth
  }

  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#varint()
    this.field = Math.floor(tag / 8)
    this.#type = tag % 8
    return true
  }

  bool(): boolean {
    return this.int64() !== 0n
  }

  int32(): number {
    return Number(BigInt.asIntN(32, this.int64()))
  }

  int64(): bigint {
    this.#expect(VARINT)
    const start = this.#at
    const small = this.#shortVarint()
    if (small >= 0) return BigInt(small)
    this.#at = start
    return this.#longVarint()
  }

  double(): number {
    this.#expect(FIXED64)
    const at = this.#advance(8)
    return this.#buffer.readDoubleLE(at)
  }

  string(): string {
    const start = this.#span()
    const end = this.#at
    if (end - start <= SHORT_TEXT && isAscii(this.#buffer, start, end))
      return this.#buffer.toString('latin1', start, end)
    const slice = this.#buffer.subarray(start, end)
    if (!isUtf8(slice)) throw malformed()
    return slice.toString('utf8')
  }

  bytes(): Buffer {
    const start = this.#span()
    return this.#buffer.subarray(start, this.#at)
  }

  message(): Reader {
    const start = this.#span()
    return new Reader(this.#buffer, start, this.#at, this.#depth + 1)
  }

  skip(): void {
    if (this.#type === VARINT) this.int64()
    else if (this.#type === FIXED64) this.#advance(8)
    else if (this.#type === BYTES) this.#span()
    else if (this.#type === FIXED32) this.#advance(4)
    else throw malformed()
  }

  #expect(type: number): void {
    if (this.#type !== type) throw malformed()
  }

  #advance(bytes: number): number {
    const at = this.#at
    if (bytes > this.#end - at) throw malformed()
    this.#at = at + bytes
    return at
  }

  /** Where the bytes start; they end where the reader then stands. */
  #span(): number {
    this.#expect(BYTES)
    return this.#advance(this.#varint())
  }

  /** A varint of at most seven bytes, or -1 when it is longer. */
  #shortVarint(): number {
    const first = this.#buffer[this.#at] ?? 0
    if (first < 0x80 && this.#at < this.#end) {
      this.#at += 1
      return first
    }
    let result = 0
    for (let unit = 1; unit < 2 ** 49; unit *= 128) {
      const byte = this.#buffer[this.#advance(1)] ?? 0
      result += (byte & 0x7f) * unit
      if (byte < 0x80) return result
    }
    return -1
  }

  #longVarint(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#buffer[this.#advance(1)] ?? 0
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, result)
    }
    throw malformed()
  }

  #varint(): number {
    const start = this.#at
    const small = this.#shortVarint()
    if (small > 0xffff_ffff) throw malformed()
    if (small >= 0) return small
    this.#at = start
    const long = this.#longVarint()
    if (long < 0n || long > 0xffff_ffffn) throw malformed()
    return Number(long)
  }
}
