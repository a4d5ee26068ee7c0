-- mf_recommend: which rows, in which order, and where the user's vector comes from.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SELECT model FROM mf_train('ratings', factors => 8);

-- Exactly n rows while so many exist, best first, no item twice, none that the user has rated.
SELECT count(*), count(DISTINCT item_id), bool_and(score IS NOT NULL) AS scores, bool_and(predicted_rating BETWEEN 1 AND 5) AS ratings,
       string_agg(DISTINCT basis, ' ') AS basis
  FROM mf_recommend(5, 7);
SELECT count(*) FROM mf_recommend(5);
SELECT count(*) AS seen FROM mf_recommend(5, 40) JOIN ratings USING (item_id) WHERE user_id = 5;
SELECT count(*) = 40 - (SELECT count(*) FROM ratings WHERE user_id = 5) AS all_unseen FROM mf_recommend(5, 40);
SELECT bool_and(score <= previous OR previous IS NULL) AS best_first
  FROM (SELECT score, lag(score) OVER () AS previous FROM mf_recommend(5, 40)) AS list;
-- The beginning of a longer list is the shorter list.
SELECT count(*) FILTER (WHERE short.item_id IS DISTINCT FROM long.item_id) AS different
  FROM mf_recommend(5, 6) WITH ORDINALITY AS short (item_id, score, predicted_rating, basis, place)
  LEFT JOIN mf_recommend(5, 40) WITH ORDINALITY AS long (item_id, score, predicted_rating, basis, place) USING (place);

-- n: zero and NULL give nothing, a huge one gives all there is, a negative one is an error.
SELECT count(*) FROM mf_recommend(5, 0);
SELECT count(*) FROM mf_recommend(5, NULL);
SELECT count(*) FROM mf_recommend(5, 2147483647, exclude_seen => false);
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT * FROM mf_recommend(5, -1)$$);
SELECT error_of($$SELECT * FROM mf_recommend(5, -2147483648)$$);
SELECT error_of($$SELECT * FROM mf_recommend(NULL::integer, -1)$$);
\pset format aligned
\pset tuples_only off

-- A NULL user gives nothing; exclude_seen NULL means its default.
SELECT count(*) FROM mf_recommend(NULL::bigint);
SELECT count(*) = (SELECT count(*) FROM mf_recommend(5, 40)) AS default_of_exclude_seen FROM mf_recommend(5, 40, exclude_seen => NULL);

-- The list is what scoring every item in double precision gives, for every user. Items whose scores differ by less
-- than rounding may change places, so scores are compared place by place, and items unless they are tied.
CREATE VIEW scores AS
    SELECT u.user_id::integer AS u, i.item_id::integer AS i, sum(x.a::float8 * x.b::float8) AS score
      FROM mf_models AS m JOIN mf_user_factors AS u USING (model_id) JOIN mf_item_factors AS i USING (model_id),
           unnest(u.ranking_factors, i.ranking_factors) AS x (a, b)
     WHERE m.model = 'ratings' AND m.live
     GROUP BY u.user_id, i.item_id;
CREATE FUNCTION compare_lists(OUT rows_compared bigint, OUT wrong_scores bigint, OUT wrong_items bigint) LANGUAGE sql AS $$
    WITH brute AS MATERIALIZED (
        SELECT u, i, score, row_number() OVER (PARTITION BY u ORDER BY score DESC, i) AS place
          FROM scores WHERE NOT EXISTS (SELECT FROM ratings WHERE (user_id, item_id) = (u, i))),
    lists AS MATERIALIZED (
        SELECT u, l.item_id, l.score, l.place
          FROM generate_series(1, 60) AS u,
               mf_recommend(u, 40) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place))
    SELECT count(*), count(*) FILTER (WHERE lists.score IS NULL OR brute.score IS NULL OR abs(lists.score - brute.score) > 1e-5),
           count(*) FILTER (WHERE lists.item_id <> brute.i
                                  AND abs(brute.score - (SELECT score FROM scores WHERE (u, i) = (lists.u, lists.item_id))) > 1e-5)
      FROM brute FULL JOIN lists USING (u, place)
$$;
SELECT * FROM compare_lists();

-- A rating of this very transaction counts: its item goes, and the vector is solved from the new history. Rolled back,
-- the stored vector serves again; so it does after a rating was deleted and came back.
CREATE TEMP TABLE before AS SELECT * FROM mf_recommend(5, 40);
SELECT item_id AS best FROM before LIMIT 1 \gset
BEGIN;
INSERT INTO ratings VALUES (5, :best, 5);
SELECT string_agg(DISTINCT basis, ' ') AS basis, count(*) FILTER (WHERE item_id = :best) AS of_the_best,
       count(*) - (SELECT count(*) FROM before) AS rows_less
  FROM mf_recommend(5, 40);
