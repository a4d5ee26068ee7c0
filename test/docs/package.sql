-- What must work where the package is installed: the beginning of the README.
CREATE EXTENSION mf_ext;
CREATE TABLE ratings (user_id bigint, item_id bigint, rating real, PRIMARY KEY (user_id, item_id));
INSERT INTO ratings
SELECT u, i, CASE WHEN u % 4 = i % 4 THEN 5 ELSE 2 END
  FROM generate_series(1, 1000) u, generate_series(1, 200) i
 WHERE mf_fold(u, i, 100) < CASE WHEN u % 4 = i % 4 THEN 30 ELSE 6 END;
SELECT model, version, users, items, ratings FROM mf_train('ratings');
SELECT 1 / (count(*) = 3 AND bool_and(item_id % 4 = 2))::integer AS right FROM mf_recommend(42, 3);
