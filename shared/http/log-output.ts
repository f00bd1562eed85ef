/** Standard output, to which the log goes; a process whose reader is gone ends as after SIGTERM. */

let isBroken = false

/** Writes a line; nothing is written any more once nobody can read it. */
export function writeLogLine(line: string): void {
  if (!isBroken) process.stdout.write(line)
}

/** An error that nobody catches is logged, and one of the log itself would be again and again, without an end. */
process.stdout.on('error', () => {
  if (isBroken) return
  isBroken = true
  if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(1)
})
