-- Arguments that nobody would write: options and search spaces of random JSON, ids and names of random text, histories
-- with odd ids. Each call succeeds or ends in an error of a class that says what is wrong; the random numbers are the
-- same every time.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned

CREATE TABLE ratings AS SELECT user_id, item_id, rating, now() + user_id * interval '1 s' AS at FROM planted(12, 10, 2);
CREATE INDEX ON ratings (user_id);
CREATE TABLE words AS SELECT 'u' || user_id AS user_id, md5(item_id::text)::uuid AS item_id, rating FROM ratings;
CREATE INDEX ON words (user_id);
SET mf_ext.max_threads = 1;
SET client_min_messages = error;
SET log_min_messages = error;
SET statement_timeout = '30s';
SELECT users, items FROM mf_train('ratings', factors => 2, iterations => 1);
SELECT users, items FROM mf_train('words', factors => 2, iterations => 1, feedback => 'implicit');

-- The n-th of a series of draws, as one of the numbers from 0 to below - 1.
CREATE FUNCTION draw(n integer, below integer, series integer) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN mf_fold(n, series, below, 12);

-- JSON whose members are mostly known, with values that mostly are not.
CREATE FUNCTION some_value(n integer, depth integer DEFAULT 0) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN
    RETURN CASE draw(n, CASE WHEN depth > 2 THEN 20 ELSE 26 END, 100 + depth)
        WHEN 0 THEN '1' WHEN 1 THEN '2' WHEN 2 THEN '0' WHEN 3 THEN '-1' WHEN 4 THEN '0.5' WHEN 5 THEN '1e-9'
        WHEN 6 THEN '1e300' WHEN 7 THEN '-1e400' WHEN 8 THEN '2147483648' WHEN 9 THEN '9223372036854775808'
        WHEN 10 THEN 'null' WHEN 11 THEN 'true' WHEN 12 THEN '""' WHEN 13 THEN '"mean"' WHEN 14 THEN '"last"'
        WHEN 15 THEN '"at"' WHEN 16 THEN '"cholesky"' WHEN 17 THEN to_json(repeat('é', draw(n, 3000, 7)))::text
        WHEN 18 THEN '"\"; DROP TABLE ratings; %s %n"' WHEN 19 THEN '1.0000000000000000000000000000000000000001'
        WHEN 20 THEN '[]' WHEN 21 THEN '{}' WHEN 22 THEN '[1, 2]'
        ELSE CASE WHEN depth > 2 THEN '3'
                  WHEN draw(n, 2, 9) = 0 THEN format('[%s, %s]', some_value(n + 1, depth + 1), some_value(n + 2, depth + 1))
                  ELSE format('{"%s": %s, "%s": %s}', (ARRAY['min', 'max', 'scale', 'a', 'min', ''])[1 + draw(n, 6, 10)], some_value(n + 3, depth + 1),
                              (ARRAY['max', 'min', 'scale', 'log', 'max', 'max'])[1 + draw(n, 6, 11)], some_value(n + 4, depth + 1)) END END; END$$;
CREATE FUNCTION some_key(n integer, series integer) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN (ARRAY['factors', 'iterations', 'regularization', 'regularization_exponent', 'bias_regularization', 'ranking_iterations',
                  'ranking_regularization', 'ranking_regularization_exponent', 'unobserved_weight', 'weight_slope', 'duplicates', 'solver',
                  'time_column', 'trials', 'no such option', '', repeat('key', 400), 'é'])[1 + draw(n, 18, series)];
CREATE FUNCTION some_object(n integer) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN CASE draw(n, 12, 1)
        WHEN 0 THEN some_value(n)
        WHEN 1 THEN format('{%s: %s, %s: %s}', to_json(some_key(n, 2)), some_value(n), to_json(some_key(n, 3)), some_value(n + 50000))
        ELSE format('{%s: %s}', to_json(some_key(n, 2)), some_value(n)) END::jsonb;
