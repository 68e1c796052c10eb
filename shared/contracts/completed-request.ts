export const serviceTiers = ['auto', 'default', 'flex', 'priority', 'background'] as const;
export type ServiceTier = (typeof serviceTiers)[number];

/** How a body is kept: as text, or as base64 if its bytes are not text that PostgreSQL can store. */
export const bodyEncodings = ['utf8', 'base64'] as const;
export type BodyEncoding = (typeof bodyEncodings)[number];

/** Limits that keep every record storable. Indexed values may have at most 2,704 bytes: see executionLimits. */
export const requestLimits = {
  identifierChars: 512,
  endpointChars: 2_048,
  notesChars: 1_024,
} as const;
