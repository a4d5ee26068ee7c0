-- Histories of more rows, and of longer ids, than are looked up at once: every row counts, in the digest and in what is
-- excluded.
\set VERBOSITY terse
CREATE TABLE long_rows AS
    SELECT u AS user_id, (i * 7 + u) % 1000 AS item_id, 1 + (u + i) % 5 AS rating
      FROM (VALUES (1, 1), (2, 255), (3, 256), (4, 257), (5, 512), (6, 700)) n (u, rows), generate_series(1, rows) i;
INSERT INTO long_rows SELECT 100 + i, i, 3 FROM generate_series(0, 999) i;
CREATE TABLE long_ids AS SELECT user_id, repeat(item_id::text || ' ', 120) AS item_id, rating FROM long_rows;
CREATE INDEX ON long_rows (user_id);
CREATE INDEX ON long_ids (user_id);
SELECT items, ratings FROM mf_train('long_rows', factors => 4, iterations => 2);
SELECT items, ratings FROM mf_train('long_ids', factors => 4, iterations => 2);
CREATE FUNCTION show(OUT user_id integer, OUT basis text, OUT rows bigint, OUT seen bigint, OUT text_basis text, OUT text_rows bigint,
                     OUT text_seen bigint) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT u, a.*, b.* FROM generate_series(1, 6) u,
           LATERAL (SELECT min(basis), count(*), count(s.item_id) FROM mf_recommend(u, 1000, 'long_rows') r
                      LEFT JOIN (SELECT item_id FROM long_rows WHERE user_id = u) s USING (item_id)) a,
           LATERAL (SELECT min(basis), count(*), count(s.item_id) FROM mf_recommend(u::text, 1000, 'long_ids') r
                      LEFT JOIN (SELECT item_id FROM long_ids WHERE user_id = u) s USING (item_id)) b
     ORDER BY u
$$;
SELECT * FROM show();
-- Items that the models do not know, the last ones of each history.
INSERT INTO long_rows SELECT u, 5000, 3 FROM generate_series(1, 6) u;
INSERT INTO long_ids SELECT u, repeat('5000 ', 120), 3 FROM generate_series(1, 6) u;
SELECT * FROM show();
-- A single value of the many has changed.
DELETE FROM long_rows WHERE item_id = 5000;
DELETE FROM long_ids WHERE item_id LIKE '5000 %';
UPDATE long_rows SET rating = rating + 1 WHERE user_id = 6 AND item_id = (300 * 7 + 6) % 1000;
UPDATE long_ids SET rating = rating + 1 WHERE user_id = 6 AND item_id = repeat(((300 * 7 + 6) % 1000)::text || ' ', 120);
SELECT * FROM show();
