/** A place in a syntax tree, as far as it is looked at here. */
interface Place {
  readonly node: Node;
  readonly key: string | number | null | undefined;
  readonly parent?: Node | null | undefined;
}

interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Leaves out calls of `#failpoints` and what is reached under sabotage alone: the published code holds neither. */
export const testOnlyCode = {
  shouldIgnore({ node, key, parent }: Place): string | undefined {
    const isTestOnly =
      isCall(node) || (key === 'consequent' && isCall((parent as Node | null)?.['test']));
    return isTestOnly ? 'not in the published code' : undefined;
  },
};

function isCall(value: unknown): boolean {
  const node = value as Node | null | undefined;
  if (node?.type === 'UnaryExpression') return isCall(node['argument']);
  if (node?.type !== 'CallExpression') return false;
  const callee = node['callee'] as Node;
  return callee['name'] === 'sabotaged' || callee['name'] === 'failpoint';
}
