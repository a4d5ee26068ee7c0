-- Models on all nodes: functions run where the rows are, and on whatever node a client calls them.
\getenv inputdir PG_ABS_SRCDIR
\set films :inputdir '/sql/include/films.sql'
\i :films
\set VERBOSITY terse
SET client_min_messages = warning;
-- The plan of a query, without the names of nodes and shards.
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line !~ '^ *Node: ' THEN RETURN NEXT regexp_replace(line, '_\d{6}', '_N', 'g'); END IF;
    END LOOP;
END $$;
SELECT version FROM mf_train('ratings');
-- Not without asking: a copy takes room on every node.
SELECT avg(mf_predict(user_id, item_id, 'ratings')) FROM ratings;
SELECT mf_distribute_model('ratings');

-- Citus computes it on the nodes that have the rows, and it is what the coordinator computes.
SELECT plan($$SELECT avg(mf_predict(user_id, item_id, 'ratings')) FROM ratings$$);
CREATE TEMP TABLE here AS SELECT user_id, item_id, rating FROM ratings;
CREATE TEMP TABLE predicted AS SELECT user_id, item_id, mf_predict(user_id, item_id, 'ratings') AS prediction FROM ratings;
SELECT count(*), max(abs(prediction - mf_predict(user_id, item_id, 'ratings'))) < 1e-4 AS same FROM (TABLE predicted ORDER BY user_id) AS p;
-- Lists of all users, made in one task for each shard, and stored beside the users.
CREATE TABLE lists (user_id bigint, item_id bigint, score real);
SELECT create_distributed_table('lists', 'user_id', colocate_with => 'ratings') \g /dev/null
SELECT plan($$INSERT INTO lists SELECT u.user_id, l.item_id, l.score FROM (SELECT user_id FROM ratings GROUP BY user_id) AS u, mf_recommend(u.user_id, 3, 'ratings') AS l$$);
INSERT INTO lists SELECT u.user_id, l.item_id, l.score FROM (SELECT user_id FROM ratings GROUP BY user_id) AS u, mf_recommend(u.user_id, 3, 'ratings') AS l;
SELECT count(*) AS rows, count(a.user_id) AS same, max(abs(a.score - l.score)) < 1e-5 AS same_scores FROM lists l LEFT JOIN mf_recommend_all(3, 'ratings') a USING (user_id, item_id);

-- On any node. A worker solves the users' factors from their rows, so that the basis is another, and the list the same.
SELECT item_id, round(predicted_rating::numeric, 2) AS predicted_rating, basis FROM mf_recommend(42, 3, 'ratings');
\c - - - :worker1
\set VERBOSITY terse
SELECT item_id, round(predicted_rating::numeric, 2) AS predicted_rating, basis FROM mf_recommend(42, 3, 'ratings');
SELECT item_id, round(predicted_rating::numeric, 2) AS predicted_rating, basis FROM mf_recommend(42, 3);
\c - - - :worker2
\set VERBOSITY terse
SELECT item_id, round(predicted_rating::numeric, 2) AS predicted_rating, basis FROM mf_recommend(42, 3, 'ratings');
SELECT item_id FROM mf_recommend(42, 3, 'ratings', candidates => ARRAY[1, 2, 3, 4, 6], exclude => ARRAY[6]);
SELECT item_id % 4 AS kind FROM mf_recommend_for(ARRAY[1, 5], n => 2, model => 'ratings');
SELECT bool_and(item_id % 4 = 2) AS kind FROM mf_similar_items(42, 10, 'ratings');
SELECT count(*) FROM mf_explain(42, 3, 100, 'ratings') HAVING count(*) = (SELECT count(*) FROM ratings WHERE user_id = 42);
SELECT count(*), count(DISTINCT user_id) FROM mf_recommend_all(3, 'ratings');
SELECT count(*) FROM mf_predictions(42, NULL, 'ratings');
-- Rows of this transaction are seen, and a new user is served.
BEGIN;
INSERT INTO ratings VALUES (5000, 1, 5), (5000, 5, 5), (5000, 9, 4);
SELECT bool_and(item_id % 4 = 1 AND item_id NOT IN (1, 5, 9)) AS kind, min(basis) FROM mf_recommend(5000, 5, 'ratings');
ROLLBACK;
SELECT min(basis) FROM mf_recommend(5000, 5, 'ratings');
-- Changes are for the coordinator.
\set VERBOSITY default
SELECT mf_grant('ratings', 'public');
\set VERBOSITY terse
SELECT mf_train('ratings');
SELECT mf_train_async('ratings');
SELECT mf_retrain_async('ratings');
SELECT mf_refresh_items('ratings');
SELECT mf_refresh_items_async('ratings');
SELECT mf_drop_model('ratings');
SELECT mf_set_live('ratings', 1);
SELECT mf_rename_model('ratings', 'other');
SELECT mf_forget_user(42, 'ratings');
SELECT mf_distribute_model('ratings');
SELECT mf_undistribute_model('ratings');
-- And so are the factors of users.
SELECT mf_similar_users(42, 3, 'ratings');
SELECT mf_report('ratings');
\set VERBOSITY default
SELECT mf_recommend(42, 3, 'none');

