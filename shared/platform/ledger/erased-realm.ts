import { erasedRealmDigits } from '../../contracts/erasure-subject.ts';
import { unnamedRealm } from '../../contracts/ledger-header.ts';

const sha256 = (text: string): string => `sha256(convert_to(${text}, 'UTF8'))`;

/** Before this time, as SQL, somebody may have been erased. */
export const lastErasure = `coalesce((select max(erased_before) from sluice.subject_erasure), '-infinity')`;

/** Whether a realm was erased after a minute had begun, as SQL. */
export function isErasedRealm(realm: string, minuteAt: string): string {
  return `exists (select from sluice.subject_erasure as erasure where erasure.kind = 'realm'
    and erasure.erased_before >= ${minuteAt} and erasure.subject_hash = ${sha256(realm)})`;
}

/** What stands for a realm that was erased, as SQL: see erasedRealm. */
export function erasedRealmOf(realm: string): string {
  return `('${unnamedRealm}' || left(encode(${sha256(realm)}, 'hex'), ${erasedRealmDigits}))`;
}
