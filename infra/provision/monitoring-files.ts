/** The signals in the form that Cloud Logging and Cloud Monitoring take; committed below infra/generated. Pure. */
import { ALERTS, type Alert, LOG_METRICS, type LogMetric } from './signals.ts'

const JSON_TEXT = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

export const metricFile = (name: string) => `infra/generated/metrics/${name}.json`
export const alertFile = (name: string) => `infra/generated/alerts/${name}.json`
export const DASHBOARD_FILE = 'infra/generated/dashboard.json'
export const DASHBOARD_NAME = 'Wowmedia'
export const alertTitle = (name: string) => `Wowmedia: ${name}`

function metric({ filter, description, byFunction }: LogMetric): unknown {
  const label = [{ key: 'function', valueType: 'STRING', description: 'Which function' }]
  return {
    description,
    filter: `resource.type="cloud_run_revision" AND ${filter}`,
    metricDescriptor: {
      metricKind: 'DELTA',
      valueType: 'INT64',
      unit: '1',
      ...(byFunction === true ? { labels: label } : {}),
    },
    ...(byFunction === true
      ? { labelExtractors: { function: 'EXTRACT(resource.labels.service_name)' } }
      : {}),
  }
}

function policy({ name, query, forSeconds, severity, advice }: Alert): unknown {
  return {
    displayName: alertTitle(name),
    combiner: 'OR',
    severity,
    userLabels: { app: 'wowmedia' },
    documentation: { content: advice, mimeType: 'text/markdown' },
    conditions: [
      {
        displayName: name,
        conditionPrometheusQueryLanguage: {
          query,
          duration: `${forSeconds}s`,
          evaluationInterval: '60s',
        },
      },
    ],
    alertStrategy: { autoClose: '86400s' },
  }
}

function chart(title: string, query: string): unknown {
  return {
    title,
    xyChart: {
      dataSets: [{ plotType: 'LINE', timeSeriesQuery: { prometheusQuery: query } }],
      yAxis: { scale: 'LINEAR' },
    },
  }
}

const RUN = 'monitored_resource="cloud_run_revision"'

function dashboard(): unknown {
  const charts = [
    chart(
      'Requests a second',
      `sum by (service_name) (rate(run_googleapis_com:request_count{${RUN}}[1m]))`,
    ),
    chart(
      'Answers by class',
      `sum by (response_code_class) (rate(run_googleapis_com:request_count{${RUN}}[1m]))`,
    ),
    chart(
      '95th percentile, ms',
      `histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:request_latencies_bucket{${RUN}}[5m])))`,
    ),
    chart(
      'Instances',
      `sum by (service_name) (run_googleapis_com:container_instance_count{${RUN}})`,
    ),
    chart(
      'Start of an instance, 95th percentile, ms',
      `histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_startup_latencies_bucket{${RUN}}[10m])))`,
    ),
    ...LOG_METRICS.map(({ name, description }) =>
      chart(description, `sum(rate(logging_googleapis_com:user_${name}{${RUN}}[5m]))`),
    ),
  ]
  return { displayName: DASHBOARD_NAME, gridLayout: { columns: '2', widgets: charts } }
}

/** Path in the repository -> content. */
export function monitoringFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...LOG_METRICS.map((entry) => [metricFile(entry.name), JSON_TEXT(metric(entry))] as const),
    ...ALERTS.map((entry) => [alertFile(entry.name), JSON_TEXT(policy(entry))] as const),
    [DASHBOARD_FILE, JSON_TEXT(dashboard())] as const,
  ])
}