-- Text of odd bytes: signs, spaces, other alphabets, other ways to write an id.
CREATE FUNCTION some_text(n integer) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE draw(n, 20, 4)
        WHEN 0 THEN '' WHEN 1 THEN ' 1' WHEN 2 THEN '+1' WHEN 3 THEN '007' WHEN 4 THEN '-0' WHEN 5 THEN '9223372036854775807'
        WHEN 6 THEN '-9223372036854775808' WHEN 7 THEN '9223372036854775808' WHEN 8 THEN '1e1' WHEN 9 THEN '0x1' WHEN 10 THEN repeat('9', 5000)
        WHEN 11 THEN md5('1')::uuid::text WHEN 12 THEN upper(md5('1')) WHEN 13 THEN '{' || md5('1')::uuid || '}' WHEN 14 THEN left(md5('1')::uuid::text, 35)
        WHEN 15 THEN 'u1' WHEN 16 THEN repeat('é', 500) WHEN 17 THEN chr(1) || chr(127) || chr(160) || chr(65533) WHEN 18 THEN '1' ELSE draw(n, 14, 5)::text END;

-- The SQLSTATE that a statement ends in; what it did is undone.
CREATE FUNCTION state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'MF000';
EXCEPTION
    WHEN SQLSTATE 'MF000' THEN RETURN '00000';
    WHEN OTHERS THEN RETURN sqlstate || ' ' || sqlerrm;
END $$;
CREATE TABLE tried (kind text, statement text, state text);

INSERT INTO tried SELECT 'options, ' || feedback, statement, state_of(statement)
  FROM (VALUES ('explicit'), ('implicit')) AS f (feedback), generate_series(1, 1500) n,
       LATERAL (SELECT format('SELECT * FROM mf_train(''ratings'', ''fuzzed'', feedback => %L, factors => 2, iterations => 1, options => %L)',
                              feedback, some_object(n))) AS s (statement);
INSERT INTO tried SELECT 'search spaces', statement, state_of(statement)
  FROM generate_series(1, 1000) n,
       LATERAL (SELECT format('SELECT * FROM mf_tune(''ratings'', feedback => %L, search => %L, factors => 2, iterations => 1, options => ''{"trials": 2}'')',
                              (ARRAY['explicit', 'implicit'])[1 + n % 2],
                              some_object(n + 1000) || CASE n % 7 WHEN 0 THEN jsonb '{"factors": [1, 2]}' ELSE '{}' END)) AS s (statement);
INSERT INTO tried SELECT 'arguments', statement, state_of(statement)
  FROM generate_series(1, 1000) n,
       LATERAL (SELECT format('SELECT * FROM %s(%L, %s => %s, factors => 2)',
                              (ARRAY['mf_train', 'mf_estimate', 'mf_cross_validate'])[1 + draw(n, 3, 20)],
                              (ARRAY['ratings', 'words', 'pg_class'])[1 + draw(n, 3, 21)],
                              (ARRAY['model', 'user_column', 'item_column', 'rating_column', 'feedback', 'algorithm', 'iterations', 'regularization',
                                     'test_fraction', 'seed'])[1 + draw(n, 10, 22)],
                              CASE WHEN draw(n, 2, 23) = 0 THEN (ARRAY['NULL', '-1', '0', '1', '2147483647', '''NaN''', '''Infinity''', '0.5'])[1 + draw(n, 8, 24)]
                                   ELSE quote_literal(some_text(n)) END)) AS s (statement);
