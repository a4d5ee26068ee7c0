-- mf_estimate: what a training run would read and need.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/sql/include/helpers.sql'
\i :helpers

CREATE TABLE ratings AS SELECT user_id, item_id, rating, now() AS at FROM planted(300, 120);
INSERT INTO ratings VALUES (NULL, 1, 3), (1, NULL, 3), (1, 1, NULL);
CREATE INDEX ON ratings (user_id);
SELECT users, items, ratings = (SELECT count(*) FROM ratings WHERE user_id + item_id + rating IS NOT NULL) AS ratings,
       memory > 30e6 AND memory < 60e6 AS memory, seconds > 0 AND seconds < 30 AS seconds
  FROM mf_estimate('ratings');
SELECT count(*) FROM mf_models;

-- More of everything takes more.
SELECT (SELECT memory FROM mf_estimate('ratings', factors => 256)) > (SELECT memory FROM mf_estimate('ratings')) AS factors,
       (SELECT memory FROM mf_estimate('ratings', test_fraction => 0.2)) > (SELECT memory FROM mf_estimate('ratings')) AS held_out,
       (SELECT memory FROM mf_estimate('ratings', feedback => 'implicit')) < (SELECT memory FROM mf_estimate('ratings')) AS implicit,
       (SELECT memory FROM mf_estimate('ratings', options => '{"duplicates": "last", "time_column": "at"}')) > (SELECT memory FROM mf_estimate('ratings')) AS times;
-- The seconds are measured, so each is the least of five: ten times the iterations take at least three times as long.
SELECT count(*) AS iterations FROM (
    SELECT min(few) AS few, min(many) AS many FROM (
        SELECT (SELECT seconds + 0 * n FROM mf_estimate('ratings', iterations => 100)) AS few,
               (SELECT seconds + 0 * n FROM mf_estimate('ratings', iterations => 1000)) AS many
          FROM generate_series(1, 5) AS n) AS calls) AS least
 WHERE many > 3 * few AND few > 0;

-- The estimated memory is exactly what mf_ext.max_memory has to allow.
SELECT (memory + 1023) / 1024 AS enough, memory / 1024 - 1 AS too_little FROM mf_estimate('ratings', factors => 32) \gset
SET mf_ext.max_memory = :too_little;
SELECT split_part(error, ' of memory', 1) LIKE '54000: training needs at least __ MB' AS refused
  FROM error_of($$SELECT * FROM mf_train('ratings', factors => 32)$$) AS error LIMIT 1;
SET mf_ext.max_memory = :enough;
SELECT version FROM mf_train('ratings', factors => 32);
RESET mf_ext.max_memory;
SELECT mf_drop_model('ratings');

-- Wrong arguments are refused as in mf_train; a source without rows is no error here.
\pset tuples_only on
\pset format unaligned
SELECT error_of($$SELECT * FROM mf_estimate('ratings', factors => 0)$$);
SELECT error_of($$SELECT * FROM mf_estimate('ratings', item_column => 'thing')$$);
SELECT error_of($$SELECT * FROM mf_estimate(NULL)$$);
\pset format aligned
\pset tuples_only off
CREATE VIEW none AS SELECT * FROM ratings WHERE false;
SELECT * FROM mf_estimate('none');
