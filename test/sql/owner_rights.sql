-- A model behaves like a view: the rights of its owner are checked, and code in the source runs as the caller. Each
-- part is tried by a role that owns a source and wants to act as the owner of a model on it.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE ROLE regress_mf_boss;
CREATE ROLE regress_mf_mallory;
CREATE ROLE regress_mf_third;
CREATE ROLE regress_mf_reader;
CREATE ROLE regress_mf_deputy IN ROLE regress_mf_boss;
GRANT CREATE ON SCHEMA test TO regress_mf_boss, regress_mf_mallory, regress_mf_third;

-- Code that tells as whom it runs, in a setting: that works in functions that may not write too.
CREATE FUNCTION note(role name) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF position(role || ' ' IN current_setting('test.ran_as', true)) = 0 THEN
        PERFORM set_config('test.ran_as', current_setting('test.ran_as') || role || ' ', false);
    END IF;
    RETURN true;
END $$;
CREATE FUNCTION ran_as(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('test.ran_as', '', false);
    EXECUTE call;
    RETURN rtrim(replace(current_setting('test.ran_as'), 'regress_mf_', ''));
END $$;
-- As whom the source of a model runs in each function that reads it; user 1 was trained on, 98 has rows since.
CREATE FUNCTION readers(model text) RETURNS TABLE (call text, ran_as text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH call IN ARRAY ARRAY['mf_recommend(1, 3, %L)', 'mf_recommend(98, 3, %L)', 'mf_predict(98, 1, %L)', 'mf_predictions(98, ARRAY[1], %L)',
                                'mf_recommend_all(3, %L)', 'mf_explain(98, 3, 3, %L)', 'mf_similar_users(98, 3, %L)', 'mf_evaluate(%L, ''tests'', 3)'] LOOP
        ran_as := test.ran_as('SELECT * FROM ' || format(call, model));
        call := split_part(call, '(', 1);
        RETURN NEXT;
    END LOOP;
END $$;
CREATE FUNCTION readers_of(model text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(DISTINCT coalesce(nullif(ran_as, ''), 'nobody'), ', ' ORDER BY coalesce(nullif(ran_as, ''), 'nobody')) FROM test.readers(model)
$$;

SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE FUNCTION evil(id integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM test.note(current_user); RETURN id; END $$;
CREATE FUNCTION evil_stable(id integer) RETURNS integer LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM test.note(current_user); RETURN id; END $$;
CREATE FUNCTION evil_immutable(id integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM test.note(current_user); RETURN id; END $$;
CREATE TABLE t (user_id integer, item_id integer, rating real);
CREATE INDEX ON t (user_id);
INSERT INTO t SELECT u, i, 1 + (u * i) % 5 FROM generate_series(1, 12) AS u, generate_series(1, 8) AS i WHERE (u + i) % 3 > 0;
CREATE TABLE tests AS SELECT 1 AS user_id, 2 AS item_id, 4::real AS rating;
GRANT SELECT ON t, tests TO PUBLIC;
CREATE VIEW v AS SELECT user_id, item_id, rating FROM t;
GRANT SELECT ON v TO PUBLIC;
RESET SESSION AUTHORIZATION;

-- The worst that could happen: a superuser trains on the view of another role and grants the model.
SELECT model FROM mf_train('v', 'of a superuser', factors => 2);
SELECT mf_grant('of a superuser', 'regress_mf_mallory');
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE FUNCTION take_over(id integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test.note(current_user);
    IF current_user <> 'regress_mf_mallory' THEN
        EXECUTE 'ALTER ROLE regress_mf_mallory SUPERUSER';
    END IF;
    RETURN id;
END $$;
CREATE OR REPLACE VIEW v AS SELECT user_id, take_over(item_id) AS item_id, rating FROM t;
INSERT INTO t SELECT 98, i, 5 FROM generate_series(1, 3) AS i;
SELECT * FROM readers('of a superuser');
SELECT count(*) FROM mf_recommend(5, 3, 'of a superuser');
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_mf_mallory';
-- The superuser who calls runs it as a query on the view would run it; here that shows that the caller is meant.
RESET SESSION AUTHORIZATION;
CREATE OR REPLACE FUNCTION take_over(id integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM test.note(current_user); RETURN id; END $$;
SELECT ran_as($$SELECT * FROM mf_recommend(5, 3, 'of a superuser')$$) = current_user AS caller;
SELECT ran_as($$SELECT * FROM v$$) = current_user AS caller;
SELECT mf_drop_model('of a superuser');

-- Each kind of code, in the source of a model of another role.
DELETE FROM t WHERE user_id = 98;
SET SESSION AUTHORIZATION regress_mf_boss;
SELECT model FROM mf_train('v', 'boss', factors => 2);
SELECT mf_grant('boss', 'public');
SET SESSION AUTHORIZATION regress_mf_mallory;
INSERT INTO t SELECT 98, i, 5 FROM generate_series(1, 3) AS i;
CREATE OR REPLACE VIEW v AS SELECT user_id, item_id, rating FROM t;
SELECT readers_of('boss') AS nothing_to_run;
CREATE OR REPLACE VIEW v AS SELECT user_id, evil(item_id) AS item_id, rating FROM t;
SELECT readers_of('boss') AS volatile;
CREATE OR REPLACE VIEW v AS SELECT user_id, evil_stable(item_id) AS item_id, rating FROM t;
SELECT readers_of('boss') AS stable;
CREATE OR REPLACE VIEW v AS SELECT user_id, evil_immutable(item_id) AS item_id, rating FROM t;
SELECT readers_of('boss') AS immutable;
CREATE OR REPLACE VIEW v AS SELECT user_id, item_id, rating FROM t WHERE evil_immutable(1) = 1;
SELECT readers_of('boss') AS while_planning;
CREATE OR REPLACE VIEW v AS SELECT user_id, item_id, rating FROM t WHERE user_id = (SELECT evil_stable(user_id));
SELECT readers_of('boss') AS in_a_subquery;
CREATE OR REPLACE VIEW v WITH (security_barrier) AS SELECT user_id, item_id, rating FROM t WHERE evil(user_id) > 0;
SELECT readers_of('boss') AS security_barrier;
CREATE DOMAIN evil_id AS integer CHECK (evil(VALUE) > 0);
CREATE OR REPLACE VIEW v AS SELECT user_id, (item_id::evil_id)::integer AS item_id, rating FROM t;
SELECT readers_of('boss') AS check_of_a_domain;
CREATE OR REPLACE VIEW v AS SELECT user_id, item_id, rating FROM t;
-- Only one more plan has to be made to run it.
CREATE INDEX t_evil ON t ((evil_immutable(1)));
SELECT readers_of('boss') AS expression_of_an_index;
DROP INDEX t_evil;

-- A refresh of items by who may manage the model, but is not its owner.
CREATE FUNCTION refreshers(model text) RETURNS text LANGUAGE sql AS $$
    SELECT test.ran_as(format('INSERT INTO test.t SELECT u, 1000 + nextval(''test.item''), 5 FROM generate_series(1, 5) u; SELECT * FROM mf_refresh_items(%L)', model))
$$;
CREATE SEQUENCE item;
GRANT ALL ON t, item TO regress_mf_deputy;
SET SESSION AUTHORIZATION regress_mf_deputy;
SELECT refreshers('boss') AS nothing_to_run, (SELECT refreshed_items FROM mf_models WHERE model = 'boss');
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE OR REPLACE VIEW v AS SELECT evil(user_id) AS user_id, evil_stable(item_id) AS item_id, rating FROM t WHERE evil_immutable(1) = 1;
SET SESSION AUTHORIZATION regress_mf_deputy;
SELECT refreshers('boss') AS in_a_view, (SELECT refreshed_items FROM mf_models WHERE model = 'boss');
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE OR REPLACE VIEW v AS SELECT user_id, item_id, rating FROM t;
CREATE INDEX t_evil ON t ((evil_immutable(1)));
SET SESSION AUTHORIZATION regress_mf_deputy;
SELECT refreshers('boss') AS expression_of_an_index;
SET SESSION AUTHORIZATION regress_mf_mallory;
DROP INDEX t_evil;
DELETE FROM t WHERE item_id > 1000;

-- A view in between, of a third role that has other rights.
SET SESSION AUTHORIZATION regress_mf_third;
CREATE FUNCTION third_code(id integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM test.note(current_user); RETURN id; END $$;
CREATE VIEW third AS SELECT user_id, third_code(item_id) AS item_id, rating FROM t;
GRANT SELECT ON third TO regress_mf_mallory;
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE OR REPLACE VIEW v AS SELECT user_id, evil(item_id) AS item_id, rating FROM third;
SELECT readers_of('boss') AS nested;
SET SESSION AUTHORIZATION regress_mf_boss;
SELECT readers_of('boss') AS nested;
SET SESSION AUTHORIZATION regress_mf_reader;
SELECT readers_of('boss') AS nested;
-- A view reads its tables with its owner's rights, as usual: neither the caller's nor those of the model's owner.
SET SESSION AUTHORIZATION regress_mf_boss;
CREATE TABLE secret AS SELECT * FROM t;
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE OR REPLACE VIEW v AS SELECT user_id, item_id, rating FROM secret;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'boss')$$);
SET SESSION AUTHORIZATION regress_mf_boss;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'boss')$$);

-- A view with security_invoker is read with the rights of whoever calls, as it would be from another view.
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE OR REPLACE VIEW v WITH (security_invoker) AS SELECT user_id, evil(item_id) AS item_id, rating FROM t;
SELECT readers_of('boss') AS security_invoker;
CREATE OR REPLACE VIEW v WITH (security_invoker) AS SELECT user_id, item_id, rating FROM secret;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'boss')$$);
SET SESSION AUTHORIZATION regress_mf_boss;
SELECT count(*) FROM mf_recommend(1, 3, 'boss');
SET SESSION AUTHORIZATION regress_mf_mallory;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'boss')$$);
-- In one session that has changed its role, the plan is each time that of the role.
RESET SESSION AUTHORIZATION;
SET ROLE regress_mf_boss;
SELECT count(*) FROM mf_recommend(1, 3, 'boss');
SET ROLE regress_mf_mallory;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'boss')$$);
RESET ROLE;