SELECT count(*) > 0 AS scores_change FROM mf_recommend(5, 40) AS now JOIN before USING (item_id) WHERE now.score <> before.score;
ROLLBACK;
SELECT string_agg(DISTINCT basis, ' ') AS basis FROM mf_recommend(5, 40);
SELECT count(*) AS differences FROM (TABLE before EXCEPT SELECT * FROM mf_recommend(5, 40)) AS difference;
BEGIN;
DELETE FROM ratings WHERE user_id = 5 AND item_id = (SELECT min(item_id) FROM ratings WHERE user_id = 5) RETURNING item_id AS deleted, rating AS its_rating \gset
SELECT string_agg(DISTINCT basis, ' ') AS basis, count(*) FILTER (WHERE item_id = :deleted) AS of_the_deleted FROM mf_recommend(5, 40);
INSERT INTO ratings VALUES (5, :deleted, :its_rating);
SELECT string_agg(DISTINCT basis, ' ') AS basis FROM mf_recommend(5, 40);
SELECT count(*) AS differences FROM (TABLE before EXCEPT SELECT * FROM mf_recommend(5, 40)) AS difference;
-- Another rating of the same item is another history, though the same items are seen.
UPDATE ratings SET rating = CASE WHEN rating > 3 THEN 1 ELSE 5 END WHERE user_id = 5 AND item_id = :deleted;
SELECT string_agg(DISTINCT basis, ' ') AS basis, count(*) = (SELECT count(*) FROM before) AS as_many FROM mf_recommend(5, 40);
COMMIT;
UPDATE ratings SET rating = :its_rating WHERE user_id = 5 AND item_id = :deleted;
SELECT string_agg(DISTINCT basis, ' ') AS basis FROM mf_recommend(5, 40);

-- A savepoint too.
BEGIN;
SAVEPOINT s;
INSERT INTO ratings VALUES (5, :best, 5);
SELECT DISTINCT basis FROM mf_recommend(5);
ROLLBACK TO s;
SELECT DISTINCT basis FROM mf_recommend(5);
COMMIT;

-- Fold-in is the last step of a training run: a new user with the history of a trained one gets the same list.
INSERT INTO ratings SELECT 1000, item_id, rating FROM ratings WHERE user_id = 5;
SELECT string_agg(DISTINCT basis, ' ') AS basis, count(*) AS rows_compared,
       count(*) FILTER (WHERE old.item_id <> new.item_id OR abs(old.score - new.score) > 1e-5 * abs(old.score)
                              OR abs(old.predicted_rating - new.predicted_rating) > 1e-4) AS different
  FROM mf_recommend(1000, 40) WITH ORDINALITY AS new (item_id, score, predicted_rating, basis, place)
  FULL JOIN (SELECT item_id, score, predicted_rating, row_number() OVER () AS place FROM before) AS old USING (place);
-- And a new user of one group gets that group.
INSERT INTO ratings SELECT 1001, i, 5 FROM generate_series(2, 30, 4) AS i;
SELECT string_agg(DISTINCT basis, ' ') AS basis, count(*) FILTER (WHERE item_id % 4 = 2) AS of_the_group FROM mf_recommend(1001, 2);
SELECT min(predicted_rating) > 3.5 AS liked FROM mf_recommend(1001, 2);

-- Rows that say nothing of known items are no history: a user with none, an unknown item, NULLs.
INSERT INTO ratings VALUES (1002, 777, 5);
INSERT INTO ratings VALUES (1003, 1, NULL);
SELECT u, string_agg(DISTINCT basis, ' ') AS basis, count(*)
  FROM unnest(ARRAY[999, 1002, 1003, -1, 2147483647]) AS u, mf_recommend(u, 40) GROUP BY u ORDER BY u;
SELECT string_agg(DISTINCT basis, ' ') AS basis, count(*) FROM mf_recommend(9223372036854775807, 40);
-- An unknown item beside a known history makes it another history.
INSERT INTO ratings VALUES (6, 777, 5);
SELECT DISTINCT basis FROM mf_recommend(6, 3);
DELETE FROM ratings WHERE user_id > 60 OR item_id > 40;

