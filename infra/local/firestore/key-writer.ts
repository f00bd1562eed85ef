const BIAS = 2n ** 63n
/** Up to here characters are stored one by one, which is cheaper than two calls out of JavaScript. */
const SHORT_TEXT = 64

/** Appends the parts of a key to a growing buffer (order-key.ts says what they mean). */
export class KeyWriter {
  #buffer = Buffer.allocUnsafe(256)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Takes back what was written behind this length. */
  truncate(length: number): this {
    this.#length = length
    return this
  }

  /** Turns the order of what was written behind this length. */
  invertFrom(start: number): this {
    for (let i = start; i < this.#length; i += 1) this.#buffer[i] = 0xff - (this.#buffer[i] ?? 0)
    return this
  }

  /** A copy of what was written. */
  finish(): Buffer {
    const copy = Buffer.allocUnsafe(this.#length)
    this.#buffer.copy(copy, 0, 0, this.#length)
    return copy
  }

  raw(bytes: Buffer): this {
    this.#reserve(bytes.length)
    this.#length += bytes.copy(this.#buffer, this.#length)
    return this
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#buffer[this.#length] = value
    this.#length += 1
    return this
  }

  uint(value: number, bytes: 2 | 4): this {
    this.#reserve(bytes)
    this.#length = this.#buffer.writeUIntBE(value, this.#length, bytes)
    return this
  }

  int64(value: bigint): this {
    this.#reserve(8)
    const near = Number(value)
    if (Number.isSafeInteger(near)) {
      const high = Math.floor(near / 2 ** 32)
      this.#buffer.writeUInt32BE(high + 2 ** 31, this.#length)
      this.#length = this.#buffer.writeUInt32BE(near - high * 2 ** 32, this.#length + 4)
    } else this.#length = this.#buffer.writeBigUInt64BE(value + BIAS, this.#length)
    return this
  }

  /** IEEE 754 with the sign bit flipped, negative numbers inverted. */
  double(value: number): this {
    this.#reserve(8)
    const at = this.#length
    this.#length = this.#buffer.writeDoubleBE(value === 0 ? 0 : value, at)
    const first = this.#buffer[at] ?? 0
    if (first < 0x80) this.#buffer[at] = first | 0x80
    else for (let i = at; i < at + 8; i += 1) this.#buffer[i] = 0xff - (this.#buffer[i] ?? 0)
    return this
  }

  text(value: string): this {
    if (value.length <= SHORT_TEXT && this.#plain(value)) return this.byte(0).byte(1)
    return this.escaped(Buffer.from(value))
  }

  escaped(bytes: Buffer): this {
    this.#reserve(bytes.length * 2 + 2)
    for (let start = 0; ; ) {
      const zero = bytes.indexOf(0, start)
      const end = zero < 0 ? bytes.length : zero + 1
      this.#length += bytes.copy(this.#buffer, this.#length, start, end)
      if (zero < 0) break
      this.byte(0xff)
      start = end
    }
    return this.byte(0).byte(1)
  }

  /** A short text, as long as its characters are ASCII and none is NUL. */
  #plain(value: string): boolean {
    this.#reserve(value.length)
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i)
      if (code === 0 || code >= 0x80) return false
      this.#buffer[this.#length + i] = code
    }
    this.#length += value.length
    return true
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe((this.#length + bytes) * 2)
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
