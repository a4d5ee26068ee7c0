-- The planner's estimates for lists: as many rows as a call asks for, at a cost that grows with them.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE FUNCTION plan(query text, parameter text DEFAULT 'Plan Rows') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan->0->'Plan'->>parameter;
END $$;
SELECT call, plan('SELECT * FROM ' || call) AS rows
  FROM unnest(ARRAY['mf_recommend(1)', 'mf_recommend(1, 7)', 'mf_recommend(1, n => 250)', 'mf_recommend(1, 2 + 3)', 'mf_recommend(1, 0)',
                    'mf_recommend(1, NULL)', 'mf_recommend(1, -3)', 'mf_recommend(1, 2147483647)', $$mf_recommend('1'::text, 7)$$,
                    'mf_recommend(1, (random() * 20)::integer)', 'mf_recommend_for(ARRAY[1, 2], n => 12)', 'mf_similar_items(1, 20)',
                    'mf_similar_users(1, 20)', 'mf_explain_item(1, 20)', 'mf_recommend_all(20)', 'mf_recommend_all_text(5)']) WITH ORDINALITY AS calls (call, place)
 ORDER BY place;

-- A parameter whose value is known; one whose value is not.
PREPARE list (integer) AS SELECT * FROM mf_recommend(1, $1);
SET plan_cache_mode = force_custom_plan;
SELECT plan('EXECUTE list (33)') AS rows;
SET plan_cache_mode = force_generic_plan;
SELECT plan('EXECUTE list (33)') AS rows;

-- Lists for the rows of a table, and in a target list.
CREATE TABLE users AS SELECT u AS user_id FROM generate_series(1, 100) AS u;
ANALYZE users;
SELECT plan('SELECT * FROM users u, mf_recommend(u.user_id, 3)') AS rows, plan('SELECT mf_recommend(user_id, 3) FROM users') AS in_target_list;

-- A longer list costs more, and a list for all costs far more.
SELECT plan('SELECT * FROM mf_recommend(1, 10)', 'Total Cost') < plan('SELECT * FROM mf_recommend(1, 100)', 'Total Cost') AS longer,
       1000 * plan('SELECT * FROM mf_recommend(1, 10)', 'Total Cost') < plan('SELECT * FROM mf_recommend_all(10)', 'Total Cost') AS all_users;
