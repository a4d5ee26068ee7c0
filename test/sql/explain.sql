-- mf_explain: the items that a score comes from, each with its part.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real);
INSERT INTO ratings SELECT * FROM planted(60, 40);
CREATE INDEX ON ratings (user_id);
SELECT model FROM mf_train('ratings', factors => 8);
CREATE TABLE plays AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id, rating FROM ratings;
CREATE INDEX ON plays (user_id);
SELECT model FROM mf_train('plays', feedback => 'implicit', factors => 8);

-- All parts together are the score, whether the user's factors are stored or folded in, for explicit and implicit feedback.
CREATE VIEW sums AS
    SELECT u AS user_id, l.item_id, l.basis, l.score, sum(e.contribution) AS sum, count(*) AS parts
      FROM generate_series(1, 60) AS u, mf_recommend(u, 5, 'ratings') AS l, mf_explain(u, l.item_id, 1000, 'ratings') AS e GROUP BY 1, 2, 3, 4;
CREATE VIEW play_sums AS
    SELECT u AS user_id, l.item_id, l.basis, l.score, sum(e.contribution) AS sum, count(*) AS parts
      FROM (SELECT DISTINCT user_id FROM plays) AS p (u), mf_recommend(u, 5, 'plays') AS l, mf_explain(u, l.item_id, 1000, 'plays') AS e GROUP BY 1, 2, 3, 4;
SELECT basis, count(*), bool_and(abs(score - sum) < 1e-4) AS sums, bool_and(parts = (SELECT count(*) FROM ratings r WHERE r.user_id = s.user_id)) AS whole_history
  FROM sums AS s GROUP BY basis;
SELECT basis, count(*), bool_and(abs(score - sum) < 1e-4) AS sums FROM play_sums GROUP BY basis;
BEGIN;
INSERT INTO ratings SELECT u, 1 + u % 40, 5 FROM generate_series(1, 60) AS u;  -- some of them for the second time
INSERT INTO plays SELECT 'new', item_id, 1 FROM plays WHERE user_id = 'u7';
SELECT basis, count(*), bool_and(abs(score - sum) < 1e-4) AS sums, bool_and(parts = (SELECT count(DISTINCT item_id) FROM ratings r WHERE r.user_id = s.user_id)) AS whole_history
  FROM sums AS s GROUP BY basis;
SELECT basis, count(*), bool_and(abs(score - sum) < 1e-4) AS sums FROM play_sums GROUP BY basis ORDER BY basis;
ROLLBACK;

-- Greatest first; only items of the user; fewer where fewer are asked for. Items of one taste explain each other.
SELECT count(*), bool_and(contribution <= before IS NOT FALSE) AS in_order, bool_and(EXISTS (SELECT FROM ratings r WHERE r.user_id = 5 AND r.item_id = e.item_id)) AS own
  FROM (SELECT *, lag(contribution) OVER (ORDER BY place) AS before FROM mf_explain(5, 2, 4, 'ratings') WITH ORDINALITY AS e (item_id, contribution, place)) AS e;
SELECT bool_and(first.item_id % 4 = l.item_id % 4) AS same_taste
  FROM mf_recommend(5, 3, 'ratings') AS l, LATERAL (SELECT * FROM mf_explain(5, l.item_id, 1, 'ratings')) AS first;
-- Also of an item that the user has.
SELECT count(*) = (SELECT count(*) FROM ratings WHERE user_id = 5) AS own_items FROM ratings AS r, mf_explain(5, r.item_id, 1, 'ratings') WHERE r.user_id = 5;

-- Nothing to say: no history, unknown item, NULLs, nothing asked for.
SELECT count(*) FROM mf_explain(1000, 1, 10, 'ratings');
SELECT count(*) FROM mf_explain(5, 1000, 10, 'ratings');
SELECT count(*) FROM mf_explain(NULL::bigint, 1, 10, 'ratings');
SELECT count(*) FROM mf_explain(5, NULL, 10, 'ratings');
SELECT count(*) FROM mf_explain(5, 1, 0, 'ratings');
SELECT count(*) FROM mf_explain(5, 1, NULL, 'ratings');
SELECT count(*) FROM mf_explain('5'::text, '1'::text, 3, 'ratings');
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT mf_explain(5, 1, -1, 'ratings')$$);
SELECT error_of($$SELECT mf_explain(5, 1, 10, 'plays')$$);
SELECT error_of($$SELECT mf_explain('five'::text, '1'::text, 10, 'ratings')$$);
CREATE ROLE regress_mf_stranger;
SET ROLE regress_mf_stranger;
SELECT error_of($$SELECT mf_explain(5, 1, 10, 'ratings')$$);
RESET ROLE;
DROP ROLE regress_mf_stranger;
ALTER TABLE ratings RENAME COLUMN rating TO stars;
SELECT error_of($$SELECT mf_explain(5, 1, 10, 'ratings')$$);
