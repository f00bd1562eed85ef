/** One part `file` of a form as a stream; all limits of UP-04 and every trap of busboy 1.6.0 in one place. */
import { pipeline, Readable } from 'node:stream'
import busboy from 'busboy'
import { ProblemError, type ProblemOptions } from '../domain/problem.ts'
import type { IncomingPhoto } from './endpoint.ts'

/** Name of the part that holds the photo. */
const PART = 'file'
const MAX_NAME_BYTES = 64
const LIMITS = {
  files: 1,
  fields: 4,
  parts: 6,
  fieldSize: 1024,
  // One more than allowed: a longer name is then seen as cut.
  fieldNameSize: MAX_NAME_BYTES + 1,
} as const
const PLAIN_ENCODINGS = ['7bit', '8bit', 'binary']

type Settle = {
  resolve(photo: IncomingPhoto): void
  reject(error: Error): void
}

function malformed(options: ProblemOptions): ProblemError {
  return new ProblemError('malformed_multipart', options)
}

function openParser(contentType: string, maxFileBytes: number): busboy.Busboy {
  try {
    return busboy({
      headers: { 'content-type': contentType },
      // `fileSize` cuts at its value without an error, so it lies one byte behind the cap.
      limits: { ...LIMITS, fileSize: maxFileBytes + 1 },
      defParamCharset: 'utf8',
      // Without it `..` is no name at all; what is shown of a path is decided by `displayName`.
      preservePath: true,
    })
  } catch (cause) {
    throw malformed({ cause })
  }
}

function nameIsWrong(name: string | undefined): boolean {
  return name === undefined || name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES
}

function partProblem(name: string | undefined, info: busboy.FileInfo): ProblemError | undefined {
  if (nameIsWrong(name)) return malformed({ detail: 'Each part needs a name of 1 to 64 bytes' })
  if (name !== PART || !info.filename) {
    const detail = 'The file must be the part named file, with a file name'
    return new ProblemError('file_missing', { detail })
  }
  if (!PLAIN_ENCODINGS.includes(info.encoding.toLowerCase())) {
    return malformed({ detail: 'Send the file without Content-Transfer-Encoding' })
  }
  return undefined
}

function fieldProblem(name: string | undefined, info: busboy.FieldInfo): ProblemError | undefined {
  if (nameIsWrong(name) || info.nameTruncated) {
    return malformed({ detail: 'Each part needs a name of 1 to 64 bytes' })
  }
  if (info.valueTruncated) return malformed({ detail: 'A field may have 1024 bytes' })
  if (name !== PART) return undefined
  return new ProblemError('file_missing', { detail: 'The part file needs a file name' })
}

/** Reads one form; ends by `settle` before the file's first byte, later by the photo's own stream. */
class FormReader {
  readonly #source: Readable
  readonly #parser: busboy.Busboy
  readonly #settle: Settle
  #photo: Readable | undefined
  #file: Readable | undefined
  #failure: Error | undefined
  #empty = true

  constructor(source: Readable, parser: busboy.Busboy, settle: Settle) {
    this.#source = source
    this.#parser = parser
    this.#settle = settle
    parser.on('file', (name, file, info) => this.#open(name, file, info))
    parser.on('field', (name, _value, info) => this.#refuse(fieldProblem(name, info)))
    parser.on('filesLimit', () => this.#refuse(new ProblemError('too_many_files')))
    parser.on('fieldsLimit', () => this.#refuse(malformed({ detail: 'Too many fields' })))
    parser.on('partsLimit', () => this.#refuse(malformed({ detail: 'Too many parts' })))
    // Before the pipeline, which would give the source the parser's error.
    parser.on('error', (error) => this.#refuse(this.#mapped(error)))
    pipeline(source, parser, (error) => this.#end(error ?? undefined))
  }

  #open(name: string | undefined, file: Readable, info: busboy.FileInfo): void {
    // Without a listener of its own an error of the file's stream would end the process.
    file.on('error', (error) => this.#refuse(malformed({ cause: error })))
    const problem = partProblem(name, info)
    if (problem !== undefined) {
      file.resume()
      this.#refuse(problem)
      return
    }
    this.#file = file
    const photo = new Readable({
      read: () => void file.resume(),
      destroy: (error, done) => {
        this.#stop()
        done(error)
      },
    })
    // The handler may still be busy when it fails; whoever reads later sees the error.
    photo.on('error', () => undefined)
    this.#photo = photo
    file.on('limit', () => this.#refuse(new ProblemError('photo_too_large')))
    file.on('data', (chunk: Buffer) => {
      this.#empty = false
      if (this.#failure === undefined && !photo.push(chunk)) file.pause()
    })
    file.pause()
    this.#settle.resolve({ fileName: info.filename, stream: photo })
  }

  /** The form was read to its end, or its source or parser failed. */
  #end(error: Error | undefined): void {
    if (error !== undefined) {
      this.#refuse(this.#mapped(error))
    } else if (this.#photo === undefined) {
      this.#refuse(new ProblemError('file_missing'))
    } else if (this.#empty) {
      this.#refuse(new ProblemError('file_empty'))
    } else if (this.#failure === undefined) {
      this.#photo.push(null)
    }
  }

  /** What the source failed with is no fault of the form. */
  #mapped(error: unknown): Error {
    const { errored } = this.#source
    return errored !== null && error === errored ? errored : malformed({ cause: error })
  }

  #refuse(error: Error | undefined): void {
    if (error === undefined || this.#failure !== undefined) return
    this.#failure = error
    if (this.#photo === undefined) this.#settle.reject(error)
    else this.#photo.destroy(error)
    this.#stop()
  }

  /** busboy tells an open file nothing when it is destroyed, and the other way round. */
  #stop(): void {
    this.#file?.destroy()
    this.#source.destroy()
    this.#parser.destroy()
  }
}

/**
 * The photo of a `multipart/form-data` body.
 * @throws ProblemError `malformed_multipart`, `file_missing`, `too_many_files`, or what `source` fails with; later by its
 *   stream, then also `photo_too_large` and `file_empty`.
 */
export function readForm(
  source: Readable,
  contentType: string,
  maxFileBytes: number,
): Promise<IncomingPhoto> {
  const parser = openParser(contentType, maxFileBytes)
  return new Promise((resolve, reject) => {
    void new FormReader(source, parser, { resolve, reject })
  })
}
