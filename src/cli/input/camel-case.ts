/** `client-secret-file` as its value is called: `clientSecretFile`. */
export function camelCase(option: string): string {
  return option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
