import type { Provider } from './provider.ts';

/** A hundred years in milliseconds. What is longer is a slip, and an instant that comes of it could not be told. */
const MOST = 36_525 * 86_400_000;

type Numbered = readonly [name: string, value: unknown, least: number];

/**
 * What is wrong with the first number of a provider that cannot be used, by the name of its field; undefined when all can. Callers without types,
 * and JSON, hand in anything: a life that is text would be joined to an instant, not added.
 */
export function faultyNumber({ graceMs, idleLimitMs, dialect, api }: Provider): string | undefined {
  const fields: readonly Numbered[] = [
    ['graceMs', graceMs, 0],
    ['idleLimitMs', idleLimitMs, 1],
    ['dialect.defaultAccessLifeMs', dialect.defaultAccessLifeMs, 1],
  ];
  const members: readonly Numbered[] = [
    ...(dialect.throttleCodes ?? []).map((code): Numbered => ['dialect.throttleCodes', code, 0]),
    ...(api?.limits ?? []).flatMap(({ requests, windowMs }): readonly Numbered[] => [
      ['api.limits.requests', requests, 1],
      ['api.limits.windowMs', windowMs, 1],
    ]),
  ];
  const given = [...fields.filter(([, value]) => value !== undefined), ...members];
  for (const [name, value, least] of given) {
    if (typeof value === 'number' && value >= least && value <= MOST) continue;
    return `${name} must be a number from ${String(least)} to ${String(MOST)}`;
  }
  return undefined;
}
