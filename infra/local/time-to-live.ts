/** The collections whose documents end by themselves at `purge_at` (PRIV-03); provisioning sets the same policies. */
export const TIME_TO_LIVE = [
  { collectionGroup: 'sessions', field: 'purge_at' },
  { collectionGroup: 'rate_limits', field: 'purge_at' },
  { collectionGroup: 'idempotency_keys', field: 'purge_at' },
] as const
