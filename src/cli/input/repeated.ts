/** Collects the values of an option that may be given several times, as commander calls it for each. */
export function repeated(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}
