-- mf_report: a self-contained page that is well-formed for any names, and shows only what the caller may see.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT xmlparse(document '<a/>')$$) = 'no error' AS available LIMIT 1 \gset
\if :available
\else
\echo SKIP: the server has no XML to check the page with
\quit
\endif

CREATE ROLE regress_mf_owner;
CREATE ROLE regress_mf_app;
GRANT CREATE ON SCHEMA test TO regress_mf_owner;
SET ROLE regress_mf_owner;
CREATE TABLE "rating<s>&""" AS SELECT user_id, item_id, rating::real AS rating FROM planted(120, 80);
CREATE INDEX ON "rating<s>&""" (user_id);
CREATE FUNCTION page(m text DEFAULT NULL) RETURNS xml LANGUAGE sql AS $$ SELECT xmlparse(document mf_report(m)) $$;
-- The text of all elements that a path finds.
CREATE FUNCTION found(path text, page xml) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT array_to_string(xpath('.//text()', node), '') FROM unnest(xpath(path, page)) AS node
$$;
-- The value beside or below a name.
CREATE FUNCTION fact(name text, page xml) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(f, '; ') FROM found(format('//tr[th="%1$s"]/td | //div[dt="%1$s"]/dd', name), page) AS f
$$;
SELECT version FROM mf_train('"rating<s>&"""', 'shop', factors => 2, test_fraction => 0.2);
SELECT version FROM mf_train('"rating<s>&"""', 'shop', factors => 3, test_fraction => 0.2, options => '{"weight_slope": 0.5}');

-- Well-formed; facts are those of mf_models.
CREATE TABLE explicit AS SELECT page('shop');
SELECT f.title FROM explicit, found('/html/head/title', page) AS f (title);
SELECT fact('model', page), fact('live version', page), fact('owner', page), fact('source', page), fact('type of user ids', page),
       fact('feedback', page), fact('algorithm', page) FROM explicit;