-- A cast of the id's type.
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE TYPE mood AS ENUM ('low', 'middle', 'high', 'never');
CREATE FUNCTION mood_text(mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM test.note(current_user);
    RETURN CASE $1 WHEN 'low' THEN 'l' WHEN 'middle' THEN 'm' ELSE 'h' END;
END $$;
CREATE CAST (mood AS text) WITH FUNCTION mood_text(mood);
CREATE TABLE moods AS SELECT u AS user_id, m AS item_id, 1::real + u % 3 AS rating FROM generate_series(1, 9) AS u, unnest('{low,middle,high}'::mood[]) AS m;
CREATE INDEX ON moods (user_id);
GRANT SELECT ON moods TO PUBLIC;
SET SESSION AUTHORIZATION regress_mf_boss;
SELECT model, items FROM mf_train('moods', factors => 1);
SELECT mf_grant('moods', 'public');
SET SESSION AUTHORIZATION regress_mf_mallory;
SELECT ran_as($$SELECT * FROM mf_recommend('1', 3, 'moods', false)$$), ran_as($$SELECT * FROM mf_recommend_all_text(3, 'moods')$$);

-- A policy: the rights and policies are those of the model's owner, what is in them runs as the caller.
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE TABLE guarded (shop text, user_id integer, item_id integer, rating real);
INSERT INTO guarded SELECT 'boss', * FROM t;
INSERT INTO guarded SELECT 'reader', user_id, item_id + 100, rating FROM t;
CREATE INDEX ON guarded (user_id);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY boss ON guarded TO regress_mf_boss USING (shop = 'boss' AND evil(user_id) > 0);
CREATE POLICY reader ON guarded TO regress_mf_reader USING (shop = 'reader');
GRANT SELECT ON guarded TO regress_mf_boss, regress_mf_reader;
SET SESSION AUTHORIZATION regress_mf_boss;
SELECT items FROM mf_train('guarded', factors => 2);
SELECT mf_grant('guarded', 'public');
SELECT min(basis), count(*), max(item_id) FROM mf_recommend(1, 100, 'guarded', false);
SET SESSION AUTHORIZATION regress_mf_mallory;
INSERT INTO guarded VALUES ('boss', 98, 1, 5), ('boss', 98, 3, 5);
SELECT readers_of('guarded') AS policy;
SELECT min(basis), count(*), max(item_id) FROM mf_recommend(1, 100, 'guarded', false);
SET SESSION AUTHORIZATION regress_mf_reader;
SELECT readers_of('guarded') AS policy;
SELECT min(basis), count(*), max(item_id) FROM mf_recommend(1, 100, 'guarded', false);
-- One session and several roles: the histories are those of the owner's policies for each of them.
RESET SESSION AUTHORIZATION;
SELECT min(basis), count(*) FROM mf_recommend(1, 100, 'guarded');
SET ROLE regress_mf_reader;
SELECT min(basis), count(*) FROM mf_recommend(1, 100, 'guarded');
SET ROLE regress_mf_boss;
SELECT min(basis), count(*) FROM mf_recommend(1, 100, 'guarded');
SET ROLE regress_mf_mallory;
SELECT min(basis), count(*) FROM mf_recommend(1, 100, 'guarded');
RESET ROLE;

-- A model that was handed over is checked for its new owner from then on, in sessions that have it in memory too.
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE OR REPLACE VIEW v WITH (security_invoker = false) AS SELECT user_id, evil(item_id) AS item_id, rating FROM t;
SELECT model FROM mf_train('v', 'handed over', factors => 2);
SELECT count(*) FROM mf_recommend(1, 3, 'handed over');
RESET SESSION AUTHORIZATION;
REVOKE SELECT ON v FROM PUBLIC;
SET ROLE regress_mf_mallory;
SELECT count(*) FROM mf_recommend(1, 3, 'handed over');
RESET ROLE;
SELECT mf_set_owner('handed over', 'regress_mf_boss');
SELECT mf_grant('handed over', 'regress_mf_mallory');
SET ROLE regress_mf_mallory;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'handed over')$$);
GRANT SELECT ON v TO regress_mf_boss;
SELECT readers_of('handed over');
RESET ROLE;

