\set ECHO none
-- The metrics of mf_evaluate for model train on table test, which has only rows of known users and items, from the whole ranking of every user of relation
-- train, among 40 items or those given.
CREATE FUNCTION by_hand(k integer, cut real, among bigint[] DEFAULT NULL, OUT users bigint, OUT rmse float8, OUT mae float8, OUT "precision" float8, OUT recall float8, OUT ndcg float8,
                        OUT map float8, OUT mrr float8, OUT hit_rate float8, OUT auc float8, OUT coverage float8, OUT novelty float8, OUT intra_list_similarity float8) LANGUAGE sql AS $body$
    WITH wanted AS (SELECT * FROM test WHERE item_id = ANY (among) OR among IS NULL),
    ranking AS MATERIALIZED (
        SELECT u AS user_id, l.item_id, l.place - 1 AS rank, t.rating IS NOT NULL AND t.rating >= cut AS relevant
          FROM (SELECT DISTINCT user_id FROM train) AS users (u)
         CROSS JOIN LATERAL mf_recommend(u, 1000, 'train', candidates => among) WITH ORDINALITY AS l (item_id, score, predicted_rating, basis, place)
          LEFT JOIN wanted t ON t.user_id = u AND t.item_id = l.item_id),
    counted AS (
        SELECT *, count(*) FILTER (WHERE relevant) OVER (PARTITION BY user_id ORDER BY rank) AS hits,
                  count(*) FILTER (WHERE relevant) OVER (PARTITION BY user_id) AS wanted, count(*) OVER (PARTITION BY user_id) AS ranked
          FROM ranking),
    each AS (
        SELECT user_id, count(*) FILTER (WHERE rank < k)::float8 AS hits, max(wanted) AS wanted,
               sum(1 / log(2, rank + 2)) FILTER (WHERE rank < k) AS gain, sum(hits::float8 / (rank + 1)) FILTER (WHERE rank < k) AS precisions,
               min(rank) AS first, 1 - sum(rank - hits + 1)::float8 / (max(wanted) * nullif(max(ranked) - max(wanted), 0)) AS auc
          FROM counted WHERE relevant GROUP BY user_id),
    item AS MATERIALIZED (
        SELECT f.item_id::bigint, -log(2, greatest(f.interactions, 1)::numeric / m.users)::float8 AS information, f.ranking_factors::float8[] AS v
          FROM mf_item_factors f JOIN mf_models m USING (model_id) WHERE m.model = 'train' AND m.live),
    listed AS (SELECT user_id, item_id, information, v FROM ranking JOIN item USING (item_id) WHERE rank < k AND user_id IN (SELECT user_id FROM each)),
    alike AS (
        SELECT a.user_id, avg((SELECT sum(x * y) / nullif(sqrt(sum(x * x) * sum(y * y)), 0) FROM unnest(a.v, b.v) AS u (x, y))) AS cosine
          FROM listed a JOIN listed b ON b.user_id = a.user_id AND b.item_id > a.item_id GROUP BY a.user_id)
    SELECT count(*), (SELECT sqrt(avg((mf_predict(user_id, item_id, 'train') - rating)::float8 ^ 2)) FROM wanted),
           (SELECT avg(abs((mf_predict(user_id, item_id, 'train')::float8 - rating::float8))) FROM wanted),
           avg(hits / k), avg(hits / wanted),
           avg(coalesce(gain, 0)::float8 / (SELECT sum(1 / log(2, i + 1)) FROM generate_series(1, least(k, wanted)) AS i)::float8),
           avg(coalesce(precisions, 0) / least(k, wanted)), avg(1.0::float8 / (first + 1)), avg((hits > 0)::integer)::float8, avg(auc),
           (SELECT count(DISTINCT item_id) FROM ranking WHERE rank < k AND user_id IN (SELECT user_id FROM each)) / coalesce(cardinality(among), 40)::float8,
           (SELECT avg(information) FROM (SELECT avg(information) AS information FROM listed GROUP BY user_id) AS l), (SELECT avg(cosine) FROM alike)
      FROM each
$body$;
CREATE FUNCTION agree(a float8, b float8) RETURNS boolean LANGUAGE sql AS 'SELECT abs(a - b) < 1e-6';
\set ECHO all
