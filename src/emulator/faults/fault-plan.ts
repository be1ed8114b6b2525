import type { LedgerEntry } from '../ledger-entry.ts';
import { seededRandom } from '../seeded-random.ts';
import { isApiFault } from './api-faults.ts';
import type { Fault, FaultDefinition, FaultMatch, Faults, RandomFaults } from './fault.ts';
import { defineFault, strikeOf } from './define-fault.ts';
import { createHoldingPen } from './holding-pen.ts';
import type { Strike } from './strike.ts';

/** A fault that has been drawn for a request. */
export interface DrawnFault extends Strike {
  readonly kind: string;
}

/** The faults as the emulator's own parts see them. */
export interface FaultPlan extends Faults {
  /** The fault that strikes this request, if one does; a scripted one is used up by that. */
  draw(entry: LedgerEntry): DrawnFault | undefined;
  /** Waits until the request is released. */
  hold(): Promise<void>;
}

/** Draws a fault for a request, or none. */
type Source = (entry: LedgerEntry) => FaultDefinition | undefined;

/** Makes an empty plan. */
export function createFaultPlan(): FaultPlan {
  const pen = createHoldingPen();
  let scripted: Scripted[] = [];
  let standing: Source[] = [];
  let chance: Source[] = [];
  const drawScripted: Source = (entry) => {
    const drawn = drawFirst(scripted, entry);
    scripted = scripted.filter(({ remaining }) => remaining > 0);
    return drawn;
  };
  return {
    next(fault, { times = 1, ...match } = {}) {
      scripted.push({ source: always(fault, match), remaining: times });
    },
    always: (fault, match = {}) => void standing.push(always(fault, match)),
    random: (faults) => void chance.push(byChance(faults)),
    clear() {
      scripted = [];
      standing = [];
      chance = [];
    },
    draw(entry) {
      for (const source of [drawScripted, ...standing, ...chance]) {
        const fault = source(entry);
        if (fault !== undefined) return { kind: fault.kind, ...strikeOf(fault) };
      }
      return undefined;
    },
    hold: pen.hold,
    release: pen.release,
    get held() {
      return pen.held;
    },
  };
}

/** A fault that strikes a number of times. */
interface Scripted {
  readonly source: Source;
  remaining: number;
}

function drawFirst(scripted: readonly Scripted[], entry: LedgerEntry): FaultDefinition | undefined {
  for (const item of scripted) {
    const fault = item.source(entry);
    if (fault === undefined) continue;
    item.remaining -= 1;
    return fault;
  }
  return undefined;
}

function always(fault: Fault, match: FaultMatch): Source {
  const definition = defineFault(fault);
  // A misspelt kind should fail where it was written, not when it strikes.
  strikeOf(definition);
  return (entry) => (matches(definition, match, entry) ? definition : undefined);
}

function byChance({ rate, kinds, seed = 1, ...match }: RandomFaults): Source {
  const random = seededRandom(seed);
  const sources = kinds.map((kind) => always(kind, match));
  return (entry) => {
    const candidates = sources.flatMap((source) => source(entry) ?? []);
    if (candidates.length === 0 || random.fraction() >= rate) return undefined;
    return candidates[Math.floor(random.fraction() * candidates.length)];
  };
}

function matches(fault: FaultDefinition, match: FaultMatch, entry: LedgerEntry): boolean {
  const { endpoint = isApiFault(fault) ? 'api' : 'token', grantType, clientId, grantId } = match;
  return (
    entry.endpoint === endpoint &&
    (grantType === undefined || entry.grantType === grantType) &&
    (clientId === undefined || entry.clientId === clientId) &&
    (grantId === undefined || entry.grantId === grantId)
  );
}