-- What has to go on: who was granted a model and has no right on its source gets lists, even without USAGE of the
-- schema, and whenever the query is analysed anew.
CREATE SCHEMA regress_mf_hidden AUTHORIZATION regress_mf_boss;
SET SESSION AUTHORIZATION regress_mf_boss;
CREATE TABLE regress_mf_hidden.ratings AS SELECT user_id, item_id, rating FROM test.t WHERE user_id < 98;
CREATE INDEX ON regress_mf_hidden.ratings (user_id);
ALTER TABLE regress_mf_hidden.ratings ENABLE ROW LEVEL SECURITY;
CREATE VIEW regress_mf_hidden.view AS SELECT user_id, item_id, rating FROM regress_mf_hidden.ratings;
SELECT model FROM mf_train('regress_mf_hidden.ratings', 'hidden', factors => 2);
SELECT model FROM mf_train('regress_mf_hidden.view', 'hidden view', factors => 2);
SELECT mf_grant(model, 'regress_mf_reader') FROM unnest(ARRAY['hidden', 'hidden view']) AS model;
SET SESSION AUTHORIZATION regress_mf_reader;
SELECT error_of('SELECT * FROM regress_mf_hidden.ratings');
SELECT min(basis), count(*) FROM mf_recommend(1, 8, 'hidden');
SELECT min(basis), count(*) FROM mf_recommend(1, 8, 'hidden view');
SELECT count(*) > 0 AS lists FROM mf_recommend_all(3, 'hidden');
SELECT count(*) > 0 AS lists FROM mf_recommend_all(3, 'hidden view');
-- The path is part of what a plan is kept for.
SET search_path = public, test;
SELECT min(basis), count(*) FROM mf_recommend(1, 8, 'hidden');
RESET SESSION AUTHORIZATION;
SET search_path = test, public;
ALTER TABLE regress_mf_hidden.ratings ADD note text;
SET ROLE regress_mf_reader;
SELECT min(basis), count(*) FROM mf_recommend(1, 8, 'hidden');
RESET ROLE;
ALTER SCHEMA regress_mf_hidden RENAME TO regress_mf_renamed;
CREATE SCHEMA regress_mf_hidden;
CREATE TABLE regress_mf_hidden.ratings (user_id integer, item_id integer, rating real);
SET ROLE regress_mf_reader;
SELECT min(basis), count(*) FROM mf_recommend(1, 8, 'hidden');
SELECT min(basis), count(*) FROM mf_recommend(1, 8, 'hidden view');
RESET ROLE;
-- Rights on columns are enough, and no column more is needed.
SET SESSION AUTHORIZATION regress_mf_mallory;
CREATE TABLE columns AS SELECT user_id, item_id, rating, 'x' AS other FROM t;
CREATE INDEX ON columns (user_id);
GRANT SELECT (user_id, item_id, rating) ON columns TO regress_mf_boss;
SET SESSION AUTHORIZATION regress_mf_boss;
SELECT model FROM mf_train('columns', factors => 2);
SELECT mf_grant('columns', 'regress_mf_reader');
SET SESSION AUTHORIZATION regress_mf_reader;
SELECT min(basis) FROM mf_recommend(1, 3, 'columns');
SET SESSION AUTHORIZATION regress_mf_mallory;
REVOKE SELECT (rating) ON columns FROM regress_mf_boss;
SET SESSION AUTHORIZATION regress_mf_reader;
SELECT error_of($$SELECT * FROM mf_recommend(1, 3, 'columns')$$);
SELECT error_of($$SELECT * FROM mf_recommend_all(3, 'columns')$$);
SELECT current_user;
RESET SESSION AUTHORIZATION;

