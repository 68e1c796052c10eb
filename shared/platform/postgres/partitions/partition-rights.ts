import { Prisma, type Transaction } from '../database.ts';
import { quoteIdentifier } from '../schema.ts';

/**
 * Gives a partition that was made just now the owner of its table, and to everybody the rights that they have on that. Default
 * privileges do so only for what the owner makes; a superuser or a member of the owner may have made this one. Some of us name
 * partitions in their statements, such as an erasure.
 *
 * @param partition in our schema; made by the current user
 */
export async function takeAfterTable(transaction: Transaction, table: string, partition: string): Promise<void> {
  await giveToOwner(transaction, table, partition);
  await grantAlike(transaction, oidOfOurs(table), partition);
}

/**
 * Who has rights on the one has them on the other, too.
 *
 * @param source its object id
 * @param target a table in our schema
 */
export async function grantAlike(transaction: Transaction, source: Prisma.Sql, target: string): Promise<void> {
  const grants = await transaction.$queryRaw<{ rights: string; grantee: string }[]>(
    Prisma.sql`select string_agg(acl.privilege_type, ', ') as rights,
        case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as grantee
      from pg_class cross join aclexplode(relacl) as acl
      where pg_class.oid = ${source} and acl.grantee <> relowner group by acl.grantee`,
  );
  for (const { rights, grantee } of grants)
    await transaction.$executeRaw(Prisma.raw(`grant ${rights} on sluice.${quoteIdentifier(target)} to ${grantee}`));
}

/** If the owner may have tables here. */
async function giveToOwner(transaction: Transaction, table: string, name: string): Promise<void> {
  const [other] = await transaction.$queryRaw<{ owner: string }[]>`
    select quote_ident(pg_get_userbyid(relowner)) as owner from pg_class
    where oid = ${oidOfOurs(table)} and pg_get_userbyid(relowner) <> current_user
      and has_schema_privilege(relowner, relnamespace, 'create')`;
  if (other !== undefined)
    await transaction.$executeRaw(Prisma.raw(`alter table sluice.${quoteIdentifier(name)} owner to ${other.owner}`));
}

function oidOfOurs(table: string): Prisma.Sql {
  return Prisma.sql`(select pg_class.oid from pg_class where relname = ${table} and relnamespace = to_regnamespace('sluice'))`;
}