-- Popular: most interactions in the training run first, ties by id; the number is the score. The rating is the mean and
-- the bias of the item. Arrays and n apply as usual; nothing is added to fill the list.
SELECT count(*) AS rows_compared, count(*) FILTER (WHERE l.item_id <> p.item_id OR l.score <> p.n OR l.basis <> 'popular') AS different
  FROM mf_recommend(999, 40) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)
  FULL JOIN (SELECT item_id, count(*) AS n, row_number() OVER (ORDER BY count(*) DESC, item_id) AS place
               FROM ratings GROUP BY item_id) AS p USING (place);
SELECT bool_and(predicted_rating BETWEEN 1 AND 5) AS in_range, count(DISTINCT predicted_rating) > 1 AS differ FROM mf_recommend(999, 40);
SELECT count(*) FROM mf_recommend(999, 4, candidates => ARRAY[3, 4, 5, 6, 7, 8], exclude => ARRAY[3, 8]);
SELECT array_agg(item_id ORDER BY item_id) AS items FROM mf_recommend(999, 10, candidates => ARRAY[3, 4, 5, 777], exclude => ARRAY[4]);

-- exclude_seen => false ranks what was seen among the rest.
SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM ratings AS r WHERE (r.user_id, r.item_id) = (5, l.item_id))) > 0 AS seen
  FROM mf_recommend(5, 40, exclude_seen => false) AS l;
SELECT count(*) AS differences
  FROM (SELECT item_id, score FROM mf_recommend(5, 40)
        EXCEPT SELECT item_id, score FROM mf_recommend(5, 40, exclude_seen => false)) AS difference;
SELECT DISTINCT basis FROM mf_recommend(5, 40, exclude_seen => false);

-- candidates: only these, best first; NULLs, unknown ids and repetitions are ignored; an empty list leaves nothing.
CREATE FUNCTION items_of(VARIADIC list bigint[]) RETURNS text LANGUAGE sql AS
    $$ SELECT coalesce(string_agg(x::text, ' ' ORDER BY x), 'none') FROM unnest(list) AS x $$;
SELECT items_of(VARIADIC array_agg(item_id)) FROM mf_recommend(5, 40, exclude_seen => false, candidates => ARRAY[7, 3, NULL, 3, 999, -4, 12]::bigint[]);
SELECT items_of(VARIADIC array_agg(item_id)) FROM mf_recommend(5, 2, exclude_seen => false, candidates => ARRAY[7]);
SELECT count(*) FROM mf_recommend(5, 40, candidates => '{}');
SELECT count(*) FROM mf_recommend(5, 40, candidates => ARRAY[NULL]::bigint[]);
SELECT count(*) FROM mf_recommend(5, 40, candidates => ARRAY[-1, 1000000]);
SELECT count(*) FROM mf_recommend(999, 40, candidates => '{}');
SELECT count(*) = (SELECT count(*) FROM mf_recommend(5, 40)) AS no_restriction FROM mf_recommend(5, 40, candidates => NULL);
SELECT items_of(VARIADIC array_agg(item_id)) FROM mf_recommend(5, 40, exclude_seen => false, candidates => '{{7, 3}, {12, 9}}');
-- Among candidates the order and the scores are those of the whole list, and seen ones stay away.
SELECT count(*) AS differences
  FROM (SELECT item_id, score FROM before WHERE item_id <= 20
        EXCEPT SELECT item_id, score FROM mf_recommend(5, 40, candidates => ARRAY(SELECT generate_series(1, 20)))) AS difference;
SELECT count(*) = (SELECT count(*) FROM before WHERE item_id <= 20) AS as_many FROM mf_recommend(5, 40, candidates => ARRAY(SELECT generate_series(1, 20)));

-- exclude: without these, otherwise the same; it wins over candidates.
SELECT count(*) AS differences
  FROM (SELECT item_id, score FROM before WHERE item_id NOT IN (1, 2, 3, 4, 5, 6)
        EXCEPT SELECT item_id, score FROM mf_recommend(5, 40, exclude => ARRAY[1, 2, NULL, 3, 4, 5, 6, 6, 999]::bigint[])) AS difference;
SELECT count(*) FROM mf_recommend(5, 40, exclude => ARRAY[1, 2, 3, 4, 5, 6]) WHERE item_id <= 6;
SELECT count(*) = (SELECT count(*) FROM before) AS nothing_excluded FROM mf_recommend(5, 40, exclude => '{}');
SELECT count(*) FROM mf_recommend(5, 40, exclude => ARRAY(SELECT generate_series(1, 40)));
SELECT items_of(VARIADIC array_agg(item_id)) FROM mf_recommend(5, 40, exclude_seen => false, candidates => ARRAY[1, 2, 3], exclude => ARRAY[2]);

