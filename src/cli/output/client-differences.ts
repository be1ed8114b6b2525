import type { ClientStatus } from '../../keeper-api.ts';
import { optionNameOf } from './option-names.ts';

/** Enough of an id to tell two registrations apart. */
const ID_LENGTH = 8;

/**
 * What sets a registration apart from those of the same client id, provider and token endpoint, in the words of the options; undefined where there is no
 * other.
 */
export function differenceOf(
  client: ClientStatus,
  all: readonly ClientStatus[],
): string | undefined {
  const alike = all.filter((other) => isAlike(client, other));
  if (alike.length < 2) return undefined;
  const facts = alike.map(factsOf);
  const own = factsOf(client).filter((fact) => !facts.every((others) => others.includes(fact)));
  const isOnly = facts.filter((others) => own.every((fact) => others.includes(fact))).length === 1;
  return [...new Set(own), ...(isOnly ? [] : [`id ${client.id.slice(0, ID_LENGTH)}`])].join(', ');
}

function isAlike(one: ClientStatus, other: ClientStatus): boolean {
  return (
    one.clientId === other.clientId &&
    one.provider === other.provider &&
    one.tokenEndpoint === other.tokenEndpoint
  );
}

function factsOf({ authentication, overrides }: ClientStatus): readonly string[] {
  return [
    `--client-auth ${authentication}`,
    ...Object.entries(overrides).map(([member, value]) => factOf(member, value)),
  ];
}

function factOf(member: string, value: string | number | boolean): string {
  if (member.endsWith('Ms')) return `${optionNameOf(member)} ${durationOf(Number(value))}`;
  return value === true ? optionNameOf(member) : `${optionNameOf(member)} ${String(value)}`;
}

/** As it can be written to the option. */
function durationOf(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const [unit, length] = units.find(([, step]) => ms % step === 0) ?? ['ms', 1];
  return `${String(ms / length)}${unit}`;
}
