-- A million ratings of 6,924 users for 3,706 items, activity and popularity skewed, planted structure of low rank plus
-- noise; a function of the row's number alone. Measures the time of mf_train from reading to storing.
CREATE FUNCTION quality.uniform(n bigint, stream bigint) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
$$ SELECT (pg_catalog.hashint8extended(n, stream) & 4503599627370495)::float8 / 4503599627370496 $$;

CREATE TABLE generated AS
    SELECT user_id, item_id,
           (least(5, greatest(1, round((3.6 + 0.5 * sin(user_id) + 0.5 * cos(item_id * 1.7)
               + 0.6 * sin(user_id * 0.9 + 1) * sin(item_id * 1.3) + 0.6 * cos(user_id * 2.1) * cos(item_id * 0.7)
               + 0.8 * (quality.uniform(n, 3) - 0.5))::numeric, 0))))::real AS rating
      FROM (SELECT n, (6924 * power(quality.uniform(n, 1), 1.7))::integer AS user_id,
                      (3706 * power(quality.uniform(n, 2), 2.2))::integer AS item_id
              FROM generate_series(1, 1000000) n) r;
CREATE INDEX ON generated (user_id);
ANALYZE generated;
INSERT INTO quality.figures SELECT 'generated', 'seconds to train', seconds FROM mf_train('generated');
