import { silence, type Answer } from '../http/answer.ts';
import type { ConnectionFault, FaultDefinition } from './fault.ts';
import type { Strike } from './strike.ts';

const asGiven = (answer: Answer | undefined): Answer => answer ?? silence('cut');

const strikes: Readonly<Record<ConnectionFault['kind'], Strike>> = {
  'cut-before-commit': { commits: false, answer: () => silence('cut') },
  'cut-after-commit': { commits: true, answer: () => silence('cut') },
  'half-answer': {
    commits: true,
    answer: (given) => ({ ...asGiven(given), delivery: { how: 'half' } }),
  },
  'hang-before-commit': { commits: false, answer: () => silence('hang') },
  'hang-after-commit': { commits: true, answer: () => silence('hang') },
  'hold-before-commit': { commits: true, holds: 'before', answer: asGiven },
  'hold-after-commit': { commits: true, holds: 'after', answer: asGiven },
};

/** Whether a fault is one of the connection. */
export function isConnectionFault(fault: FaultDefinition): fault is ConnectionFault {
  return fault.kind in strikes;
}

/** What a fault of the connection does. */
export function connectionStrike(fault: ConnectionFault): Strike {
  return strikes[fault.kind];
}
