\set ECHO none
-- What the tests start with: an empty schema "test" in front of the search path, no models, and the ratings of a thousand
-- people who like one kind of films each, in tables that are distributed in every way. Nothing in here is printed.
\set QUIET on
\pset footer off
\getenv coordinator PGPORT
\getenv worker1 MF_WORKER1
\getenv worker2 MF_WORKER2
SET client_min_messages = warning;
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models \g /dev/null
DROP SCHEMA IF EXISTS test CASCADE;
CREATE SCHEMA test;
ALTER DATABASE :DBNAME SET search_path = test, public;
SET search_path = test, public;
SELECT format('ALTER DATABASE %I SET search_path = test, public', current_database()) AS set_path \gset
SELECT count(*) FROM run_command_on_workers(:'set_path') \g /dev/null
-- By the user, the best way: a user's rows are on one node.
CREATE TABLE ratings (user_id bigint, item_id bigint, rating real, at timestamptz NOT NULL DEFAULT '2025-01-01', PRIMARY KEY (user_id, item_id));
SELECT create_distributed_table('ratings', 'user_id', shard_count => 8) \g /dev/null
INSERT INTO ratings (user_id, item_id, rating)
SELECT u, i, CASE WHEN u % 4 = i % 4 THEN 5 ELSE 2 END
  FROM generate_series(1, 1000) u, generate_series(1, 200) i
 WHERE mf_fold(u, i, 100) < CASE WHEN u % 4 = i % 4 THEN 30 ELSE 6 END;
CREATE TABLE by_item (LIKE ratings INCLUDING DEFAULTS);
CREATE INDEX ON by_item (user_id);
SELECT create_distributed_table('by_item', 'item_id', shard_count => 8) \g /dev/null
INSERT INTO by_item SELECT * FROM ratings;
CREATE TABLE reference (LIKE ratings INCLUDING ALL);
SELECT create_reference_table('reference') \g /dev/null
INSERT INTO reference SELECT * FROM ratings;
-- Columnar partitions of the past, and a heap for what is new.
CREATE TABLE parts (user_id bigint, item_id bigint, rating real, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE parts_old PARTITION OF parts FOR VALUES FROM ('2000-01-01') TO ('2025-02-01') USING columnar;
CREATE TABLE parts_new PARTITION OF parts FOR VALUES FROM ('2025-02-01') TO ('2040-01-01');
CREATE INDEX ON parts (user_id);
SELECT create_distributed_table('parts', 'user_id', colocate_with => 'ratings') \g /dev/null
INSERT INTO parts SELECT user_id, item_id, rating, at + (item_id % 2) * interval '2 months' FROM ratings;
CREATE VIEW rated AS SELECT user_id, item_id, rating FROM ratings WHERE rating > 1;
CREATE VIEW joined AS SELECT r.user_id, r.item_id, r.rating FROM ratings r JOIN reference USING (user_id, item_id);
RESET client_min_messages;
\set ECHO all