-- A new version is on all nodes with its commit.
\c - - - :coordinator
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE FUNCTION copies(OUT models text, OUT items bigint, OUT grants text) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT DISTINCT split_part(result, '|', 1), split_part(result, '|', 2)::bigint, split_part(result, '|', 3)
      FROM run_command_on_all_nodes($sql$
        SELECT concat_ws('|', (SELECT coalesce(string_agg(format('%s %s', model, version), ' ' ORDER BY model), '') FROM public.mf_model_copy),
                         (SELECT count(*) FROM public.mf_item_factor_copy),
                         (SELECT coalesce(string_agg(format('%s %s', model, grantee), ', ' ORDER BY model), '') FROM public.mf_grant_copy))$sql$) $$;
SELECT * FROM copies();
BEGIN;
SELECT version FROM mf_retrain('ratings');
ROLLBACK;
SELECT * FROM copies();
BEGIN;
SELECT version FROM mf_retrain('ratings');
\! psql -XAt -d citus_regression -p $MF_WORKER1 -c "SELECT version FROM mf_cache WHERE database = 'citus_regression'" -c "SELECT count(*) FROM mf_recommend(42, 3, 'ratings')"
COMMIT;
SELECT * FROM copies();
\! psql -XAt -d citus_regression -p $MF_WORKER1 -c "SELECT count(*) FROM mf_recommend(42, 3, 'ratings')" -c "SELECT max(version) FROM mf_cache WHERE database = 'citus_regression'"
SELECT mf_retrain_async('ratings') AS job \gset
DO $$ BEGIN FOR i IN 1..300 LOOP PERFORM pg_sleep(0.1); EXIT WHEN NOT EXISTS (SELECT FROM mf_jobs WHERE status IN ('queued', 'running')); END LOOP; END $$;
SELECT status, version, message FROM mf_jobs WHERE job_id = :job;
SELECT * FROM copies();
SELECT mf_set_live('ratings', 2);
SELECT * FROM copies();
INSERT INTO ratings SELECT u, 201, 5 FROM generate_series(2, 42, 4) u;
SELECT new_items FROM mf_refresh_items('ratings');
SELECT * FROM copies();
SELECT mf_rename_model('ratings', 'films');
SELECT mf_grant('films', 'public');
SELECT * FROM copies();
SELECT count(mf_predict(user_id, item_id, 'films')) FROM ratings;
SELECT mf_revoke('films', 'public');
SELECT mf_drop_model('films', 2);
SELECT * FROM copies();
SELECT mf_undistribute_model('films');
SELECT mf_undistribute_model('films');
SELECT * FROM copies();
SELECT version FROM mf_retrain('films');
SELECT * FROM copies();
SELECT mf_distribute_model('films');
SELECT mf_drop_model('films');
SELECT * FROM copies();