-- Every overload with every kind of id, of one type and, as text, of the other model's.
INSERT INTO tried SELECT 'ids', statement, state_of(statement)
  FROM generate_series(1, 600) n, (VALUES ('ratings'), ('words'), ('no such model')) AS m (model),
       unnest(ARRAY['mf_recommend(%1$s, %3$s, %4$L)', 'mf_predict(%1$s, %2$s, %4$L)', 'mf_predictions(%1$s, ARRAY[%2$s], %4$L)', 'mf_explain(%1$s, %2$s, %3$s, %4$L)',
                    'mf_similar_items(%2$s, %3$s, %4$L)', 'mf_similar_users(%1$s, %3$s, %4$L)', 'mf_recommend_for(ARRAY[%2$s, NULL], ARRAY[1, %3$s], %3$s, %4$L)',
                    'mf_recommend(%1$s, %3$s, %4$L, candidates => ARRAY[%2$s], exclude => ARRAY[[%2$s], [%1$s]])',
                    'mf_forget_user(%1$s, %4$L)', 'mf_fold(%1$s, %2$s, %3$s)']) WITH ORDINALITY AS c (call, number),
       LATERAL (SELECT (ARRAY['text', 'text', 'bigint', 'uuid', 'integer'])[1 + draw(n, 5, 30)]) AS t (type),
       LATERAL (SELECT CASE WHEN draw(n, 15, 31) = 0 THEN 'NULL::' || type
                            WHEN type = 'text' THEN quote_literal(some_text(n * 10 + number::integer)) || '::text'
                            WHEN type = 'uuid' THEN quote_literal(md5(draw(n, 20, 32)::text)) || '::uuid'
                            ELSE format('(%s)::%s', (ARRAY['0', '1', '-1', '7', '2147483647', '-2147483648'])[1 + draw(n, 6, 33)], type) END,
                       (ARRAY['0', '1', '-1', '5', '2147483647', 'NULL'])[1 + draw(n, 6, 34)]) AS a (id, count),
       LATERAL (SELECT format('SELECT * FROM ' || call, id, id, count, model)) AS s (statement)
 WHERE (n + number) % 3 = 0;
-- Histories: rows after the training run, with ids and ratings that no training run has seen. (A text id that no index can
-- hold is refused while the row is written.)
CREATE TABLE history AS SELECT user_id::text, item_id::text, rating::real FROM ratings;
SELECT users FROM mf_train('history', factors => 2, iterations => 1);
INSERT INTO history SELECT '1', some_text(n), (ARRAY['NaN', 'Infinity', '-Infinity', '1e38', '-3', '0', NULL, '1e-45'])[1 + n % 8]::real FROM generate_series(1, 60) n;
INSERT INTO history SELECT some_text(n), some_text(n + 1), 3 FROM generate_series(1, 60) n;
INSERT INTO tried SELECT 'histories', statement, state_of(statement)
  FROM (SELECT DISTINCT user_id FROM history) AS u,
       unnest(ARRAY['mf_recommend(%1$L::text, 5, ''history'')', 'mf_predict(%1$L::text, ''3''::text, ''history'')', 'mf_explain(%1$L::text, ''3''::text, 5, ''history'')']) AS call,
       LATERAL (SELECT format('SELECT * FROM ' || call, user_id)) AS s (statement);
INSERT INTO tried SELECT 'histories', statement, state_of(statement)
  FROM unnest(ARRAY['SELECT * FROM mf_recommend_all_text(3, ''history'')', 'SELECT * FROM mf_evaluate(''history'', ''history'')',
                    'SELECT * FROM mf_train(''history'')', 'SELECT * FROM mf_train(''history'', feedback => ''implicit'', rating_column => NULL)']) AS statement;

-- Errors of no allowed class.
SELECT kind, left(state, 150), left(statement, 300) FROM tried
 WHERE state !~ '^(00000|22...|42...|54...|3F...|0A000)' OR state ~ '^42883' AND kind NOT IN ('ids', 'arguments') ORDER BY kind, statement LIMIT 50;
-- Each kind succeeded and failed.
SELECT kind, count(*) > 70, count(*) FILTER (WHERE state = '00000') > 0, count(*) FILTER (WHERE state <> '00000') > 0 FROM tried GROUP BY kind ORDER BY kind;
-- Nothing was left behind.
SELECT model, count(*) FROM mf_models GROUP BY model ORDER BY model;
SELECT count(*) FROM mf_progress;
