-- mf_recommend_for: a list for somebody who has these items, without a user id.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings (user_id integer, item_id integer, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings SELECT * FROM planted(60, 40);
SELECT model FROM mf_train('ratings', factors => 8);

-- A user's own history in the basket gives the user's own list, whatever the order of the items.
CREATE VIEW history AS
    SELECT array_agg(item_id::bigint ORDER BY mf_fold(item_id, 1, 1000)) AS items, array_agg(rating ORDER BY mf_fold(item_id, 1, 1000)) AS ratings
      FROM ratings WHERE user_id = 5;
SELECT (SELECT array_agg((item_id, score, predicted_rating)) FROM history, mf_recommend_for(items, ratings, 12))
     = (SELECT array_agg((item_id, score, predicted_rating)) FROM mf_recommend(5, 12)) AS same_list;
SELECT DISTINCT basis FROM history, mf_recommend_for(items, ratings, 12);

-- Without ratings the items count alike for the list, and the predicted ratings are those for somebody unknown.
SELECT count(*), count(DISTINCT item_id), bool_and(item_id % 4 = 1) AS of_their_group, bool_and(basis = 'fold-in') AS fold_in
  FROM mf_recommend_for(ARRAY[1, 5, 9, 13]::bigint[], n => 3);
SELECT bool_and(predicted_rating = (SELECT predicted_rating FROM mf_recommend_for(ARRAY[]::bigint[], n => 40) AS anybody WHERE anybody.item_id = list.item_id)) AS ratings_of_anybody
  FROM mf_recommend_for(ARRAY[1, 5, 9, 13], n => 30) AS list;
SELECT count(*) AS differences
  FROM (SELECT item_id, score FROM mf_recommend_for(ARRAY[1, 5, 9], ARRAY[NULL, NULL, NULL]::real[], 20)
        EXCEPT SELECT item_id, score FROM mf_recommend_for(ARRAY[1, 5, 9], n => 20)) AS d;

-- The basket's items are never in the list; NULLs and unknown ids in it are ignored; repeated ones are merged.
SELECT count(*) AS in_the_basket FROM mf_recommend_for(ARRAY[1, 5, 9], n => 40) WHERE item_id IN (1, 5, 9);
SELECT count(*) FROM mf_recommend_for(ARRAY[1, 5, 9], n => 40);
SELECT count(*) AS differences
  FROM (SELECT * FROM mf_recommend_for(ARRAY[1, NULL, 5, 123456, 5], ARRAY[4, 1, 5, 1, 3], 20)
        EXCEPT SELECT * FROM mf_recommend_for(ARRAY[5, 1], ARRAY[4, 4], 20)) AS d;

-- Candidates and exclusions; nothing known means popular items; nothing asked for gives nothing.
SELECT count(*) AS wrong FROM mf_recommend_for(ARRAY[1, 5], n => 10, candidates => ARRAY[2, 3, 4, 5, 6], exclude => ARRAY[3]) WHERE item_id NOT IN (2, 4, 6);
SELECT item_id, score, basis FROM mf_recommend_for(ARRAY[123456], n => 3) EXCEPT SELECT item_id, score, basis FROM mf_recommend(123456, 3);
SELECT DISTINCT basis FROM mf_recommend_for(ARRAY[]::bigint[], n => 3);
SELECT count(*) FROM mf_recommend_for(NULL::bigint[]);
SELECT count(*) FROM mf_recommend_for(ARRAY[1], n => 0);
SELECT count(*) FROM mf_recommend_for(ARRAY[1], n => NULL);

-- Implicit feedback: ratings are weights. Only the ids of items must be of the overload's type.
CREATE TABLE events AS SELECT md5(user_id::text)::uuid AS who, item_id AS what, rating AS plays FROM ratings;
CREATE INDEX ON events (who);
SELECT model FROM mf_train('events', NULL, 'who', 'what', 'plays', 'implicit', factors => 8);
SELECT count(*), count(predicted_rating) AS ratings FROM mf_recommend_for(ARRAY[1, 5, 9], n => 5, model => 'events');
SELECT (SELECT array_agg(score) FROM mf_recommend_for(ARRAY[1, 2], ARRAY[9, 1], 5, 'events')) <> (SELECT array_agg(score) FROM mf_recommend_for(ARRAY[1, 2], ARRAY[1, 9], 5, 'events')) AS weights_matter;
SELECT (SELECT array_agg((item_id::text, score)) FROM mf_recommend_for(ARRAY[1, 2]::bigint[], n => 5, model => 'events'))
     = (SELECT array_agg((item_id, score)) FROM mf_recommend_for(ARRAY['1', '2'], n => 5, model => 'events')) AS text_overload;

-- Ratings of any numeric type, and a length of any integer type.
SELECT count(DISTINCT list) AS the_same
  FROM (SELECT array_agg((item_id, score)) FROM mf_recommend_for(ARRAY[1, 2], ARRAY[5, 3]::real[], 5::bigint, 'ratings')
        UNION ALL SELECT array_agg((item_id, score)) FROM mf_recommend_for(ARRAY[1, 2], ARRAY[5, 3]::float8[], 5::smallint, 'ratings')
        UNION ALL SELECT array_agg((item_id, score)) FROM mf_recommend_for(ARRAY[1, 2], ARRAY[5, 3.0], 5, 'ratings')
        UNION ALL SELECT array_agg((item_id, score)) FROM mf_recommend_for(ARRAY[1, 2], ARRAY[5, 3], 5, 'ratings')) lists(list);
SELECT (SELECT count(*) FROM mf_recommend_for(ARRAY[1, 2], n => 9223372036854775807, model => 'ratings'))
     = (SELECT items - 2 FROM mf_models WHERE model = 'ratings') AS all_there_are;

\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1], n => -9223372036854775808, model => 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1, 2], ARRAY[1, 1e300], model => 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1], n => -1, model => 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1, 2], ARRAY[1::real], model => 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1, 2], ARRAY[1, 'NaN']::real[], model => 'ratings')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1, 2], ARRAY[1, -1]::real[], model => 'events')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1, 2], model => 'nobody')$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[1, 2])$$);
SELECT error_of($$SELECT * FROM mf_recommend_for(ARRAY[gen_random_uuid()], model => 'events')$$);