-- In the transaction itself, tasks see the copies if it has one connection to each node.
BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SELECT version FROM mf_train('ratings');
SELECT mf_distribute_model('ratings');
SELECT count(mf_predict(user_id, item_id, 'ratings')) FROM ratings;
ROLLBACK;
SELECT * FROM copies();

-- Sources of all kinds.
CREATE TABLE sources AS SELECT unnest(ARRAY['by_item', 'reference', 'parts', 'joined']) AS name;
SELECT s.name, t.version FROM sources s, mf_train(s.name::regclass, s.name) t;
SELECT mf_distribute_model(name) FROM sources;
SELECT count(mf_predict(user_id, item_id, 'parts')) FROM parts;
SELECT count(mf_predict(user_id, item_id, 'joined')) FROM joined;
SELECT count(mf_predict(user_id, item_id, 'reference')) FROM reference;
SELECT count(mf_predict(user_id, item_id, 'by_item')) FROM by_item WHERE item_id < 5;
SELECT s.name, item_id FROM sources s, mf_recommend(42, 1, s.name) ORDER BY s.name;
\c - - - :worker2
SELECT s.name, item_id FROM unnest(ARRAY['by_item', 'reference', 'parts', 'joined']) AS s (name), mf_recommend(42, 1, s.name) ORDER BY s.name;
\c - - - :coordinator
SET client_min_messages = warning;
-- What the nodes do not have, they cannot read.
CREATE TABLE alone AS SELECT * FROM ratings;
CREATE INDEX ON alone (user_id);
SELECT version FROM mf_train('alone');
SELECT mf_distribute_model('alone');
SELECT mf_distribute_model('none');
SELECT mf_distribute_model(NULL);
\set VERBOSITY terse
SELECT mf_train('alone', 'parts');
\set VERBOSITY default
SELECT version FROM mf_train('reference', 'parts');
SELECT create_reference_table('alone') \g /dev/null
SELECT mf_distribute_model('alone');
SELECT models FROM copies();

-- Features.
CREATE TABLE facts (item_id bigint PRIMARY KEY, kind text);
INSERT INTO facts SELECT i, 'kind ' || i % 4 FROM generate_series(1, 220) i;
CREATE TABLE people (user_id bigint PRIMARY KEY, likes text);
SELECT create_distributed_table('people', 'user_id', colocate_with => 'ratings') \g /dev/null
INSERT INTO people SELECT u, 'kind ' || u % 4 FROM generate_series(1, 1100) u;
SELECT version FROM mf_train('ratings', 'featured', options => '{"item_features": "facts", "user_features": "people"}');
SELECT mf_distribute_model('featured');
SELECT create_reference_table('facts') \g /dev/null
SELECT mf_distribute_model('featured');
SELECT count(*), bool_and(l.item_id % 4 = p.user_id % 4) AS kind, min(l.basis), max(l.basis) FROM people p, mf_recommend(p.user_id, 1, 'featured') l WHERE p.user_id > 1000;
\c - - - :worker1
SELECT bool_and(item_id % 4 = 2) AS kind, min(basis) FROM mf_recommend(1042, 5, 'featured');
SELECT feature FROM mf_explain_item(42, 1, 'featured');
\c - - - :coordinator
SET client_min_messages = warning;

-- The functions of a model can be distributed by the user: then a call runs where the user's rows are.
SELECT count(*) FROM mf_create_functions('featured', 'test', 'film_');
SELECT plan('SELECT avg(film_predict(user_id, item_id)) FROM ratings');
SELECT count(film_predict(user_id, item_id)) FROM ratings;
SELECT create_distributed_function('test.film_recommend(bigint,bigint,bigint[],bigint[],boolean,double precision)', 'user_id', colocate_with => 'ratings') \g /dev/null
SELECT film_recommend(42, 1) AS list \gset
SELECT :'list' LIKE '(1,%,fold-in)' AS on_its_node;