-- Ties go by id, integers by value. Items 9, 10 and 100 have the same history, so they have the same factors.
CREATE TABLE tied (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO tied SELECT u, i, 5 FROM generate_series(1, 6) AS u, unnest(ARRAY[100, 10, 9, -5]) AS i;
INSERT INTO tied SELECT u, i, 1 FROM generate_series(7, 12) AS u, generate_series(200, 202) AS i;
SELECT model FROM mf_train('tied', factors => 2);
SELECT array_agg(item_id) AS items, count(DISTINCT score) AS scores FROM mf_recommend(1, 4, 'tied', exclude_seen => false);
SELECT array_agg(item_id) AS items, count(DISTINCT score) AS scores FROM mf_recommend(99, 10, 'tied');
CREATE TABLE tied_text AS SELECT user_id, item_id::text, rating FROM tied;
CREATE INDEX ON tied_text (user_id);
SELECT model FROM mf_train('tied_text', factors => 2);
SELECT array_agg(item_id) AS items FROM mf_recommend('1', 4, 'tied_text', exclude_seen => false);

-- A user for whom no item is left gets nothing.
INSERT INTO tied SELECT 1, i, 3 FROM generate_series(200, 202) AS i;
SELECT count(*) FROM mf_recommend(1, 4, 'tied');
SELECT count(*), string_agg(DISTINCT basis, ' ') AS basis FROM mf_recommend(1, 4, 'tied', exclude_seen => false);

-- In queries: joined, for many users at once, in subqueries, with LIMIT, in a function of SQL, prepared.
SELECT count(*), count(DISTINCT u.user_id) FROM (SELECT DISTINCT user_id FROM ratings) AS u, LATERAL mf_recommend(u.user_id, 3, 'ratings') AS r;
SELECT count(*) FROM ratings AS r WHERE item_id = 1 AND EXISTS (SELECT FROM mf_recommend(r.user_id, 40, 'ratings') AS l WHERE l.item_id = r.item_id);
SELECT count(*) FROM (SELECT * FROM mf_recommend(5, 40, 'ratings') LIMIT 3) AS first_three;
CREATE FUNCTION for_user(u integer) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$ SELECT item_id FROM mf_recommend(u, 3, 'ratings') $$;
SELECT count(*) FROM generate_series(1, 10) AS u, for_user(u);
PREPARE list(integer, integer) AS SELECT count(*) FROM mf_recommend($1, $2, 'ratings');
EXECUTE list(5, 3);
EXECUTE list(6, 4);
EXECUTE list(NULL, 4);
DEALLOCATE list;
SELECT (mf_recommend(5, 1, 'ratings')).basis;
BEGIN;
DECLARE c CURSOR FOR SELECT basis FROM mf_recommend(5, 10, 'ratings');
FETCH 1 FROM c;
CLOSE c;
COMMIT;

-- Two models side by side. An implicit one knows no ratings.
SELECT model FROM mf_train('ratings', 'seen', feedback => 'implicit', rating_column => NULL, factors => 8);
SELECT count(*), count(score) AS scores, count(predicted_rating) AS ratings, string_agg(DISTINCT basis, ' ') AS basis FROM mf_recommend(5, 5, 'seen');
SELECT count(*), count(predicted_rating) AS ratings, string_agg(DISTINCT basis, ' ') AS basis FROM mf_recommend(999, 5, 'seen');
SELECT count(*), count(predicted_rating) AS ratings FROM mf_recommend(5, 5, 'ratings');
-- For that one a rating's value is not part of the history.
BEGIN;
UPDATE ratings SET rating = 6 - rating WHERE user_id = 5;
SELECT DISTINCT basis FROM mf_recommend(5, 5, 'seen');
SELECT DISTINCT basis FROM mf_recommend(5, 5, 'ratings');
ROLLBACK;

-- After a retrain the changed history is the trained one.
INSERT INTO ratings VALUES (5, :best, 5);
SELECT DISTINCT basis FROM mf_recommend(5, 5, 'ratings');
SELECT version FROM mf_train('ratings', factors => 8);
SELECT DISTINCT basis FROM mf_recommend(5, 5, 'ratings');
SELECT mf_drop_model('seen'), mf_drop_model('tied'), mf_drop_model('tied_text');
-- Held-out rows belong to the history: the stored vectors are solved with them.
SELECT version FROM mf_train('ratings', factors => 8, test_fraction => 0.3);
SELECT u % 60 AS user_id, basis FROM generate_series(1, 60) AS u, mf_recommend(u, 1) WHERE basis <> 'trained';
SELECT * FROM compare_lists();
