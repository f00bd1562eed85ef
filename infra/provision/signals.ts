/** What is counted from the logs, and when somebody is woken (deploy.md 8, OPS-06). Pure. */
import { FUNCTIONS } from '../manifest.ts'

export type LogMetric = {
  readonly name: string
  readonly description: string
  readonly filter: string
  /** Split by the function that logged. */
  readonly byFunction?: true
}

const event = (name: string) => `jsonPayload.event="${name}"`
const code = (name: string) => `jsonPayload.code="${name}"`

export const LOG_METRICS: readonly LogMetric[] = [
  { name: 'wm_alerts', description: 'Lines of severity ALERT', filter: 'severity>=ALERT' },
  {
    name: 'wm_clock_skew',
    description: 'An instance’s clock is off by over 60 s',
    filter: event('clock_skew'),
  },
  {
    name: 'wm_login_failures',
    description: 'Wrong names or passwords',
    filter: event('login_failed'),
  },
  { name: 'wm_logins', description: 'Sign-ins', filter: event('login') },
  {
    name: 'wm_refresh_reuse',
    description: 'A used refresh token came again',
    filter: event('refresh_reuse'),
  },
  {
    name: 'wm_throttled',
    description: 'Answers rate_limited',
    filter: code('rate_limited'),
    byFunction: true,
  },
  {
    name: 'wm_token_invalid',
    description: 'Tokens that no published key signed',
    filter: code('token_invalid'),
    byFunction: true,
  },
  {
    name: 'wm_unavailable',
    description: 'Firestore or Cloud Storage did not answer, or a limit was contended',
    filter: code('unavailable'),
    byFunction: true,
  },
]

export type Alert = {
  /** File name, and the policy's name after `Wowmedia: `. */
  readonly name: string
  /** PromQL; the alert fires while it has a value. */
  readonly query: string
  readonly forSeconds: number
  readonly severity: 'CRITICAL' | 'ERROR' | 'WARNING'
  /** What to look at first. */
  readonly advice: string
}

const RUN = 'monitored_resource="cloud_run_revision"'
const SLOW_BY_NATURE = FUNCTIONS.filter(({ timeoutSeconds }) => timeoutSeconds > 30).map(
  ({ name }) => name,
)

function requests(selector: string): string {
  return `sum by (service_name) (rate(run_googleapis_com:request_count{${RUN}${selector}}[5m]))`
}

function counted(metric: string, window: string): string {
  return `sum(increase(logging_googleapis_com:user_${metric}{${RUN}}[${window}]))`
}

function nearMaximum(): string {
  return FUNCTIONS.map(
    ({ name, maxInstances }) =>
      `max by (service_name) (run_googleapis_com:container_instance_count{${RUN},service_name="${name}"}) > ${(maxInstances * 0.8).toFixed(1)}`,
  ).join(' or ')
}

export const ALERTS: readonly Alert[] = [
  {
    name: 'errors',
    query: `${requests(',response_code_class="5xx"')} / ${requests('')} > 0.01`,
    forSeconds: 300,
    severity: 'CRITICAL',
    advice:
      'More than 1 % of the answers are 5xx. Roll back if a release is young: npm run rollback.',
  },
  {
    name: 'latency',
    query: `histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:request_latencies_bucket{${RUN},service_name!~"${SLOW_BY_NATURE.join('|')}"}[10m]))) > 1500`,
    forSeconds: 600,
    severity: 'WARNING',
    advice: 'One answer in twenty takes over 1.5 s. Look at Firestore latency and at cold starts.',
  },
  {
    name: 'instances',
    query: nearMaximum(),
    forSeconds: 300,
    severity: 'WARNING',
    advice: 'A function is near its maximum of instances; then callers get 429. infra/manifest.ts.',
  },
  {
    name: 'memory',
    query: `histogram_quantile(0.99, sum by (le, service_name) (rate(run_googleapis_com:container_memory_utilizations_bucket{${RUN}}[10m]))) > 0.9`,
    forSeconds: 600,
    severity: 'WARNING',
    advice: 'A function is short of memory and may be ended. infra/manifest.ts.',
  },
  {
    name: 'store',
    query: `${counted('wm_unavailable', '5m')} > 10`,
    forSeconds: 60,
    severity: 'ERROR',
    advice: 'Firestore or Cloud Storage fails, or one limit is hit from everywhere at once.',
  },
  {
    name: 'refresh-reuse',
    query: `${counted('wm_refresh_reuse', '5m')} > 0`,
    forSeconds: 0,
    severity: 'WARNING',
    advice: 'A refresh token was used twice, so it may be stolen; its session has ended already.',
  },
  {
    name: 'refresh-reuse-many',
    query: `${counted('wm_refresh_reuse', '5m')} > 20`,
    forSeconds: 0,
    severity: 'CRITICAL',
    advice:
      'Many refresh tokens were used twice: a leak, or a client that does not keep the newest.',
  },
  {
    name: 'login-failures',
    query: `${counted('wm_login_failures', '5m')} > 250`,
    forSeconds: 0,
    severity: 'WARNING',
    advice: 'More than 50 wrong passwords a minute: somebody guesses.',
  },
  {
    name: 'unknown-keys',
    query: `${counted('wm_token_invalid', '5m')} > 100`,
    forSeconds: 0,
    severity: 'ERROR',
    advice: 'Many tokens are refused: forged, or a key was retired too early. npm run doctor.',
  },
  {
    name: 'alert-lines',
    query: `${counted('wm_alerts', '5m')} > 0`,
    forSeconds: 0,
    severity: 'ERROR',
    advice: 'A function logged with severity ALERT; the line says what.',
  },
  {
    name: 'sweep',
    query: `absent_over_time(run_googleapis_com:request_count{${RUN},service_name="sweep",response_code_class="2xx"}[1h])`,
    forSeconds: 0,
    severity: 'ERROR',
    advice: 'No sweep ended well for an hour: deleted accounts and broken uploads pile up.',
  },
  {
    name: 'clock',
    query: `${counted('wm_clock_skew', '15m')} > 0`,
    forSeconds: 0,
    severity: 'WARNING',
    advice: 'The clock of an instance is over 60 s off; its tokens may be refused.',
  },
]
