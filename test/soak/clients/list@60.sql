\set u random(0, 1020)
SELECT check_list(count(*), 10, count(s.item_id))
  FROM mf_recommend(:u::bigint, 10, 'ratings') r LEFT JOIN (SELECT DISTINCT item_id FROM ratings WHERE user_id = :u) s ON s.item_id = r.item_id;
