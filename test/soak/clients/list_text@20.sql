\set u random(0, 520)
SELECT check_list(count(*), 10, count(s.item))
  FROM mf_recommend('user ' || :u, 10, 'clicks') r LEFT JOIN (SELECT DISTINCT item::text FROM clicks WHERE who = 'user ' || :u) s ON s.item = r.item_id;