-- A source that asks for recommendations of its own model, and changes its owner meanwhile.
CREATE TABLE asking (user_id integer, item_id integer, rating real);
INSERT INTO asking SELECT * FROM t WHERE user_id < 98;
CREATE INDEX ON asking (user_id);
CREATE FUNCTION ask(id integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.depth', true) = '1' THEN
        PERFORM set_config('test.depth', '2', false);
        PERFORM mf_set_owner('asking', 'regress_mf_boss');
        PERFORM count(*) FROM mf_recommend(1, 3, 'asking');
    END IF;
    RETURN id;
END $$;
CREATE VIEW asking_view AS SELECT user_id, ask(item_id) AS item_id, rating FROM asking;
SELECT model FROM mf_train('asking_view', 'asking', factors => 2);
SET test.depth = 1;
SELECT error_of($$SELECT count(*) FROM mf_recommend(1, 3, 'asking')$$);
GRANT SELECT ON asking_view TO regress_mf_boss;
SET test.depth = 1;
SELECT count(*) FROM mf_recommend(1, 3, 'asking');
SELECT count(*) FROM mf_recommend(1, 3, 'asking');

SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
SET client_min_messages = warning;
DROP SCHEMA regress_mf_hidden, regress_mf_renamed CASCADE;
DROP OWNED BY regress_mf_boss, regress_mf_mallory, regress_mf_third, regress_mf_reader CASCADE;
DROP ROLE regress_mf_boss, regress_mf_mallory, regress_mf_third, regress_mf_reader;
