-- What is large is compressed by lz4 where the server was built with it, and else by pglz as before: see docs/adr/0036. That is so
-- for values that are stored from now on. Partitions to come take it from their table. A method that somebody has chosen stays.
-- locks: access exclusive on strategy_execution_log, request, request_template, dead_letter
-- accepted: it changes the catalog only, and locks no other tables than the line above says
DO $$
DECLARE
    large record;
BEGIN
    -- Asked first: a server that does not know the setting, before PostgreSQL 14, does not know the column of the catalog either.
    IF NOT EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        RETURN;
    END IF;
    FOR large IN
        SELECT part.oid::regclass AS name, attname
        FROM (VALUES
            ('strategy_execution_log', ARRAY['trace', 'input']),
            ('request', ARRAY['response_body']),
            ('request_template', ARRAY['body']),
            ('dead_letter', ARRAY['payload'])
        ) AS ours (name, columns)
        CROSS JOIN LATERAL (
            SELECT to_regclass(ours.name) AS oid UNION SELECT relid FROM pg_partition_tree(to_regclass(ours.name))
        ) AS part
        JOIN pg_class ON pg_class.oid = part.oid AND relkind IN ('r', 'p')
        JOIN pg_attribute ON attrelid = part.oid AND attname = ANY (columns) AND attcompression = ''
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET COMPRESSION lz4', large.name, large.attname);
    END LOOP;
END $$;
