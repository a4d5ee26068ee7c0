-- Tables that the pages of the documentation speak of: 800 users rate items of four kinds, and like one of them.
CREATE EXTENSION mf_ext;
CREATE TABLE users AS SELECT u::bigint AS user_id, 'user ' || u AS name FROM generate_series(1, 800) u;
CREATE TABLE items AS
    SELECT i::bigint AS item_id, 'title ' || i AS title, 'brand ' || i % 25 AS brand, i % 5 <> 0 AS in_stock,
           1 + (i % 7) * 0.01 AS boost, date '2026-06-30' - (i * 7 % 365)::integer AS added
      FROM generate_series(1, 200) i;
CREATE TABLE ratings AS
    SELECT user_id, item_id, CASE WHEN user_id % 4 = item_id % 4 THEN 5 ELSE 2 END::real AS rating,
           timestamptz '2026-01-01' + ((user_id * 31 + item_id * 17) % 300) * interval '1 day' AS rated_at
      FROM users, items WHERE mf_fold(user_id, item_id, 100) < CASE WHEN user_id % 4 = item_id % 4 THEN 30 ELSE 6 END;
CREATE INDEX ON ratings (user_id) INCLUDE (item_id, rating);
CREATE SCHEMA shop;
CREATE TABLE shop.purchases AS SELECT user_id AS customer, 'sku-' || item_id AS sku FROM ratings;
CREATE INDEX ON shop.purchases (customer);
ANALYZE;
