-- Lists by their diversity: how many items of <name>_test they have, and what else is in them.
CREATE TABLE quality.diversities (data text, diversity float8, ndcg float8, novelty float8, similarity float8, coverage float8);

-- The model is that of the goals.
CREATE FUNCTION quality.measure_diversities(name text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    share float8;
    users bigint;
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE wanted AS SELECT user_id, array_agg(item_id::bigint) AS items FROM %I GROUP BY user_id', name || '_test');
    CREATE TEMPORARY TABLE item AS
        SELECT f.item_id::bigint, -log(2, greatest(f.interactions, 1)::numeric / m.users)::float8 AS information, f.ranking_factors AS v,
               (SELECT sqrt(sum(x::float8 * x)) FROM unnest(f.ranking_factors) AS u (x)) AS norm
          FROM mf_item_factors f JOIN mf_models m USING (model_id) WHERE m.model = name AND m.live;
    CREATE UNIQUE INDEX ON item (item_id);
    ANALYZE item;
    FOREACH share IN ARRAY '{0,0.1,0.2,0.3,0.5,0.7,1}'::float8[] LOOP
        CREATE TEMPORARY TABLE list AS
            SELECT w.user_id, l.item_id, l.rank FROM wanted w, mf_recommend(w.user_id, k, name, diversity => share) AS l;
        INSERT INTO quality.diversities
            SELECT name, share,
                   (SELECT avg(mf_ndcg_at(l.items, w.items, k)) FROM wanted w JOIN (SELECT user_id, array_agg(item_id ORDER BY rank) AS items FROM list GROUP BY user_id) AS l USING (user_id)),
                   (SELECT avg(information) FROM list JOIN item USING (item_id)),
                   (SELECT avg((SELECT sum(x::float8 * y) FROM unnest(i.v, j.v) AS u (x, y)) / nullif(i.norm * j.norm, 0))
                      FROM (SELECT * FROM list WHERE user_id % 5 = 0) AS a JOIN list b ON b.user_id = a.user_id AND b.rank > a.rank JOIN item i ON i.item_id = a.item_id JOIN item j ON j.item_id = b.item_id),
                   (SELECT count(DISTINCT item_id) FROM list) / (SELECT count(*) FROM item)::float8;
        DROP TABLE list;
    END LOOP;
    DROP TABLE wanted, item;
END $$;

CREATE VIEW quality.diversities_report AS
    SELECT data, diversity, round(ndcg::numeric, 4) AS "NDCG",
           round((100 * (ndcg / first_value(ndcg) OVER (PARTITION BY data ORDER BY diversity) - 1))::numeric, 1) AS "% more than 0",
           round(novelty::numeric, 2) AS novelty, round(similarity::numeric, 3) AS "similarity, a fifth of the lists", round(coverage::numeric, 3) AS coverage
      FROM quality.diversities ORDER BY data, diversity;
