-- Ids that are too long, texts that are cut, too many jobs.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

-- A text that does not compress.
CREATE FUNCTION noise(seed int, bytes int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT left(string_agg(translate(encode(sha512((seed || ':' || i)::bytea), 'base64'), E'\n', ''), '' ORDER BY i), bytes)
    FROM generate_series(1, bytes / 80 + 1) AS i
$$;
CREATE TABLE long_ids (user_id text, item_id text, rating real);
CREATE INDEX ON long_ids USING hash (user_id);
-- The longest ids that can be stored are stored and served.
INSERT INTO long_ids SELECT noise(u, 2684), noise(-i, 2684), 1 + (u * i) % 5 FROM generate_series(1, 9) AS u, generate_series(1, 6) AS i WHERE (u + i) % 3 > 0;
SET client_min_messages = error;  -- no B-tree leads with the column
SELECT users, items FROM mf_train('long_ids', factors => 2);
SELECT count(*), min(basis), min(length(item_id)) FROM mf_recommend(noise(1, 2684), 2, 'long_ids');
SELECT count(*) > 0 AS lists FROM mf_recommend_all_text(1, 'long_ids');
-- One byte more is refused while reading, by its beginning, whether it would compress or not.
INSERT INTO long_ids VALUES (noise(1, 2685), 'item', 3);
SELECT error_of($$SELECT mf_train('long_ids')$$);
UPDATE long_ids SET user_id = 'user', item_id = repeat('é', 1343) WHERE item_id = 'item';
SELECT error_of($$SELECT mf_train('long_ids')$$);
DELETE FROM long_ids WHERE user_id = 'user';
SELECT users FROM mf_train('long_ids', factors => 2);
RESET client_min_messages;

-- A time that is no number.
CREATE TABLE timed (user_id integer, item_id integer, rating real, at float8);
CREATE INDEX ON timed (user_id);
INSERT INTO timed SELECT u, i, 3, u + i FROM generate_series(1, 5) AS u, generate_series(1, 4) AS i;
UPDATE timed SET at = 'NaN' WHERE user_id = 3 AND item_id = 2;
SELECT error_of($$SELECT mf_train('timed', options => '{"duplicates": "last", "time_column": "at"}')$$);

-- Messages are cut between characters: what arrives is text in the database's encoding, whatever its length.
CREATE FUNCTION cut(statement text) RETURNS TABLE (part text, bytes int, ends_whole boolean) LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT p, octet_length(t), convert_from(convert_to(t, 'UTF8'), 'UTF8') = t AND length(t) > 0
                 FROM (VALUES ('message', message), ('detail', detail), ('hint', hint)) AS v (p, t) WHERE octet_length(t) > 500;
END $$;
CREATE TABLE ratings AS SELECT user_id, item_id, rating FROM timed;
CREATE INDEX ON ratings (user_id);
SELECT * FROM generate_series(1997, 2000) AS n, cut(format($$SELECT mf_train('ratings', options => ('{"' || repeat('é', %s) || '":1}')::jsonb)$$, n));
SELECT * FROM generate_series(1998, 2000) AS n, cut(format($$SELECT mf_train('ratings', options => ('{"x' || repeat('€', %s) || '":1}')::jsonb)$$, n));
SELECT * FROM cut($$SELECT mf_recommend_all(1, repeat('ü', 3000))$$);
-- A name that the cache of another database shows, in 127 bytes.
SELECT model = repeat('é', 100) FROM mf_train('ratings', repeat('é', 100), factors => 2);
SELECT count(*) FROM mf_recommend(1, 2, repeat('é', 100));
SELECT length(model), octet_length(model) FROM mf_cache WHERE model LIKE 'éé%';

-- Jobs of a role that wait or run are bounded. In one transaction, none of them begins.
CREATE ROLE regress_mf_jobs;
GRANT CREATE ON SCHEMA test TO regress_mf_jobs;
SET mf_ext.max_jobs = 2;
BEGIN;
SELECT mf_train_async('ratings') > 0;
SELECT mf_train_async('ratings') > 0;
SAVEPOINT before;
SELECT mf_train_async('ratings');
ROLLBACK TO before;
SELECT count(*) FROM mf_jobs WHERE status = 'queued';
SET LOCAL ROLE regress_mf_jobs;
CREATE TABLE own AS SELECT u AS user_id, i AS item_id, 1.0::real AS rating FROM generate_series(1, 5) AS u, generate_series(1, 4) AS i WHERE u <> i;
CREATE INDEX ON own (user_id);
SELECT mf_train_async('own') > 0 AS another_role;
SET mf_ext.max_jobs = 1000;
ROLLBACK;
SET ROLE regress_mf_jobs;
SELECT error_of('SET mf_ext.max_jobs = 1000');
RESET ROLE;
RESET mf_ext.max_jobs;
SELECT count(*) FROM mf_jobs;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