SELECT fact('users', page) = users::text AS users, fact('items', page) = items::text AS items,
       replace(fact('interactions', page), ',', '') = ratings::text AS interactions,
       abs(rtrim(fact('density', page), '%')::numeric - 100.0 * ratings / (users * items)) < 0.01 AS density,
       fact('trained at', page) = to_char(trained_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS trained_at,
       abs(split_part(fact('held-out NDCG@10', page), '; ', 1)::float8 - (metrics->>'test_ndcg')::float8) < 0.0001 AS test_ndcg,
       fact('factors', page) AS factors, fact('weight_slope', page) AS weight_slope,
       fact('storage', page) AS storage, fact('held-out rows', page) = to_char((metrics->>'test_ratings')::integer, 'FM9,999') AS held_out
  FROM explicit, mf_models WHERE live;
-- A row per version, the live one first and marked.
SELECT f FROM explicit, found('//tr[th="version"]/following-sibling::tr/td[1]', page) AS f;
-- No fraction in the tables has more than four significant digits.
SELECT count(*) FROM explicit, found('//td', page) AS f WHERE f ~ '\.0*[1-9][0-9]{4}';
-- The items with most interactions, with the neighbours that mf_similar_items finds.
SELECT string_agg(f, ',') = (SELECT string_agg(item_id, ',' ORDER BY place)
                               FROM (SELECT item_id::text, row_number() OVER (ORDER BY interactions DESC, item_id::text COLLATE "C") AS place
                                       FROM mf_item_factors JOIN mf_models USING (model_id) WHERE live) AS ranked WHERE place <= 5) AS items
  FROM explicit, found('//h3', page) AS f;
SELECT count(*) AS neighbours, bool_and(cells[1] = item_id::text AND abs(cells[2]::float8 - similarity) < 0.0002) AS same
  FROM explicit, unnest(xpath('//div[@class="card"]', page)) AS card, found('/div/h3', card) AS item,
       mf_similar_items(item::integer, 3, 'shop') WITH ORDINALITY AS s (item_id, similarity, place),
       LATERAL (SELECT ARRAY(SELECT found(format('//tr[%s]/td', place), card)) AS cells) AS x;
-- What each iteration reached is kept, and drawn; that of the ranking factors before the users were solved exactly.
SELECT jsonb_array_length(c -> 'ranking' -> 'loss') >= (metrics ->> 'ranking_iterations')::integer AS ranking_losses,
       jsonb_array_length(c -> 'rating' -> 'test_rmse') = jsonb_array_length(c -> 'rating' -> 'loss') AS rating_metrics,
       c -> 'rating' -> 'test_rmse' -> ((metrics ->> 'iterations')::integer - 1) = metrics -> 'test_rmse' AS rmse,
       abs((c -> 'ranking' -> 'test_ndcg' ->> ((metrics ->> 'ranking_iterations')::integer - 1))::float8 - (metrics ->> 'test_ndcg')::float8) < 0.02 AS ndcg
  FROM mf_models, LATERAL (SELECT parameters -> 'curves' AS c) AS x WHERE live;
SELECT count(*) FILTER (WHERE split_part(f, ': ', 1) <> 'iteration ' || n OR abs(split_part(f, ': ', 2)::float8 - value::float8) > 0.0001) AS wrong,
       count(*) > 3 AS points
  FROM explicit, mf_models, jsonb_array_elements_text(parameters -> 'curves' -> 'ranking' -> 'test_ndcg') WITH ORDINALITY AS c (value, n)
       LEFT JOIN LATERAL (SELECT f FROM explicit, found(format('//figure[figcaption="Held-out NDCG@10 of the ranking factors"]//circle[%s]', n), page) AS f) AS x ON true
 WHERE live;
SELECT count(*) AS points, min(f) LIKE 'training run 1: %' AND max(f) LIKE 'training run 2: %' AS both_versions
  FROM explicit, found('//figure[figcaption="Held-out NDCG@10 by training run"]//circle', page) AS f;
BEGIN;
SELECT FROM mf_drop_model('shop', 1);
SELECT count(*) AS kept FROM found('//figure[figcaption="Held-out NDCG@10 by training run"]//circle', page('shop'));
ROLLBACK;
-- The baselines and the coverage, as mf_models has them.
SELECT abs(fact('by popularity alone', page)::float8 - (metrics ->> 'test_popularity_ndcg')::float8) < 0.0001 AS popularity,
       abs(fact('by biases alone', page)::float8 - (metrics ->> 'test_bias_rmse')::float8) < 0.0005 AS biases,
       abs(split_part(fact('coverage by these lists', page), '%', 1)::float8 / 100 - (metrics ->> 'test_coverage')::float8) < 0.0001 AS coverage,
       (metrics ->> 'test_popularity_ndcg')::float8 < (metrics ->> 'test_ndcg')::float8 AS better_lists,
       (metrics ->> 'test_bias_rmse')::float8 > (metrics ->> 'test_rmse')::float8 AS better_ratings
  FROM explicit, mf_models WHERE live;
-- All plots, each with a title and labels of both axes.
SELECT f FROM explicit, found('//figcaption[not(starts-with(., "Concentration"))]', page) AS f;
SELECT count(*) AS plots, bool_and(labels >= 2) AS labelled, bool_and(bars > 0 OR lines = 1) AS drawn
  FROM explicit, unnest(xpath('//svg', page)) AS svg,
       LATERAL (SELECT cardinality(xpath('//text[not(../line/@x1 = @x)]', svg)) AS labels, cardinality(xpath('//rect', svg)) AS bars,
                       cardinality(xpath('//polyline', svg)) AS lines) AS x;
-- Every bar is right: powers of two, and bins of biases that hold everybody.
SELECT string_agg(f, ', ') = (SELECT string_agg(format('%s to %s: %s', 1 << b, (2 << b) - 1, n), ', ' ORDER BY b)
                                FROM (SELECT floor(log(2, interactions))::integer AS b, count(*) AS n
                                        FROM mf_user_factors JOIN mf_models USING (model_id) WHERE live GROUP BY 1) AS bars) AS users_right
  FROM explicit, found('//figure[figcaption="Interactions per user"]//rect', page) AS f;
SELECT sum(split_part(f, ': ', 2)::integer) FROM explicit, found('//figure[figcaption="Interactions per item"]//rect', page) AS f;
SELECT sum(split_part(f, ': ', 2)::integer) FROM explicit, found('//figure[figcaption="Rating biases of users"]//rect', page) AS f;
SELECT count(*) FILTER (WHERE bar[3]::integer <> n) AS wrong, count(*) BETWEEN 10 AND 40 AS bars
  FROM explicit, found('//figure[figcaption="Rating biases of items"]//rect', page) AS f, regexp_match(f, '(.*) to (.*): (.*)') AS bar,
       LATERAL (SELECT count(*) AS n FROM mf_item_factors JOIN mf_models USING (model_id) WHERE live AND rating_bias >= bar[1]::float8 AND rating_bias < bar[2]::float8) AS x;
SELECT sum(split_part(f, ': ', 2)::integer) FROM explicit, found('//figure[figcaption="Rating biases of items"]//rect', page) AS f;
SELECT (regexp_match(f, '10% have ([0-9.]+)%'))[1]::float8 - 100 * share BETWEEN -0.01 AND 0.01 AS concentration
  FROM explicit, found('//figcaption[starts-with(., "Concentration")]', page) AS f,
       (SELECT sum(interactions) FILTER (WHERE place <= 8) / sum(interactions)::float8 AS share
          FROM (SELECT interactions, row_number() OVER (ORDER BY interactions DESC) AS place
                  FROM mf_item_factors JOIN mf_models USING (model_id) WHERE live) AS ranked) AS expected;

-- Nothing to run or to load, ASCII only, and small.
SELECT report ~* '<script|<link|<img|<iframe|https?:|url\(|@import|javascript' AS loads, report ~ '[^\n -~]' AS beyond_ascii,
       length(report) < 50000 AS small FROM mf_report('shop') AS report;
-- The same text for all settings of a session.
SET extra_float_digits = -10;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SET search_path = public, test;
CREATE TEMP TABLE other AS SELECT mf_report('shop') AS report;
RESET extra_float_digits;
RESET timezone;
RESET datestyle;
SET search_path = test, public;
SELECT count(*) FROM other WHERE report = mf_report('shop');

-- Implicit feedback; the name is markup, and more.
SELECT mf_drop_model('shop');
SELECT items FROM mf_train('"rating<s>&"""', '<script>&"''</title>' || U&'\00E9\+01F600' || chr(1), feedback => 'implicit', factors => 3);
CREATE TABLE implicit AS SELECT page();
SELECT f.title = 'Model &lt;script&gt;&amp;"''&lt;/title&gt;' || U&'\00E9\+01F600\FFFD' AS named FROM implicit, found('/html/head/title', page) AS f (title);
SELECT count(*) FROM implicit, found('//script', page);
SELECT fact('feedback', page) FROM implicit;
SELECT f FROM implicit, found('//figcaption[contains(., "ranking factors")]', page) AS f;
-- Metrics that do not exist say why.
SELECT fact('held-out NDCG@10', page), fact('held-out RMSE', page), fact('training RMSE', page) FROM implicit;
SELECT f FROM implicit, found('//p', page) AS f WHERE f LIKE 'No rows%';
-- The name is a literal of SQL in the example.
SELECT f FROM implicit, found('//code', page) AS f;
SELECT sum(split_part(f, ': ', 2)::integer)
  FROM implicit, found('//figure[figcaption="Norms of the ranking factors of items"]//rect', page) AS f;

-- Ids of items are markup as well, and long ones are cut.
CREATE TABLE marked AS
    SELECT user_id, CASE item_id WHEN 1 THEN repeat(U&'\00E9', 300) ELSE '</td><script>"&'' ' || item_id END AS item_id, rating::real AS rating
      FROM planted(30, 5);
CREATE INDEX ON marked (user_id);
SELECT items FROM mf_train('marked', feedback => 'implicit', factors => 2);
SELECT count(*) AS scripts FROM found('//script', page('marked'));
SELECT f FROM found('//h3', page('marked')) AS f ORDER BY f COLLATE "C";
SELECT mf_drop_model('marked');

-- Degenerate: one user and one item; nobody, after the only user was forgotten; a source that is gone.
CREATE TABLE one AS SELECT 1 AS user_id, 1 AS item_id, 3.0::real AS rating;
CREATE INDEX ON one (user_id);
SELECT users FROM mf_train('one', factors => 2);
SELECT f FROM found('//rect', page('one')) AS f;
SELECT count(*) FROM mf_forget_user(1, 'one');
SELECT count(*) FROM found('//figure[figcaption="Interactions per user" or figcaption="Interactions per item"]', page('one'));
DROP TABLE one;
SELECT fact('source', page('one'));

-- Errors as of other functions, and rights: a grant is enough, and no right on the source is needed.
SELECT error_of($$SELECT mf_report('stop')$$);
SELECT error_of($$SELECT mf_report(NULL)$$);
SET ROLE regress_mf_app;
SELECT error_of($$SELECT mf_report('one')$$);
SELECT error_of($$SELECT mf_report(NULL)$$);
SET ROLE regress_mf_owner;
SELECT mf_grant('one', 'regress_mf_app');
SET ROLE regress_mf_app;
SELECT count(*) FROM mf_report(NULL) AS report WHERE report LIKE '%<td>regress_mf_owner</td>%';
SET ROLE regress_mf_owner;
SELECT mf_revoke('one', 'regress_mf_app');
SET ROLE regress_mf_app;
SELECT error_of($$SELECT mf_report('one')$$);
RESET ROLE;

-- A cancel ends it early, however many factors there are to read.
INSERT INTO mf_item_factor_data (model_id, item_id, interactions, ranking_factors, source_rows)
SELECT model_id, 'x' || i, 1, '{1}', 1 FROM mf_models, generate_series(1, 300000) AS i WHERE live AND model = 'one';
SELECT clock_timestamp() AS a \gset
SELECT length(mf_report('one')) > 0 AS whole;
SELECT clock_timestamp() AS b \gset
SELECT length(mf_report('one')) > 0 AS whole;
SELECT least(clock_timestamp() - :'b', :'b'::timestamptz - :'a') AS whole \gset
\set VERBOSITY sqlstate
SET statement_timeout = 10;
SELECT clock_timestamp() AS a \gset
SELECT mf_report('one');
SELECT clock_timestamp() AS b \gset
SELECT mf_report('one');
SELECT clock_timestamp() AS c \gset
SELECT mf_report('one');
SELECT least(clock_timestamp() - :'c', :'c'::timestamptz - :'b', :'b'::timestamptz - :'a') < 0.8 * :'whole'::interval AS early;
RESET statement_timeout;
\set VERBOSITY default
SELECT count(mf_drop_model(model)) FROM (SELECT DISTINCT model FROM mf_models) AS all_models;
DROP OWNED BY regress_mf_owner, regress_mf_app CASCADE;
DROP ROLE regress_mf_owner, regress_mf_app;
