-- The database for the clients of scripts/soak: two models that always serve, from tables whose rows are inserted and
-- deleted, and models for everything else that is done to models.
\set ON_ERROR_STOP 1
CREATE EXTENSION mf_ext;
CREATE ROLE reader;
CREATE TABLE ratings AS
    SELECT (n % 1000)::integer AS user_id, ((n * 7919 + n / 1000) % 800)::integer AS item_id, (1 + n % 5)::real AS rating, n > 40000 AS passing
      FROM generate_series(1, 40000) n;
CREATE INDEX ON ratings (user_id);
CREATE INDEX ON ratings (user_id) WHERE passing;
CREATE TABLE clicks AS SELECT 'user ' || user_id AS who, md5(item_id::text)::uuid AS item, rating AS times, false AS passing FROM ratings WHERE user_id < 500;
CREATE INDEX ON clicks (who);
SELECT FROM mf_train('ratings', factors => 16, iterations => 2, options => '{"ranking_iterations": 2}');
SELECT FROM mf_train('clicks', user_column => 'who', item_column => 'item', rating_column => 'times', feedback => 'implicit', factors => 16, iterations => 2);

CREATE TABLE errors (at timestamptz DEFAULT clock_timestamp(), kind text, state text, message text);
-- Records an error instead of raising it. Changes of models by many sessions at once may fail with the errors that
-- allowed_errors lists.
CREATE PROCEDURE act(kind text, statement text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    INSERT INTO errors (kind, state, message) VALUES (act.kind, sqlstate, sqlerrm);
END $$;
CREATE TABLE allowed_errors (kind text, state text, message text);
INSERT INTO allowed_errors VALUES
    ('.*', '42704', 'model "(passing|renamed|job) \d+" does not exist'),
    ('.*', '42704', 'version \d+ of model .* does not exist'),
    ('.*', '42704', 'model ".*" has no version \d+'),
    ('rename', '42710', 'model ".*" (already )?exists( already)?'),
    ('job', '5[34]...', 'too many jobs.*'),
    ('.*', '40001', '.*'), ('.*', '40P01', 'deadlock detected'),
    ('drop', '55006|2BP01', 'version \d+ of model .* is live');

-- Checks that a list has the requested number of rows, none of which the user has seen.
CREATE FUNCTION check_list(listed bigint, wanted bigint, seen bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF listed <> wanted THEN RAISE EXCEPTION 'the list has % rows, not %', listed, wanted; END IF;
    IF seen > 0 THEN RAISE EXCEPTION 'the user has seen % rows of the list', seen; END IF;
END $$;

-- The dot product of 16 factors, quickly.
CREATE FUNCTION dot(a real[], b real[]) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    a[1]::float8 * b[1] + a[2]::float8 * b[2] + a[3]::float8 * b[3] + a[4]::float8 * b[4] + a[5]::float8 * b[5] + a[6]::float8 * b[6] +
    a[7]::float8 * b[7] + a[8]::float8 * b[8] + a[9]::float8 * b[9] + a[10]::float8 * b[10] + a[11]::float8 * b[11] + a[12]::float8 * b[12] +
    a[13]::float8 * b[13] + a[14]::float8 * b[14] + a[15]::float8 * b[15] + a[16]::float8 * b[16];

-- Checks every list of a model against every score: returns the number of trained users, and the number of wrong lists,
-- in which a score differs from the dot product, an item has been seen, or an unseen item is missing that scores more
-- than the last item of the list.
CREATE FUNCTION wrong_lists(wanted text, source regclass, user_column name, item_column name, OUT users bigint, OUT wrong bigint, OUT example text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($q$
        WITH live AS (SELECT model_id FROM mf_models WHERE model = %1$L AND live),
             users AS MATERIALIZED (SELECT user_id, ranking_factors AS factors FROM mf_user_factors WHERE model_id = (SELECT model_id FROM live)),
             items AS MATERIALIZED (SELECT item_id, ranking_factors AS factors FROM mf_item_factors WHERE model_id = (SELECT model_id FROM live)),
             seen AS MATERIALIZED (SELECT DISTINCT %3$I::text AS user_id, %4$I::text AS item_id FROM %2$s),
             scores AS MATERIALIZED (SELECT u.user_id, i.item_id, dot(u.factors, i.factors) AS score FROM users u, items i),
             lists AS MATERIALIZED (SELECT u.user_id, l.item_id, l.score, l.basis FROM users u, mf_recommend(u.user_id::text, 10, %1$L) l),
             bounds AS (SELECT user_id, min(score) AS least, count(*) AS listed FROM lists WHERE basis = 'trained' GROUP BY user_id),
             bad AS (SELECT l.user_id, 'score of ' || l.item_id AS why FROM lists l JOIN scores s USING (user_id, item_id)
                      WHERE l.basis = 'trained' AND abs(l.score - s.score) > 1e-5 + 1e-4 * abs(s.score)
                     UNION ALL SELECT user_id, 'seen ' || item_id FROM lists JOIN seen USING (user_id, item_id)
                     UNION ALL SELECT user_id, 'missing ' || s.item_id FROM scores s JOIN bounds b USING (user_id)
                      WHERE s.score > b.least + 1e-5 + 1e-4 * abs(s.score) AND NOT EXISTS (SELECT FROM seen e WHERE e.user_id = s.user_id AND e.item_id = s.item_id)
                        AND NOT EXISTS (SELECT FROM lists l WHERE l.user_id = s.user_id AND l.item_id = s.item_id)
                     UNION ALL SELECT user_id, 'only ' || listed FROM bounds WHERE listed <> 10)
        SELECT (SELECT count(*) FROM bounds), count(DISTINCT user_id), min(user_id || ': ' || why) FROM bad$q$, wanted, source, user_column, item_column)
       INTO users, wrong, example;
END $$;
