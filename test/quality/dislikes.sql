-- Reactions of <name>_train with and without the dislikes, beside all its ratings: ratings from `liked` up are reactions of 1,
-- ratings from `disliked` down are dislikes, and what is between is none. Measured on the same of <name>_test. Items with a
-- training row of the user are in none of the lists, so what dislikes say of other items is measured, not that they are seen.
CREATE TABLE quality.dislikes (data text, "position" integer, trained_on text, ratings bigint, factors integer, ndcg float8, disliked float8, above float8);

-- The mean NDCG@k against the liked held-out items; of the places in lists of users with disliked held-out items the share
-- that these take; and of the pairs of a liked and a disliked held-out item of a user the share in which the liked one comes
-- first, the mean over users.
CREATE FUNCTION quality.measure_reactions(name text, model text, k integer, liked_from float8, disliked_to float8, OUT ndcg float8, OUT disliked float8, OUT above float8)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TEMPORARY TABLE held_out AS
            SELECT user_id::bigint, array_remove(array_agg(CASE WHEN rating >= %3$s THEN item_id::bigint END), NULL) AS likes,
                   array_remove(array_agg(CASE WHEN rating <= %4$s THEN item_id::bigint END), NULL) AS dislikes,
                   ARRAY(SELECT t.item_id::bigint FROM %2$I t WHERE t.user_id = h.user_id) AS seen
              FROM %1$I h GROUP BY user_id', name || '_test', name || '_train', liked_from, disliked_to);
    SELECT avg(mf_ndcg_at(items, likes, k)),
           sum(cardinality(ARRAY(SELECT unnest(items) INTERSECT SELECT unnest(dislikes)))) / sum(cardinality(items)) FILTER (WHERE dislikes <> '{}')::float8
      INTO measure_reactions.ndcg, measure_reactions.disliked
      FROM held_out, LATERAL (SELECT ARRAY(SELECT item_id FROM mf_recommend(user_id, k, model, exclude => seen) ORDER BY rank)) AS l (items);
    SELECT avg(share) INTO measure_reactions.above
      FROM held_out,
           LATERAL (WITH list AS (SELECT item_id, rank FROM mf_recommend(user_id, cardinality(likes || dislikes), model, candidates => likes || dislikes, exclude => seen))
                    SELECT avg((l.rank < d.rank)::integer) FROM list l, list d WHERE l.item_id = ANY (likes) AND d.item_id = ANY (dislikes)) AS pairs (share);
    DROP TABLE held_out;
END $$;

-- The model of all ratings is that of the goals.
CREATE FUNCTION quality.measure_dislikes(name text, k integer, liked_from float8, disliked_to float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    reactions text := name || '_reactions';
    size integer;
    place integer := 0;
BEGIN
    FOREACH size IN ARRAY '{0,1,4}'::integer[] LOOP
        place := place + 1;
        EXECUTE format(
            'CREATE VIEW %1$I AS SELECT user_id, item_id, CASE WHEN rating >= %3$s THEN 1 ELSE -%5$s END AS reaction
               FROM %2$I WHERE rating >= %3$s OR rating <= %4$s AND %5$s > 0', reactions, name || '_train', liked_from, disliked_to, size);
        PERFORM mf_train(reactions::regclass, reactions, rating_column => 'reaction', feedback => 'implicit',
                         options => CASE size WHEN 0 THEN '{}' ELSE '{"negative": "dislike"}' END::jsonb);
        INSERT INTO quality.dislikes
            SELECT name, place, CASE size WHEN 0 THEN 'likes' ELSE 'likes, and dislikes of ' || -size END, m.ratings, (m.parameters->>'factors')::integer, r.*
              FROM mf_models m, quality.measure_reactions(name, reactions, k, liked_from, disliked_to) AS r WHERE m.model = reactions AND m.live;
        PERFORM mf_drop_model(reactions);
        EXECUTE format('DROP VIEW %I', reactions);
    END LOOP;
    INSERT INTO quality.dislikes
        SELECT name, place + 1, 'all ratings, explicit', m.ratings, (m.parameters->>'factors')::integer, r.*
          FROM mf_models m, quality.measure_reactions(name, name, k, liked_from, disliked_to) AS r WHERE m.model = name AND m.live;
END $$;

CREATE VIEW quality.dislikes_report AS
    SELECT data, trained_on AS "trained on", ratings, factors, round(ndcg::numeric, 4) AS "NDCG", round((100 * (ndcg / first_value(ndcg) OVER w - 1))::numeric, 1) AS "% more than likes",
           round((100 * disliked)::numeric, 2) AS "% of places with dislikes", round((100 * (disliked / first_value(disliked) OVER w - 1))::numeric, 1) AS "% more",
           round(above::numeric, 3) AS "likes above dislikes"
      FROM quality.dislikes WINDOW w AS (PARTITION BY data ORDER BY "position") ORDER BY data, "position";
