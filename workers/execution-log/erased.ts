/**
 * Whether an execution is of a user or a realm that was erased after it was recorded, as SQL. Without an erasure, and for
 * what was recorded after the last one, it is one comparison: nothing is hashed, and nothing looked up.
 *
 * @param record the alias of the records; their fields are named as in the contract
 */
export function isErased(record: string): string {
  const sha256 = (field: string): string => `sha256(convert_to(${record}."${field}", 'UTF8'))`;
  const latest = `coalesce((select max(erased_before) from sluice.subject_erasure), '-infinity')`;
  return `(${record}."recordedAt" <= ${latest} and exists (
    select from sluice.subject_erasure as erasure
    where erasure.erased_before >= ${record}."recordedAt" and (
      (erasure.kind = 'user' and erasure.subject_hash = ${sha256('externalUserId')})
      or (erasure.kind = 'realm' and erasure.subject_hash = ${sha256('realmId')}))))`;
}
