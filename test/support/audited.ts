import { expect, onTestFinished } from 'vitest';

import { createAuditLog } from '../../src/audit/log.ts';
import { replay } from '../../src/audit/replay.ts';
import { verify } from '../../src/audit/verify.ts';
import type { EnhancedWebSocketService } from '../../src/service.ts';

/**
 * A service whose audit log is verified and replayed when the test is over, and which is destroyed by then: every transition that it took, whatever happened to it, is the one that
 * its machines take.
 */
export function audited(service: EnhancedWebSocketService): EnhancedWebSocketService {
  const lines: string[] = [];
  const troubles: unknown[] = [];
  const log = createAuditLog({
    sinks: [{ name: 'test', append: (more) => void lines.push(...more) }],
    onError: (error) => troubles.push(error),
  });
  log.attach(service);
  onTestFinished(async () => {
    await service.destroy({ deadlineMs: 0 });
    await log.close();
    const { verdict, problems } = await verify(lines);
    const { divergences, skipped } = await replay(lines);
    expect({ verdict, problems, divergences, skipped, troubles }).toEqual({
      verdict: 'intact',
      problems: [],
      divergences: [],
      skipped: 0,
      troubles: [],
    });
  });
  return service;
}
