-- Generated ratings with known tastes, the same on every machine: 1,500 readers, 600 books of 12 kinds. A reader likes
-- three kinds; some books are better than others; some are read more than others.
CREATE FUNCTION chance(VARIADIC parts anyarray) RETURNS float8 IMMUTABLE LANGUAGE sql AS
    $$ SELECT ('x' || substr(md5(array_to_string(parts, ':')), 1, 8))::bit(32)::bigint / 4294967296.0 $$;

CREATE TABLE items AS
    SELECT (k - 1) * 50 + a AS item_id, adjective || ' ' || kind AS title, k AS kind
    FROM unnest('{Western,"Love Story",Mystery,"Ghost Story",Cookbook,"Space Opera",Biography,"Fairy Tale","Sea Story","Spy Story",Travelogue,Satire}'::text[])
             WITH ORDINALITY AS kinds (kind, k),
         unnest('{Quiet,Burning,Last,First,Golden,Silent,Broken,Hidden,Endless,Little,Great,Lost,Distant,Bitter,Sweet,Northern,Southern,Midnight,Winter,Summer,Crimson,Blue,Green,White,Black,Brave,Lonely,Merry,Secret,Second,Perfect,Strange,Gentle,Wild,Frozen,Paper,Iron,Silver,Crooked,Empty,Open,Hungry,Sleepless,Honest,Restless,Fearless,Careless,Timeless,Modest,Curious}'::text[])
             WITH ORDINALITY AS adjectives (adjective, a);

CREATE VIEW item_facts AS SELECT item_id, kind::text AS kind FROM items;

CREATE TABLE ratings AS
    SELECT user_id, item_id::integer,
           greatest(1, least(5, round((2.6 + CASE WHEN likes THEN 1.3 ELSE 0 END + chance('quality', item_id::text)
                                       + 1.2 * (chance('noise', user_id::text, item_id::text) - 0.5)) * 2) / 2))::real AS rating
    FROM (SELECT user_id, item_id,
                 kind IN (SELECT 1 + floor(12 * chance('taste', user_id::text, n::text)) FROM generate_series(1, 3) AS n) AS likes
          FROM generate_series(1, 1500) AS user_id, items) AS pairs
    -- Readers mostly read what they like, and everybody reads famous books.
    WHERE chance('reads', user_id::text, item_id::text)
          < (CASE WHEN likes THEN 0.30 ELSE 0.05 END) * (0.3 + 2 * chance('fame', item_id::text) ^ 3);
DROP FUNCTION chance;
