import type { z } from 'zod';

/** A shape of data that others may rely on, published as `schemas/<name>.json`. */
export interface Contract {
  /** in kebab-case */
  name: string;
  title: string;
  /** `major.minor`, see README.md */
  version: `${number}.${number}`;
  description: string;
  schema: z.ZodType;
  /** descriptions of fields whose schema has none */
  fields?: Readonly<Record<string, string>>;
  examples: readonly unknown[];
  /** what is refused, by what is wrong with it */
  counterExamples: Readonly<Record<string, unknown>>;
}
