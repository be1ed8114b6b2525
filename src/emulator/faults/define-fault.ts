import { apiStrike, isApiFault } from './api-faults.ts';
import { bodyStrike } from './body-faults.ts';
import { connectionStrike, isConnectionFault } from './connection-faults.ts';
import type { Fault, FaultDefinition } from './fault.ts';
import { isRefusalFault, refusalStrike } from './refusal-faults.ts';
import type { Strike } from './strike.ts';

/** Writes a fault out in full. */
export function defineFault(fault: Fault): FaultDefinition {
  if (typeof fault === 'number') return { kind: 'aadsts', code: fault };
  return typeof fault === 'string' ? ({ kind: fault } as FaultDefinition) : fault;
}

/** What a fault does. @throws TypeError for a kind that does not exist. */
export function strikeOf(fault: FaultDefinition): Strike {
  if (isRefusalFault(fault)) return refusalStrike(fault);
  if (isConnectionFault(fault)) return connectionStrike(fault);
  if (isApiFault(fault)) return apiStrike(fault);
  return bodyStrike(fault);
}
