/** Every entry of the built package but `holdfast/machines`, whose types are XState's. */
export * as core from 'holdfast';
export * as audit from 'holdfast/audit';
export * as auditNode from 'holdfast/audit/node';
export * as metrics from 'holdfast/metrics';
export * as server from 'holdfast/server';
export * as serverWs from 'holdfast/server/ws';
export * as testing from 'holdfast/testing';
