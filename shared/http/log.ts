/** The log: one JSON object a line where deployed (OPS-02), one readable line locally; never a body, token or query (HTTP-08). */
export type Severity = 'INFO' | 'NOTICE' | 'WARNING' | 'ERROR' | 'ALERT'
export type LogFields = Readonly<Record<string, string | number | boolean>>

/** What is known of an answered request. */
export type RequestLine = {
  readonly function: string | undefined
  readonly method: string
  /** Without the query string. */
  readonly path: string
  /** 499: the client was gone before the answer. */
  readonly status: number
  readonly milliseconds: number
  readonly userAgent: string | undefined
  /** The problem's code, where it is one. */
  readonly code: string | undefined
  /** Id of the caller, where a token was good. */
  readonly userId?: string | undefined
}

export type LogEntry = {
  readonly severity: Severity
  readonly event: string
  readonly message: string
  readonly requestId?: string
  /** Trace id of the caller's infrastructure, 32 hexadecimal digits. */
  readonly traceId?: string | undefined
  readonly request?: RequestLine
  readonly fields?: LogFields
}

export type Log = (entry: LogEntry) => void

export type LogOptions = {
  readonly deployed: boolean
  /** Names the trace in the logging service; undefined locally. */
  readonly project: string | undefined
  readonly colours: boolean
  readonly write: (line: string) => void
}

/** Longest text of a caller in a line, bytes. */
const MAX_FOREIGN_BYTES = 256
/** Longest stack in a line, characters. */
const MAX_STACK_LENGTH = 4096

function bounded(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_FOREIGN_BYTES) return text
  return new TextDecoder().decode(bytes.subarray(0, MAX_FOREIGN_BYTES - 4)).replace(/\uFFFD+$/, '')
}

function boundedFields(fields: LogFields | undefined): LogFields {
  const entries = Object.entries(fields ?? {}).map(([name, value]) => {
    const limited = name === 'stack' ? String(value).slice(0, MAX_STACK_LENGTH) : value
    return [name, name !== 'stack' && typeof value === 'string' ? bounded(value) : limited] as const
  })
  return Object.fromEntries(entries)
}

function jsonLine(entry: LogEntry, project: string | undefined): string {
  const { severity, message, event, requestId, traceId, request } = entry
  return JSON.stringify({
    ...boundedFields(entry.fields),
    severity,
    message: bounded(message),
    event,
    time: new Date().toISOString(),
    requestId,
    ...(traceId === undefined || project === undefined
      ? {}
      : { 'logging.googleapis.com/trace': `projects/${project}/traces/${traceId}` }),
    ...(request === undefined
      ? {}
      : {
          function: request.function,
          code: request.code,
          uid: request.userId,
          httpRequest: {
            requestMethod: bounded(request.method),
            requestUrl: bounded(request.path),
            status: request.status,
            latency: `${(request.milliseconds / 1000).toFixed(6)}s`,
            userAgent: request.userAgent === undefined ? undefined : bounded(request.userAgent),
          },
        }),
  })
}

/** Control and direction characters could rewrite a terminal. */
function printable(text: string): string {
  return bounded(text).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
}

function colourOf(entry: LogEntry): number {
  const status = entry.request?.status ?? (entry.severity === 'INFO' ? 200 : 500)
  if (status >= 500) return 31
  return status >= 400 ? 33 : 32
}

function readableLine(entry: LogEntry, colours: boolean): string {
  const { request } = entry
  const time = new Date().toISOString().slice(11, 19)
  const said =
    request === undefined
      ? printable(entry.message)
      : `${printable(request.method)} ${printable(request.path)} ${request.status} ${Math.round(request.milliseconds)} ms`
  const fields = Object.entries(boundedFields(entry.fields))
    .filter(([name]) => name !== 'stack')
    .map(([name, value]) => ` ${name}=${printable(String(value))}`)
  const code = request?.code === undefined ? '' : ` ${request.code}`
  const stack = entry.fields?.['stack']
  const line = `${time} ${said}${code}${fields.join('')}`
  const coloured = colours ? `\u001B[${colourOf(entry)}m${line}\u001B[0m` : line
  return stack === undefined ? coloured : `${coloured}\n${String(stack).slice(0, MAX_STACK_LENGTH)}`
}

/** A log that writes one line for each entry. */
export function createLog(options: LogOptions): Log {
  const { deployed, project, colours, write } = options
  return (entry) => write(`${deployed ? jsonLine(entry, project) : readableLine(entry, colours)}\n`)
}

/** The error for the log: name, message and stack, with each of the caller's secrets taken out. */
export function stackOf(thrown: unknown, secrets: readonly string[]): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  const cause =
    thrown instanceof Error && thrown.cause !== undefined
      ? `\ncaused by ${causeOf(thrown.cause)}`
      : ''
  // The longest first: a shorter one may be a part of it.
  const ordered = secrets.toSorted((a, b) => b.length - a.length)
  return ordered.reduce((text, secret) => text.replaceAll(secret, '[removed]'), stack + cause)
}

function causeOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : typeof cause
}
